"""What all others cost at least beside a choice, and how little of a limit they can use at best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.errors import SolverError, TimeUp
from dispatch.solve.highs import Highs
from dispatch.solve.outcome import GROWN

if TYPE_CHECKING:
    from dispatch.model.program import Program
    from dispatch.solve.protocols import Rows
    from dispatch.solve.until import Until


class Others:
    """A program without some of its columns and their rows, and without limits.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    own : ndarray (own column,) of int
        Columns to leave out, with all that rows join to them.
    until : Until
        When to give up.

    Attributes
    ----------
    least_cost : float
        Of all columns that are left, the program's constant not included. [money]
    """

    def __init__(self, program: Program, own: np.ndarray, until: Until) -> None:
        left = np.setdiff1d(np.arange(len(program.cost)), own)
        matrix = sp.csr_matrix(program.matrix)[:, left]
        rows = np.nonzero(np.diff(matrix.indptr))[0]
        self._injection, self._constant = sp.csr_matrix(program.injection)[:, left], program.injection_constant
        self._until, self._count = until, len(left)
        self.least_cost = 0.0
        if len(left):
            self._highs = Highs(
                sp.csc_matrix(matrix[rows]), program.row_lower[rows], program.row_upper[rows],
                program.lower[left], program.upper[left], program.cost[left],
            )  # fmt: skip
            self.least_cost = self._highs.solve(until=until).objective

    def least_use(self, rows: Rows) -> np.ndarray:
        """Find how little they can use of each limit when nothing else matters, (limit,), in its own unit.

        Minus infinity where HiGHS finds no least.

        Parameters
        ----------
        rows : Rows
            The limits as rows over ports.

        Raises
        ------
        TimeUp
            If it is time to give up.
        """
        used = np.asarray(rows.matrix @ self._constant)
        if self._count:
            for limit, row in enumerate(sp.csr_matrix(rows.matrix @ self._injection).toarray()):
                self._highs.change_cost(row)
                try:
                    used[limit] += self._highs.solve(GROWN, self._until).objective
                except TimeUp:
                    raise
                except SolverError:
                    used[limit] = -np.inf
        return used
