"""A plan that holds every limit, made of what blocks answer: what there is when time is up before an optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.solve.ascent import Scaled
from dispatch.solve.engines import MOST_ROWS, TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.coordinated import Coordinated
    from dispatch.solve.protocols import Block, Limits

RAISES, RAISE = 10, 1.5
"""How often, and by how much, prices of limits are raised that answers still exceed."""
FIRST, FURTHER = 0.25, 1.25
"""First such price, as a share of the spread of prices: more than export pays and less than import costs, mostly. All
of them together charge nobody more than that, times the second in each further try: else many limits of one step would
pay members to import, and exceed limits the other way."""
ROOM = 1e-9
"""The mix goes this much further than the plans say, for rounding."""


def held_plan(
    blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float, found: Coordinated
) -> Coordinated | None:
    """Mix a plan that exceeds limits with answers that hold all of them, no more than must be.

    Members answer prices of limits that are raised until their answers hold them: roofs curtail and stores wait. What
    members may do is convex and limits are linear, so between the two plans each limit says how far to go.

    Parameters
    ----------
    blocks, limits, given, penalty
        See `dispatch.solve.coordinate.coordinate`.
    found : Coordinated
        The plan, and prices that prove a bound.

    Returns
    -------
    Coordinated or None
        With the same bound; None where answers still exceed a limit, or would each take a program of HiGHS.
    """
    if any(block.whole and block.entries for block in blocks):
        return None
    safe = _answers_that_hold(blocks, limits, given, penalty, found)
    if safe is None:
        return None
    x, held = (_injected(blocks, plans, given) for plans in (found.plans, safe))
    over, _ = limits.exceeded(x)
    if not len(over):
        return None
    rows = limits.rows(over)
    excess, left = rows.matrix @ x - rows.bound, rows.bound - rows.matrix @ held
    share = min(float((excess / np.maximum(excess + left, excess)).max(initial=0.0)) + ROOM, 1.0)
    plans = [block.mix(a, b, share) for block, a, b in zip(blocks, found.plans, safe, strict=True)]
    over, amount = limits.exceeded(_injected(blocks, plans, given))
    keys = np.unique(np.concatenate([found.keys, over]))
    prices, slacks = np.zeros(len(keys)), np.zeros(len(keys))
    prices[np.searchsorted(keys, found.keys)] = found.limit_prices
    slacks[np.searchsorted(keys, over)] = amount
    free = np.zeros(len(given))
    cost = sum(float(np.sum(block.costs(plan, free))) for block, plan in zip(blocks, plans, strict=True))
    cost += penalty * float(np.sum(slacks / limits.rating_of(keys)))
    return replace(
        found, plans=plans, keys=keys, limit_prices=prices, slacks=slacks, objective=cost, method="answers that hold"
    )


def _answers_that_hold(
    blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float, found: Coordinated
) -> list[Any] | None:
    """Raise prices of exceeded limits until no answer exceeds any."""
    rows, spread = Scaled(limits.ports, penalty), max(block.spread for block in blocks)
    if len(found.keys):
        rows.add(limits, found.keys)
    price = np.minimum(found.limit_prices * rows.size, rows.most)
    for k in range(RAISES):
        most = FIRST * spread * FURTHER**k
        weight = np.clip(np.asarray(rows.transposed @ price), -most, most)
        plans = [block.respond(weight) for block in blocks]
        x = _injected(blocks, plans, given)
        new = limits.violated(x, TOLERANCE, MOST_ROWS, rows.keys)
        over = rows.matrix @ x > rows.bound + TOLERANCE * np.abs(rows.bound)
        if not len(new) and not over.any():
            return plans
        if len(new):
            rows.add(limits, new)
            price, over = np.append(price, np.zeros(len(new))), np.append(over, np.ones(len(new), bool))
        price = np.where(over, np.minimum(np.maximum(RAISE * price, FIRST * spread), rows.most), price)
    return None


def _injected(blocks: Sequence[Block], plans: Sequence[Any], given: np.ndarray) -> np.ndarray:
    """Add up what plans give to the ports and what enters besides."""
    return np.asarray(sum((block.injection(plan) for block, plan in zip(blocks, plans, strict=True)), given))
