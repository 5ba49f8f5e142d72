"""Good prices of limits by a short dual ascent, and which flows of stores they leave undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.engines import MOST_ROWS, TOLERANCE
from dispatch.solve.protocols import KEY
from dispatch.solve.restricted import USED
from kernels.entries import EXPORT, IMPORT

if TYPE_CHECKING:
    from dispatch.solve.blocks.programs import ProgramBlock
    from dispatch.solve.blocks.stores import Flows, StoreBlock
    from dispatch.solve.limits.radial import RadialLimits

ASCENTS = 40
WINDOW = 14
SWEEP_EVERY = 8
STEP = 0.15


@dataclass
class Ascent:
    """What an ascent ends with.

    Attributes
    ----------
    keys : ndarray (limit,) of KEY
        Limits that were found violated.
    plan : Flows
        The last answer.
    free : ndarray (kind, member, step) of bool
        Flows in use at some time of the last third, in steps in which one of them moved.
    """

    keys: np.ndarray
    plan: Flows
    free: np.ndarray


NO_KEYS = np.zeros(0, KEY)


class Scaled:
    """Limits found violated, as rows whose largest coefficient is 1."""

    def __init__(self, ports: int, ceiling: float) -> None:
        self.keys = np.zeros(0, KEY)
        self.matrix = sp.csr_matrix((0, ports))
        self.transposed = self.matrix.T
        self.bound, self.most = np.zeros(0), np.zeros(0)
        self._ceiling = ceiling

    def add(self, limits: RadialLimits, keys: np.ndarray) -> None:
        """State more limits."""
        rows = limits.rows(keys)
        entries = np.diff(rows.matrix.indptr)
        largest = np.ones(len(keys))
        filled = entries > 0
        largest[filled] = np.maximum.reduceat(np.abs(rows.matrix.data), rows.matrix.indptr[:-1][filled])
        rows.matrix.data /= np.repeat(largest, entries)
        self.matrix = sp.vstack((self.matrix, rows.matrix), format="csr")
        self.transposed = self.matrix.T
        self.bound = np.concatenate([self.bound, rows.bound / largest])
        self.most = np.concatenate([self.most, self._ceiling * largest / rows.rating])
        self.keys = np.concatenate([self.keys, keys])


def ascend(block: StoreBlock, rest: ProgramBlock, limits: RadialLimits, penalty: float, keys: np.ndarray) -> Ascent:
    """Raise the prices of violated limits until members' answers waver about them.

    Parameters
    ----------
    block : StoreBlock
        Members that answer prices.
    rest : ProgramBlock
        Members that are asked less often.
    limits : RadialLimits
        What they share.
    penalty : float
        Of relaxing a limit by its own rating for an hour. [money h-1]
    keys : ndarray of KEY
        Limits to start with.

    Returns
    -------
    Ascent
    """
    members = block.members
    spread = float(np.ptp(np.concatenate([members.cost[IMPORT].ravel(), -members.cost[EXPORT].ravel(), [0.0]])))
    rate = STEP * (spread if spread > 0 else block.dt)
    rows = Scaled(limits.ports, block.dt * penalty)
    flow = block.respond(np.zeros(limits.ports))
    constant = block.program.injection_constant
    other = constant + rest.respond(np.zeros(limits.ports))
    x = other + block.injection @ (flow[EXPORT] - flow[IMPORT]).ravel()
    found = limits.violated(x, TOLERANCE, MOST_ROWS, rows.keys)
    if len(keys):
        found = np.unique(np.concatenate([found, keys]))
    if not len(found):
        return Ascent(rows.keys, block.with_contents(flow.copy()), np.zeros_like(flow, bool))
    rows.add(limits, found)
    price = np.zeros(len(found))
    first, second, mean = price.copy(), price.copy(), x
    low, high = flow.copy(), flow.copy()
    for k in range(1, ASCENTS + 1):
        weight = np.asarray(rows.transposed @ price)
        flow = block.respond(weight)
        if k % SWEEP_EVERY == 0:
            other = constant + rest.respond(weight)
        x = other + block.injection @ (flow[EXPORT] - flow[IMPORT]).ravel()
        if k == ASCENTS - WINDOW:
            low[:], high[:] = flow, flow
        elif k > ASCENTS - WINDOW:
            np.minimum(low, flow, out=low)
            np.maximum(high, flow, out=high)
        mean = 0.85 * mean + 0.15 * x
        if k % SWEEP_EVERY == 0 and k < 0.8 * ASCENTS:
            # None is named as known: of each branch only the worst bus is wanted while prices still move.
            found = np.setdiff1d(limits.violated(mean, TOLERANCE, MOST_ROWS, NO_KEYS), rows.keys)
            if len(found):
                rows.add(limits, found)
                price, first, second = (np.concatenate([a, np.zeros(len(found))]) for a in (price, first, second))
                continue
        over = rows.matrix @ x - rows.bound
        over = np.where(price > 0, over, np.maximum(over, 0.0))
        first, second = 0.9 * first + 0.1 * over, 0.95 * second + 0.05 * over**2
        step = rate * (20 / (20 + k)) * first / (np.sqrt(second) + 1e-9)
        price = np.clip(price + step, 0.0, rows.most)
    moved = ((high - low) > USED).any(axis=0)
    return Ascent(rows.keys, block.with_contents(flow.copy()), (high > USED) & moved)
