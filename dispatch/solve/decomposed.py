"""A feeder's optimum by prices: stores answer them exactly, a small program over what is undecided finds them.

A short dual ascent (`dispatch.solve.ascent`) leaves most flows of most stores decided. A *restricted* program over only
the others, with the limits found violated, gives a plan and prices of limits, which every store answers; see
`dispatch.solve.coordinate` for why this ends with the optimum of the whole program, and `dispatch.solve.members` for
how meters become the blocks that it coordinates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.solve.coordinate import Coordinator
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.members import Members
from dispatch.solve.monolithic import Monolithic
from dispatch.solve.own_slacks import OwnSlacks
from dispatch.solve.until import Until

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.blocks.stores import StoreBlock
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.solution import Relaxation, Solution


class Decomposed:
    """Members and limits of one or more feeders; every solve starts from what the last one left undecided.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    network : Network
        Of the same case.
    inputs : Inputs
        From which the program was compiled.
    time_limit_s : float
        Seconds for each solve of HiGHS.
    """

    def __init__(self, program: Program, network: Network, inputs: Inputs, *, time_limit_s: float = np.inf) -> None:
        self._given, self.dt = (program, network, inputs), inputs.dt
        self._limits = limits_of(program, network, inputs)
        self._options: dict[str, Any] = {"time_limit_s": time_limit_s}
        self._monolithic: Monolithic | None = None
        self._slacks = OwnSlacks(program, inputs)
        self._members = Members(program, inputs, self._options)
        self._coordinator = Coordinator(self._members.blocks, program.injection_constant, self._options)

    @property
    def block(self) -> StoreBlock:
        """The members that the store kernel plans."""
        return self._members.stores.stores

    def solve(self, offsets: Offsets, limit_penalty: float, until: Until | None = None) -> Solution:
        """Find the optimum under given offsets and penalty; see `Monolithic.solve`."""
        limits = self.limits(offsets)
        until = until or Until()
        if self._slacks.any and limit_penalty != self._slacks.compiled:  # a raised penalty proves what is unavoidable
            return self._whole().solve(offsets, limit_penalty, until)
        found = self._coordinator.coordinate(limits, self.dt * limit_penalty, until)
        if found is None:
            return self._whole().solve(offsets, limit_penalty, until)
        solution = self._members.solution(limits, limit_penalty, found, "decomposed", self._coordinator.entries)
        relaxed = solution.relaxation + self._slacks.relaxation(solution.columns)
        return replace(solution, relaxation=relaxed)

    def renew(self, program: Program, network: Network, inputs: Inputs, limit_penalty: float) -> bool:
        """Take the same feeder with another forecast: other load, generation or prices.

        The next solve starts from the prices, rows, entries and basis of the last one and ends with the same optimum as
        a new model would.

        Parameters
        ----------
        program, network, inputs
            Of the same elements as before.
        limit_penalty : float
            Penalty of the next solve. [money h-1]

        Returns
        -------
        bool
            Whether the elements are the same; if not, nothing has changed and a new model is needed.
        """
        members = Members(program, inputs, self._options)
        if members.elements != self._members.elements:
            return False
        known = self._limits.network
        network = known if known.same_as(network) else network  # with all that was once made of it
        self._given, self._limits = (program, network, inputs), limits_of(program, network, inputs)
        self._members, self._monolithic = members, None
        self._slacks = OwnSlacks(program, inputs)
        self._coordinator.renew(members.blocks, self._limits, program.injection_constant, self.dt * limit_penalty)
        return True

    def least_relaxation(self, offsets: Offsets, until: Until | None = None) -> Relaxation:
        """Find the least relaxation that lets all else be met; see `Monolithic.least_relaxation`."""
        return self._whole().least_relaxation(offsets, until)

    def _whole(self) -> Monolithic:
        """Solve in one program what few feeders need: least relaxations, and optima that prices do not reach."""
        if self._monolithic is None:
            self._monolithic = Monolithic(*self._given, **self._options)
        return self._monolithic

    def limits(self, offsets: Offsets) -> RadialLimits:
        """All limits of the network, shifted by offsets."""
        if offsets is not self._limits.offsets:
            self._limits = self._limits.with_offsets(offsets)
        return self._limits
