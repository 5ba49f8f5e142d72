"""Members that share nothing but limits, brought to their common optimum by prices.

With ``c(z)`` the cost of a plan, ``x`` what it gives to the ports, and limits ``a_i x <= b_i`` that may be relaxed at
``p_i`` per unit, the elastic program has, for any prices ``0 <= m_i <= p_i``, the lower bound [1]_

    min c(z) + Σ p_i max(a_i x - b_i, 0)  >=  Σ over blocks of min_z (c(z) + w x)  -  Σ m_i b_i,      w = Σ m_i a_i,

in which every member is on its own: that is what blocks answer. A *restricted* program in which only part of the
blocks' decisions may move has a plan that is feasible in the whole one, and prices of limits. Where a member's answer
to these prices is cheaper than its plan, the decisions in which the two differ may move in the next restricted program;
where none is, plan and bound meet [2]_. At any time the best plan and the best bound so far stand.

References
----------
.. [1] H. Everett, *Generalized Lagrange multiplier method*, 1963, :doi:`10.1287/opre.11.3.399`.
.. [2] G. B. Dantzig, P. Wolfe, *Decomposition principle for linear programs*, 1960, :doi:`10.1287/opre.8.1.101`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.errors import TimeUp
from dispatch.solve.apart import Apart
from dispatch.solve.ascent import Ascent, ascend
from dispatch.solve.coordinated import ROUNDING, Coordinated, better, mean_plan, plan_at, require_order
from dispatch.solve.engines import LazyRows, Optimum
from dispatch.solve.held_plan import held_plan
from dispatch.solve.protocols import KEY
from dispatch.solve.restricted import carried_basis, first_basis, join, split
from dispatch.solve.scaling import extremes
from dispatch.solve.until import Until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.protocols import Block, Limits, Part, Rows

BETTER = 1e-10
"""An answer is better than a plan if it saves more than this, relative to 1 or the member's cost."""
CEILING = 4.0
"""Limits are first held at no more than this many times the spread of prices, so that one at which nobody may move yet
does not, at its penalty of thousands of times any price, let far too much move in the next round."""
RAISE = 16.0
"""By how much that is raised while limits are relaxed although no answer differs."""
PUSHED = 0.015
"""Share of their ratings by which limits that have a price are pushed, on average, by what may not move: from there on
the last entries and basis take longer than a new ascent. It is 0.00 where forecasts change by 5 % here and there, and
up to 0.06 where the sun of a whole town is 10 % stronger."""
ASIDE = 0.02
"""How far prices are moved, as a share of their spread, to see what wavers about the last ones. Without it five of nine
feeders of the town need a second restricted program, with half as many entries again: where nobody may move enough, a
limit's price runs up to its ceiling, and everyone's answer to that differs."""
MOST_ROUNDS = 100
"""Restricted programs before it is given up."""


