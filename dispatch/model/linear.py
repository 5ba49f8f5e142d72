"""The linear power flow of docs/formulation.md: tree sweeps, and a small dense system for the few closed loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.network_limits import leave_active
from kernels.radial import branch_flows, flow_towards, forest_state, potentials

if TYPE_CHECKING:
    from dispatch.case.network import Network


@dataclass(frozen=True)
class LinearFlow:
    """State of the network under given injections, losses left out.

    Attributes
    ----------
    v_squared : ndarray (bus, time)
        Squared voltage magnitude; NaN at isolated buses. [1]
    p, q : ndarray (branch, time)
        Flow at `bus_from`, positive towards `bus_to`; 0 in branches out of service. [kW, kvar]
    """

    v_squared: np.ndarray
    p: np.ndarray
    q: np.ndarray


@dataclass(frozen=True)
class Forest:
    """Coefficients of the branch above each bus; everything is 0 at roots and isolated buses.

    Attributes
    ----------
    gain, per_p, per_q : ndarray (bus,)
        ``V = gain * V_parent - per_p * P - per_q * Q`` with the flow P, Q away from the root. [1, kW-1, kvar-1]
    angle_gain, angle_per_p, angle_per_q : ndarray (bus,)
        The same of the angle. [1, kW-1, kvar-1]
    sign : ndarray (bus,)
        1 where the branch points away from the root, -1 where it points towards it.
    root_v : ndarray (bus,)
        Squared voltage held at roots. [1]
    """

    gain: np.ndarray
    per_p: np.ndarray
    per_q: np.ndarray
    angle_gain: np.ndarray
    angle_per_p: np.ndarray
    angle_per_q: np.ndarray
    sign: np.ndarray
    root_v: np.ndarray


def forest_of(network: Network) -> Forest:
    """Resolve direction and ratio of the branch above each bus, once for a network."""
    return network.once(_forest_of)


def _forest_of(network: Network) -> Forest:
    above = network.parent_branch
    inner = above >= 0
    branch = np.where(inner, above, 0)
    if not network.branches:
        zero = np.zeros(network.buses)
        return Forest(zero, zero, zero, zero, zero, zero, zero, _root_v(network))
    away = network.branch_from[branch] == network.parent
    squared = network.ratio[branch] ** 2
    gain = np.where(away, 1 / squared, squared) * inner
    scale = np.where(away, 1 / squared, 1.0) * inner
    r, x = network.r[branch], network.x[branch]
    sign = np.where(away, 1.0, -1.0) * inner
    return Forest(gain, 2 * r * scale, 2 * x * scale, 1.0 * inner, x * inner, -r * inner, sign, _root_v(network))


def _root_v(network: Network) -> np.ndarray:
    root = np.zeros(network.buses)
    root[network.source_bus] = network.source_v_pu**2
    return root


@dataclass(frozen=True)
class Loops:
    """The equations of closed loops: ``matrix @ (p_chord, q_chord) = -gap`` of the tree without chords.

    Attributes
    ----------
    start, stop : ndarray (loop,) of int32
        Buses at both ends of each chord.
    ratio_squared : ndarray (loop,)
        Of each chord. [1]
    matrix : ndarray (2 loop, 2 loop)
        Gap of each equation (drops, then angles) per unit of each chord's p, then q. [kW-1]
    inverse : ndarray (2 loop, 2 loop)
        Of `matrix`; with few loops quicker than LU factors, whose LAPACK call takes milliseconds for a 2 x 2 matrix
        where cores are busy. [kW]
    """

    start: np.ndarray
    stop: np.ndarray
    ratio_squared: np.ndarray
    matrix: np.ndarray
    inverse: np.ndarray

    def gap(self, v_squared: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """State what the drop and angle equations of the chords lack without flow in the chords, (2 loop, column)."""
        drop = self.ratio_squared[:, None] * v_squared[self.stop] - v_squared[self.start]
        return np.concatenate([drop, angle[self.stop] - angle[self.start]])

    def solve(self, gap: np.ndarray) -> np.ndarray:
        """Chord flows p, then q, that close the gaps, (2 loop, column)."""
        flow = self.inverse @ gap
        return np.asarray(-(flow + self.inverse @ (gap - self.matrix @ flow)))


def loops_of(network: Network) -> Loops | None:
    """Equations of the network's closed loops, made once, or None where it has none."""
    return network.once(_loops_of)


