"""Rounds of one feeder: solve, repair, AC power flow and gas state, offsets, solve hot, until both hold."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns
from dispatch.errors import SolverError, TimeUp
from dispatch.model.compiler import compile_program
from dispatch.model.gas_limits import stated_limits
from dispatch.model.gas_zones import zones_of_case, zones_that_hold
from dispatch.model.inputs import make_inputs
from dispatch.model.plants import least_of
from dispatch.run.gas_check import GasCheck, UnderSchedule
from dispatch.run.gas_margins import GasMargins, gas_margins, next_limits
from dispatch.run.gas_unmet import unmet_by_gas
from dispatch.run.margins import margins_of, next_offsets, offsets_at_limits
from dispatch.run.room import Room, with_room
from dispatch.run.state import State
from dispatch.run.uncontrolled import Uncontrolled, uncontrolled_of
from dispatch.run.unmet import unmet_by_ac
from dispatch.solve.commitment import best_commitment
from dispatch.solve.decomposed import Decomposed
from dispatch.solve.explain import explain_unmet
from dispatch.solve.methods import PIPES, Model, make_model
from dispatch.solve.monolithic import Monolithic, solve_elastic
from dispatch.solve.own_slacks import OwnSlacks
from dispatch.solve.repair import Delivered, deliver
from dispatch.verify.electric import AcModel, offsets_of
from dispatch.verify.excess import limits_ac

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from dispatch.case.offsets import GasLimit, GasPoint
    from dispatch.model.linear import LinearFlow
    from dispatch.run.settings import Settings
    from dispatch.run.stages import Stages
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.solution import Solution
    from dispatch.solve.until import Until
    from dispatch.verify.electric import AcState

ALIKE = 1e-9
"""Optima that differ by less, relative to 1 or themselves, are the same."""
SEARCH = 0.5
"""Part of the time that is left in which choices may be searched: the program that holds them comes after."""
Kept = dict[bytes, Model]
"""Models of feeders by the id of their source."""


class Rounds:
    """What is made once for a feeder and used in every round of solving and AC check.

    Parameters
    ----------
    case : DataTree
        Sub-case of one feeder, with /forecast.
    settings : Settings
        Choices of the run.
    until : Until
        Gap and time at which to stop.
    stages : Stages
        Where seconds are counted.
    kept : dict, optional
        Models of feeders that were solved before under another forecast, by the id of their source; changed.
    """

    def __init__(
        self, case: xr.DataTree, settings: Settings, until: Until, stages: Stages, kept: Kept | None = None
    ) -> None:
        self.case, self.until, self.stages = case, until, stages
        self.penalty, self.rounds = settings.limit_penalty, 0
        self._gas_stated: Mapping[str, GasLimit] = {}
        self._held: Mapping[str, np.ndarray] = {}
        self._point: GasPoint | None = None
        with stages.stage("compile"):
            self.network = network_of(case)
            self.inputs = make_inputs(case, limit_penalty=settings.limit_penalty)
            self.gas = GasCheck(case, self.inputs) if "zone" in self.inputs.kinds else None
            if self.gas is not None and self.gas.levels is not None:
                self._point = self.gas.levels.first(self.gas)
                self.inputs = make_inputs(case, offsets=self._zero(), limit_penalty=settings.limit_penalty)
            self.program = compile_program(self.inputs)
            q = self.program.injection_constant.reshape(2, self.network.buses, self.inputs.steps)[1]
            self.room = Room(case, self.network, q, settings.limits_at)
            self._integers = settings.integers and any(v.any() for v in least_of(self.inputs).values())
            self._method = "monolithic" if self._integers else settings.method  # integers have no prices to go by
        with stages.stage("solve"):
            self.model = self._model(kept)
            self._start_from_zones()

    @cached_property
    def ac(self) -> AcModel:
        """The network by AC power flow, made when it is first asked for."""
        with self.stages.stage("verify"):
            return AcModel(self.case)

    @cached_property
    def uncontrolled(self) -> Uncontrolled:
        """The network under PV self-use without control."""
        physics = self.ac
        with self.stages.stage("verify"):
            return uncontrolled_of(self.case, physics)

    def _model(self, kept: Kept | None) -> Model:
        """Go on with the model of an earlier forecast where it has the same elements, else make one."""
        name = columns(self.case, "source")["id"].tobytes()
        model = None if kept is None else kept.pop(name, None)
        given = self.program, self.network, self.inputs
        if not (isinstance(model, Decomposed) and model.renew(*given, self.penalty)):
            model = make_model(self._method, *given)
        if kept is not None:
            kept[name] = model
        return model

    def _start_from_zones(self) -> None:
        """Let the first solve start from the optimum without pressures and linepack above 4 bar gauge."""
        if self.gas is None or self.gas.levels is None or not isinstance(self.model, Monolithic):
            return
        inputs = make_inputs(self.case, limit_penalty=self.penalty, whole=True)
        whole = Monolithic(compile_program(inputs), self.network, inputs, options=PIPES)
        try:
            whole.solve(self._zero(), self.penalty, self.until)
        except SolverError:
            return
        zones = zones_of_case(self.case, self.gas.network, whole=True)
        self.model.start_from_zones(whole, zones_that_hold(self.gas.network, self.gas.zones, zones), self.penalty)

    def state(self, by_ac: Offsets) -> State:
        """Solve with given AC offsets, repair, and look at the network under the schedule."""
        self.rounds += 1
        room, bound = self.room.beside(by_ac), None
        if self._integers:
            by_ac, bound = self._committed(by_ac, room)
        offsets = by_ac if room is None else by_ac.plus(room)
        self.restate(by_ac)
        with self.stages.stage("solve"):
            solution, relaxation = solve_elastic(self.model, offsets, self.penalty, self.until)
            self._price_at(solution.limit_penalty)
            delivered = deliver(self.program, self.limits(offsets), self.inputs, solution, relaxation, self.until)
        return self.under(by_ac, room, solution, delivered, bound)

    def answer(self, by_ac: Offsets) -> tuple[Offsets, Solution]:
        """Solve with given AC offsets at the penalty as it is, and look at nothing else.

        Returns
        -------
        Offsets
            Of the program: AC offsets and room.
        Solution
        """
        offsets = self.with_room(by_ac)
        self.restate(by_ac)
        with self.stages.stage("solve"):
            return offsets, self.model.solve(offsets, self.penalty, self.until)

    def with_room(self, by_ac: Offsets) -> Offsets:
        """Offsets of the program: of AC, and room for errors of the forecast."""
        room = self.room.beside(by_ac)
        return by_ac if room is None else by_ac.plus(room)

    def under(
        self, by_ac: Offsets, room: Offsets | None, solution: Solution, delivered: Delivered, bound: float | None = None
    ) -> State:
        """Look at the network under a schedule, linear, by AC power flow and with room, and at that of gas."""
        offsets, physics = by_ac if room is None else by_ac.plus(room), self.ac
        with self.stages.stage("verify"):
            x = self.program.injection @ delivered.columns + self.program.injection_constant
            p, q = x.reshape(2, self.network.buses, self.inputs.steps)
            linear, ac = self.limits(offsets).flow(x), physics.flow(p, q)
            held = with_room(ac, linear, self.network, room)
            excess = limits_ac(self.case, held[0], linear.v_squared)
            if room is not None:
                excess = replace(excess, v_min=limits_ac(self.case, held[1]).v_min)
                excess = replace(excess, v_error_max_pu=limits_ac(self.case, ac, linear.v_squared).v_error_max_pu)
            margins = margins_of(self.case, self.network, offsets, delivered.solution, linear, held, excess)
            gas = self._gas_state(by_ac, delivered)
        return State(offsets, by_ac, room, solution, delivered, linear, ac, held, excess, margins, *gas, bound)

    def limits(self, offsets: Offsets) -> RadialLimits:
        """All limits of the network, shifted by offsets."""
        return self.model.limits(offsets)

    def _committed(self, by_ac: Offsets, room: Offsets | None) -> tuple[Offsets, float | None]:
        """Choose what runs by an integer program; the program that follows holds that.

        Where time or nodes are used up before there is a choice, none is made: the relaxation is rounded.
        """
        free = replace(by_ac, on={})
        offsets = free if room is None else free.plus(room)
        self.restate(free)
        with self.stages.stage("solve"):
            solution, _ = solve_elastic(self.model, offsets, self.penalty, self.until)
            self._price_at(solution.limit_penalty)
            assert isinstance(self.model, Monolithic)
            try:
                given = self.limits(offsets), least_of(self.inputs), solution, self.until.part(SEARCH)
                on, bound = best_commitment(self.model, self.program, *given)
            except TimeUp:
                return free, None
        return replace(by_ac, on=on), bound

    def restate(self, by_ac: Offsets) -> None:
        """Compile anew where other limits of the gas network are stated than in the last program."""
        pairs = ((by_ac.gas, self._gas_stated), (by_ac.on, self._held), (by_ac.point, self._point))
        if all(new is old or not (new or old) for new, old in pairs):
            return
        with self.stages.stage("compile"):
            self.inputs = make_inputs(self.case, offsets=by_ac, limit_penalty=self.penalty)
            self.program = compile_program(self.inputs)
            self._gas_stated, self._held, self._point = by_ac.gas, by_ac.on, by_ac.point
        with self.stages.stage("solve"):
            last, self.model = self.model, make_model(self._method, self.program, self.network, self.inputs)
            if isinstance(self.model, Monolithic) and isinstance(last, Monolithic):
                self.model.go_on_from(last, self.penalty)

    def _price_at(self, penalty: float) -> None:
        """Let the program's own slacks cost what they do at a penalty that was raised."""
        slacks = OwnSlacks(self.program, self.inputs)
        if slacks.any:
            self.program = replace(self.program, cost=slacks.cost(penalty))

    @property
    def stated_limits(self) -> list[tuple[str, int]]:
        """Quantity and element of each limit of the gas network that the program states."""
        return stated_limits(self._gas_stated)

    def _gas_state(self, by_ac: Offsets, delivered: Delivered) -> tuple[UnderSchedule | None, GasMargins | None]:
        """Look at the gas network under the schedule."""
        if self.gas is None:
            return None, None
        found = self.gas.under(self.program, delivered.columns, by_ac.gas)
        plan, solution = delivered.columns, delivered.solution
        return found, gas_margins(self.gas, found, self.program, plan, solution, by_ac)

    def settle(self, most_rounds: int) -> State:
        """Shift the limits by what AC adds until AC holds and no shift is wasteful.

        The first round takes the offsets as they are, which may relax a limit; later ones only tighten, or they would
        cycle, except where a priced limit was shifted too far.
        """
        return self._settle(self.state(self._first() if most_rounds > 1 else self._zero()), most_rounds)

    def _first(self) -> Offsets:
        """Offsets to begin with: foretold from the network without control, which spares most feeders a second solve.

        They depend neither on the way nor on what was solved before.
        """
        zero, free = self._zero(), self.uncontrolled
        with self.stages.stage("verify"):
            foretold = offsets_at_limits(self.limits(self.with_room(zero)), free.ac, self._added(free.linear, free.ac))
        return replace(foretold, gas=zero.gas, on=zero.on, point=zero.point)

    def _added(self, linear: LinearFlow, ac: AcState) -> Offsets:
        """Compute what AC adds to a linear state."""
        return offsets_of(self.network, linear.v_squared, np.hypot(linear.p, linear.q), ac)

    def _zero(self) -> Offsets:
        """No offsets, but the gas network as it is stated."""
        zero = Offsets.zero(self.network.buses, self.network.branches, self.inputs.steps)
        return replace(zero, gas=self._gas_stated, on=self._held, point=self._point)

    def state_all_rows(self, state: State, most_rounds: int) -> State:
        """Solve the last program once more with every network row stated.

        Offsets follow the schedule, and one optimum can have many: both ways share theirs, so that they have the same
        program and the same optimum. Should AC not hold under this schedule but under the one before, which costs the
        same, that is delivered; only where neither does are offsets followed further.
        """
        with self.stages.stage("solve"):
            self.model = Monolithic(self.program, self.network, self.inputs, all_rows=True)
        found = self.state(state.by_ac)
        off = abs(found.solution.objective - state.solution.objective)
        if state.holds and not found.holds and off <= ALIKE * max(1.0, abs(state.solution.objective)):
            return state
        return self._settle(found, most_rounds)

    def _settle(self, state: State, most_rounds: int) -> State:
        best = state
        while self.rounds < most_rounds and not self.until.over and not state.settled:
            state = self.state(self.next(state))
            if state.holds or not best.holds:
                best = state
        self.restate(best.by_ac)  # what follows looks at the program of the best
        self._price_at(best.solution.limit_penalty)
        return best

    def next(self, state: State) -> Offsets:
        """Offsets of the next program: of the electric network, of the gas network, or of both."""
        shifted = state.by_ac
        if not state.margins.holds or state.margins.wasteful:
            new = self._added(state.linear, state.ac)
            shifted = new if self.rounds == 1 else next_offsets(state.by_ac, new, state.margins)
        if self.gas is None or state.gas is None or state.gas_margins is None or state.gas_margins.settled:
            return replace(shifted, gas=state.by_ac.gas, on=state.by_ac.on, point=state.by_ac.point)
        gas = next_limits(self.case, self.gas, state.gas, state.gas_margins, state.by_ac.gas)
        point = state.by_ac.point
        if self.gas.levels is not None and point is not None:
            point = self.gas.levels.next(state.gas, point, state.delivered.solution.objective)
        return replace(shifted, gas=gas, on=state.by_ac.on, point=point)

    def unmet(self, state: State) -> list[dict[str, Any]]:
        """Limits that are relaxed in the program, then those that only AC exceeds."""
        held = state.delivered
        relaxed = explain_unmet(
            self.case, self.program, self.limits(state.offsets), self.inputs, held.solution, held.relaxation
        )
        by_ac = unmet_by_ac(self.case, self.network, state.held, state.excess, state.margins)
        by_gas = [] if state.gas_margins is None else unmet_by_gas(self.case, state.gas_margins, self.inputs.dt)
        return relaxed + by_ac + by_gas
