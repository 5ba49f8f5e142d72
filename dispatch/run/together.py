"""Feeders and the rows that they share as one program by prices: where all of them fit into one process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.run.priced import taken_by
from dispatch.solve.blocks.placed import PlacedBlocks
from dispatch.solve.coordinate import Coordinator
from dispatch.solve.elastic import elastic_cost
from dispatch.solve.limits.combined import CombinedLimits
from dispatch.solve.limits.shared import SharedLimits
from dispatch.solve.members import Members
from dispatch.solve.repair import NOTICED, netted, one_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.run.priced import PricedFeeder
    from dispatch.solve.coordinated import Coordinated
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.shared_rows import SharedPrices, SharedRows
    from dispatch.solve.until import Until
    from dispatch.verify.electric import AcModel

MOST_PROGRAMS = 3
"""Programs with stores held to one way that are tried at most."""
MOST_LOSSES, SAME = 4, 5e-4
"""So often losses are followed at most, and by which part of a limit more than thought they may leave less room."""


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
    prices : SharedPrices
        Of shared rows and budgets at the optimum.
    losses : ndarray (feeder, step)
        With which they were found. [kW]
    repaired : bool
        Whether the optimum has stores charge and discharge at once where that is worth something: these plans do not,
        and cost more.
    """

    columns: list[np.ndarray]
    cost: list[float]
    taken: list[np.ndarray]
    prices: SharedPrices
    losses: np.ndarray
    repaired: bool = False


