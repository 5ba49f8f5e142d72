"""Cost, violations and a lower bound of plans and prices where every meter has one store at most.

No program is compiled: bounds and costs are read from the elements, plan and prices where they stand, a kind of column
at a time (`kernels.proof`). That takes a twentieth of the time of a compiled program and a look at its columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.components.battery import SHORTFALL_PRICE
from dispatch.model.components.meter import UNMET_PRICE
from dispatch.model.registry import DISCHARGING
from dispatch.solve.blocks.constants import AT_METER, demand_of, given_at_ports
from dispatch.solve.blocks.reading import NOTHING, as_given, told_by_members, told_by_program
from dispatch.solve.elastic import at_prices
from dispatch.solve.limits.radial import limits_over
from kernels.entries import CURTAILED, EXPORT, IMPORT, SIGN, SPILLED, UNSERVED
from kernels.proof import Held, give, prove_balances, prove_flows, prove_stores
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Layout
    from dispatch.solve.blocks.reading import Told
    from dispatch.solve.blocks.stores import Flows
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.program_proof import Figures
    from dispatch.solve.solution import Prices
    from kernels.marginal import RowPrices

ONE = as_given(np.ones((1, 1)))
UNMET = as_given(np.full((1, 1), UNMET_PRICE))


class StoresProof:
    """All elements and limits of one or more feeders.

    Parameters
    ----------
    inputs : Inputs
        Elements for which `dispatch.solve.blocks.cells.all_stores` holds.
    network : Network
        Of the same case.
    offsets : Offsets
        What the AC check adds to the limits.

    Attributes
    ----------
    limits : RadialLimits
        All limits, with their offsets.
    """

    def __init__(self, inputs: Inputs, network: Network, offsets: Offsets) -> None:
        self._inputs, self._given = inputs, given_at_ports(inputs)
        self.limits: RadialLimits = limits_over(self._given, network, inputs, offsets)

    def of_program(self, limit_penalty: float, layout: Layout, plan: np.ndarray, prices: Prices) -> Figures:
        """Measure columns and row prices of a program of that layout, and prices of limits.

        Parameters
        ----------
        limit_penalty : float
            Penalty of relaxing a limit by its own rating for an hour. [money h-1]
        layout, plan, prices
            See `dispatch.solve.blocks.reading.told_by_program` and `dispatch.solve.solution.Prices`.

        Returns
        -------
        float, float, float, float
            Objective and lower bound [money], residuals.
        """
        told = told_by_program(layout, self._inputs, plan, prices.rows)
        return self._figures(limit_penalty, told, prices.keys, prices.limits)

    def of_members(
        self,
        limit_penalty: float,
        meters: np.ndarray,
        plan: Flows,
        rows: RowPrices,
        keys: np.ndarray,
        prices: np.ndarray,
    ) -> Figures:
        """Do the same with plans and row prices of members that are all meters, in any order.

        Parameters
        ----------
        limit_penalty : float
            See `of_program`.
        meters, plan, rows
            See `dispatch.solve.blocks.reading.told_by_members`.
        keys, prices
            Of limits; see `dispatch.solve.elastic.at_prices`.
        """
        told = told_by_members(self._inputs, meters, plan, rows)
        return self._figures(limit_penalty, told, keys, prices)

    def _figures(self, limit_penalty: float, told: Told, keys: np.ndarray, prices: np.ndarray) -> Figures:
        inputs, x = self._inputs, self._given.copy()
        buses, steps, dt = inputs.kinds["bus"].count, inputs.steps, inputs.dt
        bus = inputs.kinds["meter"].nodes["bus"][1].astype(np.int64)
        give(told.flow[IMPORT], told.flow[EXPORT], told.row, bus, x[: buses * steps].reshape(buses, steps))
        state = self.limits.flow(x)
        limited = at_prices(self.limits, dt, limit_penalty, keys, prices, state)
        demand, balance = np.zeros((2, len(told.row), steps))
        demand_of(inputs, told.row, demand)
        found = [
            *self._at_meters(told, bus, limited.weight[: buses * steps].reshape(buses, steps), balance),
            self._roofs(told, balance),
            *(self._stores(kind, told, balance) for kind in told.stores),
        ]
        cost, bound, primal, dual = (np.array(figure) for figure in zip(*found, strict=True))
        of_balances, off = prove_balances(balance, demand, told.at_meter)
        return (
            float(cost.sum()) + dt * limit_penalty * self.limits.relaxed(state),
            float(bound.sum()) + of_balances + float(np.einsum("i,i->", limited.weight, self._given)) - limited.worth,
            float(np.max([primal.max(), off, told.stray])),
            float(np.maximum(dual.max(), limited.residual)),
        )

    def _at_meters(self, told: Told, bus: np.ndarray, weight: np.ndarray, balance: np.ndarray) -> list[Figures]:
        """Figures of import, export, unserved and spilled power."""
        given, dt = self._inputs.kinds["meter"].parameters, self._inputs.dt
        prices = {
            IMPORT: (as_given(given["price_import"]), dt, -1.0),
            EXPORT: (as_given(given["price_export"]), -dt, 1.0),
            UNSERVED: (UNMET, dt, 0.0),
            SPILLED: (UNMET, dt, 0.0),
        }
        return [
            prove_flows(
                told.flow[kind], told.row, as_given(given[AT_METER[kind]]), price, factor, SIGN[kind],
                told.at_meter, told.row, weight, bus, passed, balance,
            )
            for kind, (price, factor, passed) in prices.items()
        ]  # fmt: skip

    def _roofs(self, told: Told, balance: np.ndarray) -> Figures:
        """Figures of what is curtailed, of each roof or behind each meter."""
        roofs = self._inputs.kinds["pv"]
        most, meter = roofs.parameters["p_curtailed_max"], roofs.nodes["meter"][1]
        row = told.row[meter]
        value_row = np.arange(roofs.count)
        if not told.by_roof:
            by_meter = np.zeros(balance.shape)
            add_to_rows(by_meter, row, most)
            most, row = by_meter, np.arange(len(balance))
            value_row = row
        upper = as_given(np.broadcast_to(most, (len(row), most.shape[1])))
        unpriced = np.zeros((1, 1))
        return prove_flows(
            told.curtailed, value_row, upper, NOTHING, 0.0, SIGN[CURTAILED],
            told.at_meter, row, unpriced, row, 0.0, balance,
        )  # fmt: skip

    def _stores(self, kind: str, told: Told, balance: np.ndarray) -> Figures:
        """Figures of the stores of one kind."""
        stores, dt = self._inputs.kinds[kind], self._inputs.dt
        given, last = stores.parameters, kind == "battery"
        held = Held(
            charge_max=as_given(given["p_charge_max"]),
            discharge_max=as_given(given["p_discharge_max"]) if kind in DISCHARGING else NOTHING,
            withdrawn=NOTHING if last else as_given(given["p_withdrawn"]),
            gain=as_given(given["efficiency_charge"]),
            drain=as_given(given["efficiency_discharge"]) if kind in DISCHARGING else ONE,
            wear=as_given(given["wear_cost"]),
            least=as_given(given["state_of_charge_final" if last else "state_of_charge_least"]),
            retained=(1 - given["standing_loss"][:, 0]) ** dt,
            capacity=np.array(given["energy_nom"][:, 0]),
            initial=np.array(given["state_of_charge_initial"][:, 0]),
            first=self._inputs.steps - 1 if last else 0,
            dt=dt,
            price=SHORTFALL_PRICE,
        )
        return prove_stores(held, told.stores[kind], told.at_meter, told.row[stores.nodes["meter"][1]], balance)
