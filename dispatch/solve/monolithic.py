"""The program of a feeder in HiGHS: optimum, least relaxation, and the penalty at which one proves the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.errors import TimeUp
from dispatch.solve.ascent import Ascent
from dispatch.solve.coordinated import plan_at
from dispatch.solve.engines import AllRows, LazyRows
from dispatch.solve.level_start import basis_of_levels
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.members import Members
from dispatch.solve.own_slacks import OwnSlacks
from dispatch.solve.protocols import KEY
from dispatch.solve.solution import NOTICED, Prices, Relaxation, Solution
from dispatch.solve.until import Until

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.methods import Model

GRACE_S = 1.0
"""Seconds that members which the store kernel cannot plan have for a plan without limits once time is up."""
LARGEST_PENALTY = 1e10
"""Penalties are not raised beyond."""


class Monolithic:
    """Program and limits of one or more feeders; every solve starts from the last one's basis.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    network : Network
        Of the same case.
    inputs : Inputs
        From which the program was compiled.
    all_rows : bool
        State every row of the network instead of the violated limits only; the optimum is the same.
    time_limit_s : float
        Seconds for each solve of HiGHS.
    options : dict, optional
        Further options of HiGHS.
    """

    def __init__(
        self,
        program: Program,
        network: Network,
        inputs: Inputs,
        *,
        all_rows: bool = False,
        time_limit_s: float = np.inf,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.program, self._inputs = program, inputs
        self.dt, self._slacks = inputs.dt, OwnSlacks(program, inputs)
        self._limits = limits_of(program, network, inputs)
        self._meters = inputs.kinds["meter"].count
        self._entries = self._meters * inputs.steps
        settings = {"time_limit_s": time_limit_s, "options": options}
        self._engine: LazyRows | AllRows = (
            AllRows(program, inputs, network.lines, settings) if all_rows else LazyRows(program, settings)
        )

    def go_on_from(self, before: Monolithic, limit_penalty: float) -> None:
        """Start from the last basis of another program, where it has the same columns and rows with other numbers."""
        engine, last = self._engine, before._engine
        same = all(
            [(s.component, s.name, s.count) for s in ours] == [(s.component, s.name, s.count) for s in theirs]
            for ours, theirs in (
                (self.program.columns, before.program.columns),
                (self.program.rows, before.program.rows),
            )
        )
        if same and isinstance(engine, LazyRows) and isinstance(last, LazyRows):
            engine.go_on_from(last, self._limits, self.dt * limit_penalty)

    def with_bounds(self, program: Program, limit_penalty: float) -> Monolithic:
        """Take the same program with other bounds of columns; it starts from the last basis of this one."""
        model = Monolithic(program, self._limits.network, self._inputs)
        model.go_on_from(self, limit_penalty)
        return model

    def start_from_zones(self, whole: Monolithic, zone: np.ndarray, limit_penalty: float) -> None:
        """Start from the optimum of the same program with every level of the gas network as one zone.

        Parameters
        ----------
        whole : Monolithic
            Solved.
        zone : ndarray (zone of whole,) of int
            Zone in which its pressure is held.
        limit_penalty : float
            Of relaxing a limit by its own rating for an hour. [money h-1]
        """
        engine, last = self._engine, whole._engine
        if isinstance(engine, LazyRows) and isinstance(last, LazyRows):
            basis = basis_of_levels(last.basis(), whole.program, self.program, zone)
            engine.go_on_from(last, self._limits, self.dt * limit_penalty, basis)

    def solve(self, offsets: Offsets, limit_penalty: float, until: Until | None = None) -> Solution:
        """Find the optimum under given offsets and penalty.

        Parameters
        ----------
        offsets : Offsets
            What the AC check adds to the limits.
        limit_penalty : float
            Penalty of relaxing a limit by its own rating for an hour. [money h-1]
        until : Until, optional
            When to return what there is: every member's optimum without limits, which proves a bound, too.

        Returns
        -------
        Solution

        Raises
        ------
        SolverError
            If HiGHS warns, stops early or finds no optimum.
        """
        limits = self.limits(offsets)
        try:
            cost = self._slacks.cost(limit_penalty)
            found = self._engine.optimum(limits, self.dt * limit_penalty, cost, until=until)
        except TimeUp:
            return self._unlimited(limits, limit_penalty)
        share = found.slacks / limits.rating_of(found.keys)
        return Solution(
            found.columns,
            Prices(found.row_prices, found.keys, found.limit_prices / self.dt),
            found.slacks,
            float(self.dt * share[share > NOTICED].sum()) + self._slacks.relaxation(found.columns),
            found.objective + self.program.constant,
            limit_penalty,
            found.rounds,
            f"monolithic, {found.method}",
            self._entries,
            self._meters,
        )

    def _unlimited(self, limits: RadialLimits, penalty: float) -> Solution:
        """Let every member do what is best without limits, and pay for what that exceeds."""
        members = Members(self.program, self._inputs, {"time_limit_s": GRACE_S})
        nothing = Ascent(np.zeros(0, KEY), np.zeros(0))
        found = plan_at(members.blocks, limits, self.program.injection_constant, self.dt * penalty, nothing)
        return members.solution(limits, penalty, found, "monolithic", self._entries)

    def least_relaxation(self, offsets: Offsets, until: Until | None = None) -> Relaxation:
        """Find the least relaxation that lets all else be met, whatever it costs the prosumers.

        Parameters
        ----------
        offsets : Offsets
            What the AC check adds to the limits.
        until : Until, optional
            When to give up.

        Returns
        -------
        Relaxation

        Raises
        ------
        SolverError
            If HiGHS warns, stops early or finds no optimum.
        TimeUp
            If it is time to give up.
        """
        limits = self.limits(offsets)
        found = self._engine.optimum(limits, self.dt, self._slacks.weights, until=until)
        relaxed = found.slacks > NOTICED * limits.rating_of(found.keys)
        return Relaxation(max(found.objective, 0.0), found.keys[relaxed], found.slacks[relaxed], found.columns)

    def limits(self, offsets: Offsets) -> RadialLimits:
        """All limits of the network, shifted by offsets."""
        if offsets is not self._limits.offsets:
            self._limits = self._limits.with_offsets(offsets)
        return self._limits


def solve_elastic(
    model: Model, offsets: Offsets, limit_penalty: float, until: Until | None = None
) -> tuple[Solution, Relaxation | None]:
    """Solve; where limits are relaxed, prove that they must be, or raise their penalty until only that is left.

    Parameters
    ----------
    model : Model
        Program and limits.
    offsets : Offsets
        What the AC check adds to the limits.
    limit_penalty : float
        First penalty. [money h-1]
    until : Until, optional
        When to stop; the best so far may relax limits that need not be.

    Returns
    -------
    solution : Solution
        With the penalty that stands in it.
    relaxation : Relaxation or None
        The least relaxation; None where nothing is relaxed, or time was up.

    Raises
    ------
    SolverError
        If HiGHS warns, stops early or finds no optimum.
    """
    until = until or Until()
    solution = model.solve(offsets, limit_penalty, until)
    if solution.relaxation <= 0 or until.over:
        return solution, None
    try:
        least = model.least_relaxation(offsets, until)
    except TimeUp:
        return solution, None
    while True:
        solution = model.solve(offsets, limit_penalty, until)
        if solution.relaxation <= least.total * (1 + 1e-6) + 1e-7 or limit_penalty >= LARGEST_PENALTY:
            return solution, least if solution.relaxation > 0 else None
        limit_penalty *= 10
