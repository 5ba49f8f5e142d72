"""Blocks of many feeders as one, each at ports of its own among those of all."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from dispatch.solve.protocols import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatch.solve.protocols import Block


class PlacedBlocks:
    """Blocks of one kind side by side, as `dispatch.solve.protocols.Block`: a plan is a list of the blocks' plans.

    Parameters
    ----------
    blocks : sequence of Block
        One a feeder, each over its own ports.
    starts : ndarray (feeder + 1,) of int
        First of its ports among all, feeder after feeder; then how many there are.
    """

    def __init__(self, blocks: Sequence[Block], starts: np.ndarray) -> None:
        self._blocks = list(blocks)
        self._own = [slice(a, b) for a, b in pairwise(starts.tolist())]
        self._ports, self._columns = int(starts[-1]), np.zeros(len(self._blocks) + 1, int)

    @property
    def whole(self) -> bool:
        """Whether its part leaves nothing out."""
        return all(block.whole for block in self._blocks)

    @property
    def spread(self) -> float:
        """Scale of its members' prices."""
        return max(block.spread for block in self._blocks)

    @property
    def entries(self) -> int:
        """How many pairs of meter and step its part has."""
        return sum(block.entries for block in self._blocks)

    def respond(self, price: np.ndarray) -> list[Any]:
        """Plan at prices of all ports."""
        return [block.respond(price[own]) for block, own in zip(self._blocks, self._own, strict=True)]

    def answer(self, price: np.ndarray, half: int | None = None) -> np.ndarray:
        """Plan at prices; what all give to the ports."""
        return self._together(lambda k, block: block.answer(price[self._own[k]], half))

    def injection(self, plan: Sequence[Any]) -> np.ndarray:
        """Add up what a plan gives to all ports."""
        return self._together(lambda k, block: block.injection(plan[k]))

    def _together(self, of: Callable[[int, Block], np.ndarray]) -> np.ndarray:
        found = np.empty(self._ports)
        for k, (block, own) in enumerate(zip(self._blocks, self._own, strict=True)):
            found[own] = of(k, block)
        return found

    def costs(self, plan: Sequence[Any], price: np.ndarray) -> np.ndarray:
        """Cost of each member's plan at prices."""
        each = zip(self._blocks, plan, self._own, strict=True)
        return np.concatenate([block.costs(own, price[at]) for block, own, at in each])

    def forget(self) -> None:
        """Let nothing move."""
        for block in self._blocks:
            block.forget()

    def watch(self) -> list[Any]:
        """See the last answers."""
        return [block.watch() for block in self._blocks]

    def mean(self) -> list[Any]:
        """Mean of the answers seen."""
        return [block.mean() for block in self._blocks]

    def mix(self, plan: Sequence[Any], other: Sequence[Any], share: float) -> list[Any]:
        """Take `share` of another plan and the rest of the first."""
        each = zip(self._blocks, plan, other, strict=True)
        return [block.mix(own, theirs, share) for block, own, theirs in each]

    def part(self) -> Part:
        """State what may move, over all ports."""
        parts = [block.part() for block in self._blocks]
        self._columns = np.cumsum([0, *(len(p.cost) for p in parts)])

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in parts])

        def named(name: str) -> np.ndarray:
            return np.concatenate([len(parts) * getattr(part, name) + k for k, part in enumerate(parts)])

        return Part(
            sp.csc_matrix(sp.block_diag([p.matrix for p in parts])),
            joined("row_lower"), joined("row_upper"), joined("lower"), joined("upper"), joined("cost"),
            sum(p.constant for p in parts),
            sp.csr_matrix(sp.block_diag([p.injection for p in parts], format="csr")),
            joined("injection_constant"), joined("start"), named("names"), named("row_names"),
        )  # fmt: skip

    def decode(self, columns: np.ndarray) -> list[Any]:
        """Turn values of the part's columns into a plan."""
        own = np.split(columns, self._columns[1:-1])
        return [block.decode(values) for block, values in zip(self._blocks, own, strict=True)]

    def resume(self, before: PlacedBlocks, plan: Sequence[Any]) -> np.ndarray:
        """Let move what may move in `before`."""
        return self._together(lambda k, block: block.resume(before._blocks[k], plan[k]))

    def grow(self, plan: Sequence[Any], answer: Sequence[Any], worse: np.ndarray) -> int:
        """Let move in which answers differ from plans."""
        none = np.zeros(self._ports)
        costs = [block.costs(p, none[at]) for block, p, at in zip(self._blocks, plan, self._own, strict=True)]
        members = np.cumsum([len(own) for own in costs])
        each = zip(self._blocks, plan, answer, np.split(worse, members[:-1]), strict=True)
        return sum(block.grow(p, a, w) for block, p, a, w in each if w.any())
