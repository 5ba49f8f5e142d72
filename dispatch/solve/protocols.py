"""The protocols of the solve room: what limits and blocks of members promise to whoever coordinates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse as sp

KEY = np.dtype([("kind", np.int8), ("element", np.int32), ("step", np.int32)])
"""A limit's name: its kind (the position in the `kinds` of its `Limits`), element and step."""


@dataclass(frozen=True)
class Rows:
    """One-sided limits as rows over ports: ``matrix @ x <= bound``, each elastic in units of its rating.

    Attributes
    ----------
    matrix : csr_matrix (row, port)
        Coefficients.
    bound : ndarray (row,)
        Right-hand side, in the limit's own unit.
    rating : ndarray (row,)
        The limit itself, by which relaxations are measured.
    """

    matrix: sp.csr_matrix
    bound: np.ndarray
    rating: np.ndarray


def key_order(keys: np.ndarray) -> np.ndarray:
    """Positions of keys in their order; NumPy's own sort compares structures one by one and takes ten times as long."""
    return np.asarray(np.lexsort((keys["step"], keys["element"], keys["kind"])))


class Limits(Protocol):
    """Limits that are affine in what enters a network at its ports, any number of steps a row. Stateless."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of limit, in the order of the keys' numbers."""

    @property
    def ports(self) -> int:
        """How many ports there are: the length of `x`."""

    def violated(self, x: np.ndarray, tolerance: float, most: int, known: np.ndarray) -> np.ndarray:
        """Sweep all limits.

        Parameters
        ----------
        x : ndarray (port,)
            What enters. [kW, kvar]
        tolerance : float
            In units of each limit's rating.
        most : int
            How many keys to return at most: the worst.
        known : ndarray of KEY
            Limits that are stated already.

        Returns
        -------
        ndarray of KEY
            Sorted, none of `known`; empty if and only if no other limit is violated.
        """

    def exceeded(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Name every limit that is exceeded, sorted, and by how much in its own unit."""

    def rows(self, keys: np.ndarray) -> Rows:
        """State limits as rows, in the order of the keys."""

    def bound(self, keys: np.ndarray) -> np.ndarray:
        """Limits themselves, (key,): the rows' bounds but for what enters a row without any `x`."""

    def rating_of(self, keys: np.ndarray) -> np.ndarray:
        """Ratings of limits, (key,)."""


@dataclass(frozen=True)
class Part:
    """A linear program over what may move in a block; what it injects is ``injection @ z + injection_constant``.

    Attributes
    ----------
    matrix : csc_matrix (row, column)
        No duplicates.
    row_lower, row_upper : ndarray (row,)
        Infinite where there is no bound.
    lower, upper, cost : ndarray (column,)
        Bounds may be infinite.
    constant : float
        Cost of what may not move. [money]
    injection : csr_matrix (port, column)
        What a unit of each column gives to the ports.
    injection_constant : ndarray (port,)
        What enters whatever moves. [kW, kvar]
    start : ndarray (column,)
        Values of a plan to start from: any, but a good one saves the solver most of its work.
    names, row_names : ndarray of int64
        What each column and row is, unique in the block: it keeps its name when the part grows.
    """

    matrix: sp.csc_matrix
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cost: np.ndarray
    constant: float
    injection: sp.csr_matrix
    injection_constant: np.ndarray
    start: np.ndarray
    names: np.ndarray
    row_names: np.ndarray


class Block(Protocol):
    """Many members as arrays, such as stores, which share nothing with anyone but limits at ports.

    A block can answer prices exactly, and can state a program over what it has been told may move. What a plan is, it
    alone knows: whoever coordinates only hands plans back to it.
    """

    @property
    def whole(self) -> bool:
        """Whether its part leaves nothing out: its answers are dear, and those of the part are already the best."""

    @property
    def spread(self) -> float:
        """How much the members' own prices of what they inject differ at most: a scale of prices in money per kW."""

    @property
    def entries(self) -> int:
        """How many pairs of meter and step the part has."""

    def respond(self, price: np.ndarray) -> Any:
        """Plan all members at the least cost when each unit injected at a port costs `price` (port,); a new plan."""

    def answer(self, price: np.ndarray, half: int | None = None) -> np.ndarray:
        """Plan all members as `respond` does, for `watch` to see; what they give to the ports, (port,).

        Where a `half` is named, 0 or 1, only the members in it need to answer anew.
        """

    def injection(self, plan: Any) -> np.ndarray:
        """Add up what a plan gives to the ports in kW and kvar, (port,)."""

    def costs(self, plan: Any, price: np.ndarray) -> np.ndarray:
        """Cost in money of each member's plan and of what it injects, (member,)."""

    def forget(self) -> None:
        """Let nothing move and watch no plan."""

    def watch(self) -> Any:
        """See the last `answer`; return its plan. What answers seen differ in may move, all else is as in the last."""

    def mean(self) -> Any:
        """Mean of the answers seen, which is a plan, too; where none was, what all else is as in."""

    def mix(self, plan: Any, other: Any, share: float) -> Any:
        """Take `share` of another plan and the rest of the first, which is a plan, too."""

    def part(self) -> Part:
        """State the program over what may move."""

    def decode(self, columns: np.ndarray) -> Any:
        """Turn values of the part's columns into a plan."""

    def resume(self, before: Any, plan: Any) -> np.ndarray:
        """Let move what may move in `before`, a block of the same members with other data; all else as in `plan`.

        Returns how much more than in the last plan of `before` all else gives to the ports, (port,).
        """

    def grow(self, plan: Any, answer: Any, worse: np.ndarray) -> int:
        """Let move in which `answer` differs from `plan`, for members that are `worse` off; how much is new."""
