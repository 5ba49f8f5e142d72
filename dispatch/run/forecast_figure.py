"""Forecast against what came: of a load, or of a feeder's net load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.network import network_of
from dispatch.case.schema import columns, parent_index, positions
from dispatch.errors import InputError, Problem
from dispatch.forecast.measured import as_it_came
from dispatch.report.forecast import forecast_svg
from dispatch.report.words import Clock
from dispatch.solve.limits.room import LOAD_CORRELATION

if TYPE_CHECKING:
    import xarray as xr


def figure_of_load(case: xr.DataTree, load: str | None) -> str:
    """Draw the forecast of one load, beside what its meter showed where that is known.

    Parameters
    ----------
    case : DataTree
        With /forecast.
    load : str, optional
        Its id; default: the first that has quantiles.

    Returns
    -------
    str
        SVG.

    Raises
    ------
    InputError
        If there is no such load.
    """
    forecast, ids = columns(case, "forecast"), columns(case, "load")["id"]
    time = forecast["time"].astype("datetime64[s]")
    band = forecast.get("p_load_quantile", np.full((len(ids), 1, len(time)), np.nan))
    known = np.nonzero(np.isfinite(band).all(axis=(1, 2)))[0]
    row = (known[0] if len(known) else -1) if load is None else positions(ids, np.array([load.encode()]))[0]
    if row < 0:
        hint = "Name a load of the case with --load; `dispatch export tables` lists them."
        value = repr(load) if load is not None else "none with a history"
        raise InputError([Problem("unknown-id", "/prosumer/load", "id", value=value, hint=hint)])
    came = as_it_came(case, "load", time)[row]
    title = f"Load {ids[row].decode()}"
    return forecast_svg(title, _clock(case), forecast["p_load"][row], band[row, 0], band[row, -1], came)


def figure_of_feeder(case: xr.DataTree, feeder: str) -> str:
    """Draw the net load of a feeder, all loads less all PV, beside what came.

    Quantiles of the sum follow from those of the parts as docs/formulation.md takes errors to go together. PV that was
    not measured is taken to have come as forecast, and the title says so.

    Parameters
    ----------
    case : DataTree
        With /forecast.
    feeder : str
        Id of its source.

    Returns
    -------
    str
        SVG.

    Raises
    ------
    InputError
        If there is no such source.
    """
    number = int(positions(columns(case, "source")["id"], np.array([feeder.encode()]))[0])
    if number < 0:
        hint = "Name a source of the case with --feeder; `dispatch export tables` lists them."
        raise InputError([Problem("unknown-id", "/electric/source", "id", value=repr(feeder), hint=hint)])
    forecast, of_bus = columns(case, "forecast"), np.append(network_of(case).feeder, -1)
    time = forecast["time"].astype("datetime64[s]")
    at_meter = np.append(of_bus[parent_index(case, "meter", "bus")], -1)
    own = {kind: at_meter[parent_index(case, kind, "meter")] == number for kind in ("load", "pv")}
    load, low, high = _parts(forecast, "p_load", own["load"], len(time))
    sun, dull, bright = _parts(forecast, "p_available", own["pv"], len(time))

    def together(errors: np.ndarray) -> np.ndarray:
        same, apart = errors.sum(axis=0) ** 2, (errors**2).sum(axis=0)
        return np.asarray(LOAD_CORRELATION * same + (1 - LOAD_CORRELATION) * apart)

    net = load.sum(axis=0) - sun.sum(axis=0)
    above = np.sqrt(together(high) + dull.sum(axis=0) ** 2)
    below = np.sqrt(together(low) + bright.sum(axis=0) ** 2)
    measured = as_it_came(case, "pv", time)[own["pv"]]
    came = as_it_came(case, "load", time)[own["load"]].sum(axis=0)
    came = came - np.where(np.isfinite(measured), measured, sun).sum(axis=0)
    title = f"Net load of feeder {feeder}" + ("" if np.isfinite(measured).all() else ", PV as forecast")
    return forecast_svg(title, _clock(case), net, net - below, net + above, came)


def _clock(case: xr.DataTree) -> Clock:
    forecast = columns(case, "forecast")
    hours = float(forecast["time_step"][0] / np.timedelta64(1, "h"))
    return Clock.of(forecast["time"], hours, str(case.attrs["time_zone"]))


def _parts(
    forecast: dict[str, np.ndarray], name: str, own: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give expected power of some elements, and how far their lowest and highest quantile lie below and above it."""
    if name not in forecast:
        none = np.zeros((0, steps))
        return none, none, none
    expected = forecast[name][own].astype(float)
    band = forecast.get(f"{name}_quantile")
    if band is None:
        return expected, 0 * expected, 0 * expected
    low, high = band[own][:, 0].astype(float), band[own][:, -1].astype(float)
    return expected, np.nan_to_num(np.maximum(expected - low, 0)), np.nan_to_num(np.maximum(high - expected, 0))
