"""One feeder, from its sub-case to everything a result says about it; a pure function of case and settings."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import as_bytes, columns
from dispatch.errors import CertificateError, PhysicsError, SolverError
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.model.linear import LinearFlow, linear_flow
from dispatch.model.registry import load_components
from dispatch.run.arrays import certificate_arrays, offset_arrays, price_arrays, schedule_arrays, uncontrolled_arrays
from dispatch.run.margins import Margins, margins_of, next_offsets
from dispatch.run.unmet import unmet_by_ac
from dispatch.solve.certificate import certify, require
from dispatch.solve.explain import explain_unmet
from dispatch.solve.monolithic import Monolithic, solve_elastic
from dispatch.solve.repair import Delivered, repair
from dispatch.verify.electric import AcModel, AcState, offsets_of
from dispatch.verify.excess import Excess, limits_ac

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from dispatch.run.settings import Settings
    from dispatch.solve.solution import Relaxation, Solution

OPTIMAL = 1e-6
"""Largest gap of a delivered schedule that is called optimal."""


@dataclass
class FeederRun:
    """Everything that a result says about one feeder.

    Attributes
    ----------
    ids : dict of str to ndarray of bytes
        Ids of its elements, by kind.
    groups : dict of str to dict of str to ndarray
        For each result group its arrays, in the order of `ids`.
    status : str
        One of the attribute table's.
    unmet : list of dict
        Limits that cannot be met, for the report.
    messages : list of str
        What went wrong, in words.
    v_error_max_pu : float
        Largest difference of AC and linear voltage under the schedule.
    times_s : dict of str to float
        Seconds by stage.
    """

    ids: dict[str, np.ndarray]
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: str = "failed"
    unmet: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    v_error_max_pu: float = 0.0
    times_s: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Id of its source."""
        return ", ".join(i.decode(errors="replace") for i in self.ids["source"])

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as this stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.times_s[name] = self.times_s.get(name, 0.0) + time.perf_counter() - begin


@dataclass(frozen=True)
class State:
    """A solution, the schedule delivered from it, and the network under that, linear and by AC power flow."""

    offsets: Offsets
    solution: Solution
    relaxation: Relaxation | None
    delivered: Delivered
    linear: LinearFlow
    ac: AcState
    excess: Excess
    margins: Margins


class Feeder:
    """What is made once for a feeder and used in every round."""

    def __init__(self, case: xr.DataTree, settings: Settings, run: FeederRun) -> None:
        self.case, self.run, self.penalty, self.rounds = case, run, settings.limit_penalty, 0
        with run.stage("compile"):
            self.network = network_of(case)
            self.inputs = make_inputs(case, limit_penalty=settings.limit_penalty)
            self.program = compile_program(self.inputs)
        with run.stage("solve"):
            self.model = Monolithic(self.program, self.network, self.inputs)
        with run.stage("verify"):
            self.ac = AcModel(case)

    def state(self, offsets: Offsets) -> State:
        """Solve with given offsets, repair, and look at the network under the schedule."""
        self.rounds += 1
        with self.run.stage("solve"):
            solution, relaxation = solve_elastic(self.model, offsets, self.penalty)
            delivered = repair(self.program, self.network, self.inputs, offsets, solution)
        with self.run.stage("verify"):
            x = self.program.injection @ delivered.columns + self.program.injection_constant
            p, q = x.reshape(2, self.network.buses, self.inputs.steps)
            linear, ac = linear_flow(self.network, p, q), self.ac.flow(p, q)
            excess = limits_ac(self.case, ac, linear.v_squared)
            margins = margins_of(self.case, self.network, offsets, solution, linear, ac, excess)
        return State(offsets, solution, relaxation, delivered, linear, ac, excess, margins)

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
        with self.run.stage("solve"):
            self.model = Monolithic(self.program, self.network, self.inputs, all_rows=True)
        return self._settle(self.state(state.offsets), most_rounds)

    def _settle(self, state: State, most_rounds: int) -> State:
        best = state
        while self.rounds < most_rounds and not (state.margins.holds and not state.margins.wasteful):
            s_linear = np.hypot(state.linear.p, state.linear.q)
            new = offsets_of(self.network, state.linear.v_squared, s_linear, state.ac)
            state = self.state(new if self.rounds == 1 else next_offsets(state.offsets, new, state.margins))
            if state.margins.holds or not best.margins.holds:
                best = state
        return best

    def unmet(self, state: State) -> list[dict[str, Any]]:
        """Limits that are relaxed in the program, then those that only AC exceeds."""
        relaxed = explain_unmet(
            self.case, self.program, self.network, self.inputs, state.offsets, state.solution, state.relaxation
        )
        return relaxed + unmet_by_ac(self.case, self.network, state.ac, state.excess, state.margins)


def run_feeder(case: xr.DataTree, settings: Settings) -> FeederRun:
    """Schedule one feeder: compile, then solve and verify until AC holds, certify, and say what cannot be met.

    Parameters
    ----------
    case : DataTree
        Sub-case of one feeder, with /forecast.
    settings : Settings
        Choices of the run.

    Returns
    -------
    FeederRun
        With status ``failed`` and a message where solving, proof or physics broke; other feeders go on.
    """
    load_components(settings.components)
    run = FeederRun({k: columns(case, k)["id"] for k, kind in attribute_table().items() if kind.has_elements})
    try:
        _schedule(case, settings, run)
    except (CertificateError, PhysicsError, SolverError) as error:
        run.messages.append(f"feeder {run.name!r}: {error}")
        run.groups = {"certificate": {"status": as_bytes([run.status])}}
    return run


def _schedule(case: xr.DataTree, settings: Settings, run: FeederRun) -> None:
    """Fill in a feeder's run."""
    feeder = Feeder(case, settings, run)
    state = feeder.settle(settings.rounds)
    if settings.all_rows:
        state = feeder.state_all_rows(state, settings.rounds)
    with run.stage("certify"):
        solution = state.solution
        certificate = certify(case, state.offsets, solution.limit_penalty, solution.columns, solution.prices)
        require(certificate)
    with run.stage("verify"):
        schedule = schedule_arrays(feeder, state) | uncontrolled_arrays(case, feeder.ac)
        run.unmet = feeder.unmet(state)
    figures = certificate_arrays(feeder.program, state, certificate, feeder.rounds)
    run.v_error_max_pu = state.excess.v_error_max_pu
    run.status = "limits_unmet" if run.unmet else "optimal" if figures["gap"] <= OPTIMAL else "gap"
    run.groups = {
        "schedule": schedule,
        "price": price_arrays(feeder, state),
        "offset": offset_arrays(state, feeder.network.lines),
        "certificate": {**figures, "status": as_bytes([run.status])},
    }
