"""Plans of all members and prices of their rows, seen where they stand: among columns and rows, or among members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.registry import DISCHARGING, STORES
from dispatch.solve.blocks.cells import LEAST
from dispatch.solve.blocks.places import NAMES
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, MISSING
from kernels.proof import Holding, all_finite, largest_of_others

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Layout
    from dispatch.solve.blocks.stores import Flows
    from kernels.marginal import RowPrices


@dataclass(frozen=True)
class Told:
    """What a plan and prices say, in rows of their own.

    Attributes
    ----------
    row : ndarray (meter,) of int
        Row of each meter.
    flow : dict of int to ndarray (row, step)
        Import, export, unserved and spilled power. [kW]
    at_meter : ndarray (row, step)
        Price of the balance at the meter. [money/kW]
    curtailed : ndarray (roof or row, step)
        What is curtailed of each roof, or behind each meter. [kW]
    by_roof : bool
        Which of these.
    stores : dict of str to Holding
        By kind; kinds without any are left out.
    stray : float
        Largest number in a row of the plan that belongs to nothing; NaN where plan or prices are not finite.
    """

    row: np.ndarray
    flow: dict[int, np.ndarray]
    at_meter: np.ndarray
    curtailed: np.ndarray
    by_roof: bool
    stores: dict[str, Holding]
    stray: float = 0.0


def as_given(values: np.ndarray) -> np.ndarray:
    """View of numbers that nobody writes to: the one kind of array that the proof is compiled for."""
    view = np.ascontiguousarray(values, np.float64).view()
    view.flags.writeable = False
    return view


NOTHING = as_given(np.zeros((1, 1)))


def told_by_program(layout: Layout, inputs: Inputs, columns: np.ndarray, row_prices: np.ndarray) -> Told:
    """See plan and prices of all meters, each with one store at most, among the columns and rows of a program.

    Parameters
    ----------
    layout : Layout
        Of the program without the network.
    inputs : Inputs
        From which that is compiled.
    columns : ndarray (column,)
        Value of every column.
    row_prices : ndarray (row,)
        Price of every row.
    """
    nobody, held, paid = as_given(np.zeros((0, inputs.steps))), as_given(columns), as_given(row_prices)

    def of(kind: str, name: str) -> np.ndarray:
        return layout.column_span(kind, name).part(held) if inputs.kinds[kind].count else nobody

    def price(kind: str, name: str) -> np.ndarray:
        return layout.row_span(kind, name).part(paid) if inputs.kinds[kind].count else nobody

    stores = {}
    for kind in STORES:
        count = inputs.kinds[kind].count
        if count:
            stores[kind] = Holding(
                charge=of(kind, "p_charge"),
                discharge=of(kind, "p_discharge") if kind in DISCHARGING else NOTHING,
                missing=NOTHING if kind == "battery" else of(kind, "p_missing"),
                content=of(kind, "state_of_charge"),
                shortfall=of(kind, "shortfall"),
                at_least=price(kind, LEAST[kind]),
                value=price(kind, "balance"),
                row=np.arange(count),
                unit=inputs.dt,
                turn=-1.0,
            )
    return Told(
        np.arange(inputs.kinds["meter"].count),
        {flow: of("meter", name) for flow, name in NAMES.items()},
        price("meter", "balance"),
        of("pv", "p_curtailed"),
        True,
        stores,
    )


def told_by_members(inputs: Inputs, meters: np.ndarray, plan: Flows, prices: RowPrices) -> Told:
    """See plan and prices of members that are all meters, in any order.

    Parameters
    ----------
    inputs : Inputs
        Elements, at each meter one store at most.
    meters : ndarray (member,) of int
        Number of each member's meter.
    plan : Flows
        Of all members.
    prices : RowPrices
        Of their rows.
    """
    row = np.empty(len(meters), np.int64)
    row[meters] = np.arange(len(meters))
    flow = [as_given(values) for values in plan.flow]
    stores = {
        kind: Holding(
            charge=flow[CHARGE],
            discharge=flow[DISCHARGE] if kind in DISCHARGING else NOTHING,
            missing=NOTHING if kind == "battery" else flow[MISSING],
            content=as_given(plan.content),
            shortfall=as_given(plan.shortfall),
            at_least=as_given(prices.at_least),
            value=as_given(prices.value),
            row=row[inputs.kinds[kind].nodes["meter"][1]],
            unit=1.0,
            turn=1.0,
        )
        for kind in STORES
        if inputs.kinds[kind].count
    }
    told = plan.flow, plan.content, plan.shortfall, prices.at_meter, prices.value, prices.at_least
    finite = all(all_finite(as_given(values.ravel())) for values in told)
    stray = _stray(plan, {kind: holding.row for kind, holding in stores.items()}) if finite else np.nan
    at_meter = {kind: flow[kind] for kind in NAMES}
    return Told(row, at_meter, as_given(prices.at_meter), flow[CURTAILED], False, stores, stray)


def _stray(plan: Flows, rows: dict[str, np.ndarray]) -> float:
    """Largest number in a row of the plan that belongs to no store, given the rows of those of each kind."""
    holds, gives, withdraws = np.zeros((3, plan.content.shape[0]), np.bool_)
    for kind, row in rows.items():
        holds[row], gives[row], withdraws[row] = True, kind in DISCHARGING, kind != "battery"
    belongs = [(plan.flow[CHARGE], holds), (plan.flow[DISCHARGE], gives), (plan.flow[MISSING], withdraws)]
    belongs += [(plan.content, holds), (plan.shortfall, holds)]
    return float(max(largest_of_others(as_given(values), own) for values, own in belongs))
