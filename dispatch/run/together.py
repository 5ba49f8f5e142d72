"""Feeders and the rows that they share as one program by prices: where all of them fit into one process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.run.priced import taken_by
from dispatch.solve.blocks.placed import PlacedBlock
from dispatch.solve.coordinate import Coordinator
from dispatch.solve.elastic import elastic_cost
from dispatch.solve.limits.combined import SHARED, CombinedLimits
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.members import Members
from dispatch.solve.repair import NOTICED, netted, one_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.run.priced import PricedFeeder
    from dispatch.solve.coordinated import Coordinated
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.shared_rows import SharedRows
    from dispatch.solve.until import Until

MOST_PROGRAMS = 3
"""Programs with stores held to one way that are tried at most."""


@dataclass(frozen=True)
class Joint:
    """Plans of feeders that are the cheapest together, and what shared rows are worth.

    Attributes
    ----------
    columns : list of ndarray (column,)
        Of each feeder's program.
    cost : list of float
        Of each, relaxations of its limits included. [money]
    taken : list of ndarray (step,)
        What each takes, without losses. [kW]
    prices : ndarray (row,)
        Of a kW of each shared row in its step, at the optimum. [money]
    repaired : bool
        Whether the optimum has stores charge and discharge at once where that is worth something: these plans do not,
        and cost more.
    """

    columns: list[np.ndarray]
    cost: list[float]
    taken: list[np.ndarray]
    prices: np.ndarray
    repaired: bool = False


@dataclass(frozen=True)
class _Feeder:
    """A feeder's program and limits."""

    program: Program
    inputs: Inputs
    limits: RadialLimits
    penalty: float
    apart: np.ndarray | None = None

    def members(self) -> Members:
        return Members(self.program, self.inputs, {}, self.apart)


class Together:
    """Feeders under rows that they share.

    Parameters
    ----------
    feeders : sequence of PricedFeeder
        As their newest offsets have them.
    rows : SharedRows
        None of a budget.
    added : ndarray (row,)
        What enters each row besides what these feeders take. [kW]
    steps : sequence of ndarray of int
        Which of the rows' steps are each feeder's own.
    """

    def __init__(
        self, feeders: Sequence[PricedFeeder], rows: SharedRows, added: np.ndarray, steps: Sequence[np.ndarray]
    ) -> None:
        self._feeders = [_stated(feeder) for feeder in feeders]
        self._rows, self._added, self._steps = rows, added, steps
        self._penalty = max(f.penalty for f in self._feeders) * rows.dt
        scale = np.array([f.penalty for f in self._feeders]) * rows.dt / self._penalty
        rating = self._penalty / rows.most
        self._limits = CombinedLimits([f.limits for f in self._feeders], scale, rows, added, rating, steps)

    def optimum(self, until: Until) -> Joint | None:
        """Find the optimum, then the cheapest plans found in which no store works both ways at once.

        Parameters
        ----------
        until : Until
            Gap and time at which to stop.

        Returns
        -------
        Joint or None
            None where it was not found.

        Raises
        ------
        SolverError
            If HiGHS warns, stops early or finds no optimum.
        """
        first = self._coordinated(self._feeders, until)
        if first is None:
            return None
        held, plan = self._feeders, first
        best = self._netted(plan)
        least = self._cost(first)
        while self._cost(best) > least + NOTICED * max(1.0, abs(least)) and not until.over:
            held = [_held(f, own) for f, own in zip(held, plan.columns, strict=True)]
            directed = self._coordinated(held, until)
            found = None if directed is None else self._netted(directed)
            if directed is None or found is None or self._cost(found) >= self._cost(best):
                break
            plan, best = directed, found
        if self._cost(best) <= least + NOTICED * max(1.0, abs(least)):
            return replace(best, prices=first.prices)
        return replace(best, prices=first.prices, repaired=True)

    def _coordinated(self, feeders: Sequence[_Feeder], until: Until) -> Joint | None:
        members = [f.members() for f in feeders]
        limits = self._limits
        blocks = [
            PlacedBlock(block, int(first), f.limits.ports, limits.ports)
            for f, own, first in zip(feeders, members, limits.starts, strict=False)
            for block in own.blocks
        ]
        given = np.concatenate([f.program.injection_constant for f in feeders])
        found = Coordinator(blocks, given).coordinate(limits, self._penalty, until)
        return None if found is None else self._joint(members, found)

    def _joint(self, members: Sequence[Members], found: Coordinated) -> Joint:
        columns = []
        for k, own in enumerate(members):
            columns.append(np.zeros_like(own.program.cost))
            own.write(found.plans[2 * k : 2 * k + 2], columns[-1])
        prices, shared = np.zeros(len(self._rows.bound)), found.keys["kind"] == SHARED
        prices[found.keys["element"][shared]] = found.limit_prices[shared]
        return self._with(columns, prices)

    def _with(self, columns: list[np.ndarray], prices: np.ndarray) -> Joint:
        pairs = list(zip(self._feeders, columns, strict=True))
        cost = [elastic_cost(f.program, f.limits, f.inputs.dt, f.penalty, own) for f, own in pairs]
        return Joint(columns, cost, [taken_by(f.program, own) for f, own in pairs], prices)

    def _netted(self, plan: Joint) -> Joint:
        columns = [netted(f.program, f.inputs, own) for f, own in zip(self._feeders, plan.columns, strict=True)]
        return self._with(columns, plan.prices)

    def _cost(self, plan: Joint) -> float:
        """Add up what plans cost, relaxations of shared rows included, in money."""
        steps = int(self._rows.step.max(initial=-1)) + 1
        taken = np.zeros((len(plan.taken), max(steps, *(int(s.max(initial=-1)) + 1 for s in self._steps))))
        for k, (own, at) in enumerate(zip(plan.taken, self._steps, strict=True)):
            taken[k, at] = own
        over = np.maximum(self._rows.activity(taken) + self._added - self._rows.bound, 0.0)
        return sum(plan.cost) + float(np.sum(self._rows.most * over))


def _stated(feeder: PricedFeeder) -> _Feeder:
    with feeder.cut.reading() as case:
        own = feeder.at_own_prices(case)
        limits = limits_of(own.program, own.network, own.inputs, own.with_room(feeder.known.offsets))
        return _Feeder(own.program, own.inputs, limits, feeder.known.penalty)


def _held(feeder: _Feeder, columns: np.ndarray) -> _Feeder:
    """Hold stores to their net direction where a plan has them work both ways; their meters keep their program."""
    program = one_way(feeder.program, feeder.inputs, columns)
    changed = program.upper != feeder.program.upper
    apart = np.zeros(feeder.inputs.kinds["meter"].count, bool) if feeder.apart is None else feeder.apart.copy()
    apart[program.owner[changed]] = True
    return replace(feeder, program=program, apart=apart)
