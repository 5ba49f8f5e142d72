"""Members that share nothing but limits, brought to their common optimum by prices.

With ``c(z)`` the cost of a plan, ``x`` what it gives to the ports, and limits ``a_i x <= b_i`` that may be relaxed at
``p_i`` per unit, the elastic program has, for any prices ``0 <= m_i <= p_i``, the lower bound [1]_

    min c(z) + Σ m_i max(a_i x - b_i)  >=  Σ over blocks of min_z (c(z) + w x)  -  Σ m_i b_i,      w = Σ m_i a_i,

in which every member is on its own: that is what blocks answer. A *restricted* program in which only part of the
blocks' decisions may move has a plan that is feasible in the whole one, and prices of limits. Where a member's answer
to these prices is cheaper than its plan, the decisions in which the two differ may move in the next restricted program;
where none is, plan and bound meet [2]_.

References
----------
.. [1] H. Everett, *Generalized Lagrange multiplier method*, 1963, :doi:`10.1287/opre.11.3.399`.
.. [2] G. B. Dantzig, P. Wolfe, *Decomposition principle for linear programs*, 1960, :doi:`10.1287/opre.8.1.101`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.solve.ascent import ascend
from dispatch.solve.engines import LazyRows, Optimum
from dispatch.solve.protocols import KEY
from dispatch.solve.restricted import carried_basis, first_basis, join, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.protocols import Block, Limits, Part

BETTER = 1e-10
"""An answer is better than a plan if it saves more than this, relative to 1 or the member's cost."""
ROUNDING = 1e-7
"""What members could save together where no decision is left to free: solver's tolerances, relative to the optimum."""
CEILING = 4.0
"""Limits are first held at no more than this many times the spread of prices, so that one at which nobody may move yet
does not, at its penalty of thousands of times any price, let far too much move in the next round."""
RAISE = 16.0
"""By how much that is raised while limits are relaxed although no answer differs."""
MOST_ROUNDS = 100
"""Restricted programs before it is given up."""


@dataclass(frozen=True)
class Coordinated:
    """What a coordination ends with.

    Attributes
    ----------
    plans : list
        Of each block.
    price : ndarray (port,)
        What each unit injected costs. [money]
    optimum : Optimum
        Of the restricted program: stated limits, their prices and slacks.
    row_prices : list of ndarray
        Of the rows of each block's part.
    saving : float
        What members could still save at these prices: objective less lower bound. [money]
    rounds : int
        Restricted programs.
    """

    plans: list[Any]
    price: np.ndarray
    optimum: Optimum
    row_prices: list[np.ndarray]
    saving: float
    rounds: int

    @property
    def proven(self) -> bool:
        """Whether plan and bound meet to rounding."""
        return self.saving <= ROUNDING * max(1.0, abs(self.optimum.objective))


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
        self._keys = np.zeros(0, KEY)
        self._engine: LazyRows | None = None
        self._parts: list[Part] = []

    @property
    def entries(self) -> int:
        """How many pairs of meter and step the last restricted program had."""
        return sum(block.entries for block in self.blocks)

    def coordinate(self, limits: Limits, penalty: float) -> Coordinated | None:
        """Find the optimum; see `coordinate`."""
        if self._engine is None or not len(self._keys):
            self._keys, self._engine = ascend(self.blocks, limits, self._given, penalty, self._keys), None
        ceiling = CEILING * max(block.spread for block in self.blocks)
        for rounds in range(1, MOST_ROUNDS + 1):
            found = self._round(limits, penalty, ceiling, rounds)
            if found is None:
                continue
            if not found.optimum.capped:
                return found if found.proven else None
            ceiling *= RAISE
        return None

    def _round(self, limits: Limits, penalty: float, ceiling: float, rounds: int) -> Coordinated | None:
        """Solve the restricted program and ask the blocks; None where one of them let more move."""
        optimum = self._optimum(limits, penalty, ceiling)
        columns, row_prices = split(self._parts, optimum.columns, optimum.row_prices)
        plans = [block.decode(own) for block, own in zip(self.blocks, columns, strict=True)]
        price = limits.rows(optimum.keys).matrix.T @ optimum.limit_prices
        saving, grown = 0.0, 0
        for block, plan in zip(self.blocks, plans, strict=True):
            if not block.whole:
                saved, more = challenge(block, plan, price)
                saving, grown = saving + saved, grown + more
        if grown:
            self._grow(limits, penalty, ceiling)
            return None
        return Coordinated(plans, price, optimum, row_prices, saving, rounds)

    def _optimum(self, limits: Limits, penalty: float, ceiling: float) -> Optimum:
        """Solve the restricted program from the last basis."""
        if self._engine is None:
            self._engine = self._state(limits, penalty, ceiling)
            self._engine.start_from(first_basis(self._whole, len(self._keys)))
        found = self._engine.optimum(limits, penalty, self._whole.cost, ceiling)
        self._keys = found.keys
        return found

    def _state(self, limits: Limits, penalty: float, ceiling: float) -> LazyRows:
        """State the restricted program as it is now."""
        self._parts = [block.part() for block in self.blocks]
        self._whole = join(self._parts, self._given)
        engine = LazyRows(self._whole, self._options)
        if len(self._keys):
            engine.state(limits, self._keys, penalty, ceiling)
        return engine

    def _grow(self, limits: Limits, penalty: float, ceiling: float) -> None:
        """State the grown program, and let it start where the last one ended."""
        assert self._engine is not None
        old, basis = self._whole, self._engine.basis()
        self._engine = self._state(limits, penalty, ceiling)
        self._engine.start_from(carried_basis(old, basis, self._whole))


def challenge(block: Block, plan: Any, price: np.ndarray) -> tuple[float, int]:
    """Compare a plan with the block's own answer, and let move in which they differ.

    Returns
    -------
    float
        What the answer saves. [money]
    int
        How much may move that could not.
    """
    answer = block.respond(price)
    cost = block.costs(plan, price)
    saving = cost - block.costs(answer, price)
    worse = saving > BETTER * np.maximum(1.0, np.abs(cost))
    return float(saving.sum()), block.grow(plan, answer, worse) if worse.any() else 0


def coordinate(blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float) -> Coordinated | None:
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

    Returns
    -------
    Coordinated or None
        None where plan and bound do not meet.
    """
    return Coordinator(blocks, given).coordinate(limits, penalty)
