"""Quantiles of PV power from what its model got wrong before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

from dispatch.errors import InputError, Problem
from dispatch.forecast.quantiles import QUANTILES, checked_quantiles, residual_quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = 12
"""Classes of modelled power."""
DAY_S = 86400


def pv_quantiles(
    model: xr.DataArray,
    past: xr.DataArray,
    power: xr.DataArray,
    quantiles: Sequence[float] = QUANTILES,
    *,
    by: Literal["time_of_day", "power"] = "time_of_day",
    days: int = 30,
) -> xr.DataArray:
    """Quantiles of forecast power, from residuals of forecasts that did not know what came.

    Parameters
    ----------
    model : DataArray (time)
        Forecast power. [kW]
    past : DataArray (time)
        Earlier forecasts out of sample, such as ``p_model_out_of_sample`` of `fit_pv`. [kW]
    power : DataArray (time)
        What came at the times of `past`, outages left out (NaN). [kW]
    quantiles : sequence of float
        In (0, 1).
    by : {"time_of_day", "power"}
        What residuals are grouped by: the step's time of day (UTC), or how much power was forecast, which is how clear
        the sky is and how high the sun.
    days : int
        Residuals of so many days before the first step of `model` count; nothing later is looked at. Errors of PV
        models drift with dirt, growth and season: on a farm in Devon 30 days had the least pinball loss, a year 11 %
        more.

    Returns
    -------
    DataArray (quantile, time)
        Never below 0 nor above the largest power that came in those days; 0 in the dark. [kW]

    Raises
    ------
    InputError
        If a quantile is none, or no residual is known.
    """
    levels = checked_quantiles(quantiles)
    first = model["time"].to_numpy()[0]
    before_it = past["time"].to_numpy() < first
    past = past[before_it & (past["time"].to_numpy() >= first - np.timedelta64(days, "D"))]
    came = power.reindex(time=past["time"]).to_numpy().astype(float)
    expected, now = past.to_numpy().astype(float), model.to_numpy().astype(float)
    if not (np.isfinite(came - expected) & (expected > 0)).any():
        hint = f"Give forecasts and power of the {days} days before {first.astype('datetime64[s]')} UTC."
        raise InputError([Problem("short-history", "past", "time", value="without residuals", hint=hint)])
    if by == "power":
        edges = np.nanquantile(expected[expected > 0], np.linspace(0, 1, LEVELS + 1)[1:-1])
        before, here = np.searchsorted(edges, np.nan_to_num(expected)), np.searchsorted(edges, np.nan_to_num(now))
    else:
        step = _step(past)
        before, here = slots(past["time"].to_numpy(), step), slots(model["time"].to_numpy(), step)
    found = around(now[None], here, expected[None], came[None], before, levels)[0]
    return xr.DataArray(
        found, {"quantile": levels, "time": model["time"]}, ("quantile", "time"), "p_available_quantile"
    )


def around(
    now: np.ndarray,
    here: np.ndarray,
    expected: np.ndarray,
    came: np.ndarray,
    before: np.ndarray,
    levels: np.ndarray,
    *,
    beside: int = 0,
) -> np.ndarray:
    """Quantiles of power around forecasts, from what earlier ones got wrong in the same group of steps.

    Parameters
    ----------
    now : ndarray (pv, time)
        Forecast power. [kW]
    here : ndarray (time,) of int
        Group of each step.
    expected, came : ndarray (pv, past time)
        Earlier forecasts that did not know what came, and what came. [kW]
    before : ndarray (past time,) of int
        Group of each earlier step.
    levels : ndarray (quantile,)
        Ascending, in (0, 1).
    beside : int
        A group also takes the samples of the groups so many before and after it.

    Returns
    -------
    ndarray (pv, quantile, time)
        Never below 0 nor above the largest power that came; 0 in the dark; NaN where nothing is known. [kW]
    """
    residual = np.where(expected > 0, came - expected, np.nan)
    groups = int(max(before.max(), here.max())) + 1
    # The last group exists in the table even where no residual falls into it.
    group, values = np.append(before, groups - 1), np.pad(residual, ((0, 0), (0, 1)), constant_values=np.nan)
    table = residual_quantiles(values, group, levels, beside=beside)
    top = np.nan_to_num(came, nan=0.0).max(axis=1)[:, None, None]
    found = np.clip(now[:, None] + table[:, here].transpose(0, 2, 1), 0.0, top)
    dark = np.where(np.isnan(now), np.nan, 0.0)[:, None]
    return np.where((now > 0)[:, None], found, np.broadcast_to(dark, found.shape))


def slots(time: np.ndarray, step_s: int) -> np.ndarray:
    """Count each time within its day (UTC), in steps."""
    return np.asarray(time.astype("datetime64[s]").astype(np.int64) % DAY_S // step_s)


def _step(series: xr.DataArray) -> int:
    """Length of a step. [s]."""
    seconds = series["time"].to_numpy().astype("datetime64[s]").astype(np.int64)
    return int(np.median(np.diff(seconds))) if len(seconds) > 1 else 3600
