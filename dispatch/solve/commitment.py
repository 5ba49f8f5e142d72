"""What engines and upgrading run in which step, chosen by small integer programs and the prices of everything else.

With ``x`` the columns that choices are joined to by rows of the program, ``u`` the choice itself and ``y = B x`` what
those columns give to the network, the whole is

    min c x + R(y),      x in X(u),   u in {0, 1},

where ``R(y)`` is what all others cost at best beside it, relaxed limits included: convex, since that is a linear
program. An integer program over ``x`` and ``u`` alone sees it from below, by one tangent for each choice tried [1]_:

    R(y) >= R(y') + w (y - y'),      w = Σ over limits of their price times what a unit injected adds to them.

Its bound is one of the whole. The linear program that holds its choice gives a plan and the next tangent, at which that
choice costs what it does; so no choice is tried twice, and where no limit has a price the first one is the best.
Where a choice makes limits be relaxed at their penalties ``p_i``, what ``x`` alone makes unavoidable is seen at once:

    R(y) >= R* + Σ p_i max(a_i y + m_i - b_i, 0),

with ``R*`` what all others cost without limits and ``m_i`` the least that they can use of limit ``i``.

References
----------
.. [1] A. M. Geoffrion, *Generalized Benders decomposition*, 1972, :doi:`10.1007/BF00934810`.
"""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.errors import SolverError
from dispatch.solve.apart import parts_of
from dispatch.solve.coordinate import price_of
from dispatch.solve.highs_integer import IntegerProgram, best_choice
from dispatch.solve.others import Others
from dispatch.solve.rounding import held, limited
from dispatch.solve.scaling import SMALLEST
from dispatch.solve.solution import NOTICED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatch.model.program import Program
    from dispatch.solve.highs_integer import Choice
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.monolithic import Monolithic
    from dispatch.solve.solution import Solution
    from dispatch.solve.until import Until

MOST_CHOICES = 12
"""Choices that are tried."""
NODES = 300
"""Nodes of each search: nearly all that can be gained is found at the root, and proving the rest takes far longer (the
embedded plant with a minimum of 0.6: 0.06 % after 2 s, 0.04 % after 40)."""
HALF = 0.5
EXACT = 1e-9
"""A best choice that costs no more than the integer program expects, relative to 1 or itself, ends the search."""


