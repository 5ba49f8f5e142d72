"""Members that the store kernel does not fit, priced together by a linear program of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.solve.highs import LADDER, Highs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import scipy.sparse as sp

    from dispatch.model.program import Program
    from dispatch.solve.blocks.stores import StoreBlock


class ProgramBlock:
    """All columns and rows of a program that belong to no member of a store block.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    block : StoreBlock
        The members that are left out.
    options : dict
        Keyword arguments of `Highs`.

    Attributes
    ----------
    columns, rows : ndarray
        Numbers in the program.
    matrix : csc_matrix
        Their coefficients.
    injection : csr_matrix (port, column)
        What they give to the ports.
    """

    def __init__(self, program: Program, block: StoreBlock, options: dict[str, Any]) -> None:
        self.columns = np.nonzero(~np.isin(np.arange(len(program.cost)), block.columns))[0]
        self.rows = np.nonzero(~np.isin(np.arange(len(program.row_lower)), block.rows))[0]
        self.matrix: sp.csc_matrix = program.matrix[:, self.columns].tocsr()[self.rows].tocsc()
        self.injection: sp.csr_matrix = program.injection[:, self.columns]
        self._program, self._options = program, options
        self._highs: Highs | None = None

    def respond(self, price: np.ndarray) -> np.ndarray:
        """Plan all members at prices, from the last plan's basis.

        Parameters
        ----------
        price : ndarray (port,)
            What each kW or kvar injected costs. [money]

        Returns
        -------
        ndarray (port,)
            What they inject. [kW, kvar]

        Raises
        ------
        SolverError
            If HiGHS warns, stops early or finds no optimum.
        """
        if not len(self.columns):
            return np.zeros(len(price))
        p = self._program
        cost = p.cost[self.columns] + self.injection.T @ price
        ladder: Sequence[str] = LADDER
        if self._highs is None:
            bounds = p.row_lower[self.rows], p.row_upper[self.rows], p.lower[self.columns], p.upper[self.columns]
            self._highs, ladder = Highs(self.matrix, *bounds, cost, **self._options), LADDER[1:]
        self._highs.change_cost(cost)
        return np.asarray(self.injection @ self._highs.solve(ladder).columns)