class Coordinator:
    """Blocks that are coordinated again and again under other limits, each time from where they were left.

    Parameters
    ----------
    blocks : sequence of Block
        All members.
    given : ndarray (port,)
        What enters besides. [kW, kvar]
    options : dict, optional
        Keyword arguments of `Highs`.
    """

    def __init__(self, blocks: Sequence[Block], given: np.ndarray, options: dict[str, Any] | None = None) -> None:
        self.blocks, self._given, self._options = blocks, given, options or {}
        self._ascent = Ascent(np.zeros(0, KEY), np.zeros(0))
        self._keys = self._ascent.keys
        self._engine: LazyRows | None = None
        self._parts: list[Part] = []

    @property
    def entries(self) -> int:
        """How many pairs of meter and step the last restricted program had."""
        return sum(block.entries for block in self.blocks)

    def coordinate(self, limits: Limits, penalty: float, until: Until) -> Coordinated | None:
        """Find the optimum; see `coordinate`."""
        if self._engine is None or not len(self._keys):
            self._ascent = ascend(self.blocks, limits, self._given, penalty, self._ascent, until)
            self._keys, self._engine = self._ascent.keys, None
            if not len(self._keys):
                return self._unlimited()
        best: Coordinated | None = None
        ceiling = CEILING * max(block.spread for block in self.blocks)
        try:
            for rounds in range(1, MOST_ROUNDS + 1):
                found, grown, capped = self._round(limits, penalty, ceiling, rounds, until)
                require_order(found)
                best = better(best, found)
                if found.within(until.gap if until.early else 0.0) or not (grown or capped):
                    return best if best.within(max(ROUNDING, until.gap if until.early else 0.0)) else None
                ceiling *= 1.0 if grown else RAISE
        except TimeUp:
            known = self.blocks, limits, self._given, penalty
            at_prices = plan_at(*known, self._ascent)
            found = better(better(best, at_prices), mean_plan(*known, at_prices))
            held = held_plan(*known, found) if found.slacks.any() else None
            return found if held is None else better(found, held)
        return None

    def renew(self, blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float) -> None:
        """Go on with the same members under another forecast: from the last prices, rows, entries and basis.

        Where what may not move pushes against limits, only the prices are of use: the rest would have to grow a lot.

        Parameters
        ----------
        blocks : sequence of Block
            Of the same members, in the same order.
        limits, given, penalty
            See `coordinate`.
        """
        before, moved = self.blocks, given - self._given
        self.blocks, self._given = blocks, given
        if self._engine is None or not len(self._keys):
            return
        rows, prices = limits.rows(self._ascent.keys), self._ascent.prices
        price = rows.matrix.T @ prices
        plans = [block.respond(price) for block in blocks]
        for old, new, plan in zip(before, blocks, plans, strict=True):
            moved = moved + new.resume(old, plan)
        pushed = (np.maximum(rows.matrix @ moved, 0.0) / rows.rating)[prices > 0]
        if np.sum(pushed) > PUSHED * len(pushed):
            self._engine = None
            return
        spread = max(block.spread for block in blocks)
        x = sum((block.injection(plan) for block, plan in zip(blocks, plans, strict=True)), given)
        aside = price + moved_aside(rows, prices, x, ASIDE * spread, penalty)
        for block, plan in zip(blocks, plans, strict=True):
            answer, saved = challenge(block, plan, aside)
            block.grow(plan, answer, saved > 0)
        self._grow(limits, penalty, CEILING * spread)

    def _unlimited(self) -> Coordinated:
        """Take the answers at no prices, which violate no limit: they are the optimum."""
        plans, nothing = [block.watch() for block in self.blocks], np.zeros(len(self._given))
        cost = sum(float(np.sum(block.costs(p, nothing))) for block, p in zip(self.blocks, plans, strict=True))
        none = self._ascent.prices
        return Coordinated(plans, plans, nothing, self._keys, none, none, [], cost, cost, 1, "no limit binds")

    def _round(
        self, limits: Limits, penalty: float, ceiling: float, rounds: int, until: Until
    ) -> tuple[Coordinated, bool, bool]:
        """Solve the restricted program and ask the blocks.

        Returns
        -------
        Coordinated
            What is known now.
        bool
            Whether a block let more move.
        bool
            Whether a limit is relaxed for less than its penalty.
        """
        optimum = self._optimum(limits, penalty, ceiling, until)
        columns, row_prices = split(self._parts, optimum.columns, optimum.row_prices)
        plans = [block.decode(own) for block, own in zip(self.blocks, columns, strict=True)]
        assert self._engine is not None
        price = self._engine.price(optimum)
        saving, answers, worse = 0.0, [], []
        for block, plan in zip(self.blocks, plans, strict=True):
            answer, saved = challenge(block, plan, price)
            saving += float(saved.sum())
            answers.append(answer)
            worse.append(saved > BETTER * np.maximum(1.0, np.abs(block.costs(plan, price))))
        own, free = 0.0, np.zeros(len(price))
        for block, plan in zip(self.blocks, plans, strict=True):
            own += float(np.sum(block.costs(plan, free)))
        objective = own + penalty * float(np.sum(optimum.slacks / limits.rating_of(optimum.keys)))
        found = Coordinated(
            plans, answers, price, optimum.keys, optimum.limit_prices, optimum.slacks, row_prices,
            objective, objective - optimum.spared - saving, rounds, optimum.method,
        )  # fmt: skip
        if found.within(until.gap if until.early else 0.0):
            return found, False, False
        grown = sum(
            block.grow(*pair) for block, *pair in zip(self.blocks, plans, answers, worse, strict=True) if pair[2].any()
        )
        if grown:
            self._grow(limits, penalty, ceiling)
        return found, bool(grown), optimum.spared > 0

    def _optimum(self, limits: Limits, penalty: float, ceiling: float, until: Until) -> Optimum:
        """Solve the restricted program from the last basis."""
        if self._engine is None:
            self._engine = self._state(limits, penalty, ceiling)
            self._engine.start_from(first_basis(self._whole, len(self._keys)))
        found = self._engine.optimum(limits, penalty, self._whole.cost, ceiling, until)
        self._keys = found.keys
        self._ascent = Ascent(found.keys, found.limit_prices)
        return found

    def _state(self, limits: Limits, penalty: float, ceiling: float) -> LazyRows:
        """State the restricted program as it is now."""
        self._parts = [block.part() for block in self.blocks]
        self._whole = join(self._parts, self._given)
        engine = LazyRows(self._whole, self._options, Apart)
        if len(self._keys):
            engine.state(limits, self._keys, penalty, ceiling)
        return engine

    def _grow(self, limits: Limits, penalty: float, ceiling: float) -> None:
        """State the grown program, and let it start where the last one ended."""
        assert self._engine is not None
        old, basis = self._whole, self._engine.basis()
        self._engine = self._state(limits, penalty, ceiling)
        self._engine.start_from(carried_basis(old, basis, self._whole), grown=True)


