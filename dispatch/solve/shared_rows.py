"""Rows that feeders share: what they take, weighted and added up, in each step against a limit, as arrays over rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.case.shared_limits import SharedLimit
    from dispatch.solve.limits.above import RowsAbove

HOURS = 24


@dataclass(frozen=True)
class SharedRows:
    """Rows ``sign * (sum of share * taken + added) - slack <= bound``, and budgets over the parts above zero.

    A row of a budget is ``sum of taken + added <= u`` with ``u >= 0``; the budget itself is
    ``sum of weight * u - slack <= budget``. All slacks cost their `most` per unit.

    Attributes
    ----------
    limit : ndarray (row,) of int
        To which limit a row belongs.
    step : ndarray (row,) of int
        Its step.
    sign : ndarray (row,)
        1 where it holds import, -1 where it holds export.
    bound : ndarray (row,)
        Right-hand side; 0 of rows of a budget. [kW]
    scale : ndarray (row,)
        Of what part of it tolerances are. [kW]
    most : ndarray (row,)
        Cost of a kW beyond it in its step; infinite for rows of a budget. [money]
    budget : ndarray (row,) of int
        To which budget a row belongs; -1: to none.
    weight : ndarray (row,)
        Of `u` in the budget. [kg kW-1]
    budgets, budget_most : ndarray (budget,)
        Budgets [kg], and the cost of a kg beyond. [money]
    budget_limit : ndarray (budget,) of int
        To which limit a budget belongs.
    share : ndarray (limit, feeder)
        With what weight what a feeder takes counts; 0: not at all.
    dt : float
        Length of a step. [h]
    """

    limit: np.ndarray
    step: np.ndarray
    sign: np.ndarray
    bound: np.ndarray
    scale: np.ndarray
    most: np.ndarray
    budget: np.ndarray
    weight: np.ndarray
    budgets: np.ndarray
    budget_most: np.ndarray
    budget_limit: np.ndarray
    share: np.ndarray
    dt: float

    def to_json(self) -> dict[str, Any]:
        """As plain lists and numbers."""
        return {f.name: np.asarray(getattr(self, f.name)).tolist() for f in fields(self)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> SharedRows:
        """From what `to_json` made."""
        whole = {"limit", "step", "budget", "budget_limit"}
        arrays: dict[str, Any] = {k: np.array(v, int if k in whole else float) for k, v in found.items()}
        return cls(**arrays | {"dt": float(found["dt"])})

    def activity(self, taken: np.ndarray) -> np.ndarray:
        """Add up the left side of each row when feeders take `taken` (feeder, step), losses included, in kW."""
        together = self.share @ taken
        return np.asarray(self.sign * together[self.limit, self.step])

    def relaxation(self, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By how much rows (kW; 0 for those of a budget) and budgets (kg) are exceeded when feeders take `taken`."""
        return self.beyond(self.activity(taken))

    def beyond(self, activity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By how much rows (kW; 0 for those of a budget) and budgets (kg) are exceeded, given their left sides."""
        of_budget = self.budget >= 0
        used = np.bincount(
            self.budget[of_budget], (self.weight * np.maximum(activity, 0.0))[of_budget], len(self.budgets)
        )
        return np.where(of_budget, 0.0, np.maximum(activity - self.bound, 0.0)), np.maximum(used - self.budgets, 0.0)

    def cost(self, taken: np.ndarray) -> float:
        """Add up what all relaxations cost when feeders take `taken`, in money."""
        return self.cost_beyond(self.activity(taken))

    def cost_beyond(self, activity: np.ndarray) -> float:
        """Add up what all relaxations cost, given the rows' left sides, in money."""
        rows, budgets = self.beyond(activity)
        own = self.budget < 0
        return float(np.sum(self.most[own] * rows[own]) + np.sum(self.budget_most * budgets))

    def clipped(self, prices: SharedPrices) -> SharedPrices:
        """Bring prices into the ranges in which they prove a bound."""
        budgets = np.clip(prices.budgets, 0.0, self.budget_most)
        ceiling = np.where(self.budget >= 0, (budgets[self.budget] if len(budgets) else 0.0) * self.weight, self.most)
        return SharedPrices(np.clip(prices.rows, 0.0, ceiling), budgets)

    def price_of(self, prices: SharedPrices, steps: int) -> np.ndarray:
        """Make the price of a kWh that each feeder takes, (feeder, step), in money kW-1 h-1."""
        at = np.zeros((len(self.share), steps))
        np.add.at(at, (self.limit, self.step), self.sign * prices.rows / self.dt)
        return np.asarray(self.share.T @ at)

    def worth(self, prices: SharedPrices, added: np.ndarray) -> float:
        """Find what is taken off the sum of the feeders' bounds: prices times bounds, less what enters besides.

        Parameters
        ----------
        prices : SharedPrices
        added : ndarray (feeder, step)
            Losses of each. [kW]
        """
        besides = self.activity(added)
        return float(np.sum(prices.rows * (self.bound - besides)) + np.sum(prices.budgets * self.budgets))


@dataclass(frozen=True)
class SharedPrices:
    """Prices of shared rows and budgets.

    Attributes
    ----------
    rows : ndarray (row,)
        Of a kW in its step. [money]
    budgets : ndarray (budget,)
        Of a kg. [money]
    """

    rows: np.ndarray
    budgets: np.ndarray

    def __sub__(self, other: SharedPrices) -> SharedPrices:
        """Difference."""
        return SharedPrices(self.rows - other.rows, self.budgets - other.budgets)

    def toward(self, other: SharedPrices, share: float) -> SharedPrices:
        """Go a share of the way to others."""
        rows = self.rows + share * (other.rows - self.rows)
        return SharedPrices(rows, self.budgets + share * (other.budgets - self.budgets))


def shared_rows(
    limits: Sequence[SharedLimit],
    names: Sequence[str],
    time: np.ndarray,
    dt: float,
    reactive: np.ndarray,
    above: Sequence[RowsAbove] = (),
) -> SharedRows:
    """State what feeders share as rows: limits, then those of networks above them.

    Parameters
    ----------
    limits : sequence of SharedLimit
    names : sequence of str
        Of the feeders, in the order of all arrays.
    time : ndarray (step,) of datetime64
        Left edges.
    dt : float
        Length of a step. [h]
    reactive : ndarray (feeder, step)
        What each takes by AC power flow. [kvar]
    above : sequence of RowsAbove
        Rows of networks over the same feeders and steps.

    Returns
    -------
    SharedRows
    """
    steps = len(time)
    share = np.array([[limit.holds(n) for n in names] for limit in limits], float).reshape(len(limits), len(names))
    q = share @ reactive
    parts: list[tuple[int, float, np.ndarray, np.ndarray, float, int, np.ndarray]] = []
    budgets: list[tuple[float, float, int]] = []
    for k, limit in enumerate(limits):
        rated = np.sqrt(np.maximum(limit.s_nom**2 - q[k] ** 2, 0.0)) if np.isfinite(limit.s_nom) else np.inf
        for sign, own in ((1.0, limit.p_import_max), (-1.0, limit.p_export_max)):
            most = np.minimum(np.full(steps, own if np.isfinite(own) else np.inf), rated)
            if np.isfinite(most).any():
                parts.append((k, sign, most, np.maximum(most, 1.0), limit.penalty * dt, -1, np.zeros(steps)))
        if np.isfinite(limit.emission_max):
            weight = dt * intensity_of(limit, time)
            parts.append((k, 1.0, np.zeros(steps), np.ones(steps), np.inf, len(budgets), weight))
            budgets.append((limit.emission_max, limit.penalty, k))
    for rows in above:
        for j, sign in enumerate(rows.sign.tolist()):
            scale = np.full(steps, rows.scale[j])
            parts.append((len(share) + j, sign, rows.bound[j], scale, rows.penalty * dt, -1, np.zeros(steps)))
        share = np.concatenate([share, rows.share])
    every = np.arange(steps)
    amounts = np.array(budgets, float).reshape(-1, 3)
    joined = [
        np.concatenate([np.broadcast_to(np.asarray(p[j]), steps) for p in parts]) if parts else np.zeros(0)
        for j in range(7)
    ]
    limit_of, sign_of, bound, scale_of, most_of, budget, weight_of = joined
    return SharedRows(
        limit_of.astype(int), np.tile(every, len(parts)), sign_of, bound, scale_of, most_of, budget.astype(int),
        weight_of, amounts[:, 0], amounts[:, 1], amounts[:, 2].astype(int), share, dt,
    )  # fmt: skip


def intensity_of(limit: SharedLimit, time: np.ndarray) -> np.ndarray:
    """Emission of each kWh in each step; one value, 24 hours of the day (UTC), or the steps themselves."""
    given = np.array(limit.intensity)
    if len(given) == 1:
        return np.full(len(time), given[0])
    if len(given) == len(time):
        return given
    return np.asarray(given[(time.astype("datetime64[h]").astype(np.int64)) % HOURS])
