"""Plans of feeders that share limits, from solving many of them together: all, a sample, or each group its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.apart import Apart, rows_of_sample, sample_of
from dispatch.batch.orders import joint_order
from dispatch.batch.predicted import MOST_TOGETHER
from dispatch.batch.solve_joint import ALL
from dispatch.solve.shared import Plan
from dispatch.solve.shared_rows import SharedPrices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatch.batch.kept import Arrays
    from dispatch.batch.member import Members
    from dispatch.batch.plan import Group
    from dispatch.batch.record import Record
    from dispatch.solve.shared import SharedMaster

    Do = Callable[[str, dict[str, dict[str, Any]]], dict[str, Record]]


@dataclass(frozen=True)
class Together:
    """What came of solving feeders together; their plans are among the master's.

    Attributes
    ----------
    prices : SharedPrices
        Of the shared rows.
    numbers : list of int or None
        Of each feeder the number of its plan, where these are better than what the master would mix: no store works
        both ways at once.
    losses : ndarray (feeder, step) or None
        With which plans were found; None: as they were. [kW]
    apart : Apart or None
        Groups that go on under shares, where it was a sample.
    """

    prices: SharedPrices
    numbers: list[int] | None
    losses: np.ndarray | None
    apart: Apart | None


def solve_together(
    members: Members, every: Sequence[Group], master: SharedMaster, do: Do, stage: str
) -> Together | None:
    """Let one worker solve all feeders together where they are few enough, else a sample of them.

    Parameters
    ----------
    members : Members
    every : sequence of Group
        Those whose feeders share limits.
    master : SharedMaster
        Gets the plans.
    do : callable
        See `Agreement.run`.
    stage : str
        Its name.

    Returns
    -------
    Together or None
        None where nothing came of it.
    """
    asked = np.array([not m.fixed for m in members.every])
    groups = [g for g in every if any(m.group == g.key and not m.fixed for m in members.every)]
    cells, rows, whole = sum(g.size.cells for g in groups), master.rows, groups
    many = cells > MOST_TOGETHER
    if not groups or (many and len(rows.budgets)):
        return None
    taken = master.added + members.each("taken")
    besides = rows.activity(np.where(asked[:, None], 0.0, taken))
    if many:
        groups = sample_of(whole)
        asked &= np.isin([m.group for m in members.every], [g.key for g in groups])
        rows = rows_of_sample(rows, taken, asked, sum(g.size.cells for g in groups) / cells)
        besides = np.zeros(len(rows.bound))
    key, order = groups[0].key, joint_order(members.every, asked, groups, rows, besides, master.added)
    record = do(stage, order).get(key)
    found = {} if record is None or record.get("given_up") else members.read(key, stage)
    if not found:
        return None
    losses = master.added.copy()
    for k, member in enumerate(members.every):
        if asked[k]:
            _take(members, master, k, found[member.name], f"{key}.{stage}")
            losses[k] = members.wide(member, found[member.name]["losses"])
    prices = SharedPrices(found[ALL]["prices"], found[ALL]["budgets"])
    if many:
        return Together(prices, None, None, Apart(members.every, whole, master))
    numbers = [len(plans) - 1 for plans in master.plans] if found[ALL]["repaired"][0] else None
    return Together(prices, numbers, losses, None)


def solve_apart(members: Members, apart: Apart, master: SharedMaster, do: Do, stage: str) -> list[SharedPrices] | None:
    """Let each group plan its feeders under its share.

    Parameters
    ----------
    members, master, do, stage
        See `solve_together`.
    apart : Apart
        Their shares.

    Returns
    -------
    list of SharedPrices or None
        At which all are asked, where groups would rather have other prices; None where time was up.
    """
    orders = apart.orders()
    done = do(stage, orders)
    if any(key not in done for key in orders):
        return None
    prices: dict[str, np.ndarray] = {}
    for key, record in done.items():
        found = {} if record.get("given_up") else members.read(key, stage)
        for k, member in enumerate(members.every):
            if member.group == key and member.name in found:
                _take(members, master, k, found[member.name], stage)
        if found:
            prices[key] = found[ALL]["prices"]
    return apart.answered(prices)


def _take(members: Members, master: SharedMaster, k: int, own: Arrays, stage: str) -> None:
    member = members.every[k]
    master.plans[k].append(Plan(float(own["cost"][0]), members.wide(member, own["taken"])))
    member.labels.append((stage, 0))
