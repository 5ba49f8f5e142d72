"""A feeder whose exchange has a price besides its tariffs: its answers, and the schedule mixed from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import as_bytes
from dispatch.case.slices import Cut
from dispatch.model.plants import least_of
from dispatch.run.arrays import certificate_arrays, price_arrays
from dispatch.run.feeder import FeederRun, empty_run, tell
from dispatch.run.rounds import Rounds
from dispatch.run.stages import Stages
from dispatch.solve.certificate import certificate_of, certify, require
from dispatch.solve.elastic import elastic_cost
from dispatch.solve.program_proof import figures_by_program
from dispatch.solve.repair import Delivered, deliver, netted
from dispatch.solve.rounding import below_least
from dispatch.solve.solution import NOTICED
from dispatch.solve.until import Until

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from dispatch.case.offsets import Offsets
    from dispatch.model.program import Program
    from dispatch.run.rounds import Kept
    from dispatch.run.settings import Settings
    from dispatch.run.state import State
    from dispatch.solve.solution import Solution

FINER = 0.05
"""Gap of a feeder's answer, as a share of what is asked for the whole."""


@dataclass(frozen=True)
class Known:
    """What is kept of a feeder from its first schedule: the program that is asked at prices.

    Attributes
    ----------
    offsets : Offsets
        What AC adds to its limits.
    penalty : float
        Of relaxing its own limits. [money h-1]
    """

    offsets: Offsets
    penalty: float


@dataclass(frozen=True)
class Answer:
    """A feeder's plan at prices.

    Attributes
    ----------
    columns : ndarray (column,)
        Of its program.
    cost : float
        Without what its exchange costs besides; relaxations of its limits included. [money]
    bound : float
        What no plan of it costs less, exchange included. [money]
    taken : ndarray (step,)
        What it takes, without losses. [kW]
    """

    columns: np.ndarray
    cost: float
    bound: float
    taken: np.ndarray


@dataclass(frozen=True)
class Mixed:
    """A schedule mixed from plans.

    Attributes
    ----------
    run : FeederRun
        All that a result says about it.
    p, q : ndarray (step,)
        What the feeder takes by AC power flow. [kW, kvar]
    taken : ndarray (step,)
        The same without losses.
    cost, relaxed : float
        Of its program as delivered and as mixed, without what its exchange costs besides. [money]
    bound : float
        What no plan of it costs less, exchange included, from the case and the prices alone. [money]
    next : Offsets or None
        Offsets with which AC should hold; None where it does.
    """

    run: FeederRun
    p: np.ndarray
    q: np.ndarray
    taken: np.ndarray
    cost: float
    relaxed: float
    bound: float
    next: Offsets | None


def taken_by(program: Program, columns: np.ndarray) -> np.ndarray:
    """Add up what the meters of a program take in each step, (step,), in kW."""
    given, taken = (columns[program.column("meter", n)].sum(axis=0) for n in ("p_export", "p_import"))
    return np.asarray(taken - given)


