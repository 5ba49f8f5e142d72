"""Limits that feeders share: a master over plans of feeders, and the prices at which each is asked for another.

With ``c_f`` the cost of a feeder's plan and ``P_f`` what it takes in each step, the feeders together have, for any
prices ``0 <= m_i <= most_i`` of the shared rows, the lower bound

    Σ_f c_f + Σ_i most_i max(a_i P - b_i, 0)  >=  Σ_f min (c_f + Σ_i m_i a_i P_f)  -  Σ_i m_i b_i,

in which each feeder is on its own. The *master* mixes the plans that were answered so far [1]_; a mix of plans of a
feeder is a plan of its program. Prices are sought where the plans known so far promise most, but only in boxes about
the prices that have proven most [2]_: a large box, smaller ones, and points drawn about them, all asked for at once.

References
----------
.. [1] G. B. Dantzig, P. Wolfe, *Decomposition principle for linear programs*, 1960, :doi:`10.1287/opre.8.1.101`.
.. [2] R. E. Marsten, W. W. Hogan, J. W. Blankenship, *The boxstep method for large-scale optimization*, 1975,
   :doi:`10.1287/opre.23.3.389`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.highs import Highs
from dispatch.solve.shared_rows import SharedPrices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.shared_rows import SharedRows

BOXES = (1.0, 1 / 3, 1 / 10)
"""Sizes of the boxes in which the master looks for prices, as shares of the radius."""
DRAWN = 5
"""Points drawn about the prices of these boxes."""
FIRST_RADIUS = 0.1
"""Radius of the first box, money for a kWh."""
NOTICED = 1e-7
"""Rows are stated where they are exceeded by more than this, in kW; smaller values of profiles count as nothing."""
SEED = 20260


@dataclass(frozen=True)
class Plan:
    """A feeder's plan as the master sees it.

    Attributes
    ----------
    cost : float
        Of its own program, relaxations of its own limits included. [money]
    taken : ndarray (step,)
        What it takes, without losses. [kW]
    """

    cost: float
    taken: np.ndarray


@dataclass(frozen=True)
class Mix:
    """The cheapest mix of the plans that are known.

    Attributes
    ----------
    objective : float
        Cost of the mix, relaxations of shared limits included; in a box: what the plans promise at best. [money]
    weights : list of ndarray (plan,)
        Of each feeder.
    prices : SharedPrices
        Of the shared rows.
    taken : ndarray (feeder, step)
        What feeders take, without losses. [kW]
    """

    objective: float
    weights: list[np.ndarray]
    prices: SharedPrices
    taken: np.ndarray


class SharedMaster:
    """Plans of feeders, the prices that have proven most, and what to ask next.

    Parameters
    ----------
    rows : SharedRows
        What the feeders share.
    added : ndarray (feeder, step)
        Losses of each feeder. [kW]
    """

    def __init__(self, rows: SharedRows, added: np.ndarray) -> None:
        self.rows, self.added = rows, added
        self.plans: list[list[Plan]] = [[] for _ in range(len(added))]
        self.center = SharedPrices(np.zeros(len(rows.bound)), np.zeros(len(rows.budgets)))
        self.bound, self.radius = -np.inf, FIRST_RADIUS
        self._active = np.zeros(len(rows.bound), bool)
        self._asked: list[SharedPrices] = []

    def restate(self, rows: SharedRows, added: np.ndarray) -> None:
        """Take other losses and reactive power; nothing is proven any more, prices and plans stay."""
        self.rows, self.added, self.bound = rows, added, -np.inf
        self.center = rows.clipped(self.center)

    def mix(self) -> Mix:
        """Mix the plans as is cheapest, relaxations at their full cost."""
        most = np.where(self.rows.budget >= 0, np.inf, self.rows.most)
        none = SharedPrices(np.zeros(len(most)), np.zeros(len(self.rows.budgets)))
        return self._solve(none, most, self.rows.budget_most)

    def only(self, numbers: Sequence[int]) -> Mix:
        """Take one plan of each feeder, by its number, at the prices that have proven most."""
        chosen = [plans[k] for plans, k in zip(self.plans, numbers, strict=True)]
        taken = np.array([plan.taken for plan in chosen])
        weights = [np.zeros(len(plans)) for plans in self.plans]
        for own, k in zip(weights, numbers, strict=True):
            own[k] = 1.0
        cost = sum(plan.cost for plan in chosen) + self.rows.cost(taken + self.added)
        return Mix(cost, weights, self.center, taken)

    def first_at(self, k: int, price: np.ndarray) -> float:
        """Find what the first plan of a feeder costs at prices (step,) of a kWh, as of one that has no other."""
        plan = self.plans[k][0]
        return plan.cost + self.rows.dt * float(np.sum(price * plan.taken))

    def gap(self, mix: Mix) -> float:
        """How far a mix is from the best bound, relative to 1 or its cost."""
        return (mix.objective - self.bound) / max(1.0, abs(mix.objective))

    def ask(self, rounds: int) -> list[SharedPrices]:
        """Choose prices at which all feeders are asked next; the first are those where the plans promise most.

        Parameters
        ----------
        rounds : int
            Number of the round, with which points are drawn.
        """
        found = [self._in_box(self.radius * share) for share in BOXES]
        if not np.isfinite(self.bound):
            found.insert(0, self.center)
        draw = np.random.default_rng([SEED, rounds])
        for k in range(DRAWN):
            found.append(self._near(found[k % len(found)], self.radius * BOXES[k % len(BOXES)], draw))
        self._asked = [p for k, p in enumerate(found) if not any(_same(p, q) for q in found[:k])]
        return self._asked

    def answered(self, asked: Sequence[SharedPrices], bounds: np.ndarray) -> None:
        """Take the bounds that feeders have proven at prices: the best prices become the middle of the next boxes.

        Parameters
        ----------
        asked : sequence of SharedPrices
        bounds : ndarray (prices, feeder)
            NaN where a feeder has proven none. [money]
        """
        best = None
        for k, prices in enumerate(asked):
            proven = float(np.sum(bounds[k])) - self.rows.worth(prices, self.added)
            if proven > self.bound:
                self.bound, self.center, best = proven, prices, k
        if best is None:
            self.radius /= 4
        elif best == 0:
            self.radius *= 2
        elif best == len(BOXES) - 1:
            self.radius /= 2

    def _near(self, about: SharedPrices, radius: float, draw: np.random.Generator) -> SharedPrices:
        moving = self._active & (self.rows.budget < 0)
        rows = about.rows + radius * self.rows.dt * draw.uniform(-1, 1, len(moving)) * moving
        share = 1 + 0.1 * draw.uniform(-1, 1, len(about.budgets))
        if len(about.budgets):
            of_budget = self.rows.budget >= 0
            rows = np.where(of_budget, rows * share[self.rows.budget], rows)
        return self.rows.clipped(SharedPrices(rows, about.budgets * share))

    def _in_box(self, radius: float) -> SharedPrices:
        """Prices within a box about the center where the plans promise most."""
        size = radius * self.rows.dt
        low = np.where(self.rows.budget >= 0, 0.0, np.maximum(self.center.rows - size, 0.0))
        high = np.where(self.rows.budget >= 0, np.inf, np.minimum(self.center.rows + size, self.rows.most))
        own = self.rows.budget >= 0
        mean = np.bincount(self.rows.budget[own], self.rows.weight[own]) / max(self.rows.dt * self.added.shape[1], 1e-9)
        of_budget = radius / np.maximum(mean, 1e-9)
        budget_low = np.maximum(self.center.budgets - of_budget, 0.0)
        budget_high = np.minimum(self.center.budgets + of_budget, self.rows.budget_most)
        return self._solve(SharedPrices(low, budget_low), high, budget_high).prices

    def _solve(self, low: SharedPrices, high: np.ndarray, budget_high: np.ndarray) -> Mix:
        """Solve the master with prices within bounds, rows stated when they are exceeded."""
        self._active |= (self.center.rows > 0) | (low.rows > 0)
        columns = [_distinct(own) for own in self.plans]
        while True:
            mix = self._stated(columns, low, high, budget_high)
            over = self.rows.activity(mix.taken + self.added) > self.rows.bound + NOTICED
            if not (over & ~self._active).any():
                return mix
            self._active |= over

    def _stated(self, columns: list[list[int]], low: SharedPrices, high: np.ndarray, budget_high: np.ndarray) -> Mix:
        rows, active = self.rows, np.nonzero(self._active)[0]
        feeder = np.repeat(np.arange(len(columns)), [len(own) for own in columns])
        chosen = [self.plans[f][k] for f, own in enumerate(columns) for k in own]
        taken = np.array([p.taken for p in chosen])
        taken[np.abs(taken) < NOTICED] = 0.0
        shares = rows.share[rows.limit[active]][:, feeder]
        profile = sp.csr_matrix(shares * (rows.sign[active, None] * taken[:, rows.step[active]].T))
        beyond, cost = self._relaxations(active, low, high, budget_high)
        convexity = sp.csr_matrix((np.ones(len(feeder)), (feeder, np.arange(len(feeder)))), (len(columns), len(feeder)))
        budgets = len(rows.budgets)
        left = sp.vstack([convexity, profile, sp.csr_matrix((budgets, len(feeder)))])
        right = sp.vstack([sp.csr_matrix((len(columns), beyond.shape[1])), beyond])
        matrix = sp.csc_matrix(sp.hstack([left, right]))
        bound = np.concatenate([(rows.bound - rows.activity(self.added))[active], rows.budgets])
        costs = np.concatenate([[p.cost for p in chosen], cost])
        ones = np.ones(len(columns))
        solver = Highs(
            matrix, np.concatenate([ones, np.full(len(bound), -np.inf)]), np.concatenate([ones, bound]),
            np.zeros(len(costs)), np.full(len(costs), np.inf), costs,
        )  # fmt: skip
        found = solver.solve()
        every, own_prices = low.rows.copy(), -found.row_prices[len(columns) :]
        every[active] = own_prices[: len(active)]
        prices = SharedPrices(every, own_prices[len(active) :])
        weight = np.maximum(found.columns[: len(feeder)], 0.0)
        weight /= np.bincount(feeder, weight, len(columns))[feeder]
        weights = [np.zeros(len(own)) for own in self.plans]
        for w, f, k in zip(weight, feeder, (k for own in columns for k in own), strict=True):
            weights[f][k] = w
        together = np.zeros((len(columns), taken.shape[1]))
        np.add.at(together, feeder, weight[:, None] * taken)
        return Mix(found.objective, weights, rows.clipped(prices), together)

    def _relaxations(
        self, active: np.ndarray, low: SharedPrices, high: np.ndarray, budget_high: np.ndarray
    ) -> tuple[sp.csr_matrix, np.ndarray]:
        """Columns of what is relaxed, over rows and budgets, and their costs."""
        rows, count = self.rows, len(active) + len(self.rows.budgets)
        entries: list[tuple[int, int, float]] = []
        cost: list[float] = []
        budget_rows = len(active) + np.arange(len(rows.budgets))
        for k, i in enumerate(active.tolist()):
            if rows.budget[i] >= 0:
                entries += [(k, len(cost), -1.0), (int(budget_rows[rows.budget[i]]), len(cost), float(rows.weight[i]))]
                cost.append(0.0)
                continue
            entries.append((k, len(cost), -1.0))
            cost.append(float(high[i]))
            if low.rows[i] > 0:
                entries.append((k, len(cost), 1.0))
                cost.append(-float(low.rows[i]))
        for b, k in enumerate(budget_rows.tolist()):
            entries += [(k, len(cost), -1.0), (k, len(cost) + 1, 1.0)]
            cost += [float(budget_high[b]), -float(low.budgets[b])]
        table = np.array(entries, float).reshape(-1, 3)
        at, column = table[:, 0].astype(int), table[:, 1].astype(int)
        return sp.csr_matrix((table[:, 2], (at, column)), (count, len(cost))), np.array(cost)


def _distinct(plans: Sequence[Plan]) -> list[int]:
    """Numbers of plans that are not the same as one before them."""
    seen: dict[tuple[float, bytes], int] = {}
    for k, plan in enumerate(plans):
        seen.setdefault((round(plan.cost, 9), np.round(plan.taken, 6).tobytes()), k)
    return list(seen.values())


def _same(one: SharedPrices, other: SharedPrices) -> bool:
    difference = one - other
    largest = [float(np.abs(part).max(initial=0.0)) for part in (difference.rows, difference.budgets)]
    return max(largest) < 1e-9
