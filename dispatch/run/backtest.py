"""The closed loop on measured days: forecast, optimise, apply to what really came, measure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.rules import check_case
from dispatch.case.schema import columns, parent_index
from dispatch.errors import raise_if_any
from dispatch.forecast.calendar import local_time
from dispatch.forecast.quantiles import QUANTILES
from dispatch.model.baseline import prices, self_use
from dispatch.model.series import read_stores, step_hours
from dispatch.model.stores import contents, gained
from dispatch.run.follow import Followed, follow
from dispatch.run.measured_days import Day, last_days, plans_of_day, without_given
from dispatch.run.optimize import optimize
from dispatch.run.result import without_results
from dispatch.run.room import levels_for
from dispatch.run.settings import Settings
from dispatch.verify.electric import ac_flow, injections
from dispatch.verify.excess import Excess, limits_ac

if TYPE_CHECKING:
    from collections.abc import Callable

STRATEGIES = ("perfect", "forecast", "yesterday", "uncontrolled")
CAUTIOUS = "cautious"
"""The schedule from the forecast whose limits hold at a quantile of net load."""
Row = tuple[float, ...]
NOTICE_H = 12.0
"""Schedules are made so long before their day begins: at noon of the day before."""


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
    the day before where that was not over), and self-use without control. Schedules look 24 hours beyond their day, at
    the end of which batteries may be empty, and only the day is applied (with biogas plants they end with the day).
    Stores go on with the content that the strategy left them.

    Parameters
    ----------
    case : DataTree
        With /history of all loads and pv over these days, and before them what forecasts learn from.
    days : int
        How many local days: the last whole ones of the history but one, which is only looked ahead to.
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
        `cost` of all prosumers (bill and wear, less what stores gained at the mean price of import of these days),
        `regret` (against ``perfect``), `violations` (a line, transformer or bus beyond its
        AC limit in a step, counted), `limit_hours` (the same in hours), `loading_max_pu`, `v_max_pu` and `v_min_pu`.

    Raises
    ------
    InputError
        If the case is invalid, or its history has gaps in these days or no whole day.
    """
    settings = replace(settings or Settings(), limits_at=0.5)
    cautious = None if limits_at is None else replace(settings, limits_at=limits_at)
    bare = without_given(without_results(case))
    chosen = last_days(bare, days)
    raise_if_any(check_case(bare), str(case.attrs.get("title", "")))
    names = [*STRATEGIES, *([] if cautious is None else [CAUTIOUS])]
    content: dict[str, np.ndarray | None] = dict.fromkeys(names)
    rows: list[dict[str, Row]] = []
    kept: list[dict[str, np.ndarray]] = []
    paid: list[np.ndarray] = []
    for k, day in enumerate(chosen):
        plans = plans_of_day(bare, day, notice_h, QUANTILES if cautious is None else levels_for(cautious.limits_at))
        row: dict[str, Row] = {}
        stored: dict[str, np.ndarray] = {}
        for n, name in enumerate(names):
            if told is not None:
                told(f"day {k + 1} of {len(chosen)}, {name}", (k + n / len(names)) / len(chosen))
            planned, actual = plans(name, content[name])
            chosen_settings = cautious if name == CAUTIOUS and cautious is not None else settings
            after = _applied(name, planned, actual, chosen_settings, workers)
            stored[name] = _stored(actual, after)
            content[name] = after.state_of_charge[:, -1] if after.state_of_charge.size else None
            row[name] = float(after.cost.sum()), *_state(actual, after)
        rows.append(row)
        kept.append(stored)
        paid.append(prices(actual)[0].mean(axis=1))
    price = np.average(paid, axis=0, weights=[day.hours for day in chosen])
    for row, stored in zip(rows, kept, strict=True):
        for name, (cost, *others) in row.items():
            row[name] = cost - float(stored[name] @ price), *others
    return _table(bare, chosen, rows, limits_at)


def _stored(actual: xr.DataTree, after: Followed) -> np.ndarray:
    """Add up what stores gained over a day as the energy that charging it takes, by tariff. [kWh]."""
    store, tariffs = columns(actual, "store"), len(columns(actual, "tariff")["id"])
    if not after.state_of_charge.size:
        return np.zeros(tariffs)
    more = after.state_of_charge[:, -1] - contents(store)[0]
    energy = more / (store["efficiency_charge"] * gained(store, read_stores(actual)).mean(axis=1))
    of_store = parent_index(actual, "meter", "tariff")[parent_index(actual, "store", "meter")]
    return np.asarray(np.bincount(of_store, energy, tariffs))


def _applied(name: str, planned: xr.DataTree, actual: xr.DataTree, settings: Settings, workers: int | None) -> Followed:
    """Plan a day and apply the plan to what came."""
    if name == "uncontrolled":
        found = self_use(actual)
        return Followed(found.p_import, found.p_export, found.state_of_charge, found.cost - found.settled)
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
