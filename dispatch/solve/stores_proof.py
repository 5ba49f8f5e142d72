"""Cost, violations and a lower bound of plans and prices where nothing but loads, pv and stores is behind meters.

No program is compiled: bounds and costs are read from the elements, plan and prices where they stand, a kind of column
at a time (`kernels.proof`). That takes a twentieth of the time of a compiled program and a look at its columns.
"""

from __future__ import annotations

from functools import cached_property
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dispatch.model.components.battery import SHORTFALL_PRICE
from dispatch.model.components.meter import UNMET_PRICE
from dispatch.model.linear import LinearFlow, forest_of
from dispatch.model.registry import DISCHARGING
from dispatch.solve.blocks.constants import AT_METER, given_at_ports
from dispatch.solve.blocks.reading import NOTHING, as_given, told_by_members, told_by_program
from dispatch.solve.elastic import cut_prices
from dispatch.solve.limits.excess import V_MIN
from dispatch.solve.limits.radial import limits_over
from kernels.entries import EXPORT, IMPORT, SPILLED, UNSERVED
from kernels.proof import make_scratch
from kernels.proof_meters import Behind, Exchange, Meters, add_demand, prove_meters, prove_roofs
from kernels.proof_network import Bounds, Tree, inject, relaxed_by_sweep
from kernels.proof_stores import Held, prove_stores
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
    from kernels.proof import Scratch

NEVER = np.zeros(0, np.int64)


class _Limited(NamedTuple):
    """What limits say of a plan.

    Attributes
    ----------
    relaxed : float
        By how much they are exceeded, each in units of its rating, steps added up.
    weight, priced : ndarray (bus, number), ndarray (number,) of int
        What a kW given to each bus costs [money], and in which steps; nothing in all others.
    worth : float
        What the bound loses by them. [money]
    residual : float
        How far prices miss what is injected; see `dispatch.solve.elastic.AtPrices`.
    """

    relaxed: float
    weight: np.ndarray = NOTHING
    priced: np.ndarray = NEVER
    worth: float = 0.0
    residual: float = 0.0


