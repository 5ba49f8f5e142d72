"""Good prices of limits by a short dual ascent, while blocks watch which of their decisions waver."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.engines import MOST_ROWS, TOLERANCE
from dispatch.solve.protocols import KEY, key_order
from dispatch.solve.scaling import extremes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.protocols import Block, Limits
    from dispatch.solve.until import Until

ASCENTS = 40
AGAIN = 20
"""The last of them, which are enough from prices of before."""
WINDOW = 14
"""The last answers, in which blocks watch what moves."""
SWEEP_EVERY = 8
"""Answers between two sweeps of all limits, and between two answers of blocks whose answers are dear."""
PUSHES, PUSH = 6, 1.5
STEP = 0.15
"""First step, as a share of the spread of prices."""


class Scaled:
    """Limits found violated, as rows whose largest coefficient is 1."""

    def __init__(self, ports: int, ceiling: float) -> None:
        self.keys = np.zeros(0, KEY)
        self.matrix = sp.csr_matrix((0, ports))
        self.transposed = self.matrix.T
        self.bound, self.most, self.size = np.zeros(0), np.zeros(0), np.zeros(0)
        self._ceiling = ceiling

    def add(self, limits: Limits, keys: np.ndarray) -> None:
        """State more limits."""
        rows = limits.rows(keys)
        largest = extremes(rows.matrix)[0]
        largest[largest == 0] = 1.0
        rows.matrix.data /= np.repeat(largest, np.diff(rows.matrix.indptr))
        self.matrix = sp.vstack((self.matrix, rows.matrix), format="csr")
        self.transposed = self.matrix.T
        self.bound = np.concatenate([self.bound, rows.bound / largest])
        self.most = np.concatenate([self.most, self._ceiling * largest / rows.rating])
        self.size = np.concatenate([self.size, largest])
        self.keys = np.concatenate([self.keys, keys])

    def priced(self, price: np.ndarray) -> Ascent:
        """Sort limits with prices per unit of their own, given those of the scaled rows."""
        order = key_order(self.keys)
        return Ascent(self.keys[order], (price / self.size)[order])


class Answers:
    """What all blocks do at prices; blocks whose answers are dear are asked only now and then."""

    def __init__(self, blocks: Sequence[Block], given: np.ndarray) -> None:
        self._blocks, self._given = blocks, given
        self._injected = [given] * len(blocks)

    @cached_property
    def spread(self) -> float:
        """Scale of prices: that of the block where they differ most."""
        return max(block.spread for block in self._blocks)

    def ask(self, weight: np.ndarray, *, everyone: bool, half: int | None = None) -> np.ndarray:
        """Return what enters at the ports at the prices `weight`, (port,), where a `half` of the members may answer."""
        x = self._given
        for k, block in enumerate(self._blocks):
            if everyone or not block.whole:
                self._injected[k] = block.answer(weight, half)
            x = x + self._injected[k]
        return x

    def watch(self) -> None:
        """Let every block see its last answer."""
        for block in self._blocks:
            block.watch()


@dataclass(frozen=True)
class Ascent:
    """Limits, and prices of theirs that may start or end an ascent.

    Attributes
    ----------
    keys : ndarray (limit,) of KEY
        Sorted.
    prices : ndarray (limit,)
        Per unit of each limit, at least 0 and at most its penalty. [money]
    """

    keys: np.ndarray
    prices: np.ndarray


def ascend(
    blocks: Sequence[Block], limits: Limits, given: np.ndarray, penalty: float, start: Ascent, until: Until
) -> Ascent:
    """Raise the prices of violated limits until members' answers waver about them.

    Until they are watched only half of the members answer each time, the other half the next: the sum of the last
    answers of all leads prices just as well [1]_, and the town's ascents take a fifth less time.

    Parameters
    ----------
    blocks : sequence of Block
        Members; they have watched the last answers when this returns.
    limits : Limits
        What they share.
    given : ndarray (port,)
        What enters besides. [kW, kvar]
    penalty : float
        Of relaxing a limit by its own rating in a step. [money]
    start : Ascent
        Limits to start with, and their prices.
    until : Until
        When to stop at once.

    Returns
    -------
    Ascent
        Limits that were found violated, and the last prices; where there are none, blocks have watched nothing.

    References
    ----------
    .. [1] A. Nedić, D. P. Bertsekas, *Incremental subgradient methods for nondifferentiable optimization*, 2001,
       :doi:`10.1137/S1052623499362111`.
    """
    for block in blocks:
        block.forget()
    answers, price = Answers(blocks, given), np.zeros(0)
    if len(start.keys):
        rows = Scaled(limits.ports, penalty)
        rows.add(limits, start.keys)
        price = np.minimum(start.prices * rows.size, rows.most)
        mean = answers.ask(np.asarray(rows.transposed @ price), everyone=True)
    else:
        mean = answers.ask(np.zeros(limits.ports), everyone=True)
    found = limits.violated(mean, TOLERANCE, MOST_ROWS, start.keys)
    if not len(start.keys):
        if not len(found):
            return start
        rows = Scaled(limits.ports, penalty)
    rows.add(limits, found)
    price = np.concatenate([price, np.zeros(len(found))])
    rate = STEP * answers.spread
    held = np.ones(len(price), bool)
    first, second = np.zeros(len(price)), np.zeros(len(price))
    for k in range(ASCENTS + 1 - (AGAIN if len(start.keys) else ASCENTS), ASCENTS + 1):
        if until.over:
            answers.watch()
            return rows.priced(price)
        sweep = k % SWEEP_EVERY == 0
        watched = k >= ASCENTS - WINDOW
        x = answers.ask(np.asarray(rows.transposed @ price), everyone=sweep, half=None if watched else k % 2)
        if watched:
            answers.watch()
        mean = 0.85 * mean + 0.15 * x
        if sweep and not watched:
            # None is named as known: of each branch only the worst bus is wanted while prices still move.
            found = np.setdiff1d(limits.violated(mean, TOLERANCE, MOST_ROWS, np.zeros(0, KEY)), rows.keys)
            if len(found):
                rows.add(limits, found)
                price, first, second = (np.concatenate([a, np.zeros(len(found))]) for a in (price, first, second))
                continue
        over = rows.matrix @ x - rows.bound
        held = held | (over <= 0) if watched else over <= 0
        over = np.where(price > 0, over, np.maximum(over, 0.0))
        first, second = 0.9 * first + 0.1 * over, 0.95 * second + 0.05 * over**2
        step = rate * (20 / (20 + k)) * first / (np.sqrt(second) + 1e-9)
        price = np.clip(price + step, 0.0, rows.most)
    _push(answers, rows, price, ~held)
    return rows.priced(price)


def _push(answers: Answers, rows: Scaled, price: np.ndarray, never: np.ndarray) -> None:
    """Raise the prices of limits that no answer watched has held, until one does.

    Otherwise nobody might move in their steps, and the restricted program could do nothing but relax them.
    """
    for _ in range(PUSHES):
        if not never.any():
            return
        price = np.where(never, np.minimum(PUSH * (price + answers.spread), rows.most), price)
        x = answers.ask(np.asarray(rows.transposed @ price), everyone=False)
        answers.watch()
        never &= rows.matrix @ x > rows.bound
