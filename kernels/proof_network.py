"""Relaxation of a forest's limits under a plan, for its proof, by a sweep of its own; see `kernels.proof`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels._jit import bare_kernel
from kernels.store_value import at

if TYPE_CHECKING:
    from kernels.proof_meters import Behind, Exchange

NEARLY = 1.0 - 1e-9
"""Of a squared rating: flows below it are beyond nothing, those above are looked at more closely."""


class Tree(NamedTuple):
    """A forest of buses, each with the branch above it.

    Attributes
    ----------
    order, parent : ndarray of int32
        Buses parents first; the next bus towards the root, -1 at roots.
    branch : ndarray (bus,) of int32
        Number of the branch above each bus, -1 where there is none.
    gain, per_p, per_q, root : ndarray (bus,)
        As in `kernels.radial.potentials`.
    """

    order: np.ndarray
    parent: np.ndarray
    branch: np.ndarray
    gain: np.ndarray
    per_p: np.ndarray
    per_q: np.ndarray
    root: np.ndarray


class Bounds(NamedTuple):
    """Limits of voltages, and ratings of which nothing but reactive power takes a part.

    Attributes
    ----------
    shift_max, v_max, shift_min, v_min : ndarray
        As in `kernels.network_limits.relaxed_voltages`.
    offset : ndarray (branch, step)
        Taken from each rating. [kVA]
    s_nom : ndarray (branch,)
        Ratings. [kVA]
    """

    shift_max: np.ndarray
    v_max: np.ndarray
    shift_min: np.ndarray
    v_min: np.ndarray
    offset: np.ndarray
    s_nom: np.ndarray


@bare_kernel
def inject(plan: Exchange, behind: Behind, row: np.ndarray, bus: np.ndarray, p: np.ndarray, q: np.ndarray) -> None:
    """Add what all behind meters injects at the buses.

    Parameters
    ----------
    plan, behind : Exchange, Behind
        What meters do, and loads and pv.
    row, bus : ndarray (meter,) of int
        Row of each meter in the plan, and its bus.
    p, q : ndarray (bus, step)
        Changed in place. [kW, kvar]
    """
    for m in range(len(bus)):
        here, take, give = p[bus[m]], plan.take[row[m]], plan.give[row[m]]
        for t in range(len(here)):
            here[t] += give[t] - take[t]
    for e in range(len(behind.load)):
        here, taken = q[bus[behind.load[e]]], behind.q_load[e]
        for t in range(len(here)):
            here[t] -= taken[t]
    for e in range(len(behind.pv)):
        here = q[bus[behind.pv[e]]]
        for t in range(len(here)):
            here[t] += at(behind.q_pv, e, t)


@bare_kernel
def sum_towards_roots(tree: Tree, injection: np.ndarray) -> None:
    """Add what is injected at and below each bus to the bus; (bus, step), changed in place."""
    for k in range(len(tree.order) - 1, -1, -1):
        above = tree.parent[tree.order[k]]
        if above >= 0:
            here, there = injection[tree.order[k]], injection[above]
            for t in range(len(here)):
                there[t] += here[t]


@bare_kernel
def voltages_of_bus(
    v_squared: np.ndarray, shift_max: np.ndarray, v_max: float, shift_min: np.ndarray, v_min: float
) -> float:
    """Add up by how much voltages of one bus, (step,), are beyond its limits, in units of these."""
    beyond, total = 0, 0.0
    for t in range(len(v_squared)):
        beyond += 1 if v_squared[t] + shift_max[t] - v_max > 0.0 else 0
        beyond += 1 if v_min - v_squared[t] - shift_min[t] > 0.0 else 0
    if beyond > 0:
        for t in range(len(v_squared)):
            above, below = v_squared[t] + shift_max[t] - v_max, v_min - v_squared[t] - shift_min[t]
            total += above / v_max if above > 0.0 else 0.0
            total += below / v_min if below > 0.0 else 0.0
    return total


@bare_kernel
def flows_of_branch(p: np.ndarray, q: np.ndarray, offset: np.ndarray, s_nom: float) -> float:
    """Add up by how much flows of one branch, (step,), are beyond what its rating leaves, in units of the rating.

    No root is taken of flows that are well within: the apparent power says so. [kW, kvar, kVA]
    """
    beyond, total = 0, 0.0
    for t in range(len(p)):
        left = max(s_nom - offset[t], 0.0)
        beyond += 1 if p[t] * p[t] + q[t] * q[t] > NEARLY * left * left else 0
    if beyond > 0:
        for t in range(len(p)):
            left = max(s_nom - offset[t], 0.0)
            over = abs(p[t]) - np.sqrt(max(left * left - q[t] * q[t], 0.0))
            total += over / s_nom if over > 0.0 else 0.0
    return total


@bare_kernel
def relaxed_at(tree: Tree, bounds: Bounds, bus: int, p: np.ndarray, q: np.ndarray, v_squared: np.ndarray) -> float:
    """Add up by how much limits of a bus and of the branch above it are exceeded, and write its voltages."""
    above, total, here, through, beside = tree.parent[bus], 0.0, v_squared[bus], p[bus], q[bus]
    if above < 0:
        here[:] = tree.root[bus]
    else:
        branch = tree.branch[bus]
        total += flows_of_branch(through, beside, bounds.offset[branch], bounds.s_nom[branch])
        gain, per_p, per_q, there = tree.gain[bus], tree.per_p[bus], tree.per_q[bus], v_squared[above]
        for t in range(len(here)):
            here[t] = gain * there[t] + per_p * through[t] + per_q * beside[t]
    shift_max, shift_min = bounds.shift_max[bus], bounds.shift_min[bus]
    return total + voltages_of_bus(here, shift_max, bounds.v_max[bus], shift_min, bounds.v_min[bus])


@bare_kernel
def relaxed_by_sweep(tree: Tree, bounds: Bounds, p: np.ndarray, q: np.ndarray, v_squared: np.ndarray) -> float:
    """Sweep a forest and add up by how much its limits are exceeded, each in units of its rating.

    Parameters
    ----------
    tree, bounds : Tree, Bounds
        The forest and its limits.
    p, q : ndarray (bus, step)
        Injected at each bus; afterwards at and below it. [kW, kvar]
    v_squared : ndarray (bus, step)
        Written for buses of the forest; it may be `p` itself where flows are not asked for. [1]
    """
    sum_towards_roots(tree, p)
    sum_towards_roots(tree, q)
    total = 0.0
    for k in range(len(tree.order)):
        total += relaxed_at(tree, bounds, tree.order[k], p, q, v_squared)
    return total