def source_powers(state: State, taken: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up what sources give by AC power flow, (step,), in kW and kvar; without losses where it did not converge."""
    p_ac, q_ac = state.ac.p_source.sum(axis=0), state.ac.q_source.sum(axis=0)
    return np.where(state.ac.converged, p_ac, taken), np.where(state.ac.converged, q_ac, q)


def dearer(cut: Cut, price: np.ndarray) -> Cut:
    """Make a feeder whose import and export both cost more.

    Parameters
    ----------
    cut : Cut
        With /forecast.
    price : ndarray (time,)
        What is added to the prices. [money kW-1 h-1]
    """
    arrays, coordinates, attributes = cut.groups["/forecast"]
    changed = dict(arrays)
    for name in ("price_import", "price_export"):
        dims, values, labels = arrays[name]
        changed[name] = (dims, values.astype(np.float64) + price, labels)
    return Cut({**cut.groups, "/forecast": (changed, coordinates, attributes)})


class PricedFeeder:
    """A feeder that is asked again and again, each time from where its last answer left it.

    Parameters
    ----------
    cut : Cut
        The feeder, with /forecast.
    settings : Settings
        Choices of the run.
    known : Known
        From its first schedule.
    """

    def __init__(self, cut: Cut, settings: Settings, known: Known) -> None:
        self.cut, self.known = cut, known
        gap = max(1e-6, FINER * settings.gap)
        self.settings = replace(settings, limit_penalty=known.penalty, gap=gap, deadline_s=None, all_rows=False)
        self._kept: Kept = {}

    def _rounds(self, case: xr.DataTree, kept: Kept) -> Rounds:
        return Rounds(case, self.settings, Until(self.settings.gap), Stages(), kept)

    def answer(self, price: np.ndarray) -> Answer:
        """Plan the feeder at the least cost when each kWh that it takes costs `price` (step,) besides."""
        with dearer(self.cut, price).reading() as case:
            feeder = self._rounds(case, self._kept)
            offsets, solution = feeder.answer(self.known.offsets)
            limits, dt = feeder.limits(offsets), feeder.inputs.dt
        penalty = solution.limit_penalty
        figures = figures_by_program(feeder.program, limits, dt, penalty, solution.columns, solution.prices)
        certificate = certificate_of(figures)
        require(certificate, np.inf)
        taken = taken_by(feeder.program, solution.columns)
        besides = dt * float(np.sum(price * taken))
        return Answer(solution.columns, certificate.objective_relaxation - besides, certificate.lower_bound, taken)

    def dearer(self, price: np.ndarray) -> PricedFeeder:
        """Make the same feeder of which each kWh that it takes costs `price` (step,) besides."""
        return PricedFeeder(dearer(self.cut, price), self.settings, self.known)

    def costs(self, plans: Sequence[np.ndarray]) -> list[float]:
        """Find what plans cost in money, relaxations of the feeder's limits included."""
        with self.cut.reading() as case:
            own = self.at_own_prices(case)
            limits = own.limits(own.with_room(self.known.offsets))
        return [elastic_cost(own.program, limits, own.inputs.dt, self.known.penalty, plan) for plan in plans]

    def at_own_prices(self, case: xr.DataTree) -> Rounds:
        """State the feeder's program without any price besides."""
        own = self._rounds(case, {})
        own.restate(self.known.offsets)
        return own

    def mixed(self, columns: np.ndarray, price: np.ndarray, *, proven: bool) -> Mixed:
        """Repair and check a mix of plans.

        Parameters
        ----------
        columns : ndarray (column,)
            The mix.
        price : ndarray (step,)
            What each kWh costs besides, by which it is proven.
        proven : bool
            Whether the feeders together are as near to their bound as was asked.
        """
        with self.cut.reading() as own, dearer(self.cut, price).reading() as case:
            return self._mixed(self.at_own_prices(own), self._rounds(case, {}), columns, price, proven=proven)

    def _mixed(self, own: Rounds, feeder: Rounds, columns: np.ndarray, price: np.ndarray, *, proven: bool) -> Mixed:
        case = feeder.case
        offsets, solution = feeder.answer(self.known.offsets)
        solution = self._as_solution(feeder, offsets, solution, columns)
        least = feeder.model.least_relaxation(offsets) if solution.relaxation > 0 else None
        if below_least(feeder.program, least_of(feeder.inputs), columns):
            delivered = deliver(feeder.program, feeder.limits(offsets), feeder.inputs, solution, least)
        else:
            delivered = self._netted(feeder, offsets, solution)
            delivered = replace(delivered, relaxation=least)
        room = feeder.room.beside(self.known.offsets)
        feeder.rounds = 2  # offsets are those of an earlier schedule: from here on they only tighten
        state = feeder.under(self.known.offsets, room, solution, delivered)
        certificate = certify(case, offsets, solution.limit_penalty, solution.columns, solution.prices)
        require(certificate, np.inf)
        run = empty_run(own.case)
        tell(run, own, state, price_arrays(feeder, state))
        run.method = "shared prices"
        taken = taken_by(feeder.program, delivered.columns)
        figures = certificate_arrays(feeder, state, certificate)
        self._without(figures, feeder.inputs.dt, price, taken, taken_by(feeder.program, columns))
        run.status = "limits_unmet" if run.unmet else "optimal" if proven else "gap"
        run.groups["certificate"] = {**figures, "status": as_bytes([run.status])}
        q_given = -feeder.program.injection_constant.reshape(2, -1, feeder.inputs.steps)[1].sum(axis=0)
        p, q = source_powers(state, taken, q_given)
        costs = self.costs([delivered.columns, columns])
        after = None if state.holds else feeder.next(state)
        return Mixed(run, p, q, taken, costs[0], costs[1], certificate.lower_bound, after)

    def _as_solution(self, feeder: Rounds, offsets: Offsets, answer: Solution, columns: np.ndarray) -> Solution:
        """Give a mix the prices of an answer, and say which limits it relaxes."""
        limits = feeder.limits(offsets)
        x = feeder.program.injection @ columns + feeder.program.injection_constant
        over, amount = limits.exceeded(x)
        keys = np.unique(np.concatenate([answer.prices.keys, over]))
        slacks, prices = np.zeros(len(keys)), np.zeros(len(keys))
        slacks[np.searchsorted(keys, over)] = amount
        prices[np.searchsorted(keys, answer.prices.keys)] = answer.prices.limits
        share = slacks / limits.rating_of(keys)
        dt = feeder.inputs.dt
        return replace(
            answer, columns=columns, prices=replace(answer.prices, keys=keys, limits=prices), slacks=slacks,
            relaxation=float(dt * share[share > NOTICED].sum()),
            objective=elastic_cost(feeder.program, limits, dt, answer.limit_penalty, columns),
        )  # fmt: skip

    @staticmethod
    def _netted(feeder: Rounds, offsets: Offsets, solution: Solution) -> Delivered:
        limits = feeder.limits(offsets)
        columns = netted(feeder.program, feeder.inputs, solution.columns)
        cost = elastic_cost(feeder.program, limits, feeder.inputs.dt, solution.limit_penalty, columns)
        return Delivered(columns, cost, cost - solution.objective, solution)

    @staticmethod
    def _without(figures: dict[str, Any], dt: float, price: np.ndarray, taken: np.ndarray, mixed: np.ndarray) -> None:
        """Take what the exchange costs besides out of a feeder's figures, of its bound as of its objective."""
        besides, of_mix = (dt * float(np.sum(price * each)) for each in (taken, mixed))
        first = np.arange(np.size(figures["objective"])) == 0
        for name, value in (("objective", besides), ("lower_bound", besides), ("objective_relaxation", of_mix)):
            figures[name] = figures[name] - np.where(first, value, 0.0).reshape(np.shape(figures[name]))
        objective = np.sum(figures["objective"])
        gap = np.where(first, (objective - np.sum(figures["lower_bound"])) / max(1.0, abs(objective)), 0.0)
        figures["gap"] = gap.reshape(np.shape(figures["gap"]))
