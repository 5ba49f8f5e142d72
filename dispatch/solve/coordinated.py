"""What a coordination ends with: plans, prices of limits, and a bound that they prove."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.errors import SolverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.ascent import Ascent
    from dispatch.solve.protocols import Block, Limits

ROUNDING = 1e-7
"""What members could save together where no decision is left to free: solver's tolerances, relative to the optimum."""


@dataclass(frozen=True)
class Coordinated:
    """What a coordination ends with; limits sorted by key.

    Attributes
    ----------
    plans : list
        Of each block.
    answers : list
        What each block does at the prices: the plan itself where the block is whole.
    price : ndarray (port,)
        What each unit injected costs. [money]
    keys : ndarray (limit,) of KEY
        Limits that have a price or are relaxed.
    limit_prices, slacks : ndarray (limit,)
        Price of each [money per unit], and its relaxation under the plan, in its own unit.
    row_prices : list of ndarray
        Of the rows of each block's part; empty where no program was solved.
    objective, bound : float
        Cost of the plan with all its relaxations, and what no plan can cost less than. [money]
    rounds : int
        Restricted programs.
    method : str
        How the last of them was solved.
    """

    plans: list[Any]
    answers: list[Any]
    price: np.ndarray
    keys: np.ndarray
    limit_prices: np.ndarray
    slacks: np.ndarray
    row_prices: list[np.ndarray]
    objective: float
    bound: float
    rounds: int
    method: str

    def within(self, gap: float) -> bool:
        """Whether plan and bound meet to a gap relative to 1 or the objective."""
        return self.objective - self.bound <= gap * max(1.0, abs(self.objective))


def require_order(found: Coordinated) -> None:
    """Refuse a bound above its objective: no success, but a sign that plan and prices are of two programs.

    Raises
    ------
    SolverError
        If it lies above by more than rounding.
    """
    if found.bound - found.objective > ROUNDING * max(1.0, abs(found.objective)):
        raise SolverError(f"The bound {found.bound:.12g} lies above the objective {found.objective:.12g}.")


def plan_at(blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float, at: Ascent) -> Coordinated:
    """Take what members do at prices as the plan: what there is when time is up.

    Parameters
    ----------
    blocks, limits, given, penalty
        See `coordinate`.
    at : Ascent
        Limits and their prices, at most their penalties.
    """
    rows = limits.rows(at.keys)
    price = rows.matrix.T @ at.prices
    answers = [block.respond(price) for block in blocks]
    bound = _own(blocks, answers, price) + float(np.sum(price * given)) - float(np.sum(rows.bound * at.prices))
    keys, slacks, objective = _elastic(blocks, answers, limits, given, penalty, at.keys)
    prices = np.zeros(len(keys))
    prices[np.searchsorted(keys, at.keys)] = at.prices
    return Coordinated(answers, answers, price, keys, prices, slacks, [], objective, bound, 0, "prices alone")


def mean_plan(
    blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float, proof: Coordinated
) -> Coordinated:
    """Take the mean of the answers that blocks have watched: where each exceeds other limits, it exceeds few.

    What members may do is convex, so a mean of plans is a plan, and it tends to the optimum as prices settle [1]_.

    Parameters
    ----------
    blocks, limits, given, penalty
        See `coordinate`; the blocks have watched at least one answer, or hold a plan to start from.
    proof : Coordinated
        With prices that prove a bound.

    References
    ----------
    .. [1] H. D. Sherali, G. Choi, *Recovery of primal solutions when using subgradient optimization methods to solve
       Lagrangian duals of linear programs*, 1996, :doi:`10.1016/0167-6377(96)00019-3`.
    """
    plans = [block.mean() for block in blocks]
    keys, slacks, objective = _elastic(blocks, plans, limits, given, penalty, proof.keys)
    prices = np.zeros(len(keys))
    prices[np.searchsorted(keys, proof.keys)] = proof.limit_prices
    return replace(
        proof, plans=plans, keys=keys, limit_prices=prices, slacks=slacks, objective=objective, method="mean of answers"
    )


def _own(blocks: Sequence[Block], plans: list[Any], price: np.ndarray) -> float:
    return sum(float(np.sum(block.costs(plan, price))) for block, plan in zip(blocks, plans, strict=True))


def _elastic(
    blocks: Sequence[Block], plans: list[Any], limits: Limits, given: np.ndarray, penalty: float, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Find which limits plans exceed.

    Returns
    -------
    ndarray of KEY
        Those, and the `known`, sorted.
    ndarray
        By how much.
    float
        What plans and excesses cost. [money]
    """
    x = sum((block.injection(plan) for block, plan in zip(blocks, plans, strict=True)), given)
    over, amount = limits.exceeded(x)
    keys = np.unique(np.concatenate([known, over]))
    slacks = np.zeros(len(keys))
    slacks[np.searchsorted(keys, over)] = amount
    relaxed = penalty * float(np.sum(slacks / limits.rating_of(keys)))
    return keys, slacks, _own(blocks, plans, np.zeros(len(given))) + relaxed


def better(old: Coordinated | None, new: Coordinated) -> Coordinated:
    """Combine the cheaper plan with the prices that prove more."""
    if old is None:
        return new
    plan, proof = (old if old.objective < new.objective else new), (old if old.bound > new.bound else new)
    if plan is proof:
        return plan
    keys = np.unique(np.concatenate([plan.keys, proof.keys]))
    prices, slacks = np.zeros(len(keys)), np.zeros(len(keys))
    prices[np.searchsorted(keys, proof.keys)] = proof.limit_prices
    slacks[np.searchsorted(keys, plan.keys)] = plan.slacks
    return replace(
        proof, plans=plan.plans, keys=keys, limit_prices=prices, slacks=slacks, objective=plan.objective,
        rounds=new.rounds,
    )  # fmt: skip
