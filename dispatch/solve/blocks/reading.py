"""Plans and prices of all members, read from the columns and rows of a program without a number for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.registry import DISCHARGING, STORES
from dispatch.solve.blocks.cells import LEAST
from dispatch.solve.blocks.places import NAMES
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, FLOWS, MISSING
from kernels.marginal import RowPrices
from kernels.proof import Plans
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Layout


def read_plans(layout: Layout, inputs: Inputs, columns: np.ndarray) -> Plans:
    """Read the plans of all meters, each with one store at most.

    Parameters
    ----------
    layout : Layout
        Of the program without the network.
    inputs : Inputs
        From which that is compiled.
    columns : ndarray (column,)
        Value of every column.

    Returns
    -------
    Plans
        In the order of the meters.
    """

    def of(kind: str, name: str) -> np.ndarray:
        return layout.column_span(kind, name).part(columns)

    shape = inputs.kinds["meter"].count, inputs.steps
    found = Plans(np.zeros((FLOWS, *shape)), *np.zeros((2, *shape)))
    for flow, name in NAMES.items():
        found.flow[flow] = of("meter", name)
    if inputs.kinds["pv"].count:
        add_to_rows(found.flow[CURTAILED], inputs.kinds["pv"].nodes["meter"][1], of("pv", "p_curtailed"))
    for kind in STORES:
        if not inputs.kinds[kind].count:
            continue
        at, short = inputs.kinds[kind].nodes["meter"][1], of(kind, "shortfall")
        found.flow[CHARGE][at] = of(kind, "p_charge")
        if kind in DISCHARGING:
            found.flow[DISCHARGE][at] = of(kind, "p_discharge")
        if kind != "battery":
            found.flow[MISSING][at] = of(kind, "p_missing") * inputs.dt
        found.content[at] = of(kind, "state_of_charge")
        found.shortfall[at, -short.shape[1] :] = short
    return found


def read_row_prices(layout: Layout, inputs: Inputs, rows: np.ndarray) -> RowPrices:
    """Read the prices of the rows of all meters.

    Parameters
    ----------
    layout, inputs
        See `read_plans`.
    rows : ndarray (row,)
        Price of every row.

    Returns
    -------
    RowPrices
        In the order of the meters.
    """
    at_meter = layout.row_span("meter", "balance").part(rows)
    value, at_least = np.zeros((2, *at_meter.shape))
    for kind in STORES:
        if not inputs.kinds[kind].count:
            continue
        at, least = inputs.kinds[kind].nodes["meter"][1], layout.row_span(kind, LEAST[kind]).part(rows)
        value[at] = -layout.row_span(kind, "balance").part(rows)
        at_least[at, -least.shape[1] :] = least
    return RowPrices(at_meter, value, at_least, np.zeros(len(value)))
