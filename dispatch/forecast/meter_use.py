"""What is used behind meters that show import less export, so that PV is not counted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.schema import Columns, columns, positions
from dispatch.forecast.net_load import LEAST_DAYS, separate_pv
from dispatch.forecast.quality import NET

if TYPE_CHECKING:
    from dispatch.case.schema import Columns

DAY = np.timedelta64(24 * 3600, "s")


def feeding_in(values: np.ndarray) -> np.ndarray:
    """Whether each series (series, time) is negative at times: 2 % of its known values or more."""
    known = np.isfinite(values).sum(axis=1)
    return np.asarray((values < 0).sum(axis=1) >= np.maximum(NET * known, 1))


def use_behind_meters(case: xr.DataTree, table: Columns, values: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Replace net load by use, where a meter feeds in and the case has PV behind it.

    Where that PV was measured too, its power is added; else it is told from use by the shape of the sun
    (`dispatch.separate_pv`). The forecast of the PV comes from weather or history as ever.

    Parameters
    ----------
    case : DataTree
        A valid case.
    table : Columns
        ``/history``.
    values : ndarray (series, time)
        Its power, faults taken out. [kW]
    time : ndarray (time,) of datetime64
        Left edges, UTC.

    Returns
    -------
    ndarray (series, time)
        [kW]
    """
    pv, used = columns(case, "pv"), values.copy()
    net = (table["meter"] != b"") & (table["load"] == b"") & np.isin(table["meter"], pv["meter"]) & feeding_in(values)
    unknown: list[int] = []
    for s in np.nonzero(net)[0].tolist():
        behind = pv["id"][pv["meter"] == table["meter"][s]]
        rows = np.nonzero(np.isin(table["pv"], behind))[0]
        if len(rows) == len(behind):
            used[s] = values[s] + values[rows].sum(axis=0)
        else:
            unknown.append(s)
    for s, found in _separated(case, table, values, time, np.array(unknown, np.int64)):
        if found["prosumer"].item():
            used[s] = np.maximum(found["p_load"].to_numpy()[0], 0.0)
    return used


def likely_prosumers(case: xr.DataTree, table: Columns, values: np.ndarray, time: np.ndarray) -> dict[str, float]:
    """Series of the history that feed in and look as if PV were behind them, and its capacity. [kW].

    Parameters
    ----------
    case, table, values, time
        As for `use_behind_meters`.
    """
    which = np.nonzero(feeding_in(values) & (table["pv"] == b"") & (table["profile"] == b""))[0]
    found = _separated(case, table, values, time, which)
    return {table["id"][s].decode(): round(f["p_nom"].item(), 3) for s, f in found if f["prosumer"].item()}


def _separated(
    case: xr.DataTree, table: Columns, values: np.ndarray, time: np.ndarray, which: np.ndarray
) -> list[tuple[int, xr.Dataset]]:
    """PV and use of some series, each at the place of its bus, else of the first station; none without a place."""
    if not len(which) or len(time) < 2 or len(time) * (time[1] - time[0]) < LEAST_DAYS * DAY:
        return []
    found, unit = [], {"units": "kW"}
    for s in which:
        latitude, longitude = _place(case, table["meter"][s], table["load"][s])
        if np.isfinite(latitude) and np.isfinite(longitude):
            net = xr.DataArray(values[[s]], {"time": time}, ("meter", "time"), attrs=unit)
            found.append((int(s), separate_pv(net, latitude=latitude, longitude=longitude)))
    return found


def _place(case: xr.DataTree, meter: bytes, load: bytes) -> tuple[float, float]:
    """Latitude and longitude of a meter, or of the meter of a load. [degree_north, degree_east]."""
    bus, meters, loads, station = (columns(case, kind) for kind in ("bus", "meter", "load", "station"))
    own = meter or loads["meter"][positions(loads["id"], np.array([load]))][0]
    at = positions(bus["id"], meters["bus"][positions(meters["id"], np.array([own]))])[0]
    place = float(bus["latitude"][at]), float(bus["longitude"][at])
    if not np.isfinite(place).all() and len(station["id"]):
        place = float(station["latitude"][0]), float(station["longitude"][0])
    return place
