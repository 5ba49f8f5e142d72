"""Rounds of one feeder: solve, repair, AC power flow, offsets, solve hot, until AC holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.model.linear import LinearFlow, linear_flow
from dispatch.run.margins import Margins, margins_of, next_offsets
from dispatch.run.room import Room, with_room
from dispatch.run.unmet import unmet_by_ac
from dispatch.solve.decomposed import Decomposed
from dispatch.solve.explain import explain_unmet
from dispatch.solve.methods import Model, make_model
from dispatch.solve.monolithic import Monolithic, solve_elastic
from dispatch.solve.repair import Delivered, deliver
from dispatch.verify.electric import AcModel, AcState, offsets_of
from dispatch.verify.excess import Excess, limits_ac

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.run.settings import Settings
    from dispatch.run.stages import Stages
    from dispatch.solve.solution import Solution
    from dispatch.solve.until import Until

Kept = dict[bytes, Model]
"""Models of feeders by the id of their source."""


@dataclass(frozen=True)
class State:
    """A solution, the schedule delivered from it, and the network under that, linear and by AC power flow.

    Attributes
    ----------
    offsets : Offsets
        Of the program: AC offsets and room.
    by_ac : Offsets
        What the AC check added.
    room : Offsets or None
        What is kept free for errors of the forecast.
    held : tuple of AcState
        State with room, for upper and for lower limits.
    """

    offsets: Offsets
    by_ac: Offsets
    room: Offsets | None
    solution: Solution
    delivered: Delivered
    linear: LinearFlow
    ac: AcState
    held: tuple[AcState, AcState]
    excess: Excess
    margins: Margins


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
        with stages.stage("compile"):
            self.network = network_of(case)
            self.inputs = make_inputs(case, limit_penalty=settings.limit_penalty)
            self.program = compile_program(self.inputs)
            q = self.program.injection_constant.reshape(2, self.network.buses, self.inputs.steps)[1]
            self.room = Room(case, self.network, q, settings.limits_at)
        with stages.stage("solve"):
            self.model = self._model(settings, kept)
        with stages.stage("verify"):
            self.ac = AcModel(case)

    def _model(self, settings: Settings, kept: Kept | None) -> Model:
        """Go on with the model of an earlier forecast where it has the same elements, else make one."""
        name = columns(self.case, "source")["id"].tobytes()
        model = None if kept is None else kept.pop(name, None)
        given = self.program, self.network, self.inputs
        if not (isinstance(model, Decomposed) and model.renew(*given, self.penalty)):
            model = make_model(settings.method, *given)
        if kept is not None:
            kept[name] = model
        return model

    def state(self, by_ac: Offsets) -> State:
        """Solve with given AC offsets, repair, and look at the network under the schedule."""
        self.rounds += 1
        room = self.room.beside(by_ac)
        offsets = by_ac if room is None else by_ac.plus(room)
        with self.stages.stage("solve"):
            solution, relaxation = solve_elastic(self.model, offsets, self.penalty, self.until)
            delivered = deliver(self.program, self.network, self.inputs, offsets, solution, relaxation, self.until)
        with self.stages.stage("verify"):
            x = self.program.injection @ delivered.columns + self.program.injection_constant
            p, q = x.reshape(2, self.network.buses, self.inputs.steps)
            linear, ac = linear_flow(self.network, p, q), self.ac.flow(p, q)
            held = with_room(ac, linear, self.network, room)
            excess = limits_ac(self.case, held[0], linear.v_squared)
            if room is not None:
                excess = replace(excess, v_min=limits_ac(self.case, held[1]).v_min)
                excess = replace(excess, v_error_max_pu=limits_ac(self.case, ac, linear.v_squared).v_error_max_pu)
            margins = margins_of(self.case, self.network, offsets, delivered.solution, linear, held, excess)
        return State(offsets, by_ac, room, solution, delivered, linear, ac, held, excess, margins)

    def settle(self, most_rounds: int) -> State:
        """Shift the limits by what AC adds until AC holds and no shift is wasteful.

        The first round takes the offsets as they are, which may relax a limit; later ones only tighten, or they would
        cycle, except where a priced limit was shifted too far.
        """
        zero = Offsets.zero(self.network.buses, self.network.branches, self.inputs.steps)
        return self._settle(self.state(zero), most_rounds)

    def state_all_rows(self, state: State, most_rounds: int) -> State:
        """Solve the last program once more with every network row stated.

        Offsets follow the schedule, and one optimum can have many: both ways share theirs, so that they have the same
        program and the same optimum. Should AC not hold under this schedule, its offsets are followed further.
        """
        with self.stages.stage("solve"):
            self.model = Monolithic(self.program, self.network, self.inputs, all_rows=True)
        return self._settle(self.state(state.by_ac), most_rounds)

    def _settle(self, state: State, most_rounds: int) -> State:
        best = state
        while (
            self.rounds < most_rounds
            and not self.until.over
            and not (state.margins.holds and not state.margins.wasteful)
        ):
            s_linear = np.hypot(state.linear.p, state.linear.q)
            new = offsets_of(self.network, state.linear.v_squared, s_linear, state.ac)
            state = self.state(new if self.rounds == 1 else next_offsets(state.by_ac, new, state.margins))
            if state.margins.holds or not best.margins.holds:
                best = state
        return best

    def unmet(self, state: State) -> list[dict[str, Any]]:
        """Limits that are relaxed in the program, then those that only AC exceeds."""
        held = state.delivered
        relaxed = explain_unmet(
            self.case, self.program, self.network, self.inputs, state.offsets, held.solution, held.relaxation
        )
        return relaxed + unmet_by_ac(self.case, self.network, state.held, state.excess, state.margins)
