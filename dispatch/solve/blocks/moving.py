"""Stores that answer prices exactly, and the program over only those of their flows that may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.blocks.stores import Flows
from dispatch.solve.protocols import Part
from kernels.entries import (
    EXPORT,
    FLOWS,
    IMPORT,
    Entries,
    clear_rounding,
    free_differing,
    list_injection,
    make_entries,
    move,
)
from kernels.listing import list_entries
from kernels.marginal import fit_prices, make_row_prices
from kernels.ports import widen

if TYPE_CHECKING:
    from dispatch.solve.blocks.stores import StoreBlock
    from kernels.marginal import RowPrices

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
        self._range: tuple[np.ndarray, np.ndarray] | None = None
        self._sum, self._seen = self.plan.flow, 0

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
        self.stores.respond(price)
        return self.stores.with_contents(self.stores.kept())

    def answer(self, price: np.ndarray, half: int | None = None) -> np.ndarray:
        """Do the same without keeping the plan; what members give to the ports."""
        return self.stores.injected(self.stores.respond(price, half))

    def injection(self, plan: Flows) -> np.ndarray:
        """Add up what members give to the ports."""
        return self.stores.injected(plan.flow)

    def costs(self, plan: Flows, price: np.ndarray) -> np.ndarray:
        """Cost of each member's plan at prices."""
        return self.stores.costs(plan, price)

    def forget(self) -> None:
        """Let nothing move and watch no plan."""
        self.free[...] = False
        self._seen, self._range = 0, None

    def watch(self) -> Flows:
        """See the last answer: flows that were in use in an answer seen may move where one of them moved."""
        flow = self.stores.flow
        if self._seen == 1:
            self._range = self.plan.flow.copy(), self.plan.flow.copy()
        if self._range is not None:
            widen(flow, self.stores.deciding, *self._range)
        self._seen += 1
        self._settle(self.stores.with_contents(self.stores.kept()))
        self._add(self.plan.flow)
        return self.plan

    def _add(self, flow: np.ndarray) -> None:
        """Sum up the plans watched, none of which may be changed: the first is only kept, as often it is the last."""
        if self._seen == 1:
            self._sum = flow
        elif self._seen == 2:
            self._sum = self._sum + flow
        else:
            self._sum += flow

    def mean(self) -> Flows:
        """Mean of the answers watched; no meter takes and gives at once where that costs."""
        return self._netted(self._sum / self._seen) if self._seen else self.plan

    def mix(self, plan: Flows, other: Flows, share: float) -> Flows:
        """Take `share` of another plan and the rest of the first, netted as a mean is."""
        return self._netted((1 - share) * plan.flow + share * other.flow)

    def _netted(self, flow: np.ndarray) -> Flows:
        cost = self.stores.members.cost
        both = np.where(cost[IMPORT] + cost[EXPORT] > 0, np.minimum(flow[IMPORT], flow[EXPORT]), 0.0)
        flow[IMPORT] -= both
        flow[EXPORT] -= both
        return self.stores.with_contents(flow)

    def _settle(self, plan: Flows) -> None:
        """Let what may not move be as in a plan."""
        self.plan = self._last = plan
        self.short = plan.shortfall > USED

    def resume(self, before: MovingStores, plan: Flows) -> np.ndarray:
        """Let the flows move that may move in `before`; see `Block.resume`."""
        self._settle(plan)
        self.free, self.short = before.free.copy(), self.short | before.short
        held = ~self.free.any(axis=0)
        more = np.where(held, plan.injection - before._last.injection, 0.0)
        return np.bincount(self.stores.ports.ravel(), more.ravel(), self.stores.open)

    def grow(self, plan: Flows, answer: Flows, worse: np.ndarray) -> int:
        """Let flows move in which an answer differs from a plan, and contents fall short; how many are new."""
        before = int(self.free.sum() + self.short.sum())
        free_differing(plan.flow, answer.flow, worse, USED, self.free)
        self.short |= worse[:, None] & (answer.shortfall > USED)
        return int(self.free.sum() + self.short.sum()) - before

    def part(self) -> Part:
        """State the program over what may move."""
        if self._range is not None:
            low, high = self._range
            self.free, self._range = (high > USED) & ((high - low) > USED).any(axis=0), None
        stores, self._base = self.stores, self.plan.flow.copy()
        e = make_entries(self.free, self.short)
        list_entries(stores.members, self.free, self.short, self._last.flow, self._last.content, self._base, e)
        columns, rows, values = e.size
        self._entries = e
        constant = stores.injected(self._base)
        return Part(
            sp.csc_matrix((e.value[:values], (e.at_row[:values], e.at_column[:values])), shape=(rows, columns)),
            e.row_lower[:rows],
            e.row_upper[:rows],
            e.lower[:columns],
            e.upper[:columns],
            e.cost[:columns],
            float((stores.members.cost * self._base).sum()),
            self._injection(e, columns, len(constant)),
            constant,
            e.start[:columns],
            self._named(e.kind * (FLOWS + 1) + e.partner, e.member, e.step)[:columns],
            self._named(e.row_kind, e.row_member, e.row_step)[:rows],
        )

    def _injection(self, e: Entries, columns: int, ports: int) -> sp.csr_matrix:
        """Find what the flow of each column, and its partner, give to the ports."""
        start, number, value = np.empty(ports + 1, np.int32), np.empty(columns, np.int32), np.empty(columns)
        count = list_injection(e, columns, self.stores.ports, start, number, value)
        return sp.csr_matrix((value[:count], number[:count], start), shape=(ports, columns))

    def _named(self, kind: np.ndarray, member: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Give each kind, member and step a number of its own."""
        count, steps = self.plan.content.shape
        return np.asarray((kind.astype(np.int64) * count + member) * steps + step)

    def decode(self, columns: np.ndarray) -> Flows:
        """Put values of the flows that may move into the plan."""
        flow = self._base.copy()
        move(self._entries, columns, flow)
        clear_rounding(flow)
        self._last = self.stores.with_contents(flow)
        return self._last

    def row_prices(self, answer: Flows, price: np.ndarray) -> RowPrices:
        """Find prices of members' rows that fit an answer to `price`."""
        found = make_row_prices(*answer.content.shape)
        flow, weight = answer.flow, price.reshape(-1, self.stores.steps)[self.stores.buses]
        fit_prices(self.stores.members, flow, answer.content, answer.shortfall, weight, found)
        return found
