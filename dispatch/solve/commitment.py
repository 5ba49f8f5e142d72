"""Engines and upgrading that run at their minimum or not at all: a repair by rounding, and an integer program."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from dispatch.errors import SolverError, TimeUp
from dispatch.solve.engines import MOST_ROUNDS, MOST_ROWS, TOLERANCE
from dispatch.solve.protocols import KEY
from dispatch.solve.scaling import row_scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.until import Until

COLUMN = {"chp": "p_chp", "upgrader": "flow_raw"}
"""What has a minimum."""
NOTICED = 1e-7
"""Parts of a minimum that are rounding."""

HALF = 0.5
WAYS = ("carried", "nearest", "off", "on")
FOREVER = 1e9  # s


def below_least(program: Program, least: Mapping[str, np.ndarray], plan: np.ndarray) -> bool:
    """Tell whether something runs below its minimum."""
    return any(bool(_between(plan[column], low).any()) for _, column, low in _limited(program, least))


def _limited(program: Program, least: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Kind, columns (element, step) and minimum of what has one."""
    known = {(span.component, span.name) for span in program.columns}
    for kind, name in COLUMN.items():
        if (kind, name) in known and least[kind].any():
            yield kind, program.column(kind, name), least[kind]


def _between(value: np.ndarray, low: np.ndarray) -> np.ndarray:
    return np.asarray((value > NOTICED * low[:, None]) & (value < (1 - NOTICED) * low[:, None]))


def roundings(program: Program, least: Mapping[str, np.ndarray], plan: np.ndarray) -> Iterator[Program]:
    """Programs in which everything that has a minimum is held to run or not, in four ways.

    In the first it runs in a step as soon as what the plan gives it in steps below its minimum adds up to the minimum:
    then no more gas is needed up to any step than in the plan. In the second it runs where the plan gives it
    half of its minimum, in the third it stands still, in the fourth it runs in every such step.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    least : mapping of str to ndarray (element,)
        Minimum by kind, see `dispatch.model.plants.least_of`.
    plan : ndarray (column,)
        In which something runs below its minimum.

    Yields
    ------
    Program
        The same but for bounds.
    """
    for way in WAYS:
        lower, upper = program.lower.copy(), program.upper.copy()
        for _, column, low in _limited(program, least):
            for e in np.nonzero(low > 0)[0].tolist():
                runs = _runs(plan[column[e]], float(low[e]), way)
                lower[column[e, runs]] = np.minimum(low[e], upper[column[e, runs]])
                upper[column[e, ~runs]] = 0.0
        yield replace(program, lower=lower, upper=upper)


def _runs(value: np.ndarray, low: float, way: str) -> np.ndarray:
    """In which steps it runs."""
    runs = value >= (1 - NOTICED) * low
    carried = 0.0
    for t in np.nonzero(_between(value[None], np.array([low]))[0])[0].tolist():
        carried += float(value[t])
        enough = {"carried": carried >= (1 - NOTICED) * low, "nearest": value[t] >= HALF * low, "on": True}
        runs[t] = enough.get(way, False)
        carried -= low if runs[t] else 0.0
    return np.asarray(runs)


def best_commitment(
    program: Program,
    limits: RadialLimits,
    least: Mapping[str, np.ndarray],
    keys: np.ndarray,
    penalty: float,
    until: Until,
) -> tuple[dict[str, np.ndarray], float]:
    """Choose what runs in which step by an integer program; violated limits are stated until none is.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    limits : RadialLimits
        Of the electric network.
    least : mapping of str to ndarray (element,)
        Minimum by kind.
    keys : ndarray (limit,) of KEY
        Limits to start with.
    penalty : float
        Of relaxing a limit by its own rating in a step. [money]
    until : Until
        Gap at which the solver may stop, and when it must.

    Returns
    -------
    on : dict of str to ndarray (element, step)
        1 where it runs, 0 where it does not, NaN where there is no minimum.
    bound : float
        No choice costs less, by the solver. [money]

    Raises
    ------
    SolverError
        If no optimum is found.
    TimeUp
        If it is time to give up.
    """
    parts = list(_limited(program, least))
    for _ in range(MOST_ROUNDS):
        plan, runs, bound = _solve(program, limits, parts, keys, penalty, until)
        violated = limits.violated(program.injection @ plan + program.injection_constant, TOLERANCE, MOST_ROWS, keys)
        if not len(violated):
            on = {kind: np.full(column.shape, np.nan) for kind, column, _ in parts}
            for (kind, _, low), own in zip(parts, runs, strict=True):
                on[kind][low > 0] = own
            return on, bound + program.constant
        keys = np.concatenate([keys, violated]).astype(KEY)
    raise SolverError(f"Limits were still violated after {MOST_ROUNDS} integer programs.")


def _solve(
    program: Program,
    limits: RadialLimits,
    parts: list[tuple[str, np.ndarray, np.ndarray]],
    keys: np.ndarray,
    penalty: float,
    until: Until,
) -> tuple[np.ndarray, list[np.ndarray], float]:
    """One integer program: the program's columns, what runs, and the slacks of limits."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  (most runs have nothing to commit)

    width, stated = len(program.cost), limits.rows(keys)
    chosen = [(column[low > 0], low[low > 0]) for _, column, low in parts]
    running = np.concatenate([column.ravel() for column, _ in chosen])
    low = np.concatenate([np.repeat(low, column.shape[1]) for column, low in chosen])
    count, slacks = len(running), len(keys)
    pick = sp.csr_matrix((np.ones(count), (np.arange(count), running)), shape=(count, width))
    over = sp.csr_matrix(stated.matrix @ program.injection)
    of = {"least": -sp.diags(low), "most": -sp.diags(program.upper[running])}
    blank, none = sp.csr_matrix((count, slacks)), sp.csr_matrix((len(program.row_lower), count + slacks))
    rows = [
        sp.hstack([program.matrix, none]),
        *(sp.hstack([pick, share, blank]) for share in of.values()),
        sp.hstack([over, sp.csr_matrix((slacks, count)), -sp.eye(slacks)]),
    ]
    matrix = sp.csr_matrix(sp.vstack(rows))
    fixed = stated.matrix @ program.injection_constant
    lower = np.concatenate([program.row_lower, np.zeros(count), np.full(count + slacks, -np.inf)])
    upper = np.concatenate([program.row_upper, np.full(count, np.inf), np.zeros(count), stated.bound - fixed])
    scale = row_scale(matrix)
    cost = np.concatenate([program.cost, np.zeros(count), penalty / stated.rating])
    bounds = Bounds(
        np.concatenate([program.lower, np.zeros(count + slacks)]),
        np.concatenate([program.upper, np.ones(count), np.full(slacks, np.inf)]),
    )
    integers = np.concatenate([np.zeros(width), np.ones(count), np.zeros(slacks)])
    constraints = LinearConstraint(sp.diags(scale) @ matrix, lower * scale, upper * scale)
    options: Any = {"mip_rel_gap": until.gap, "time_limit": min(until.left, FOREVER)}
    found = milp(cost, integrality=integers, bounds=bounds, constraints=constraints, options=options)
    if found.x is None:
        if until.over:
            raise TimeUp("Time is up.")
        raise SolverError(f"The integer program has no solution: {found.message}")
    on, runs, first = found.x[width : width + count] > 0.5, [], 0
    for column, _ in chosen:
        runs.append(on[first : first + column.size].reshape(column.shape).astype(float))
        first += column.size
    return found.x[:width], runs, float(found.mip_dual_bound)
