"""Stores that answer prices exactly, and the program over only those of their flows that may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.blocks.stores import Flows
from dispatch.solve.protocols import Part
from kernels.entries import CONTENT, EXPORT, FLOWS, IMPORT, list_entries, make_entries
from kernels.marginal import fit_prices, make_row_prices

if TYPE_CHECKING:
    from dispatch.solve.blocks.stores import StoreBlock

USED = 1e-9
"""Flows above this are in use. [kW]"""


class MovingStores:
    """The members of a `StoreBlock` as a `Block`: its plans are `Flows`.

    Parameters
    ----------
    stores : StoreBlock
        The members.

    Attributes
    ----------
    plan : Flows
        Values of the flows that may not move.
    free : ndarray (kind, member, step) of bool
        Flows that may move.
    short : ndarray (member, step) of bool
        Where members may fall short of their least content.
    """

    whole = False

    def __init__(self, stores: StoreBlock) -> None:
        self.stores, shape = stores, stores.members.upper.shape
        self.plan = self._last = Flows(np.zeros(shape), *np.zeros((2, *shape[1:])))
        self.free, self.short = np.zeros(shape, bool), np.zeros(shape[1:], bool)
        self._low: np.ndarray | None = None
        self._high: np.ndarray | None = None

    @property
    def spread(self) -> float:
        """Range, in money per kW, of the prices at the members' meters and 0."""
        cost = self.stores.members.cost
        found = float(np.ptp(np.concatenate([cost[IMPORT].ravel(), -cost[EXPORT].ravel(), [0.0]])))
        return found if found > 0 else self.stores.dt

    @property
    def entries(self) -> int:
        """How many pairs of member and step may move."""
        return int(self.free.any(axis=0).sum())

    def respond(self, price: np.ndarray) -> Flows:
        """Plan every member by dynamic programming."""
        return self.stores.with_contents(self.stores.respond(price).copy())

    def injection(self, plan: Flows) -> np.ndarray:
        """Add up what members give to the ports."""
        return np.asarray(self.stores.injection @ plan.injection.ravel())

    def costs(self, plan: Flows, price: np.ndarray) -> np.ndarray:
        """Cost of each member's plan at prices."""
        return self.stores.costs(plan, price)

    def forget(self) -> None:
        """Let nothing move and watch no plan."""
        self.free[...] = False
        self._low = self._high = None

    def watch(self, plan: Flows) -> None:
        """Let flows move that were in use in an answer seen, in steps in which one of them moved."""
        self.plan = self._last = plan
        self.short = plan.shortfall > USED
        if self._low is None or self._high is None:
            self._low, self._high = plan.flow.copy(), plan.flow.copy()
            return
        np.minimum(self._low, plan.flow, out=self._low)
        np.maximum(self._high, plan.flow, out=self._high)
        self.free = (self._high > USED) & ((self._high - self._low) > USED).any(axis=0)

    def resume(self, before: MovingStores, plan: Flows) -> None:
        """Let the flows move that may move in `before`."""
        self.free, self.plan, self._last = before.free.copy(), plan, plan
        self.short = before.short | (plan.shortfall > USED)

    def grow(self, plan: Flows, answer: Flows, worse: np.ndarray) -> int:
        """Let flows move in which an answer differs from a plan, and contents fall short; how many are new."""
        before, self._last = int(self.free.sum() + self.short.sum()), plan
        differs = (np.abs(answer.flow - plan.flow) > USED).any(axis=0) & worse[:, None]
        used = (answer.flow > USED) | (plan.flow > USED)
        self.free |= used & differs
        self.short |= worse[:, None] & (answer.shortfall > USED)
        return int(self.free.sum() + self.short.sum()) - before

    def part(self) -> Part:
        """State the program over what may move."""
        stores = self.stores
        e = make_entries(self.free, self.short)
        list_entries(stores.members, self.free, self.short, self.plan.flow, e)
        columns, rows, values = e.size
        self._entry = (e.kind[:columns], e.member[:columns], e.step[:columns])
        fixed = np.where(self.free, 0.0, self.plan.flow)
        port = stores.ports[self._entry[1], self._entry[2]]
        gives = np.select([self._entry[0] == EXPORT, self._entry[0] == IMPORT], [1.0, -1.0])
        does = np.nonzero(gives)[0]
        constant = stores.injection @ (fixed[EXPORT] - fixed[IMPORT]).ravel()
        return Part(
            sp.csc_matrix((e.value[:values], (e.at_row[:values], e.at_column[:values])), shape=(rows, columns)),
            e.row_lower[:rows],
            e.row_upper[:rows],
            e.lower[:columns],
            e.upper[:columns],
            e.cost[:columns],
            float((stores.members.cost * fixed).sum()),
            sp.csr_matrix((gives[does], (port[does], does)), shape=(len(constant), columns)),
            constant,
            self._start(),
            self._named(*self._entry),
            self._named(e.row_kind[:rows], e.row_member[:rows], e.row_step[:rows]),
        )

    def _start(self) -> np.ndarray:
        """Values of the last plan in the columns of the part."""
        kind, member, step = self._entry
        found, content = np.zeros(len(kind)), kind == CONTENT
        flows, last = kind < FLOWS, self._last
        found[flows] = last.flow[kind[flows], member[flows], step[flows]]
        found[content] = last.content[member[content], step[content]]
        return found

    def _named(self, kind: np.ndarray, member: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Give each kind, member and step a number of its own."""
        count, steps = self.plan.content.shape
        return np.asarray((kind.astype(np.int64) * count + member) * steps + step)

    def decode(self, columns: np.ndarray) -> Flows:
        """Put values of the flows that may move into the plan."""
        kind, member, step = self._entry
        flow = np.where(self.free, 0.0, self.plan.flow)
        flows = kind < FLOWS
        flow[kind[flows], member[flows], step[flows]] = np.maximum(columns[flows], 0.0)
        return self.stores.with_contents(flow)

    def write(self, plan: Flows, answer: Flows, price: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> None:
        """Write a plan into the columns of the program, and prices that fit the answer to `price` into its rows."""
        stores, found = self.stores, make_row_prices(*plan.content.shape)
        stores.decode(plan, columns)
        fit_prices(stores.members, answer.flow, answer.content, answer.shortfall, price[stores.ports], found)
        rows[stores.balance] = found.at_meter
        for cells in stores.cells:
            cells.write_prices(found, rows)
