"""Levels of the gas network above 4 bar gauge under a schedule, and the state about which the next program is linear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import GasPoint
from dispatch.model.gas_levels import levels_of
from dispatch.model.gas_pipes import friction_law, gas_values, pipes_of
from dispatch.verify.gas import gas_flow
from dispatch.verify.gas_transient import PackedNetwork, transient

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.gas_network import GasNetwork
    from dispatch.model.elements import Inputs
    from dispatch.model.gas_zones import Zones
    from dispatch.run.gas_check import GasCheck, Moved, UnderSchedule
    from dispatch.verify.gas import GasState

LEAST_PART = 0.3
"""Pressures before the first schedule are taken for no less than this part of what is held."""
SHRINKING = 0.5
"""Where the error is more than this part of the last one, pressures may move half as far as they did."""
LEAST_REACH = 1e-3
"""They may always move so far. [bar]"""


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
    """

    def __init__(self, case: xr.DataTree, network: GasNetwork, zones: Zones, inputs: Inputs) -> None:
        self.of, self._dt = levels_of(case, network, zones), inputs.dt
        self.limited = inputs.kinds["pressure_limit"].index
        gas, all_pipes = gas_values(case), pipes_of(case)
        pipes = type(all_pipes)(*(np.ascontiguousarray(values[self.of.pipe]) for values in all_pipes))
        self._network = PackedNetwork(
            self.of.start, self.of.stop, self.of.half, self.of.volume, pipes, friction_law(case),
            gas["compressibility"], gas["compressibility_slope"],
        )  # fmt: skip
        self.initial = self.of.held

    def first(self, check: GasCheck) -> GasPoint:
        """Take the steady state in which gates and regulators hold their pressures and plants inject nothing."""
        state = gas_flow(check.case, check.given)
        least = LEAST_PART * self.of.held[:, None]
        pressure = np.where(np.isnan(least), np.nan, np.fmax(state.pressure, least))
        self.initial = pressure[:, 0].copy()
        return GasPoint(pressure, state.flow_pipe, self.initial)

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
        zone = check.zones.of_junction[own]
        lost = moved.lost[zone] / energy
        flows = steady.flow_pipe[self.of.pipe]
        found = transient(self._network, given[own] - lost, self.initial[own], self._dt, (guess, flows))
        content = np.column_stack([self._network.content(self.initial[own]), self._network.content(found.pressure)])
        filling = filling.copy()
        filling[zone] = np.diff(content, axis=1) / self._dt
        state = _put(steady, own, self.of.pipe, found.pressure, found.flow)
        gates = np.nonzero(check.zones.split[network.gate_at])[0]
        flow_gate = steady.flow_gate.copy()
        flow_gate[gates] = moved.let_in[gates] / energy
        residual = np.maximum(steady.residual, found.residual)
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
        """Difference of the pressures of the program and those under its schedule, (junction of levels, step). [bar]."""
        own = self.of.junction
        return np.asarray(np.abs(found.linear["pressure"][own] - found.state.pressure[own]))

    def next(self, found: UnderSchedule, point: GasPoint) -> GasPoint:
        """Take the state under the last schedule; where the error did not shrink, let pressures move less far."""
        error = float(self.error(found).max(initial=0.0))
        reach = 2 * point.reach
        if not error <= SHRINKING * point.error and np.isfinite(point.error):
            reach = max(min(self.moved(found, point), point.reach) / 2, LEAST_REACH)
        return GasPoint(found.state.pressure, found.state.flow_pipe, point.initial, reach, error)


def _put(
    state: GasState, junction: np.ndarray, pipe: np.ndarray, pressure: np.ndarray, flow: np.ndarray
) -> GasState:
    """Replace pressures and flows of some junctions and pipes."""
    pressures, squared, flows = state.pressure.copy(), state.squared.copy(), state.flow_pipe.copy()
    blocked = state.blocked.copy()
    pressures[junction], squared[junction], flows[pipe], blocked[junction] = pressure, pressure**2, flow, False
    return replace(state, pressure=pressures, squared=squared, flow_pipe=flows, blocked=blocked)
