"""Plans of all members and prices of their rows, seen where they stand: among columns and rows, or among members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.errors import CertificateError
from dispatch.model.registry import DISCHARGING, STORES
from dispatch.solve.blocks.cells import LEAST
from dispatch.solve.blocks.places import NAMES
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, MISSING
from kernels.proof import all_finite, largest_of_others
from kernels.proof_stores import Holding

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Layout, Span
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
    if values.dtype == np.float64 and values.flags.c_contiguous and not values.flags.writeable:
        return values
    view = np.ascontiguousarray(values, np.float64).view()
    view.flags.writeable = False
    return view


NOTHING = as_given(np.zeros((1, 1)))


class _Parts:
    """Parts of an array over all columns (or rows) of a program, (element, step).

    Parameters
    ----------
    spans : dict of (str, str) to Span
        Where the part of each variable (or row) of a component stands.
    values : ndarray (number,)
        All of them.
    """

    def __init__(self, spans: dict[tuple[str, str], Span], values: np.ndarray) -> None:
        self._spans, self._values, self._size = spans, as_given(values), len(values)
        self._taken: list[tuple[int, int]] = []

    def take(self, kind: str, name: str, elements: int, steps: int) -> np.ndarray:
        """Part of a variable (or row) of as many elements and steps; raises if it has others."""
        if not elements:
            return as_given(np.zeros((0, steps)))
        span = self._spans.get((kind, name))
        if span is None or span.count != elements or len(span.steps) != steps:
            raise _other_layout()
        start = span.start
        stop = start + elements * steps
        if not 0 <= start < stop <= self._size:
            raise _other_layout()
        self._taken.append((start, stop))
        return self._values[start:stop].reshape(elements, steps)

    def require_whole(self) -> None:
        """Raise if the parts that were taken are not, side by side, the whole array."""
        last = 0
        for start, stop in sorted(self._taken):
            if start != last:
                raise _other_layout()
            last = stop
        if last != self._size:
            raise _other_layout()


def _other_layout() -> CertificateError:
    return CertificateError("Plan and prices are laid out as columns and rows of another program than the case's.")


def told_by_program(layout: Layout, inputs: Inputs, columns: np.ndarray, row_prices: np.ndarray) -> Told:
    """See plan and prices of all meters, loads, pv and stores among the columns and rows of a program.

    Parameters
    ----------
    layout : Layout
        Of the program without the network.
    inputs : Inputs
        Elements of the case.
    columns : ndarray (column,)
        Value of every column.
    row_prices : ndarray (row,)
        Price of every row.

    Raises
    ------
    CertificateError
        If the layout has a column or row more or less than these elements have, or one of another size.
    """
    steps, meters = inputs.steps, inputs.kinds["meter"].count
    held, paid = _Parts(layout.column_spans, columns), _Parts(layout.row_spans, row_prices)
    told = Told(
        np.arange(meters),
        {flow: held.take("meter", name, meters, steps) for flow, name in NAMES.items()},
        paid.take("meter", "balance", meters, steps),
        held.take("pv", "p_curtailed", inputs.kinds["pv"].count, steps),
        True,
        {kind: _told_of_stores(inputs, kind, held, paid) for kind in STORES if inputs.kinds[kind].count},
    )
    held.require_whole()
    paid.require_whole()
    return told


def _told_of_stores(inputs: Inputs, kind: str, held: _Parts, paid: _Parts) -> Holding:
    """See what stores of one kind do, and prices of their rows."""
    count, steps, last = inputs.kinds[kind].count, inputs.steps, kind == "battery"
    asked = 1 if last else steps
    return Holding(
        charge=held.take(kind, "p_charge", count, steps),
        discharge=held.take(kind, "p_discharge", count, steps) if kind in DISCHARGING else NOTHING,
        missing=NOTHING if last else held.take(kind, "p_missing", count, steps),
        content=held.take(kind, "state_of_charge", count, steps),
        shortfall=held.take(kind, "shortfall", count, asked),
        at_least=paid.take(kind, LEAST[kind], count, asked),
        value=paid.take(kind, "balance", count, steps),
        row=np.arange(count),
        unit=inputs.dt,
        turn=-1.0,
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
