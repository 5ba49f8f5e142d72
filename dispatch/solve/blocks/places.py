"""Where members' flows, contents and prices stand among the columns and rows of a compiled program."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.blocks.cells import cells_of
from kernels.entries import CURTAILED, EXPORT, IMPORT, SPILLED, UNSERVED

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Layout
    from dispatch.solve.blocks.stores import Flows
    from kernels.marginal import RowPrices

NAMES = {IMPORT: "p_import", EXPORT: "p_export", UNSERVED: "p_unserved", SPILLED: "p_spilled"}


class Places:
    """Columns and rows of the members of a block.

    Parameters
    ----------
    layout : Layout
        Of the program without the network.
    inputs : Inputs
        From which that is compiled.
    meters : ndarray (member,) of int
        Number of each member's meter.
    """

    def __init__(self, layout: Layout, inputs: Inputs, meters: np.ndarray) -> None:
        self._dt = inputs.dt
        member = np.full(inputs.kinds["meter"].count, -1)
        member[meters] = np.arange(len(meters))
        self._column = {kind: layout.column("meter", name)[meters] for kind, name in NAMES.items()}
        self._balance = layout.row("meter", "balance")[meters]
        self._cells = cells_of(layout, inputs, member)
        pv = inputs.kinds["pv"]
        of_pv = member[pv.nodes["meter"][1]]
        roofs = np.nonzero(of_pv >= 0)[0]
        self._under, self._most = of_pv[roofs], pv.parameters["p_curtailed_max"][roofs]
        self._curtailed = layout.column("pv", "p_curtailed")[roofs] if len(roofs) else None
        self._in_turn = _in_turn(self._under)

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
            for those in self._in_turn:
                under = self._under[those]
                part = np.minimum(left[under], self._most[those])
                columns[self._curtailed[those]] = part
                left[under] -= part

    def write_prices(self, prices: RowPrices, rows: np.ndarray) -> None:
        """Write prices of members' rows into those of the program's."""
        rows[self._balance] = prices.at_meter
        for cells in self._cells:
            cells.write_prices(prices, rows)


def _in_turn(of: np.ndarray) -> list[np.ndarray]:
    """Numbers of those that are the first of what each belongs to, `of`, of the second ones, and so on."""
    order = np.argsort(of, kind="stable")
    _, first, count = np.unique(of[order], return_index=True, return_counts=True)
    turn = np.arange(len(of)) - np.repeat(first, count)
    return [order[turn == k] for k in range(int(count.max(initial=0)))]
