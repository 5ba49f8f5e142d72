"""The optimum by prices: stores answer them exactly, a small program over what is undecided finds them.

A short dual ascent (`dispatch.solve.ascent`) leaves most flows of most stores decided. A *restricted* program over only
the others (`dispatch.solve.restricted`), with the limits found violated, gives a plan and prices of limits. Then every
store answers these prices. Where a member's answer is cheaper than its plan, the flows in which they differ may move in
the next restricted program; where none is, the plan is the optimum of the whole program: no member can do better at
these prices, and prices and limits fit each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.solve.ascent import ascend
from dispatch.solve.blocks.programs import ProgramBlock
from dispatch.solve.blocks.stores import StoreBlock, priced_by_kernel
from dispatch.solve.engines import LazyRows, Optimum
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.monolithic import NOTICED, Monolithic
from dispatch.solve.protocols import KEY
from dispatch.solve.restricted import Restricted
from dispatch.solve.solution import Prices, Relaxation, Solution
from kernels.marginal import fit_prices, make_row_prices

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.blocks.stores import Flows
    from dispatch.solve.limits.radial import RadialLimits

BETTER = 1e-10
"""An answer is better than a plan if it saves more than this, relative to 1 or the member's cost."""
ROUNDING = 1e-7
"""What members could save together where no flow is left to free: the solver's tolerances, relative to the optimum."""
MOST_ROUNDS = 100
"""Restricted programs before the whole program is solved instead."""


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
        self.rest = ProgramBlock(program, self.block, self._options)
        self._by_program = inputs.kinds["meter"].count - len(self.block.meters)
        self._restricted: Restricted | None = None
        self._engine: LazyRows | None = None
        self._small: Program | None = None
        self._keys = np.zeros(0, KEY)

    def solve(self, offsets: Offsets, limit_penalty: float) -> Solution:
        """Find the optimum under given offsets and penalty; see `Monolithic.solve`."""
        limits = self._shifted(offsets)
        if self._restricted is None or not self._restricted.free.any():
            self._start(limits, limit_penalty)
        assert self._restricted is not None
        for rounds in range(1, MOST_ROUNDS + 1):
            optimum = self._optimum(limits, limit_penalty)
            plan = self._restricted.decode(optimum.columns)
            weight = limits.rows(optimum.keys).matrix.T @ optimum.limit_prices
            answer = self.block.with_contents(self.block.respond(weight))
            saving = self.block.costs(plan, weight) - self.block.costs(answer, weight)
            worse = saving > BETTER * np.maximum(1.0, np.abs(self.block.costs(plan, weight)))
            if not worse.any() or not self._restricted.grow(answer, worse, plan):
                if saving.sum() > ROUNDING * max(1.0, abs(optimum.objective)):
                    break
                return self._solution(limits, limit_penalty, optimum, plan, weight, rounds)
            self._keys, self._engine = optimum.keys, None
        return self._whole().solve(offsets, limit_penalty)

    def least_relaxation(self, offsets: Offsets) -> Relaxation:
        """Find the least relaxation that lets all else be met; see `Monolithic.least_relaxation`."""
        return self._whole().least_relaxation(offsets)

    def _whole(self) -> Monolithic:
        """Solve in one program what few feeders need: least relaxations, and optima that prices do not reach."""
        if self._monolithic is None:
            self._monolithic = Monolithic(*self._given, **self._options)
        return self._monolithic

    def _start(self, limits: RadialLimits, penalty: float) -> None:
        found = ascend(self.block, self.rest, limits, penalty, self._keys)
        self._keys, self._engine = found.keys, None
        self._restricted = Restricted(self.block, self.rest, found.plan, found.free)

    def _optimum(self, limits: RadialLimits, penalty: float) -> Optimum:
        assert self._restricted is not None
        if self._engine is None:
            self._small = self._restricted.program()
            self._engine = LazyRows(self._small, self.dt, self._options)
            if len(self._keys):
                self._engine.state(limits, self._keys, penalty)
        assert self._small is not None
        return self._engine.optimum(limits, penalty, self._small.cost)

    def _solution(
        self, limits: RadialLimits, penalty: float, optimum: Optimum, plan: Flows, weight: np.ndarray, rounds: int
    ) -> Solution:
        assert self._small is not None
        assert self._restricted is not None
        columns = np.zeros_like(self.program.cost)
        self.block.decode(plan, columns)
        rest = len(self.rest.columns)
        row_prices = np.zeros_like(self.program.row_lower)
        if rest:
            columns[self.rest.columns] = optimum.columns[-rest:]
            row_prices[self.rest.rows] = optimum.row_prices[len(optimum.row_prices) - len(self.rest.rows) :]
        self._price(plan, weight, row_prices)
        share = optimum.slacks / limits.rating_of(optimum.keys)
        return Solution(
            columns,
            Prices(row_prices, optimum.keys, optimum.limit_prices / self.dt),
            optimum.slacks,
            float(self.dt * share[share > NOTICED].sum()),
            float(self.program.cost @ columns) + self.program.constant + self.dt * penalty * float(share.sum()),
            penalty,
            rounds,
            f"decomposed, {optimum.method}",
            self._restricted.entries + self._by_program * self.block.steps,
            self._by_program,
        )

    def _price(self, plan: Flows, weight: np.ndarray, row_prices: np.ndarray) -> None:
        """Write prices of the members' rows."""
        block, found = self.block, make_row_prices(*plan.content.shape)
        fit_prices(block.members, plan.flow, plan.content, plan.shortfall, weight[block.ports], found)
        row_prices[block.balance] = found.at_meter
        if len(block.cells):
            row_prices[block.store_rows] = -found.value[block.holder]
            row_prices[block.final_rows] = found.at_end[block.holder][:, None]

    def _shifted(self, offsets: Offsets) -> RadialLimits:
        if offsets is not self._limits.offsets:
            self._limits = self._limits.with_offsets(offsets)
        return self._limits