class StoresProof:
    """All elements and limits of one or more feeders.

    Parameters
    ----------
    inputs : Inputs
        Of loads, pv, stores, meters without a price of peaks, and buses.
    network : Network
        Of the same case.
    offsets : Offsets
        What the AC check adds to the limits.
    """

    def __init__(self, inputs: Inputs, network: Network, offsets: Offsets) -> None:
        self._inputs, self._network, self._offsets = inputs, network, offsets
        self._bus, self._behind = inputs.kinds["meter"].nodes["bus"][1], _behind(inputs)

    @cached_property
    def limits(self) -> RadialLimits:
        """All limits, with their offsets."""
        return limits_over(self._given, self._network, self._inputs, self._offsets)

    @cached_property
    def _given(self) -> np.ndarray:
        """What enters at the ports whatever is decided, (port,)."""
        return given_at_ports(self._inputs)

    @property
    def _q(self) -> np.ndarray:
        """Reactive power of that, (bus, step). [kvar]."""
        return np.asarray(self._given.reshape(2, self._network.buses, self._inputs.steps)[1])

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
        dt, steps = self._inputs.dt, self._inputs.steps
        flow = told.flow
        plan = Exchange(flow[IMPORT], flow[EXPORT], flow[UNSERVED], flow[SPILLED], told.at_meter)
        limited = self._limited(limit_penalty, plan, told.row, keys, prices)
        balance, sums = np.zeros((len(told.row), steps)), make_scratch(steps)
        found = [
            self._roofs(told, balance, sums),
            *(self._stores(kind, told, balance, sums) for kind in told.stores),
            # last: it closes the balances
            prove_meters(self._meters(told.row), plan, limited.weight, limited.priced, balance, sums),
        ]
        primals, duals = zip(*found, strict=True)
        return (
            float(sums.cost.sum()) + dt * limit_penalty * limited.relaxed,
            float(sums.bound.sum()) - limited.worth,
            _largest(*primals, told.stray),
            _largest(*duals, limited.residual),
        )

    def _limited(
        self, limit_penalty: float, plan: Exchange, row: np.ndarray, keys: np.ndarray, prices: np.ndarray
    ) -> _Limited:
        """Sweep the network and look at all limits; most often none has a price."""
        x = np.zeros((2, self._network.buses, self._inputs.steps))
        inject(plan, self._behind, row, self._bus, x[0], x[1])
        if not len(keys):
            return _Limited(self._swept(x)[0])
        relaxed, state = self._swept(x, of_branches=bool((keys["kind"] > V_MIN).any()))
        state.v_squared[self._network.feeder < 0] = np.nan
        cut, residual = cut_prices(self.limits, limit_penalty, keys, prices, state)
        priced, of_p, of_q, worth = self.limits.worth_by_step(keys, self._inputs.dt * cut)
        worth -= float(np.einsum("ij,ij->", of_q, self._q[:, priced]))
        return _Limited(relaxed, as_given(of_p), priced.astype(np.int64), worth, residual)

    def _swept(self, x: np.ndarray, *, of_branches: bool = False) -> tuple[float, LinearFlow]:
        """By how much limits are relaxed where `x` (2, bus, step) is injected, which is used up; state of the network.

        Flows of its branches are only told `of_branches`; else there are none.
        """
        network, offsets, (p, q) = self._network, self._offsets, x
        if len(network.chords) or not (_nothing(offsets.forward) and _nothing(offsets.reverse)):
            state = self.limits.flow(x)
            return self.limits.relaxed(state), state
        v_squared = np.full(p.shape, np.nan) if of_branches else p
        relaxed = relaxed_by_sweep(_tree(network), self._bounds(), p, q, v_squared)
        if not of_branches:
            return relaxed, LinearFlow(v_squared, q[:0], q[:0])
        inner, flow_p, flow_q = network.parent_branch >= 0, *np.zeros((2, network.branches, p.shape[1]))
        sign = -forest_of(network).sign[inner, None]
        flow_p[network.parent_branch[inner]], flow_q[network.parent_branch[inner]] = sign * p[inner], sign * q[inner]
        self.limits.q_flow = flow_q  # without loops it does not depend on active injections
        return relaxed, LinearFlow(v_squared, flow_p, flow_q)

    def _bounds(self) -> Bounds:
        """Limits of a network of which nothing is kept free."""
        offsets, bus = self._offsets, self._inputs.kinds["bus"].parameters
        v_max, v_min = (bus[name][:, 0] ** 2 for name in ("v_max_pu", "v_min_pu"))
        shift_max, shift_min, taken = (as_given(shift) for shift in (offsets.v_max, offsets.v_min, offsets.s))
        return Bounds(shift_max, v_max, shift_min, v_min, taken, self._network.s_nom)

    def _meters(self, row: np.ndarray) -> Meters:
        """Constants of all meters, which stand in these rows of the plan."""
        meters, steps = self._inputs.kinds["meter"], self._inputs.steps
        demand = np.zeros((meters.count, steps))
        add_demand(self._behind, demand)
        of = {name: _whole(values, meters.count, steps) for name, values in meters.parameters.items()}
        return Meters(
            take_max=of[AT_METER[IMPORT]],
            give_max=of[AT_METER[EXPORT]],
            unserved_max=of[AT_METER[UNSERVED]],
            spilled_max=of[AT_METER[SPILLED]],
            price_take=of["price_import"],
            price_give=of["price_export"],
            demand=demand,
            row=row,
            bus=self._bus,
            dt=self._inputs.dt,
            price_unmet=UNMET_PRICE,
        )

    def _roofs(self, told: Told, balance: np.ndarray, sums: Scratch) -> tuple[float, float]:
        """Primal and dual of what is curtailed, of each roof or behind each meter."""
        roofs = self._inputs.kinds["pv"]
        most, row = roofs.parameters["p_curtailed_max"], told.row[roofs.nodes["meter"][1]]
        if not told.by_roof:
            by_meter = np.zeros(balance.shape)
            add_to_rows(by_meter, row, most)
            most, row = by_meter, np.arange(len(balance))
        upper = _whole(most, len(row), self._inputs.steps)
        return prove_roofs(told.curtailed, np.arange(len(row)), upper, told.at_meter, row, balance, sums)

    def _stores(self, kind: str, told: Told, balance: np.ndarray, sums: Scratch) -> tuple[float, float]:
        """Primal and dual of the stores of one kind."""
        stores, last, gives = self._inputs.kinds[kind], kind == "battery", kind in DISCHARGING
        given = {name: as_given(values) for name, values in stores.parameters.items()}
        held = Held(
            charge_max=given["p_charge_max"],
            discharge_max=given["p_discharge_max"] if gives else NOTHING,
            withdrawn=NOTHING if last else given["p_withdrawn"],
            gain=given["efficiency_charge"],
            drain=given["efficiency_discharge"] if gives else NOTHING,
            wear=given["wear_cost"],
            least=given["state_of_charge_final" if last else "state_of_charge_least"],
            lost=given["standing_loss"],
            capacity=given["energy_nom"],
            initial=given["state_of_charge_initial"],
            first=self._inputs.steps - 1 if last else 0,
            dt=self._inputs.dt,
            price=SHORTFALL_PRICE,
            gives=gives,
            withdraws=not last,
        )
        row = told.row[stores.nodes["meter"][1]]
        return prove_stores(held, told.stores[kind], told.at_meter, row, balance, sums)


def _nothing(kept: float | np.ndarray) -> bool:
    """Whether nothing of ratings is kept free."""
    return kept == 0.0 if isinstance(kept, float) else not np.any(kept)


def _largest(*figures: float) -> float:
    """Largest of some figures; NaN where one is."""
    return next((figure for figure in figures if isnan(figure)), max(figures))


def _tree(network: Network) -> Tree:
    forest = forest_of(network)
    of_branches = forest.gain, forest.per_p, forest.per_q, forest.root_v
    return Tree(network.order, network.parent, network.parent_branch, *of_branches)


def _behind(inputs: Inputs) -> Behind:
    """List loads and pv behind all meters."""
    load, pv, steps = inputs.kinds["load"], inputs.kinds["pv"], inputs.steps
    return Behind(
        load=load.nodes["meter"][1],
        pv=pv.nodes["meter"][1],
        p_load=_whole(load.parameters["p_load"], load.count, steps),
        q_load=_whole(load.parameters["q_load"], load.count, steps),
        p_available=_whole(pv.parameters["p_available"], pv.count, steps),
        q_pv=as_given(pv.parameters["q_nom"]),
    )


def _whole(values: np.ndarray, elements: int, steps: int) -> np.ndarray:
    """Numbers of every element and step, where a row or a column may stand for all."""
    shape = (elements, steps)
    return as_given(values if values.shape == shape else np.broadcast_to(values, shape))
