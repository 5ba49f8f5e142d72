"""What is told of limits that feeders share once they have agreed: loading, price and what is exceeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.batch.kept import Arrays
    from dispatch.batch.member import Member, Members
    from dispatch.case.shared_limits import SharedLimit
    from dispatch.solve.shared import Mix, SharedMaster
    from dispatch.solve.shared_rows import SharedPrices, SharedRows

HELD = 1e-3
"""A shared limit may be exceeded by this part of it, losses included."""


def gaps(figures: dict[str, float]) -> dict[str, float | None]:
    """Gaps of the mix and of what is delivered, relative to 1 or the cost, beside the figures themselves."""
    found: dict[str, float | None] = {name: finite(value) for name, value in figures.items()}
    bound = figures["lower_bound"]
    for name, of in (("gap", "objective_relaxation"), ("gap_delivered", "objective")):
        found[name] = finite((figures[of] - bound) / max(1.0, abs(figures[of])))
    return found


def figures_of_first(members: Sequence[Member]) -> dict[str, float]:
    """Add up what first schedules cost, without what they exceed, and what no plans cost less than."""
    names = {"objective": "delivered", "objective_relaxation": "cost", "lower_bound": "bound"}
    return {name: sum(float(m.first[own][0]) for m in members) for name, own in names.items()}


def figures_of_mix(
    members: Members, kept: dict[str, Arrays], master: SharedMaster, rows: SharedRows, mix: Mix, prices: np.ndarray
) -> dict[str, float]:
    """Add up what is delivered, what was mixed, and what no plans cost less than.

    Parameters
    ----------
    members : Members
    kept : dict
        By feeder, of the stage in which it was mixed.
    master : SharedMaster
        As it was then.
    rows : SharedRows
        The limits themselves: those of the master may be tighter.
    mix : Mix
    prices : ndarray (feeder, step)
        At which it is proven. [money kW-1 h-1]
    """
    added, taken = master.added, members.each("taken", kept)
    cost, mixed, bound = (
        sum(float(members.of(m, kept)[n][0]) for m in members.every) for n in ("cost", "relaxed", "bound")
    )
    fixed = [k for k, m in enumerate(members.every) if m.fixed]
    bound += sum(master.first_at(k, prices[k]) - master.plans[k][0].cost for k in fixed)
    return {
        "objective": cost + rows.cost(taken + added),
        "objective_relaxation": mixed + master.rows.cost(mix.taken + added),
        "lower_bound": bound - master.rows.worth(master.center, added),
    }


def tightened(margin: np.ndarray, less: np.ndarray, priced: np.ndarray, mixes: int) -> np.ndarray:
    """Tighten shared rows for losses that follow the schedule: optimal ones are many, and each has losses of its own.

    Parameters
    ----------
    margin : ndarray (row,)
        By which rows are tighter already. [kW]
    less : ndarray (row,)
        By how much less room the last schedule left than was thought. [kW]
    priced : ndarray (row,) of bool
        Rows that bind and are not exceeded.
    mixes : int
        How many schedules there were; after the first, its losses are taken over and nothing else.

    Returns
    -------
    ndarray (row,)
        No less than `margin`. [kW]
    """
    usual = float(np.sqrt(np.mean(less[priced] ** 2))) if priced.any() else 0.0
    return np.where(priced, np.maximum(margin, 0.5 * (mixes - 1) * np.maximum(less, usual)), margin)


def limit_told(
    limit: SharedLimit, k: int, rows: SharedRows, p: np.ndarray, time: np.ndarray, prices: SharedPrices | None
) -> dict[str, Any]:
    """Say how one limit ended.

    Parameters
    ----------
    limit : SharedLimit
    k : int
        Its number.
    rows : SharedRows
        Of all limits.
    p : ndarray (feeder, step)
        What feeders take by AC power flow. [kW]
    time : ndarray (step,) of datetime64
    prices : SharedPrices or None
        None where no limit has any.

    Returns
    -------
    dict
        As JSON can have it.
    """
    steps, own = len(time), rows.limit == k
    together = rows.share[k] @ p
    rated = own & (rows.budget < 0)
    price, over, room = np.zeros(steps), np.zeros(steps), np.full((2, steps), np.inf)
    if prices is not None:
        np.add.at(price, rows.step[own], rows.sign[own] * prices.rows[own] / rows.dt)
    beyond = rows.relaxation(p)[0]
    beyond[beyond <= HELD * rows.scale] = 0.0
    np.add.at(over, rows.step[rated], beyond[rated])
    for way, sign in enumerate((1.0, -1.0)):
        side = rated & (rows.sign == sign)
        room[way, rows.step[side]] = rows.bound[side]
    loading = np.maximum(together / np.maximum(room[0], 1e-9), -together / np.maximum(room[1], 1e-9))
    said: dict[str, Any] = {
        "id": limit.id,
        "penalty": limit.penalty,
        "feeders": int(np.count_nonzero(rows.share[k])),
        "p": np.round(together, 3).tolist(),
        "price": np.round(price, 6).tolist(),
        "loading_max": finite(float(np.maximum(loading, 0.0).max())),
    }
    said["hours_unmet"] = float(rows.dt * (over > 0).sum())
    said["unmet"] = [{"time": str(time[t]), "kw": round(float(over[t]), 4)} for t in np.nonzero(over)[0]]
    for b in np.nonzero(rows.budget_limit == k)[0].tolist():
        _add_budget(said, rows, b, together, prices)
    return said


def _add_budget(
    said: dict[str, Any], rows: SharedRows, b: int, together: np.ndarray, prices: SharedPrices | None
) -> None:
    """Say how much of a budget is used."""
    mine = rows.budget == b
    used = float(np.sum(rows.weight[mine] * np.maximum(together[rows.step[mine]], 0.0)))
    most = float(rows.budgets[b])
    said |= {"emission": round(used, 3), "emission_max": most, "emission_over": round(max(used - most, 0.0), 4)}
    said["loading_max"] = max(said["loading_max"] or 0.0, used / max(most, 1e-9))
    said["price_emission"] = 0.0 if prices is None else round(float(prices.budgets[b]), 6)
    if used - most > HELD * max(most, 1.0):
        said["unmet"].append({"time": "", "kg": round(used - most, 4)})


def finite(value: float) -> float | None:
    """Make a number such as JSON can have it."""
    return float(value) if np.isfinite(value) else None
