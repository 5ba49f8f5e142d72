"""Levels of the gas network above 4 bar gauge under a schedule, and about which state they are linear next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import GasPoint
from dispatch.model.gas_levels import levels_of
from dispatch.model.gas_pipes import friction_law, gas_values, pipes_of, some_pipes
from dispatch.run.gas_carried import carried_part
from dispatch.verify.gas import gas_flow
from dispatch.verify.gas_transient import FOUND, PackedNetwork, transient

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.gas_network import GasNetwork
    from dispatch.model.elements import Inputs
    from dispatch.model.gas_zones import Zones
    from dispatch.run.gas_check import GasCheck, Moved, UnderSchedule
    from dispatch.verify.gas import GasState
    from dispatch.verify.gas_transient import Transient

LEAST_PART = 0.3
"""Pressures before the first schedule are taken for no less than this part of what is held."""
SHRINKING = 0.5
"""Where the error is more than this part of the last one, flows may move less far, else further, by this factor."""
LESS = 0.25
LEAST_REACH = 1e-6
"""What a pipe's drop may be wrong by at least. [bar]"""
FIXED = 5e-4
"""Pressures of the program may differ by so much from those under its schedule. [bar]"""
SAME = 1e-6
"""Objectives of two programs are the same within this part."""


class PackedLevels:
    """What is made once for the levels above 4 bar gauge.

    Parameters
    ----------
    case : DataTree
        Sub-case of the feeder.
    network, zones
        Of the case.
    inputs : Inputs
        Made from the case.

    Attributes
    ----------
    of : Levels
        The levels.
    limited : ndarray of int
        Junctions whose pressures have limits.
    initial : ndarray (junction,)
        Pressure of all junctions before the first step; set by `first`. [bar]
    flow : ndarray (pipe, step)
        What flows through their pipes by the last program. [m3 h-1]
    starved : ndarray of int
        Junctions at which demand may be left out, because no pressures carry all of it; set by `first`.
    found : bool
        Whether pressures and flows under the last schedule were found.
    """

    def __init__(self, case: xr.DataTree, network: GasNetwork, zones: Zones, inputs: Inputs) -> None:
        self.of, self._dt = levels_of(case, network, zones), inputs.dt
        self.limited = inputs.kinds["pressure_limit"].index
        gas, pipes = gas_values(case), some_pipes(pipes_of(case), self.of.pipe)
        self._network = PackedNetwork(
            self.of.start, self.of.stop, self.of.half, self.of.volume, pipes, friction_law(case),
            gas["compressibility"], gas["compressibility_slope"],
        )  # fmt: skip
        self.starved, self._ambient = np.zeros(0, np.int64), gas["pressure_ambient"]
        self.initial, self.found, self.flow = self.of.held, True, np.zeros((len(self.of.pipe), inputs.steps))

    def first(self, check: GasCheck) -> GasPoint:
        """Take the steady state in which gates and regulators hold their pressures and plants inject nothing."""
        taken, network = self._without_return(check), check.network
        demand = check.demand
        part = carried_part(check.case, network, taken, demand)[network.zone]
        state = gas_flow(check.case, taken - (1 - part) * demand)
        starved = np.where((part < 1) & check.zones.split[:, None], check.energy * demand, 0.0)
        self.starved = np.nonzero(starved.any(axis=1))[0]
        least = self._least(starved)
        pressure = np.where(np.isnan(least), np.nan, np.fmax(state.pressure, least))
        self.initial = pressure[:, 0].copy()
        return GasPoint(pressure, state.flow_pipe, self.initial, pressure[:, -1].copy(), starved)

    def _least(self, starved: np.ndarray) -> np.ndarray:
        """Tell below which pressures no state is taken, (junction, step); air pressure where demand may be left out."""
        least = np.array(np.repeat(LEAST_PART * self.of.held[:, None], starved.shape[1], axis=1))
        for own in (self.of.of_junction == k for k in range(self.of.count)):
            least[own] = np.where((starved[own] > 0).any(axis=0), self._ambient, least[own])
        return least

    def _without_return(self, check: GasCheck) -> np.ndarray:
        """Give net demand with what is injected beyond it behind a regulator left out, since gas never flows back."""
        taken, network = check.given.copy(), check.network
        into, out = network.zone[network.regulator_to], network.zone[network.regulator_from]
        for _ in into:
            back = np.minimum(gas_flow(check.case, taken).flow_regulator, 0.0)
            turned = back.any(axis=1)
            lowest = turned & ~np.isin(into, out[turned])
            if not lowest.any():
                break
            np.subtract.at(taken, network.regulator_to[lowest], back[lowest])
        return taken

    def packed(
        self, check: GasCheck, moved: Moved, steady: GasState, filling: np.ndarray, guess: np.ndarray
    ) -> tuple[GasState, np.ndarray]:
        """Put pressures and flows of the levels, from step to step under the schedule, into a state and its filling."""
        own, network, energy = self.of.junction, check.network, check.energy
        given = -check.given
        np.add.at(given, check.injects_at, moved.injected / energy)
        np.add.at(given, network.gate_at, moved.let_in / energy)
        np.subtract.at(given, network.regulator_from, moved.through / energy)
        np.add.at(given, network.regulator_to, moved.through / energy)
        np.subtract.at(given, check.lifts["from"], moved.lifted / energy)
        np.add.at(given, check.lifts["to"], moved.lifted / energy)
        zone = check.zones.of_junction[own]
        lost = moved.lost[zone] / energy
        flows = steady.flow_pipe[self.of.pipe]
        found = transient(self._network, given[own] - lost, self.initial[own], self._dt, (guess, flows))
        content = np.column_stack([self._network.content(self.initial[own]), self._network.content(found.pressure)])
        filling = filling.copy()
        filling[zone] = np.diff(content, axis=1) / self._dt
        self.found = bool((found.residual <= FOUND).all())
        state = _put(steady, own, self.of.pipe, found)
        gates = np.nonzero(check.zones.split[network.gate_at])[0]
        flow_gate = steady.flow_gate.copy()
        flow_gate[gates] = moved.let_in[gates] / energy
        residual = np.where(found.residual > FOUND, np.inf, steady.residual)
        return replace(state, flow_gate=flow_gate, residual=residual), filling

    def content(self) -> np.ndarray:
        """Gas at each junction of the levels before the first step. [m3]."""
        return self._network.content(self.initial[self.of.junction])

    def by_pipe(self, pressure: np.ndarray, pipes: int) -> np.ndarray:
        """Gas in each pipe at pressures of all junctions, (pipe, step); NaN elsewhere. [m3]."""
        found = np.full((pipes, pressure.shape[1]), np.nan)
        found[self.of.pipe] = self._network.in_pipes(pressure[self.of.junction])
        return found

    def moved(self, found: UnderSchedule, point: GasPoint) -> float:
        """Largest difference of the pressures of the program and those about which it was linear. [bar]."""
        own = self.of.junction
        return float(np.abs(found.linear["pressure"][own] - point.pressure[own]).max(initial=0.0))

    def error(self, found: UnderSchedule) -> np.ndarray:
        """Difference of pressures of the program and those under its schedule, (junction of levels, step). [bar]."""
        own = self.of.junction
        return np.asarray(np.abs(found.linear["pressure"][own] - found.state.pressure[own]))

    def _by_program(self, found: UnderSchedule, point: GasPoint) -> GasPoint:
        """Go on from the program's own pressures where no state under its schedule was found."""
        least = self._least(point.starved)
        pressure, flow = np.where(np.isnan(least), np.nan, np.fmax(found.linear["pressure"], least)), point.flow.copy()
        flow[self.of.pipe] = self.flow
        return replace(point, pressure=pressure, flow=flow, reach=np.inf, error=np.inf, objective=np.inf)

    def settled(self, found: UnderSchedule, point: GasPoint, objective: float) -> bool:
        """Tell whether pressures are those under the schedule, and what holds flows back costs nothing."""
        same = np.isinf(point.reach) or abs(objective - point.objective) <= SAME * max(1.0, abs(objective))
        return self.found and bool(same) and not (self.error(found) > FIXED).any()

    def next(self, found: UnderSchedule, point: GasPoint, objective: float) -> GasPoint:
        """Take the state under the last schedule; where the error did not shrink, let flows move less far."""
        error = float(self.error(found).max(initial=0.0))
        shrunk = error <= max(SHRINKING * point.error, FIXED)
        reach = point.reach / LESS if shrunk else max(LESS * min(error, point.reach), LEAST_REACH)
        if not self.found:
            return self._by_program(found, point)
        own = {"pressure": found.state.pressure, "flow": found.state.flow_pipe}
        return replace(point, **own, reach=reach, error=error, objective=objective)


def _put(state: GasState, junction: np.ndarray, pipe: np.ndarray, found: Transient) -> GasState:
    """Replace pressures and flows of some junctions and pipes."""
    pressures, squared, flows = state.pressure.copy(), state.squared.copy(), state.flow_pipe.copy()
    blocked = state.blocked.copy()
    pressures[junction], squared[junction], flows[pipe] = found.pressure, found.pressure**2, found.flow
    blocked[junction] = found.blocked
    return replace(state, pressure=pressures, squared=squared, flow_pipe=flows, blocked=blocked)