def moved_aside(rows: Rows, prices: np.ndarray, x: np.ndarray, most: float, penalty: float) -> np.ndarray:
    """Raise the prices of limits that are exceeded, and lower those of the others, to no less than 0.

    Parameters
    ----------
    rows : Rows
        The limits.
    prices : ndarray (row,)
        Theirs. [money per unit]
    x : ndarray (port,)
        What enters. [kW, kvar]
    most : float
        By how much at any port. [money/kW]
    penalty : float
        Of relaxing a limit by its own rating in a step. [money]

    Returns
    -------
    ndarray (port,)
        What a unit injected costs more then. [money]
    """
    size = extremes(rows.matrix)[0]
    by = np.where(rows.matrix @ x > rows.bound, most, -most) / np.where(size > 0, size, 1.0)
    more = rows.matrix.T @ (np.clip(prices + by, 0.0, penalty / rows.rating) - prices)
    return np.asarray(more * (most / max(float(more.max()), -float(more.min()), most)))


def price_of(limits: Limits, keys: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Find what each unit injected at a port costs at prices of limits, (port,), in money; most limits have none."""
    priced = prices > 0
    return np.asarray(limits.rows(keys[priced]).matrix.T @ prices[priced])


def challenge(block: Block, plan: Any, price: np.ndarray) -> tuple[Any, np.ndarray]:
    """Let a block answer prices, and compare a plan with that.

    Returns
    -------
    Any
        The answer; the plan where the block is whole: then it is one.
    ndarray (member,)
        What the answer saves. [money]
    """
    if block.whole:
        return plan, np.zeros(1)
    answer = block.respond(price)
    return answer, block.costs(plan, price) - block.costs(answer, price)


def coordinate(
    blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float, until: Until | None = None
) -> Coordinated | None:
    """Bring blocks to their common optimum under limits; knows neither kind.

    Parameters
    ----------
    blocks : sequence of Block
        All members.
    limits : Limits
        All that they share.
    given : ndarray (port,)
        What enters besides. [kW, kvar]
    penalty : float
        Of relaxing a limit by its own rating in a step. [money]
    until : Until, optional
        Gap and time at which to stop.

    Returns
    -------
    Coordinated or None
        The best so far where time is up; else None where plan and bound do not meet.
    """
    return Coordinator(blocks, given).coordinate(limits, penalty, until or Until())