@dataclass(frozen=True)
class _Feeder:
    """A feeder's program and limits."""

    program: Program
    inputs: Inputs
    limits: RadialLimits
    penalty: float
    ac: AcModel
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
    besides : ndarray (row,)
        What enters each row besides what these feeders take and lose. [kW]
    losses : ndarray (feeder, step)
        Of each at first; they follow the plan. [kW]
    steps : sequence of ndarray of int
        Which of the rows' steps are each feeder's own.
    """

    def __init__(
        self,
        feeders: Sequence[PricedFeeder],
        rows: SharedRows,
        besides: np.ndarray,
        losses: np.ndarray,
        steps: Sequence[np.ndarray],
    ) -> None:
        self._feeders = [_stated(feeder) for feeder in feeders]
        self._rows, self._besides, self._losses, self._steps = rows, besides, losses, steps
        self._penalty = max(f.penalty for f in self._feeders) * rows.dt
        scale = np.array([f.penalty for f in self._feeders]) * rows.dt / self._penalty
        shared = SharedLimits(rows, self._added, self._penalty, steps)
        self._limits = CombinedLimits([f.limits for f in self._feeders], scale, shared)

    @property
    def _added(self) -> np.ndarray:
        """What enters each row besides what these feeders take, in kW."""
        return np.asarray(self._besides + self._rows.activity(self._losses))

    def optimum(self, until: Until, *, follow: bool = True) -> Joint | None:
        """Find the optimum, then the cheapest plans found in which no store works both ways at once.

        Parameters
        ----------
        until : Until
            Gap and time at which to stop.
        follow : bool
            Whether losses follow the plan and stores are held to one way; else the optimum is all that is wanted.

        Returns
        -------
        Joint or None
            None where it was not found.

        Raises
        ------
        SolverError
            If HiGHS warns, stops early or finds no optimum.
        """
        first = self._settled(self._feeders, until, MOST_LOSSES if follow else 0)
        if first is None or not follow:
            return first
        held, plan = self._feeders, first
        best = self._netted(plan)
        least = self._cost(first)
        while self._cost(best) > least + NOTICED * max(1.0, abs(least)) and not until.over:
            held = [_held(f, own) for f, own in zip(held, plan.columns, strict=True)]
            directed = self._settled(held, until, MOST_LOSSES)
            found = None if directed is None else self._netted(directed)
            if directed is None or found is None or self._cost(found) >= self._cost(best):
                break
            plan, best = directed, found
        if self._cost(best) <= least + NOTICED * max(1.0, abs(least)):
            return replace(best, prices=first.prices)
        return replace(best, prices=first.prices, repaired=True)

    def _settled(self, feeders: Sequence[_Feeder], until: Until, most: int) -> Joint | None:
        """Find the optimum with losses of its own plan: each from the basis of the last, so that plans stay alike."""
        members = [f.members() for f in feeders]
        coordinator = self._coordinator(members)
        found = coordinator.coordinate(self._limits, self._penalty, until)
        for _ in range(most):
            if found is None or until.over:
                break
            losses = self._losses_of(self._joint(members, found))
            if self._same(losses):
                break
            self._losses = losses
            self._limits = self._limits.beside(self._limits.shared.beside(self._added))
            found = coordinator.coordinate(self._limits, self._penalty, until)
        return None if found is None else self._joint(members, found)

    def _losses_of(self, plan: Joint) -> np.ndarray:
        """Losses under a plan by AC power flow, (feeder, step), in kW; where that finds none, as they were."""
        found = self._losses.copy()
        for k, (feeder, columns, at) in enumerate(zip(self._feeders, plan.columns, self._steps, strict=True)):
            x = feeder.program.injection @ columns + feeder.program.injection_constant
            state = feeder.ac.flow(*x.reshape(2, -1, feeder.inputs.steps))
            lost = state.p_source.sum(axis=0) - plan.taken[k]
            found[k, at] = np.where(state.converged, lost, found[k, at])
        return found

    def _same(self, losses: np.ndarray) -> bool:
        """Whether losses leave as much room as those with which the plan was found."""
        less, rated = self._rows.activity(losses - self._losses), self._rows.budget < 0
        of_budgets = np.bincount(self._rows.budget[~rated], (self._rows.weight * less)[~rated], len(self._rows.budgets))
        allowed = SAME * self._rows.scale
        return bool((less <= allowed)[rated].all() and (of_budgets <= SAME * np.maximum(self._rows.budgets, 1.0)).all())

    def _coordinator(self, members: Sequence[Members]) -> Coordinator:
        blocks = [PlacedBlocks([own.blocks[k] for own in members], self._limits.starts) for k in (0, 1)]
        given = np.concatenate([own.program.injection_constant for own in members])
        return Coordinator(blocks, given)

    def _joint(self, members: Sequence[Members], found: Coordinated) -> Joint:
        columns = []
        for k, own in enumerate(members):
            columns.append(np.zeros_like(own.program.cost))
            own.write([plans[k] for plans in found.plans], columns[-1])
        return self._with(columns, self._limits.shared.prices(found.keys, found.limit_prices))

    def _with(self, columns: list[np.ndarray], prices: SharedPrices) -> Joint:
        pairs = list(zip(self._feeders, columns, strict=True))
        cost = [elastic_cost(f.program, f.limits, f.inputs.dt, f.penalty, own) for f, own in pairs]
        return Joint(columns, cost, [taken_by(f.program, own) for f, own in pairs], prices, self._losses)

    def _netted(self, plan: Joint) -> Joint:
        columns = [netted(f.program, f.inputs, own) for f, own in zip(self._feeders, plan.columns, strict=True)]
        return self._with(columns, plan.prices)

    def _cost(self, plan: Joint) -> float:
        """Add up what plans cost, relaxations of shared rows included, in money."""
        steps = int(self._rows.step.max(initial=-1)) + 1
        taken = np.zeros((len(plan.taken), max(steps, *(int(s.max(initial=-1)) + 1 for s in self._steps))))
        for k, (own, at) in enumerate(zip(plan.taken, self._steps, strict=True)):
            taken[k, at] = own
        return sum(plan.cost) + self._rows.cost_beyond(self._rows.activity(taken) + self._added)


def _stated(feeder: PricedFeeder) -> _Feeder:
    with feeder.cut.reading() as case:
        own = feeder.at_own_prices(case)
        limits = own.limits(own.with_room(feeder.known.offsets))
        return _Feeder(own.program, own.inputs, limits, feeder.known.penalty, own.ac)


def _held(feeder: _Feeder, columns: np.ndarray) -> _Feeder:
    """Hold stores to their net direction where a plan has them work both ways; their meters keep their program."""
    program = one_way(feeder.program, feeder.inputs, columns)
    changed = program.upper != feeder.program.upper
    apart = np.zeros(feeder.inputs.kinds["meter"].count, bool) if feeder.apart is None else feeder.apart.copy()
    apart[program.owner[changed]] = True
    return replace(feeder, program=program, apart=apart)