class Commitment:
    """The integer program of one feeder and its tangents.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    least : mapping of str to ndarray (element,)
        Minimum by kind, see `dispatch.model.plants.least_of`; at least one above 0.
    """

    def __init__(self, program: Program, least: Mapping[str, np.ndarray]) -> None:
        self._program, self._parts = program, list(limited(program, least))
        part = parts_of(sp.csc_matrix(program.matrix))[1]
        own = np.nonzero(np.isin(part, np.concatenate([part[c[low > 0]].ravel() for _, c, low in self._parts])))[0]
        self._own, self._injection = own, sp.csr_matrix(program.injection)[:, own]
        self._tangents: list[tuple[np.ndarray, float]] = []
        self._floors: dict[bytes, tuple[np.ndarray, float, float]] = {}
        self._others: Others | None = None
        self._alone = self._without_others()

    def _without_others(self) -> IntegerProgram:
        """State own columns, whether they run, and their rows."""
        program, own = self._program, self._own
        matrix = sp.csr_matrix(program.matrix)[:, own]
        rows = np.nonzero(np.diff(matrix.indptr))[0]
        running = np.searchsorted(own, np.concatenate([column[low > 0].ravel() for _, column, low in self._parts]))
        low = np.concatenate([np.repeat(low[low > 0], column.shape[1]) for _, column, low in self._parts])
        width, count = len(own), len(running)
        pick = sp.csr_matrix((np.ones(count), (np.arange(count), running)), shape=(count, width))
        most, endless = sp.diags(program.upper[own][running]), np.full(count, np.inf)
        parts = [
            sp.hstack([matrix[rows], sp.csr_matrix((len(rows), count))]),
            sp.hstack([pick, -sp.diags(low)]),
            sp.hstack([pick, -most]),
        ]
        return IntegerProgram(
            sp.csr_matrix(sp.vstack(parts)),
            np.concatenate([program.row_lower[rows], np.zeros(count), -endless]),
            np.concatenate([program.row_upper[rows], endless, np.zeros(count)]),
            np.concatenate([program.lower[own], np.zeros(count)]),
            np.concatenate([program.upper[own], np.ones(count)]),
            np.concatenate([program.cost[own], np.zeros(count)]),
            width + np.arange(count),
        )

    def learn(self, solution: Solution, limits: RadialLimits, dt: float) -> None:
        """Add the tangent at an optimum under some choice, or under none.

        Parameters
        ----------
        solution : Solution
            Of a program that differs in bounds of the own columns at most.
        limits : RadialLimits
            Of the electric network, as they were in it.
        dt : float
            Length of a step. [h]
        """
        program, own = self._program, solution.columns[self._own]
        price = price_of(limits, solution.prices.keys, dt * solution.prices.limits)
        slope = np.asarray(self._injection.T @ price)
        slope[np.abs(slope) <= SMALLEST] = 0.0
        others = solution.objective - program.constant - float(np.sum(program.cost[self._own] * own))
        self._tangents.append((slope, others - float(np.sum(slope * own))))

    def learn_relaxed(self, solution: Solution, limits: RadialLimits, dt: float, until: Until) -> None:
        """Add what relaxes limits whatever all others do: of each kind of limit and step, the one relaxed most.

        Parameters
        ----------
        solution, limits, dt
            See `learn`.
        until : Until
            When to give up.
        """
        keys, share = solution.prices.keys, solution.slacks / limits.rating_of(solution.prices.keys)
        order = np.lexsort((-share, keys["step"], keys["kind"]))
        first = np.unique(keys[order][["kind", "step"]], return_index=True)[1]
        worst = np.sort(order[first])
        new = [k for k in worst[share[worst] > NOTICED].tolist() if keys[k].tobytes() not in self._floors]
        if not new:
            return
        rows = limits.rows(keys[new])
        self._others = self._others or Others(self._program, self._own, until)
        use = self._others.least_use(rows)
        slopes = sp.csr_matrix(rows.matrix @ self._injection).toarray()
        price = dt * solution.limit_penalty / rows.rating
        for k in np.nonzero(np.isfinite(use))[0].tolist():
            self._floors[keys[new[k]].tobytes()] = slopes[k], float(rows.bound[k] - use[k]), float(price[k])

    def choose(self, gap: float, until: Until, start: np.ndarray | None) -> tuple[np.ndarray, Choice]:
        """Solve the integer program as it is known so far.

        Parameters
        ----------
        gap : float
            That is small enough. [money]
        until : Until
            When to give up.
        start : ndarray (integer,), optional
            A choice to start from.

        Returns
        -------
        ndarray (integer,)
            1 where it runs, else 0.
        Choice
            With objective and bound of the whole feeder.
        """
        found = best_choice(self._with_others(), gap=gap, nodes=NODES, until=until, start=start)
        on = np.where(found.columns[self._alone.integers] > HALF, 1.0, 0.0)
        fixed = self._program.constant
        return on, replace(found, objective=found.objective + fixed, bound=found.bound + fixed)

    def _with_others(self) -> IntegerProgram:
        """Add what all others cost, and by how much limits are relaxed, to the own columns."""
        alone, width = self._alone, len(self._own)
        of_others = len(alone.cost)
        tangents, floors = len(self._tangents), len(self._floors)
        matrix, bound = np.zeros((tangents + floors + (floors > 0), of_others + 1 + floors)), []
        for row, (slope, at) in enumerate(self._tangents):
            matrix[row, :width], matrix[row, of_others] = slope, -1.0
            bound.append(-at)
        for floor, (slope, left, price) in enumerate(self._floors.values()):
            row, relaxed = tangents + floor, of_others + 1 + floor
            matrix[row, :width], matrix[row, relaxed] = slope, -1.0
            matrix[-1, relaxed] = price
            bound.append(left)
        if self._others is not None and floors:
            matrix[-1, of_others] = -1.0
            bound.append(-self._others.least_cost)
        more, none = np.zeros(1 + floors), sp.csr_matrix((len(alone.row_lower), 1 + floors))
        return IntegerProgram(
            sp.csr_matrix(sp.vstack([sp.hstack([alone.matrix, none]), sp.csr_matrix(matrix)])),
            np.concatenate([alone.row_lower, np.full(len(bound), -np.inf)]),
            np.concatenate([alone.row_upper, bound]),
            np.concatenate([alone.lower, [-np.inf], more[1:]]),
            np.concatenate([alone.upper, more + np.inf]),
            np.concatenate([alone.cost, [1.0], more[1:]]),
            alone.integers,
        )

    def by_kind(self, on: np.ndarray) -> dict[str, np.ndarray]:
        """Write a choice as (element, step) by kind, NaN where there is no minimum."""
        found, first = {}, 0
        for kind, column, low in self._parts:
            found[kind], limited_ones = np.full(column.shape, np.nan), column[low > 0]
            found[kind][low > 0] = on[first : first + limited_ones.size].reshape(limited_ones.shape)
            first += limited_ones.size
        return found


