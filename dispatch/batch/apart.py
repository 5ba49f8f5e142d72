"""Feeders that share limits and are too many for one worker: prices from a sample, then each group under its share.

At the prices that some groups would agree on under their part of the limits the others are nearly agreed, too, and what
is missing are plans that use the limits up: each group plans its feeders together, at prices close about those that
have proven most, under a share of the limits (`dispatch.solve.shares`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.batch.predicted import SAMPLE
from dispatch.solve.shared import FIRST_RADIUS
from dispatch.solve.shared_rows import SharedPrices
from dispatch.solve.shares import Shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dispatch.batch.member import Member
    from dispatch.batch.orders import Orders
    from dispatch.batch.plan import Group
    from dispatch.solve.shared import SharedMaster
    from dispatch.solve.shared_rows import SharedRows

WIDTH, NARROWER, NARROWEST, WIDER = 2e-2, 0.5, 1e-3, 4.0
"""Prices of a group may differ by this share of the largest, from round to round by less, and by so many times more
where they would differ more."""
LEAST = 1e-3
"""Prices are taken to be at least that large, money for a kWh."""
EDGE = 0.5
"""So far from the middle of that, prices of all groups together have moved."""


def sample_of(groups: Sequence[Group]) -> list[Group]:
    """Choose groups by their keys, which are hashes."""
    found: list[Group] = []
    cells = 0
    for group in sorted(groups, key=lambda g: g.key):
        if found and cells + group.size.cells > SAMPLE:
            break
        found.append(group)
        cells += group.size.cells
    return found


def rows_of_sample(rows: SharedRows, taken: np.ndarray, chosen: np.ndarray, weight: float) -> SharedRows:
    """Let a sample bear its part of what is too much: of what it takes, a share by its size.

    Parameters
    ----------
    rows : SharedRows
        None of a budget.
    taken : ndarray (feeder, step)
        By first schedules, losses included. [kW]
    chosen : ndarray (feeder,) of bool
        The sample.
    weight : float
        Its size among all.
    """
    together, own = rows.activity(taken), rows.activity(taken * chosen[:, None])
    return replace(rows, bound=own - weight * (together - rows.bound))


class Apart:
    """Groups that plan for themselves under shares.

    Parameters
    ----------
    members : sequence of Member
    groups : sequence of Group
        Those whose feeders are asked.
    master : SharedMaster
        With first plans.
    """

    def __init__(self, members: Sequence[Member], groups: Sequence[Group], master: SharedMaster) -> None:
        self._members, self._groups, self._master = members, groups, master
        self._own = [[k for k, m in enumerate(members) if m.group == g.key and not m.fixed] for g in groups]
        fixed = np.array([m.fixed for m in members])[:, None]
        first = np.array([plans[0].taken for plans in master.plans])
        room = master.rows.bound - master.rows.activity(master.added + np.where(fixed, first, 0.0))
        size = np.array([g.size.cells for g in groups], float)
        self._shares = Shares(room, size / size.sum(), self._activity(first))
        self._width = 0.0
        master.radius = FIRST_RADIUS / 4  # prices of a sample are better than none

    def _activity(self, taken: np.ndarray) -> np.ndarray:
        """Add up what each group uses of each row, (group, row), in kW."""
        found = np.zeros((len(self._own), len(self._master.rows.bound)))
        for g, own in enumerate(self._own):
            chosen = np.zeros(taken.shape)
            chosen[own] = taken[own]
            found[g] = self._master.rows.activity(chosen)
        return found

    def orders(self) -> Orders:
        """Ask every group for a plan of its own under its share."""
        rows, center = self._master.rows, self._master.center.rows
        scale = max(float(center.max(initial=0.0)), rows.dt * LEAST)
        self._width = max(NARROWER * self._width, NARROWEST * scale) if self._width else WIDTH * scale
        self._low = np.maximum(center - self._width, 0.0)
        high = np.minimum(center + self._width, rows.most)
        most, steps = np.maximum(high - self._low, 1e-9), self._master.added.shape[1]
        floor = rows.price_of(SharedPrices(self._low, np.zeros(0)), steps)
        orders: Orders = {}
        for g, (group, own) in enumerate(zip(self._groups, self._own, strict=True)):
            named = [self._members[k] for k in own]
            orders[group.key] = {
                "what": "own",
                "groups": [group.to_json()],
                "members": {m.name: {"group": m.group, "offsets": m.offsets, "steps": m.steps.tolist()} for m in named},
                "rows": replace(
                    rows, share=rows.share[:, own], bound=self._shares.shares[g], most=most
                ).to_json(),
                "besides": np.zeros(len(rows.bound)).tolist(),
                "losses": np.zeros((len(own), steps)).tolist(),
                "floor": {m.name: floor[k, m.steps].tolist() for k, m in zip(own, named, strict=True)},
            }  # fmt: skip
        return orders

    def answered(self, prices: Mapping[str, np.ndarray]) -> list[SharedPrices]:
        """Change the shares by the groups' newest plans, each its feeders' last.

        Parameters
        ----------
        prices : mapping of str to ndarray (row,)
            Of shares, above the least, by group; of those that have answered. [money]

        Returns
        -------
        list of SharedPrices
            At which all are asked, where groups would rather have others.
        """
        taken = np.array([plans[-1].taken for plans in self._master.plans])
        self._shares.answered(self._activity(taken))
        if not prices:
            return []
        size = [g.size.cells for g in self._groups if g.key in prices]
        mean = np.average([self._low + prices[g.key] for g in self._groups if g.key in prices], axis=0, weights=size)
        center = self._master.center.rows
        if np.abs(mean - center)[center > 0].max(initial=0.0) < EDGE * self._width:
            return []
        self._width = min(WIDER * self._width, FIRST_RADIUS * self._master.rows.dt)
        return [self._master.rows.clipped(SharedPrices(mean, np.zeros(0)))]
