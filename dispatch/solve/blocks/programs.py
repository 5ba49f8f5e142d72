"""Members that the store kernel does not fit, priced together by a linear program of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from dispatch.solve.highs import Highs
from dispatch.solve.outcome import LADDER
from dispatch.solve.protocols import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.model.program import Program


class ProgramBlock:
    """All columns and rows of a program that belong to no other block; its plans are values of its columns.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    columns, rows : ndarray
        Numbers of those that belong to other blocks.
    meters, steps : int
        How many meters it holds, and how many steps there are.
    options : dict
        Keyword arguments of `Highs`.

    Attributes
    ----------
    columns, rows : ndarray
        Numbers in the program.
    row_prices : ndarray (row,)
        Of the last answer.
    """

    whole = True

    def __init__(
        self,
        program: Program,
        columns: np.ndarray,
        rows: np.ndarray,
        meters: int,
        steps: int,
        options: dict[str, Any],
    ) -> None:
        p = program
        self.meters, self.entries, self._options = meters, meters * steps, options
        self.columns, self.rows = _others(len(p.cost), columns), _others(len(p.row_lower), rows)
        bounds = p.row_lower[self.rows], p.row_upper[self.rows], p.lower[self.columns], p.upper[self.columns]
        self._part = Part(
            _submatrix(p.matrix, self.rows, self.columns).tocsc(), *bounds, p.cost[self.columns],
            0.0, _submatrix(p.injection, None, self.columns), np.zeros(p.injection.shape[0]),
            np.zeros(len(self.columns)), self.columns, self.rows,
        )  # fmt: skip
        self._highs: Highs | None = None
        self._last, self._sum, self._seen = np.zeros(len(self.columns)), np.zeros(len(self.columns)), 0
        self.row_prices = np.zeros(len(self.rows))

    @property
    def spread(self) -> float:
        """Range, in money per kW, of the costs of what is injected and 0."""
        injects = np.unique(self._part.injection.indices)
        return float(np.ptp(np.concatenate([self._part.cost[injects], [0.0]])))

    def respond(self, price: np.ndarray) -> np.ndarray:
        """Plan all members at prices, from the last plan's basis.

        Parameters
        ----------
        price : ndarray (port,)
            What each kW or kvar injected costs. [money]

        Returns
        -------
        ndarray (column,)
            Values of its columns.

        Raises
        ------
        SolverError
            If HiGHS warns, stops early or finds no optimum.
        """
        if not len(self.columns):
            return np.zeros(0)
        p = self._part
        cost = p.cost + p.injection.T @ price
        ladder: Sequence[str] = LADDER
        if self._highs is None:
            bounds = p.row_lower, p.row_upper, p.lower, p.upper
            self._highs, ladder = Highs(p.matrix, *bounds, cost, **self._options), LADDER[1:]
        self._highs.change_cost(cost)
        found = self._highs.solve(ladder)
        self.row_prices = found.row_prices
        return found.columns

    def answer(self, price: np.ndarray, half: int | None = None) -> np.ndarray:  # noqa: ARG002  (one program)
        """Plan all members at prices; what they give to the ports."""
        self._last = self.respond(price)
        return self.injection(self._last)

    def injection(self, plan: np.ndarray) -> np.ndarray:
        """Add up what a plan gives to the ports."""
        return np.asarray(self._part.injection @ plan)

    def costs(self, plan: np.ndarray, price: np.ndarray) -> np.ndarray:
        """Cost of all members together at prices."""
        if not len(self.columns):
            return np.zeros(1)
        return np.array([np.sum(self._part.cost * plan) + np.sum(price * self.injection(plan))])

    def forget(self) -> None:
        """Nothing is left out of its part; watch no plan."""
        self._sum, self._seen = np.zeros(len(self.columns)), 0

    def watch(self) -> np.ndarray:
        """Let its part start from the last answer."""
        self._part.start[:] = self._last
        self._sum, self._seen = self._sum + self._last, self._seen + 1
        return self._last

    def mean(self) -> np.ndarray:
        """Mean of the answers watched."""
        return self._sum / self._seen if self._seen else self._part.start.copy()

    def mix(self, plan: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
        """Take `share` of another plan and the rest of the first."""
        return np.asarray((1 - share) * plan + share * other)

    def resume(self, before: ProgramBlock, plan: np.ndarray) -> np.ndarray:  # noqa: ARG002  (Block's)
        """Let its part start from a plan; all of it may move."""
        self._part.start[:] = plan
        return np.zeros(self._part.injection.shape[0])

    def grow(self, plan: np.ndarray, answer: np.ndarray, worse: np.ndarray) -> int:  # noqa: ARG002  (Block's)
        """Nothing is left out of its part."""
        return 0

    def part(self) -> Part:
        """All of it."""
        return self._part

    def decode(self, columns: np.ndarray) -> np.ndarray:
        """Values of its columns are the plan."""
        return columns


def _others(count: int, numbers: np.ndarray) -> np.ndarray:
    """Give the numbers below `count` that are not among some."""
    if len(numbers) == count:  # each is named once: in most feeders nothing is left
        return np.zeros(0, np.int64)
    left = np.ones(count, bool)
    left[numbers] = False
    return np.nonzero(left)[0]


def _submatrix(matrix: sp.csc_matrix | sp.csr_matrix, rows: np.ndarray | None, columns: np.ndarray) -> sp.csr_matrix:
    """Take some rows, None: all, and columns; in most feeders no column at all is left."""
    if not len(columns):
        return sp.csr_matrix((matrix.shape[0] if rows is None else len(rows), 0))
    found = matrix[:, columns].tocsr()
    return found if rows is None else found[rows]
