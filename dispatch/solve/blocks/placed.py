"""A feeder's block among the ports of many feeders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

if TYPE_CHECKING:
    from dispatch.solve.protocols import Block, Part


class PlacedBlock:
    """A block whose ports are some of all ports, one after the other.

    Parameters
    ----------
    block : Block
        Over its own ports.
    first, count : int
        Which of all ports are its own.
    ports : int
        How many there are.
    """

    def __init__(self, block: Block, first: int, count: int, ports: int) -> None:
        self._block, self._own, self._ports = block, slice(first, first + count), ports

    @property
    def whole(self) -> bool:
        """Whether its part leaves nothing out."""
        return self._block.whole

    @property
    def spread(self) -> float:
        """Scale of its members' prices."""
        return self._block.spread

    @property
    def entries(self) -> int:
        """How many pairs of meter and step its part has."""
        return self._block.entries

    def respond(self, price: np.ndarray) -> Any:
        """Plan at prices of all ports."""
        return self._block.respond(price[self._own])

    def answer(self, price: np.ndarray, half: int | None = None) -> np.ndarray:
        """Plan at prices; what it gives to all ports."""
        return self._among_all(self._block.answer(price[self._own], half))

    def injection(self, plan: Any) -> np.ndarray:
        """Add up what a plan gives to all ports."""
        return self._among_all(self._block.injection(plan))

    def costs(self, plan: Any, price: np.ndarray) -> np.ndarray:
        """Cost of each member's plan at prices."""
        return self._block.costs(plan, price[self._own])

    def forget(self) -> None:
        """Let nothing move."""
        self._block.forget()

    def watch(self) -> Any:
        """See the last answer."""
        return self._block.watch()

    def mean(self) -> Any:
        """Mean of the answers seen."""
        return self._block.mean()

    def mix(self, plan: Any, other: Any, share: float) -> Any:
        """Take `share` of another plan and the rest of the first."""
        return self._block.mix(plan, other, share)

    def part(self) -> Part:
        """State what may move, over all ports."""
        part = self._block.part()
        held, shape = part.injection.tocsr(), (self._ports, part.injection.shape[1])
        before = np.zeros(self._own.start, held.indptr.dtype)
        after = np.full(self._ports - self._own.stop, held.indptr[-1], held.indptr.dtype)
        wide = sp.csr_matrix((held.data, held.indices, np.concatenate([before, held.indptr, after])), shape)
        return replace(part, injection=wide, injection_constant=self._among_all(part.injection_constant))

    def decode(self, columns: np.ndarray) -> Any:
        """Turn values of the part's columns into a plan."""
        return self._block.decode(columns)

    def resume(self, before: PlacedBlock, plan: Any) -> None:
        """Let move what may move in `before`."""
        self._block.resume(before._block, plan)

    def grow(self, plan: Any, answer: Any, worse: np.ndarray) -> int:
        """Let move in which an answer differs from a plan."""
        return self._block.grow(plan, answer, worse)

    def _among_all(self, own: np.ndarray) -> np.ndarray:
        found = np.zeros(self._ports)
        found[self._own] = own
        return found