def best_commitment(
    model: Monolithic,
    program: Program,
    limits: RadialLimits,
    least: Mapping[str, np.ndarray],
    relaxed: Solution,
    until: Until,
) -> tuple[dict[str, np.ndarray], float]:
    """Choose what runs in which step.

    Parameters
    ----------
    model : Monolithic
        Of the program without any choice made.
    program : Program
        The same without the network, with the cost of its own slacks at the penalty of `relaxed`.
    limits : RadialLimits
        Of the electric network.
    least : mapping of str to ndarray (element,)
        Minimum by kind.
    relaxed : Solution
        The optimum of that model; limits are relaxed at its penalty.
    until : Until
        Gap at which to stop, and when it must end.

    Returns
    -------
    on : dict of str to ndarray (element, step)
        1 where it runs, 0 where it does not, NaN where there is no minimum.
    bound : float
        No choice costs less. [money]

    Raises
    ------
    SolverError
        If no choice is possible.
    TimeUp
        If time or nodes are used up before there is one.
    """
    problem, solution, penalty = Commitment(program, least), relaxed, relaxed.limit_penalty
    cost, tried = np.inf, set[bytes]()
    best: np.ndarray | None = None
    bound, gap = relaxed.objective, until.gap * max(1.0, abs(relaxed.objective))
    for _ in range(MOST_CHOICES):
        problem.learn(solution, limits, model.dt)
        try:
            problem.learn_relaxed(solution, limits, model.dt, until)
            on, choice = problem.choose(HALF * gap, until, best)
            bound = max(bound, choice.bound)
            best = on if best is None else best
            if on.tobytes() in tried:
                break
            model = model.with_bounds(held(program, least, problem.by_kind(on)), penalty)
            solution = model.solve(limits.offsets, penalty, until)
        except SolverError:  # time is up, or a choice leaves nothing to a tolerance
            if best is None:
                raise
            break
        if until.over:
            break
        tried.add(on.tobytes())
        cost, best = min((cost, best), (solution.objective, on), key=itemgetter(0))
        # What tangents could still teach is within what is asked for, or no more than what the search left open.
        least_taught = max(EXACT * max(1.0, abs(cost)), choice.objective - choice.bound)
        if cost - bound <= gap or cost - choice.objective <= least_taught:
            break
    assert best is not None
    return problem.by_kind(best), bound
