"""The closed loop on measured days: forecast, optimise, apply to what really came, measure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.rules import check_case
from dispatch.case.schema import Columns, as_bytes, columns
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.forecast.calendar import local_time
from dispatch.forecast.measured import measured, same_time_before
from dispatch.forecast.profile import predict
from dispatch.forecast.quantiles import QUANTILES
from dispatch.model.baseline import self_use
from dispatch.model.series import step_hours
from dispatch.run.follow import Followed, follow
from dispatch.run.optimize import optimize
from dispatch.run.result import without_results
from dispatch.run.room import levels_for
from dispatch.run.settings import Settings
from dispatch.verify.electric import ac_flow, injections
from dispatch.verify.excess import Excess, limits_ac

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STRATEGIES = ("perfect", "forecast", "yesterday", "uncontrolled")
CAUTIOUS = "cautious"
"""The schedule from the forecast whose limits hold at a quantile of net load."""
Row = tuple[float, ...]
NOTICE_H = 12.0
"""Schedules are made so long before their day begins: at noon of the day before."""
SET_POINTS = {"p_load", "p_available"}


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


def backtest(
    case: xr.DataTree,
    *,
    days: int = 7,
    settings: Settings | None = None,
    notice_h: float = NOTICE_H,
    limits_at: float | None = None,
    workers: int | None = 1,
    told: Callable[[str, float], None] | None = None,
) -> xr.Dataset:
    """Run the last measured days as if they were to come, and compare what they cost.

    Each day four schedules are applied to what really came (`dispatch.run.follow.follow`): one made with ``perfect``
    knowledge, one from the ``forecast`` at noon of the day before, one that takes the same time of ``yesterday`` (of
    the day before where that was not over), and self-use without control. Stores go on with the content that the
    strategy left them; each day ends with at least the content with which the first began.

    Parameters
    ----------
    case : DataTree
        With /history of all loads and pv over these days, and before them what forecasts learn from.
    days : int
        How many local days: the last whole ones of the history.
    settings : Settings, optional
        How each day is solved; start and horizon are those of the day.
    notice_h : float
        How long before its day a schedule is made. [h]
    limits_at : float, optional
        Adds a fifth schedule, ``cautious``: from the same forecast, with limits held at this quantile of net load.
    workers : int, optional
        See `optimize`.
    told : callable, optional
        Told in words what is being worked on, and the part that is done, in [0, 1].

    Returns
    -------
    Dataset (strategy, day)
        `cost` and `regret` (against ``perfect``) of all prosumers, `violations` (a line, transformer or bus beyond its
        AC limit in a step, counted), `limit_hours` (the same in hours), `loading_max_pu`, `v_max_pu` and `v_min_pu`.

    Raises
    ------
    InputError
        If the case is invalid, or its history has gaps in these days or no whole day.
    """
    settings = replace(settings or Settings(), limits_at=0.5)
    cautious = None if limits_at is None else replace(settings, limits_at=limits_at)
    bare = _without_given(without_results(case))
    chosen = _last_days(bare, days)
    raise_if_any(check_case(bare), str(case.attrs.get("title", "")))
    names = [*STRATEGIES, *([] if cautious is None else [CAUTIOUS])]
    content: dict[str, np.ndarray | None] = dict.fromkeys(names)
    rows: list[dict[str, Row]] = []
    for k, day in enumerate(chosen):
        plans = _plans(bare, day, notice_h, QUANTILES if cautious is None else levels_for(cautious.limits_at))
        row: dict[str, Row] = {}
        for n, name in enumerate(names):
            if told is not None:
                told(f"day {k + 1} of {len(chosen)}, {name}", (k + n / len(names)) / len(chosen))
            planned, actual = plans(name, content[name])
            chosen_settings = cautious if name == CAUTIOUS and cautious is not None else settings
            after = _applied(name, planned, actual, chosen_settings, workers)
            content[name] = after.state_of_charge[:, -1] if after.state_of_charge.size else None
            row[name] = float(after.cost.sum()), *_state(actual, after)
        rows.append(row)
    return _table(bare, chosen, rows, limits_at)


def _plans(
    bare: xr.DataTree, day: Day, notice_h: float, levels: Sequence[float]
) -> Callable[[str, np.ndarray | None], tuple[xr.DataTree, xr.DataTree]]:
    """Make what each strategy plans with, and what comes, as functions of the content that it begins with."""
    issue = day.start - np.timedelta64(round(notice_h * 3600), "s")
    base = predict(bare, start=day.start, horizon_h=day.hours, known_until=issue, quantiles=levels)
    time = columns(base, "forecast")["time"].astype("datetime64[s]")
    came, first = measured(bare, time), columns(bare, "store")
    expected = {"forecast": base, CAUTIOUS: base}
    expected["yesterday"] = _with_series(base, same_time_before(bare, time, issue))

    def of(name: str, content: np.ndarray | None) -> tuple[xr.DataTree, xr.DataTree]:
        actual = _going_on(_with_series(base, came, b"measurement"), first, content)
        return (_going_on(expected[name], first, content) if name in expected else actual), actual

    return of


def _applied(name: str, planned: xr.DataTree, actual: xr.DataTree, settings: Settings, workers: int | None) -> Followed:
    """Plan a day and apply the plan to what came."""
    if name == "uncontrolled":
        found = self_use(actual)
        return Followed(found.p_import, found.p_export, found.state_of_charge, found.cost)
    return follow(optimize(planned, replace(settings, start=None, horizon_h=_hours(planned)), workers=workers), actual)


def _hours(case: xr.DataTree) -> float:
    return len(columns(case, "forecast")["time"]) * step_hours(case)


def _state(actual: xr.DataTree, after: Followed) -> Row:
    """How often limits are broken, hours of it, highest loading, highest and lowest voltage by AC power flow."""
    p, q = injections(actual, after.p_import, after.p_export)
    state = ac_flow(actual, p, q)
    excess: Excess = limits_ac(actual, state)
    over = int(excess.v_max.sum() + excess.v_min.sum() + excess.s.sum())
    v = state.v_pu[np.isfinite(state.v_pu)]
    return float(over), over * step_hours(actual), excess.loading_max_pu, float(v.max()), float(v.min())


def _table(case: xr.DataTree, chosen: list[Day], rows: list[dict[str, Row]], limits_at: float | None) -> xr.Dataset:
    money, names = str(case.attrs["currency"]), list(rows[0])
    values = np.array([[row[name] for row in rows] for name in names])
    units = {"cost": money, "violations": "1", "limit_hours": "h"}
    units |= dict.fromkeys(("loading_max_pu", "v_max_pu", "v_min_pu"), "1")
    data = {
        name: (("strategy", "day"), values[:, :, k], {"units": unit}) for k, (name, unit) in enumerate(units.items())
    }
    days = local_time(np.array([d.start for d in chosen]), str(case.attrs["time_zone"])).astype("datetime64[D]")
    table = xr.Dataset(data, {"strategy": names, "day": days.astype("datetime64[s]")})
    regret = table["cost"] - table["cost"].sel(strategy="perfect", drop=True)
    table = table.assign(regret=regret.assign_attrs(units=money)).assign_attrs(currency=money)
    return table if limits_at is None else table.assign_attrs(limits_at=limits_at)


def _last_days(case: xr.DataTree, days: int) -> list[Day]:
    """Find the last whole local days of the history."""
    table = columns(case, "history")
    if "time" not in table or not len(table["time"]):
        hint = "Add the series of the meters as /history (dispatch import tables, history.csv and history_p.csv)."
        raise InputError([Problem("no-series", "/history", value="missing", hint=hint)])
    time, step = table["time"].astype("datetime64[s]"), table["time_step"][0]
    edges = np.append(time, time[-1] + step)
    local = local_time(edges, str(case.attrs["time_zone"]))
    at = np.nonzero(local == local.astype("datetime64[D]").astype("datetime64[s]"))[0]
    if len(at) <= days:
        value, hint = f"{max(len(at) - 1, 0)} whole days", "Ask for fewer days (--days), or add history."
        raise InputError([Problem("short-history", "/history", "time", value=value, allowed=f"{days}", hint=hint)])
    hour = np.timedelta64(3600, "s")
    return [
        Day(edges[a], float((edges[b] - edges[a]) / hour)) for a, b in zip(at[-days - 1 : -1], at[-days:], strict=True)
    ]


def _without_given(case: xr.DataTree) -> xr.DataTree:
    """Leave out series of load and PV that /forecast already has: here they come from the history."""
    group = attribute_table()["forecast"].group
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    if group in groups:
        data = groups[group]
        groups[group] = data.drop_vars([n for n in (*SET_POINTS, "q_load") if n in data])
    bare = xr.DataTree.from_dict(groups)
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


def _going_on(case: xr.DataTree, first: Columns, content: np.ndarray | None) -> xr.DataTree:
    """Begin with a content, and end with at least that of the first day."""
    if content is None:
        return case
    group = attribute_table()["store"].group
    data, known = _group(case, group), first["state_of_charge_initial"]
    least = np.where(np.isnan(known), first["energy_nom"] / 2, known)
    least = np.where(np.isnan(first["state_of_charge_final"]), least, first["state_of_charge_final"])
    held = {
        "state_of_charge_initial": data["state_of_charge_initial"].copy(
            data=np.clip(content, 0.0, first["energy_nom"])
        ),
        "state_of_charge_final": data["state_of_charge_final"].copy(data=least),
    }
    return _replaced(case, group, data.assign(held))


def _replaced(case: xr.DataTree, group: str, data: xr.Dataset) -> xr.DataTree:
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    found = xr.DataTree.from_dict({**groups, group: data})
    found.attrs = dict(case.attrs)
    return found
