"""What the case's own meters measured, as it came, and what is naively expected from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import Columns, columns, positions
from dispatch.errors import InputError, Problem
from dispatch.forecast.history import history_step
from dispatch.forecast.profile_history import of_profiles

if TYPE_CHECKING:
    import xarray as xr

MEASURED = {"load": "p_load", "pv": "p_available"}
"""Which series of /forecast the history of which kind becomes."""
DAY = np.timedelta64(24 * 3600, "s")


def measured(case: xr.DataTree, time: np.ndarray) -> Columns:
    """Series of /history at given times, as they came.

    Where a meter measured in longer steps, its mean holds in each of the shorter ones; of shorter ones the mean counts.

    Parameters
    ----------
    case : DataTree
        A valid case.
    time : ndarray (time,) of datetime64
        Left edges, UTC, in steps of one length.

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
        ids, at = columns(case, kind)["id"], rows_of(case, kind)
        if not len(ids):
            continue
        values = np.full((len(ids), len(time)), np.nan)
        values[at >= 0] = _on(table, at[at >= 0], time)
        missing = ~np.isfinite(values).all(axis=1)
        if missing.any():
            names = tuple(i.decode(errors="replace") for i in ids[missing][:3])
            value = f"missing of {kind} between {time[0]} and {time[-1]} UTC"
            hint = f"Fill the gaps, or choose days in which every {kind} was measured on its own."
            raise InputError([Problem("history-gap", "/history", "p", names, int(missing.sum()), value, hint=hint)])
        found[name] = values
    return found


def _on(table: Columns, rows: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Mean power in the steps that begin at `time`, (row, time); NaN where not all of a step was measured."""
    own, times = history_step(table), table["time"]
    length = np.min(np.diff(time)).astype("timedelta64[s]") if len(time) > 1 else own
    first = np.searchsorted(times, time, side="right") - 1
    within = first[:, None] + np.arange(max(int(length // own), 1))
    known = (first >= 0) & (within[:, -1] < len(times))
    held = table["p"][rows][:, np.where(known[:, None], within, 0)].astype(float)
    known &= time < times[np.minimum(within[:, -1], len(times) - 1)] + own
    return np.where(known, held.mean(axis=2), np.nan)


def as_it_came(case: xr.DataTree, kind: str, time: np.ndarray) -> np.ndarray:
    """Power of loads or pv at given times as far as ``/history`` knows it.

    Parameters
    ----------
    case : DataTree
        A valid case.
    kind : {"load", "pv"}
        Loads without a history of their own have that of their profile, where there is one.
    time : ndarray (time,) of datetime64
        Left edges, UTC.

    Returns
    -------
    ndarray (element, time)
        NaN where it is not known. [kW]
    """
    table, elements = columns(case, "history"), columns(case, kind)
    found = np.full((len(elements["id"]), len(time)), np.nan)
    if not len(table.get("time", ())):
        return found
    last = len(table["time"]) - 1
    step = np.minimum(np.searchsorted(table["time"], time), last)
    inside, rows = table["time"][step] == time, rows_of(case, kind)
    found[rows >= 0] = table["p"][rows[rows >= 0]][:, step]
    if kind == "load":
        table, load, row = of_profiles(table, elements, rows < 0)
        found[load] = elements["p_nom"][load, None] * table["p"][row][:, step]
    return np.where(inside, found, np.nan)


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


def rows_of(case: xr.DataTree, kind: str) -> np.ndarray:
    """Row of the history of each element of a kind.

    Parameters
    ----------
    case : DataTree
        With /history.
    kind : {"load", "pv"}

    Returns
    -------
    ndarray (element,) of int
        -1 where it has none.
    """
    table, ids = columns(case, "history"), columns(case, kind)["id"]
    at = positions(ids, table[kind])
    rows = np.full(len(ids), -1)
    rows[at[at >= 0]] = np.nonzero(at >= 0)[0]
    return rows