def _loops_of(network: Network) -> Loops | None:
    chords, forest = network.chords, forest_of(network)
    count = len(chords)
    if not count:
        return None
    start, stop = network.branch_from[chords], network.branch_to[chords]
    ratio_squared = network.ratio[chords] ** 2
    unit = np.zeros((network.buses, count))
    every = np.arange(count)
    unit[start, every] -= 1.0
    unit[stop, every] += 1.0
    none, still = np.zeros_like(unit), np.zeros(network.buses)
    bare = Loops(start, stop, ratio_squared, np.zeros((0, 0)), np.zeros((0, 0)))
    r, x = np.diag(network.r[chords]), np.diag(network.x[chords])
    of_p = bare.gap(*_tree(network, forest, unit, none, still)[:2]) + np.concatenate([2 * r, x])
    of_q = bare.gap(*_tree(network, forest, none, unit, still)[:2]) + np.concatenate([2 * x, -r])
    matrix = np.hstack([of_p, of_q])
    return Loops(start, stop, ratio_squared, matrix, np.linalg.inv(matrix))


def _tree(
    network: Network, forest: Forest, p: np.ndarray, q: np.ndarray, root_v: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Squared voltage, angle and flows above each bus of the forest alone."""
    order, parent = network.order, network.parent
    take_p, take_q = flow_towards(order, parent, p), flow_towards(order, parent, q)
    v_squared = potentials(order, parent, forest.gain, forest.per_p, forest.per_q, take_p, take_q, root_v)
    still = np.zeros(network.buses)
    angle = potentials(order, parent, forest.angle_gain, forest.angle_per_p, forest.angle_per_q, take_p, take_q, still)
    return v_squared, angle, take_p, take_q


def linear_flow(network: Network, p: np.ndarray, q: np.ndarray) -> LinearFlow:
    """Solve the linear power flow, closed loops included.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    p, q : ndarray (bus, time)
        Net injections, positive into the network; what isolated buses inject is ignored. [kW, kvar]

    Returns
    -------
    LinearFlow
        Exact solution of the balance, drop, angle and source rows.
    """
    forest, loops = forest_of(network), loops_of(network)
    p, q = np.ascontiguousarray(p, np.float64), np.ascontiguousarray(q, np.float64)
    order, parent = network.order, network.parent
    flow_p, flow_q = np.zeros((network.branches, p.shape[1])), np.zeros((network.branches, p.shape[1]))
    if loops is not None:
        v_squared, angle, _, _ = _tree(network, forest, p, q, forest.root_v)
        through = loops.solve(loops.gap(v_squared, angle))
        count = len(network.chords)
        flow_p[network.chords], flow_q[network.chords] = through[:count], through[count:]
        p, q = p.copy(), q.copy()
        for injection, chord in ((p, through[:count]), (q, through[count:])):
            np.subtract.at(injection, loops.start, chord)
            np.add.at(injection, loops.stop, chord)
    of_branches = (forest.sign, forest.gain, forest.per_p, forest.per_q, forest.root_v)
    v_squared = forest_state(order, parent, network.parent_branch, *of_branches, p, q, flow_p, flow_q)
    return LinearFlow(v_squared, flow_p, flow_q)


def reactive_flow(network: Network, q: np.ndarray) -> np.ndarray:
    """Reactive flow at `bus_from` of each branch that `linear_flow` finds without active injections.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    q : ndarray (bus, time)
        Net reactive injections. [kvar]

    Returns
    -------
    ndarray (branch, time)
        [kvar]
    """
    if len(network.chords):  # in a loop the ways share active and reactive power by both resistance and reactance
        return linear_flow(network, np.zeros_like(q), q).q
    flow = np.zeros((network.branches, q.shape[1]))
    taken = flow_towards(network.order, network.parent, np.array(q, np.float64))
    branch_flows(network.parent_branch, forest_of(network).sign, taken, flow)
    return flow


def p_limit(network: Network, q: np.ndarray, offset_s: np.ndarray) -> np.ndarray:
    """Active power that the rating of each branch leaves, either way.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    q : ndarray (bus, time)
        Net reactive injections, all of them given. [kvar]
    offset_s : ndarray (branch, time)
        Taken from each rating. [kVA]

    Returns
    -------
    ndarray (branch, time)
        0 where reactive power alone, or the offset, takes the whole rating. [kW]
    """
    return rating_left(network.s_nom, reactive_flow(network, q), offset_s)


def rating_left(s_nom: np.ndarray, q: np.ndarray, offset_s: np.ndarray) -> np.ndarray:
    """Active power that ratings leave beside reactive power.

    Parameters
    ----------
    s_nom : ndarray (branch,)
        Ratings. [kVA]
    q : ndarray (branch, time)
        Reactive power through each branch. [kvar]
    offset_s : ndarray (branch, time)
        Taken from each rating. [kVA]

    Returns
    -------
    ndarray (branch, time)
        [kW]
    """
    left = np.empty(q.shape)
    leave_active(s_nom, q, offset_s, left)
    return left
