"""Series of the case's own meters: what they measured, and what follows from it for the time to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import Columns, columns
from dispatch.errors import InputError, Problem
from dispatch.forecast.load import Place, forecast_history

if TYPE_CHECKING:
    import xarray as xr

MEASURED = {"load": "p_load", "pv": "p_available"}
"""Which series of /history belongs to which kind."""
LEAST_DAYS = 7
"""Days of history from which a series is forecast from it; below, its profile says more."""
DAY = np.timedelta64(24, "h")
POINT = np.array([0.5])  # quantiles are asked for elsewhere


def metered(
    case: xr.DataTree, kind: str, time: np.ndarray, step: np.timedelta64, issue: np.datetime64
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast the series of a kind that have a history.

    Parameters
    ----------
    case : DataTree
        A valid case.
    kind : {"load", "pv"}
        Whose series.
    time : ndarray (time,) of datetime64
        Left edges of the steps that are wanted, UTC; none before `issue`.
    step : timedelta64
        Their length.
    issue : datetime64
        From when on nothing is known, UTC.

    Returns
    -------
    known : ndarray (element,) of bool
        Which elements have enough history before the issue.
    power : ndarray (known element, time)
        [kW]

    Raises
    ------
    InputError
        If the history has another step.
    """
    table = columns(case, "history")
    name, count = MEASURED[kind], len(columns(case, kind)["id"])
    if not count or "time" not in table or name not in table or not (table["time"] < issue).any():
        return np.zeros(count, bool), np.zeros((0, len(time)))
    _require_step(table, step)
    before = table["time"] < issue
    filled = np.isfinite(table[name][:, before]).sum(axis=1) * (step / DAY)
    known = filled >= LEAST_DAYS
    if not known.any():
        return known, np.zeros((0, len(time)))
    values, place = table[name][known].astype(float), Place(str(case.attrs["time_zone"]))
    found = forecast_history(values, table["time"].astype("datetime64[s]"), time, place, POINT, issue=issue)
    power = np.maximum(found.point, 0.0) if kind == "pv" else found.point
    return known, power


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
        If a load or pv was not measured at all of these times.
    """
    table, found = columns(case, "history"), {}
    for kind, name in MEASURED.items():
        ids = columns(case, kind)["id"]
        if not len(ids):
            continue
        at = np.searchsorted(table.get("time", time[:0]), time)
        inside = name in table and len(time) and at[-1] < len(table["time"]) and (table["time"][at] == time).all()
        values = table[name][:, at].astype(float) if inside else np.full((len(ids), len(time)), np.nan)
        missing = ~np.isfinite(values).all(axis=1)
        if missing.any():
            names = tuple(i.decode(errors="replace") for i in ids[missing][:3])
            value = f"missing between {time[0]} and {time[-1]} UTC"
            hint = f"Fill them in /history, or choose days in which every {kind} was measured."
            raise InputError([Problem("history-gap", "/history", name, names, int(missing.sum()), value, hint=hint)])
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
    step = time[1] - time[0] if len(time) > 1 else columns(case, "history")["time_step"][0]
    late = time - DAY + step > issue
    days = 1 + late + np.maximum(np.ceil((time - 2 * DAY + step - issue) / DAY), 0).astype(int)
    source = time - days * DAY
    order = np.unique(source)
    found = measured(case, order)
    at = np.searchsorted(order, source)
    return {name: values[:, at] for name, values in found.items()}


def _require_step(table: Columns, step: np.timedelta64) -> None:
    own = table["time_step"][0]
    if own != step:
        value, allowed = f"steps of {own / np.timedelta64(1, 'm'):g} min", f"{step / np.timedelta64(1, 'm'):g} min"
        hint = "Average the history to the steps that are solved (or the other way round); nothing is resampled here."
        group = attribute_table()["history"].group
        raise InputError([Problem("time-step", group, "time", value=value, allowed=allowed, hint=hint)])
