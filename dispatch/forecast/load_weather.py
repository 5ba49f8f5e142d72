"""Air temperature of a case's stations, for the load regressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import Columns, columns, positions
from dispatch.forecast.covariates import Covariates
from dispatch.forecast.weather import assign, on_steps

if TYPE_CHECKING:
    import xarray as xr

FORESEEN, NO_YEAR = b"forecast", b"typical_year"


def load_covariates(
    case: xr.DataTree, bus: np.ndarray, past: np.ndarray, wanted: np.ndarray, issue: np.datetime64
) -> Covariates | None:
    """Temperature of the stations on the steps of history and forecast, and the station of each series.

    A station whose ``source`` is a forecast is known over the whole span; any other only up to the issue, because what
    was measured or reckoned afterwards was not there the day before. A typical year says nothing of these days.

    Parameters
    ----------
    case : DataTree
        A valid case.
    bus : ndarray (series,) of bytes
        Where each series is; empty: anywhere.
    past, wanted : ndarray of datetime64
        Left edges of history and forecast, UTC, in the same steps.
    issue : datetime64
        From when on nothing is measured, UTC.

    Returns
    -------
    Covariates or None
        None where no station has a temperature of these days.
    """
    table = columns(case, "station")
    if not len(past) or "temp_air" not in table or not len(table.get("time", ())):
        return None
    step = past[1] - past[0] if len(past) > 1 else np.timedelta64(3600, "s")
    time = np.arange(past[0], wanted[-1] + step, step)
    temperature = on_steps(table, time, step).temp_air.copy()
    edges = table["time"].astype("datetime64[s]")
    temperature[:, (time < edges[0]) | (time + step > edges[-1] + table["time_step"][0])] = np.nan
    temperature[~np.isfinite(table["temp_air"]).any(axis=1) | (table["source"] == NO_YEAR)] = np.nan
    late = np.nonzero(table["source"] != FORESEEN)[0]
    temperature[np.ix_(late, np.nonzero(time >= issue)[0])] = np.nan
    if not np.isfinite(temperature).any():
        return None
    return Covariates(temperature[None], time, _stations(case, table, bus))


def _stations(case: xr.DataTree, table: Columns, bus: np.ndarray) -> np.ndarray:
    """Nearest station of each series; the first where places are not known."""
    buses = columns(case, "bus")
    at = positions(buses["id"], bus)
    places = [np.where(at >= 0, buses[name][at], np.nan) for name in ("latitude", "longitude")]
    known = np.isfinite(places).all(axis=0)
    found = np.zeros(len(bus), np.int64)
    if len(table["id"]) > 1 and known.any() and np.isfinite([table["latitude"], table["longitude"]]).all():
        found[known] = assign(table, places[0][known], places[1][known], "nearest").station[:, 0]
    return found
