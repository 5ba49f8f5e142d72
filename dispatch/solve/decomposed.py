"""A feeder's optimum by prices: stores answer them exactly, a small program over what is undecided finds them.

A short dual ascent (`dispatch.solve.ascent`) leaves most flows of most stores decided. A *restricted* program over only
the others, with the limits found violated, gives a plan and prices of limits, which every store answers; see
`dispatch.solve.coordinate` for why this ends with the optimum of the whole program. Here the program's meters become
blocks: those with at most one store are planned by the store kernel, all others keep their rows and columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.solve.blocks.moving import MovingStores
from dispatch.solve.blocks.programs import ProgramBlock
from dispatch.solve.blocks.stores import StoreBlock, priced_by_kernel
from dispatch.solve.coordinate import Coordinated, Coordinator
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.monolithic import NOTICED, Monolithic
from dispatch.solve.solution import Prices, Relaxation, Solution

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits


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
        self.program, self.dt = program, inputs.dt
        self._given = program, network, inputs
        self._limits = limits_of(program, network, inputs)
        self._options: dict[str, Any] = {"time_limit_s": time_limit_s}
        self._monolithic: Monolithic | None = None
        self.block = StoreBlock(program, inputs, priced_by_kernel(program, inputs))
        left = inputs.kinds["meter"].count - len(self.block.meters)
        self._stores = MovingStores(self.block)
        self._rest = ProgramBlock(program, self.block.columns, self.block.rows, left, inputs.steps, self._options)
        self._coordinator = Coordinator((self._stores, self._rest), program.injection_constant, self._options)

    def solve(self, offsets: Offsets, limit_penalty: float) -> Solution:
        """Find the optimum under given offsets and penalty; see `Monolithic.solve`."""
        limits = self._shifted(offsets)
        found = self._coordinator.coordinate(limits, self.dt * limit_penalty)
        if found is None:
            return self._whole().solve(offsets, limit_penalty)
        return self._solution(limits, limit_penalty, found)

    def least_relaxation(self, offsets: Offsets) -> Relaxation:
        """Find the least relaxation that lets all else be met; see `Monolithic.least_relaxation`."""
        return self._whole().least_relaxation(offsets)

    def _whole(self) -> Monolithic:
        """Solve in one program what few feeders need: least relaxations, and optima that prices do not reach."""
        if self._monolithic is None:
            self._monolithic = Monolithic(*self._given, **self._options)
        return self._monolithic

    def _solution(self, limits: RadialLimits, penalty: float, found: Coordinated) -> Solution:
        """Write what the blocks plan into the columns of the whole program, and what it is worth into its rows."""
        columns, row_prices = np.zeros_like(self.program.cost), np.zeros_like(self.program.row_lower)
        self._stores.write(found.plans[0], found.price, columns, row_prices)
        columns[self._rest.columns], row_prices[self._rest.rows] = found.plans[1], found.row_prices[1]
        optimum = found.optimum
        share = optimum.slacks / limits.rating_of(optimum.keys)
        return Solution(
            columns,
            Prices(row_prices, optimum.keys, optimum.limit_prices / self.dt),
            optimum.slacks,
            float(self.dt * share[share > NOTICED].sum()),
            float(self.program.cost @ columns) + self.program.constant + self.dt * penalty * float(share.sum()),
            penalty,
            found.rounds,
            f"decomposed, {optimum.method}",
            self._coordinator.entries,
            self._rest.meters,
        )

    def _shifted(self, offsets: Offsets) -> RadialLimits:
        if offsets is not self._limits.offsets:
            self._limits = self._limits.with_offsets(offsets)
        return self._limits
