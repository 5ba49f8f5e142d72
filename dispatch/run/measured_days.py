"""Measured days as a backtest sees them: what each strategy knows of a day, and what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import Columns, as_bytes, columns, has
from dispatch.case.trees import tree_of
from dispatch.errors import InputError, Problem
from dispatch.forecast.calendar import local_time
from dispatch.forecast.history import history_step
from dispatch.forecast.measured import measured, same_time_before
from dispatch.forecast.profile import predict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AHEAD_H = 24.0
"""Schedules look so far beyond the end of their day: a battery that is used up in the evening is filled again at noon.
"""
SET_POINTS = ("p_load", "p_available")


@dataclass(frozen=True)
class Day:
    """One day of a backtest.

    Attributes
    ----------
    start : datetime64
        Left edge of its first step, UTC.
    hours : float
        Its length: 23 or 25 where clocks change. [h]
    """

    start: np.datetime64
    hours: float


def last_days(case: xr.DataTree, days: int) -> list[Day]:
    """Find the last whole local days of the history after which there is one more, which schedules look ahead to."""
    table = columns(case, "history")
    if "time" not in table or not len(table["time"]):
        hint = "Add the series of the meters as /history (dispatch import tables, history.csv and history_p.csv)."
        raise InputError([Problem("no-series", "/history", value="missing", hint=hint)])
    time, step = table["time"].astype("datetime64[s]"), table["time_step"][0]
    edges = np.append(time, time[-1] + step)
    local = local_time(edges, str(case.attrs["time_zone"]))
    at = np.nonzero(local == local.astype("datetime64[D]").astype("datetime64[s]"))[0]
    if len(at) <= days + 1:
        value, hint = f"{max(len(at) - 1, 0)} whole days", "Ask for fewer days (--days), or add history."
        raise InputError(
            [Problem("short-history", "/history", "time", value=value, allowed=f"{days + 1} or more", hint=hint)]
        )
    hour = np.timedelta64(3600, "s")
    return [
        Day(edges[a], float((edges[b] - edges[a]) / hour))
        for a, b in zip(at[-days - 2 : -2], at[-days - 1 : -1], strict=True)
    ]


def plans_of_day(
    bare: xr.DataTree, day: Day, notice_h: float, levels: Sequence[float]
) -> Callable[[str, np.ndarray | None], tuple[xr.DataTree, xr.DataTree]]:
    """Make what each strategy plans with, and what comes, as functions of the content that it begins with.

    Parameters
    ----------
    bare : DataTree
        From `without_given`.
    day : Day
        Of its history.
    notice_h : float
        How long before the day a schedule is made. [h]
    levels : sequence of float
        Quantiles of the forecast.

    Returns
    -------
    callable
        Takes the name of a strategy and the content of each store (None: that of the case); returns the case that it
        plans with, which looks `AHEAD_H` beyond the day as far as there is history (not with biogas plants, whose
        costs are those of the whole schedule), and the day as it came.
    """
    issue = day.start - np.timedelta64(round(notice_h * 3600), "s")
    table, hour = columns(bare, "history"), np.timedelta64(3600, "s")
    left = float((table["time"][-1] + history_step(table) - day.start) / hour)
    ahead = not (has(bare, "plant") and len(columns(bare, "plant")["id"]))
    horizon = min(day.hours + AHEAD_H, left) if ahead else day.hours
    base = predict(bare, start=day.start, horizon_h=horizon, known_until=issue, quantiles=levels)
    time = columns(base, "forecast")["time"].astype("datetime64[s]")
    came, first = measured(bare, time), columns(bare, "store")
    yesterday = _with_series(base, same_time_before(bare, time, issue))
    expected = {"forecast": base, "cautious": base, "yesterday": yesterday}
    steps = int(np.searchsorted(time, day.start + np.timedelta64(round(day.hours * 3600), "s")))

    def of(name: str, content: np.ndarray | None) -> tuple[xr.DataTree, xr.DataTree]:
        actual = _going_on(_with_series(base, came, b"measurement"), first, content, ahead=ahead)
        planned = _going_on(expected[name], first, content, ahead=ahead) if name in expected else actual
        return planned, _first_steps(actual, steps)

    return of


def _first_steps(case: xr.DataTree, steps: int) -> xr.DataTree:
    """Crop /forecast to its first steps."""
    return _replaced(case, "/forecast", _group(case, "/forecast").isel(time=slice(0, steps)))


def without_given(case: xr.DataTree) -> xr.DataTree:
    """Leave out series of load and PV that /forecast already has: here they come from the history."""
    group = attribute_table()["forecast"].group
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    if group in groups:
        data = groups[group]
        groups[group] = data.drop_vars([n for n in (*SET_POINTS, "q_load") if n in data])
    bare = tree_of(groups)
    bare.attrs = dict(case.attrs)
    return bare


def _with_series(case: xr.DataTree, series: Columns | None, source: bytes | None = None) -> xr.DataTree:
    """Replace load and PV in /forecast; reactive power follows its active power."""
    if series is None:
        return case
    data = _group(case, "/forecast")
    new = dict(series)
    if "p_load" in new:
        table = columns(case, "load")
        ratio = np.divide(table["q_nom"], table["p_nom"], out=np.zeros(len(table["id"])), where=table["p_nom"] > 0)
        new["q_load"] = ratio[:, None] * new["p_load"]
    found = {n: data[n].copy(data=v.astype(data[n].dtype)) for n, v in new.items()}
    if source is not None:
        found["source"] = data["source"].copy(data=as_bytes(source))
    return _replaced(case, "/forecast", data.assign(found))


def _group(case: xr.DataTree, path: str) -> xr.Dataset:
    node = case[path]
    assert isinstance(node, xr.DataTree)
    return node.to_dataset(inherit=False)


def _going_on(case: xr.DataTree, first: Columns, content: np.ndarray | None, *, ahead: bool) -> xr.DataTree:
    """Begin with a content, and end with at least that of the first day; batteries that look ahead may be empty.

    One that must be half full a day after the one that counts could not be used up in a night after which no sun is
    expected.
    """
    group = attribute_table()["store"].group
    data, known = _group(case, group), first["state_of_charge_initial"]
    least = np.where(np.isnan(known), first["energy_nom"] / 2, known)
    begin = least if content is None else np.clip(content, 0.0, first["energy_nom"])
    least = np.where(np.isnan(first["state_of_charge_final"]), least, first["state_of_charge_final"])
    if ahead:
        least = np.where(first["kind"] == b"battery", 0.0, least)
    held = {"state_of_charge_initial": begin, "state_of_charge_final": least}
    return _replaced(case, group, data.assign({name: data[name].copy(data=values) for name, values in held.items()}))


def _replaced(case: xr.DataTree, group: str, data: xr.Dataset) -> xr.DataTree:
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    found = tree_of({**groups, group: data})
    found.attrs = dict(case.attrs)
    return found
