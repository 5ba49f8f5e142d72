"""What feeders share as limits over what each of them gives: rows of a step, and budgets over many steps.

A budget ``sum of w_t max(P_t, 0) <= B`` is the same as ``sum over T of w_t P_t <= B`` for all sets T of steps: rows of
which only those of sets that were found exceeded are stated. Together they are worth what the budget is worth; where
even that is exceeded, each is relaxed at the full cost, so the plan found then is a little dear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.limits.radial import RadialLimits
from dispatch.solve.protocols import KEY
from dispatch.solve.shared_rows import SharedPrices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.shared_rows import SharedRows

SHARED, BUDGET = len(RadialLimits.kinds), len(RadialLimits.kinds) + 1
"""Kinds of keys: of a shared row, its element the row's number; of a budget, its element the number of a set."""


class SharedLimits:
    """Shared rows and sets of steps of budgets, by number.

    Parameters
    ----------
    rows : SharedRows
    added : ndarray (row,)
        What enters the rows besides what feeders take. [kW]
    penalty : float
        What relaxing a limit of a feeder by its rating in a step costs. [money]
    steps : sequence of ndarray of int
        Which of the rows' steps are each feeder's own.

    Attributes
    ----------
    sets : list of (int, ndarray)
        Budget and rows of each set that was found exceeded.
    numbers : dict
        Their positions.
    """

    def __init__(self, rows: SharedRows, added: np.ndarray, penalty: float, steps: Sequence[np.ndarray]) -> None:
        self._rows, self._added, self._steps, self._penalty = rows, added, steps, penalty
        self._rated = rows.budget < 0
        self._rating = penalty / np.where(self._rated, rows.most, 1.0)
        self._budget_rating = penalty / rows.budget_most
        self.sets: list[tuple[int, np.ndarray]] = []
        self.numbers: dict[tuple[int, bytes], int] = {}
        self._wide = int(rows.step.max(initial=-1)) + 1

    def beside(self, added: np.ndarray) -> SharedLimits:
        """Make the same with something else that enters the rows besides; sets keep their numbers."""
        found = SharedLimits(self._rows, added, self._penalty, self._steps)
        found.sets, found.numbers = self.sets, self.numbers
        return found

    def _activity(self, given: Sequence[np.ndarray]) -> np.ndarray:
        """Left side of each row, (row,), when feeders give `given` (step,) each, in kW."""
        taken = np.zeros((len(given), self._wide))
        for k, (own, steps) in enumerate(zip(given, self._steps, strict=True)):
            inside = steps < self._wide
            taken[k, steps[inside]] = -own[inside]
        return np.asarray(self._rows.activity(taken) + self._added)

    def _number(self, budget: int, chosen: np.ndarray) -> int:
        """Find the number of a set of rows of a budget."""
        name = (budget, chosen.tobytes())
        if name not in self.numbers:
            self.numbers[name] = len(self.sets)
            self.sets.append((budget, chosen))
        return self.numbers[name]

    def exceeded(self, given: Sequence[np.ndarray], tolerance: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Name what is exceeded by more than a tolerance, sorted, and by how much, in kW or kg.

        Parameters
        ----------
        given : sequence of ndarray (step,)
            What each feeder gives. [kW]
        tolerance : float
            In units of ratings.
        """
        activity = self._activity(given)
        over = activity - self._rows.bound
        rows = np.nonzero(self._rated & (over > tolerance * self._rating))[0]
        sets, amounts = [], [over[rows]]
        for b, most in enumerate(self._rows.budgets.tolist()):
            chosen = np.nonzero((self._rows.budget == b) & (activity > 0))[0]
            beyond = float(np.sum(self._rows.weight[chosen] * activity[chosen])) - most
            if beyond > tolerance * self._budget_rating[b]:
                sets.append(self._number(b, chosen))
                amounts.append(np.array([beyond]))
        found = np.empty(len(rows) + len(sets), KEY)
        found["kind"], found["element"], found["step"] = SHARED, [*rows, *sets], 0
        found["step"][: len(rows)] = self._rows.step[rows]
        found["kind"][len(rows) :] = BUDGET
        order = np.argsort(found, kind="stable")
        return found[order], np.concatenate(amounts)[order]

    def weights(self, key: np.void) -> tuple[np.ndarray, np.ndarray]:
        """Rows that a limit adds up, and their weights."""
        if key["kind"] == SHARED:
            return np.array([key["element"]]), np.ones(1)
        _, chosen = self.sets[key["element"]]
        return chosen, self._rows.weight[chosen]

    def entries(self, key: np.void, feeder: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a feeder's own steps those that a limit has, and the coefficient of what is given in each."""
        own = np.full(self._wide, -1)
        inside = self._steps[feeder] < self._wide
        own[self._steps[feeder][inside]] = np.nonzero(inside)[0]
        rows, weight = self.weights(key)
        share = self._rows.share[self._rows.limit[rows], feeder]
        here = (share != 0) & (own[self._rows.step[rows]] >= 0)
        return own[self._rows.step[rows[here]]], -self._rows.sign[rows[here]] * (share * weight)[here]

    def bound(self, keys: np.ndarray) -> np.ndarray:
        """Limits themselves, less what enters besides, (key,)."""
        found = np.empty(len(keys))
        for k, key in enumerate(keys):
            rows, weight = self.weights(key)
            own = (
                self._rows.bound[rows[0]] if key["kind"] == SHARED else self._rows.budgets[self.sets[key["element"]][0]]
            )
            found[k] = own - np.sum(weight * self._added[rows])
        return found

    def rating_of(self, keys: np.ndarray) -> np.ndarray:
        """Ratings, (key,), in units of which a relaxation costs the penalty."""
        found = [
            self._rating[n] if kind == SHARED else self._budget_rating[self.sets[n][0]]
            for kind, n in zip(keys["kind"].tolist(), keys["element"].tolist(), strict=True)
        ]
        return np.array(found, float)

    def prices(self, keys: np.ndarray, prices: np.ndarray) -> SharedPrices:
        """Prices of rows and budgets from those of limits; keys of feeders' own limits are passed over."""
        rows, budgets = np.zeros(len(self._rows.bound)), np.zeros(len(self._rows.budgets))
        for key, price in zip(keys, prices.tolist(), strict=True):
            if key["kind"] >= SHARED:
                own, weight = self.weights(key)
                rows[own] += price * weight
                if key["kind"] == BUDGET:
                    budgets[self.sets[key["element"]][0]] += price
        return SharedPrices(rows, budgets)
