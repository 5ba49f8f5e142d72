"""Feeders of a utility as one program, with the rows that they share stated; see docs/formulation.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

if TYPE_CHECKING:
    from rebuild.model import Feeder
    from rebuild.program import Program


@dataclass(frozen=True)
class Rows:
    """Rows ``weight @ taken <= right`` in each step over what feeders take, losses included, and a kWh beyond them."""

    weight: np.ndarray  # (row, feeder)
    right: np.ndarray  # (row, step)
    penalty: float


@dataclass(frozen=True)
class Shared:
    """A limit that all feeders share; infinite where it limits nothing."""

    p_import_max: float = np.inf
    p_export_max: float = np.inf
    s_nom: float = np.inf
    emission_max: float = np.inf
    intensity: float = 0.0
    penalty: float = 10.0


def together(
    feeders: list[Feeder],
    losses: np.ndarray,
    q: np.ndarray,
    limit: Shared,
    *,
    one_way: bool = False,
    network: Rows | None = None,
) -> tuple[float, np.ndarray]:
    """Optimum of all feeders with the shared rows, and by how much each row of a step is relaxed, (2, step).

    With `network` there are these rows besides.

    With `one_way` no store charges in a step in which it discharges.
    """
    steps, dt = feeders[0].steps, feeders[0].dt
    programs = [f.program for f in feeders]
    starts = np.cumsum([0] + [p.columns for p in programs])
    each = _taken(feeders, starts)
    taken = sum(each[1:], each[0])
    rated = np.sqrt(np.maximum(limit.s_nom**2 - q.sum(axis=0) ** 2, 0.0)) if np.isfinite(limit.s_nom) else np.inf
    most, least = (np.minimum(np.full(steps, own), rated) for own in (limit.p_import_max, limit.p_export_max))
    lost, eye, none = losses.sum(axis=0), sp.identity(steps), sp.csr_matrix((steps, steps))
    # After the feeders' columns: what is taken and given beyond the limit, what is taken at all, emission beyond it.
    zero = sp.csr_matrix((steps, 1))
    rows = [[taken, -eye, none, none, zero], [-taken, none, -eye, none, zero], [taken, none, none, -eye, zero]]
    bounds = [most - lost, least + lost, -lost]
    emission = sp.csr_matrix(np.full((1, steps), dt * limit.intensity))
    empty = sp.csr_matrix((1, int(starts[-1])))
    rows.append([empty, sp.csr_matrix((1, steps)), sp.csr_matrix((1, steps)), emission, sp.csr_matrix([[-1.0]])])
    bounds.append(np.array([limit.emission_max]))
    shared, right = sp.csr_matrix(sp.bmat(rows)), np.concatenate(bounds)
    stated = np.isfinite(right)
    own = sp.block_diag([p.matrix() for p in programs], format="csr")
    low, high = (np.concatenate([np.concatenate(getattr(p, f"row_{n}")) for p in programs]) for n in ("lower", "upper"))
    equal = low == high
    below, above = ~equal & np.isfinite(high), ~equal & np.isfinite(low)
    matrix = sp.csr_matrix(sp.hstack([own, sp.csr_matrix((own.shape[0], 3 * steps + 1))]))
    per_kw = np.full(steps, dt * limit.penalty)
    cost = [*(np.concatenate(p.cost) for p in programs), per_kw, per_kw, np.zeros(steps), [limit.penalty]]
    columns = [*(np.concatenate(p.lower) for p in programs), np.zeros(3 * steps + 1)]
    tops = [*(np.concatenate(p.upper) for p in programs), np.full(3 * steps + 1, np.inf)]
    upper = sp.vstack([matrix[below], -matrix[above], shared[stated]])
    right = np.concatenate([high[below], -low[above], right[stated]])
    if network is not None:
        count = len(network.weight) * steps
        upper, matrix = (sp.csr_matrix(sp.hstack([m, sp.csr_matrix((m.shape[0], count))])) for m in (upper, matrix))
        upper = sp.vstack([upper, _of_network(network, each, 3 * steps + 1)])
        right = np.concatenate([right, (network.right - network.weight @ losses).ravel()])
        cost.append(np.full(count, dt * network.penalty))
        columns.append(np.zeros(count))
        tops.append(np.full(count, np.inf))
    limits = np.column_stack([np.concatenate(columns), np.concatenate(tops)])
    equations, values, costs = matrix[equal], low[equal], np.concatenate(cost)
    whole = np.zeros(len(costs))
    if one_way:
        pairs, own = _pairs(programs, starts, len(costs), limits[:, 1])
        upper, equations = (
            sp.hstack([upper, sp.csr_matrix((len(right), own))]),
            sp.hstack([equations, sp.csr_matrix((len(values), own))]),
        )
        upper = sp.vstack([upper, pairs])
        right = np.concatenate([right, np.zeros(own), np.asarray(pairs[own:, len(costs) :].sum(axis=1)).ravel()])
        costs, whole = np.append(costs, np.zeros(own)), np.append(whole, np.ones(own))
        limits = np.vstack([limits, np.tile([0.0, 1.0], (own, 1))])
    found = linprog(
        costs, A_ub=sp.csr_matrix(upper), b_ub=right, A_eq=sp.csr_matrix(equations), b_eq=values, bounds=limits,
        method="highs", integrality=whole,
    )  # fmt: skip
    if found.status != 0:
        raise ArithmeticError(found.message)
    return float(found.fun), found.x[starts[-1] : starts[-1] + 2 * steps].reshape(2, steps)


def _taken(feeders: list[Feeder], starts: np.ndarray) -> list[sp.lil_matrix]:
    """What each feeder takes in each step, over the columns of all."""
    found = []
    for feeder, start in zip(feeders, starts, strict=False):
        found.append(sp.lil_matrix((feeder.steps, int(starts[-1]))))
        for (name, _), columns in feeder.program.named.items():
            if name in {"p_import", "p_export"}:
                found[-1][np.arange(feeder.steps), start + columns] = 1.0 if name == "p_import" else -1.0
    return found


def _of_network(network: Rows, taken: list[sp.lil_matrix], between: int) -> sp.csr_matrix:
    """Rows of a network over what each feeder takes, then other columns, then how far each is relaxed."""
    rows = sp.vstack([sum((w * t for w, t in zip(own, taken, strict=True)), 0 * taken[0]) for own in network.weight])
    return sp.csr_matrix(sp.hstack([rows, sp.csr_matrix((rows.shape[0], between)), -sp.identity(rows.shape[0])]))


def _pairs(programs: list[Program], starts: np.ndarray, count: int, tops: np.ndarray) -> tuple[sp.csr_matrix, int]:
    """Rows ``charge <= most * z`` and ``discharge <= most * (1 - z)``, a column z for each store and step."""
    charge, discharge = [], []
    for program, start in zip(programs, starts, strict=False):
        for (name, k), columns in program.named.items():
            if name == "p_charge" and ("p_discharge", k) in program.named:
                charge += (start + columns).tolist()
                discharge += (start + program.named["p_discharge", k]).tolist()
    own = len(charge)
    found = sp.lil_matrix((2 * own, count + own))
    for k, (into, out_of) in enumerate(zip(charge, discharge, strict=True)):
        found[k, into], found[k, count + k] = 1.0, -tops[into]
        found[own + k, out_of], found[own + k, count + k] = 1.0, tops[out_of]
    return sp.csr_matrix(found), own
