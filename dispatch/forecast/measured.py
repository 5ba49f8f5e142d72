"""What the case's own meters measured, as it came, and what is naively expected from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import Columns, columns, positions
from dispatch.errors import InputError, Problem
from dispatch.forecast.history import history_step
from dispatch.forecast.load import Place, forecast_history

if TYPE_CHECKING:
    import xarray as xr

MEASURED = {"load": "p_load", "pv": "p_available"}
"""Which series of /forecast the history of which kind becomes."""
LEAST_DAYS = 7
"""Days of history from which a pv without weather is forecast from it; below, its profile says more."""
DAY = np.timedelta64(24 * 3600, "s")
POINT = np.array([0.5])


def series_of_pv(case: xr.DataTree, otherwise: np.ndarray, time: np.ndarray, issue: np.datetime64) -> np.ndarray:
    """Forecast pv from their own history, where there is one in the same steps: as well as can be without weather.

    Parameters
    ----------
    case : DataTree
        A valid case.
    otherwise : ndarray (pv, time)
        Power of pv without history. [kW]
    time : ndarray (time,) of datetime64
        Left edges of the steps that are wanted, UTC.
    issue : datetime64
        From when on nothing is known, UTC.

    Returns
    -------
    ndarray (pv, time)
        [kW]
    """
    table, series = columns(case, "history"), otherwise.copy()
    at = positions(table["id"], np.zeros(0, "S1")) if "time" not in table else _rows(case, "pv")
    if not (at >= 0).any() or (len(time) > 1 and time[1] - time[0] != history_step(table)):
        return series
    before = table["time"] < issue
    filled = np.isfinite(table["p"][:, before]).sum(axis=1) * (history_step(table) / DAY)
    own = np.nonzero((at >= 0) & (np.append(filled, 0)[at] >= LEAST_DAYS))[0]
    if len(own):
        values, place = table["p"][at[own]].astype(float), Place(str(case.attrs["time_zone"]))
        past = table["time"].astype("datetime64[s]")
        series[own] = np.maximum(forecast_history(values, past, time, place, POINT, issue=issue).point, 0.0)
    return series


def measured(case: xr.DataTree, time: np.ndarray) -> Columns:
    """Series of /history at given times, as they came.

    Parameters
    ----------
    case : DataTree
        A valid case.
    time : ndarray (time,) of datetime64
        Left edges, UTC.

    Returns
    -------
    dict of str to ndarray
        ``p_load`` and ``p_available``, where there are loads and pv. [kW]

    Raises
    ------
    InputError
        If a load or pv has no series of its own that covers all of these times.
    """
    table, found = columns(case, "history"), {}
    for kind, name in MEASURED.items():
        ids, at = columns(case, kind)["id"], _rows(case, kind)
        if not len(ids):
            continue
        step = np.searchsorted(table["time"], time)
        inside = (
            step[-1] < len(table["time"]) and (table["time"][np.minimum(step, len(table["time"]) - 1)] == time).all()
        )
        values = np.full((len(ids), len(time)), np.nan)
        if inside:
            values[at >= 0] = table["p"][at[at >= 0]][:, step]
        missing = ~np.isfinite(values).all(axis=1)
        if missing.any():
            names = tuple(i.decode(errors="replace") for i in ids[missing][:3])
            value = f"missing of {kind} between {time[0]} and {time[-1]} UTC"
            hint = f"Fill the gaps, or choose days in which every {kind} was measured on its own."
            raise InputError([Problem("history-gap", "/history", "p", names, int(missing.sum()), value, hint=hint)])
        found[name] = values
    return found


def same_time_before(case: xr.DataTree, time: np.ndarray, issue: np.datetime64) -> Columns:
    """Take the same time of yesterday, or of the day before where that is not over at the issue.

    Parameters
    ----------
    case, time
        See `measured`.
    issue : datetime64
        From when on nothing is known, UTC.

    Returns
    -------
    dict of str to ndarray
        As of `measured`.
    """
    step = history_step(columns(case, "history"))
    days = np.maximum(np.ceil((time - issue + step) / DAY), 1).astype(int)
    source = time - days * DAY
    order = np.unique(source)
    found = measured(case, order)
    at = np.searchsorted(order, source)
    return {name: values[:, at] for name, values in found.items()}


def _rows(case: xr.DataTree, kind: str) -> np.ndarray:
    """Row of the history of each element of a kind; -1 where it has none."""
    table, ids = columns(case, "history"), columns(case, kind)["id"]
    at = positions(ids, table[kind])
    rows = np.full(len(ids), -1)
    rows[at[at >= 0]] = np.nonzero(at >= 0)[0]
    return rows
