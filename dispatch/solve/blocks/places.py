"""Where members' flows, contents and prices stand among the columns and rows of a compiled program."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.blocks.cells import cells_of
from kernels.entries import CURTAILED, EXPORT, IMPORT, SPILLED, UNSERVED

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.blocks.stores import Flows, StoreBlock
    from kernels.marginal import RowPrices

NAMES = {IMPORT: "p_import", EXPORT: "p_export", UNSERVED: "p_unserved", SPILLED: "p_spilled"}


class Places:
    """Columns and rows of the members of a block.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    inputs : Inputs
        From which it was compiled.
    stores : StoreBlock
        The members.
    """

    def __init__(self, program: Program, inputs: Inputs, stores: StoreBlock) -> None:
        self._program, self._dt = program, inputs.dt
        member = np.full(inputs.kinds["meter"].count, -1)
        member[stores.meters] = np.arange(len(stores.meters))
        self._column = {kind: program.column("meter", name)[stores.meters] for kind, name in NAMES.items()}
        self._balance = program.row("meter", "balance")[stores.meters]
        self._cells = cells_of(program, inputs, member)
        of_pv = member[inputs.kinds["pv"].nodes["meter"][1]]
        roofs = np.nonzero(of_pv >= 0)[0]
        self._under = of_pv[roofs]
        self._curtailed = program.column("pv", "p_curtailed")[roofs] if len(roofs) else None

    @cached_property
    def columns(self) -> np.ndarray:
        """Numbers of all columns that belong to members."""
        parts = list(self._column.values()) + ([] if self._curtailed is None else [self._curtailed])
        parts += [number for cells in self._cells for number in cells.column.values()]
        return np.concatenate([part.ravel() for part in parts])

    @cached_property
    def rows(self) -> np.ndarray:
        """Numbers of all rows that belong to members."""
        parts = [self._balance, *(rows for cells in self._cells for rows in (cells.balance, cells.least))]
        return np.concatenate([part.ravel() for part in parts])

    def write(self, plan: Flows, columns: np.ndarray) -> None:
        """Write a plan into the program's columns."""
        for kind, number in self._column.items():
            columns[number] = plan.flow[kind]
        for cells in self._cells:
            cells.write(plan.flow, plan.content, plan.shortfall, self._dt, columns)
        if self._curtailed is not None:
            left = plan.flow[CURTAILED].copy()
            for number, m in zip(self._curtailed, self._under, strict=True):
                part = np.minimum(left[m], self._program.upper[number])
                columns[number] = part
                left[m] -= part

    def write_prices(self, prices: RowPrices, rows: np.ndarray) -> None:
        """Write prices of members' rows into those of the program's."""
        rows[self._balance] = prices.at_meter
        for cells in self._cells:
            cells.write_prices(prices, rows)
