"""Steady isothermal flow of gas: friction, pressures along a forest, and the flows around its loops.

Pressures are absolute and squared (bar2), flows are normal cubic metres per hour, positive from the parent to the
junction in the forest and from `pipe_from` to `pipe_to` in a pipe. A pipe with flow Q has
``p_from^2 - p_to^2 = K (friction factor * per_friction + per_loss) Q |Q|``, where K is the compressibility factor at
its mean pressure ``2/3 (p1^3 - p2^3) / (p1^2 - p2^2)``. Heights are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import kernel

NIKURADSE, COLEBROOK = 0, 1
LEAST_REYNOLDS = 1e-9
LEAST_PRESSURE = 1e-3
MOST_OUTER = 60


class Pipes(NamedTuple):
    """Pipes as arrays (pipe,), made by `dispatch.verify.gas`.

    Attributes
    ----------
    per_friction, per_loss : ndarray (pipe,)
        Drop of squared pressure for a friction factor of 1, and by loss coefficients. [bar2 h2 m-6]
    per_reynolds : ndarray (pipe,)
        Reynolds number for a flow of 1. [h m-3]
    wall : ndarray (pipe,)
        Roughness over inner diameter. [1]
    given : ndarray (pipe,)
        Friction factor that holds whatever flows; NaN: by the law. [1]
    """

    per_friction: np.ndarray
    per_loss: np.ndarray
    per_reynolds: np.ndarray
    wall: np.ndarray
    given: np.ndarray


class Forest(NamedTuple):
    """Junctions as arrays: see `dispatch.case.gas_network.GasNetwork`.

    Attributes
    ----------
    order, parent, pipe : ndarray of int32
        Junctions parents first, their parents, and the pipe to the parent (-1: the pressure is held here).
    forward : ndarray (junction,)
        1 where that pipe points from the parent to the junction, -1 otherwise.
    chords, chord_from, chord_to : ndarray (loop,) of int32
        Pipes outside the forest and the junctions at their ends.
    """

    order: np.ndarray
    parent: np.ndarray
    pipe: np.ndarray
    forward: np.ndarray
    chords: np.ndarray
    chord_from: np.ndarray
    chord_to: np.ndarray


@kernel
def colebrook_white(reynolds: float, wall: float) -> float:
    """Turbulent friction factor of Prandtl, Colebrook and White.

    Parameters
    ----------
    reynolds : float
        Reynolds number, above 0. [1]
    wall : float
        Roughness over diameter. [1]

    Returns
    -------
    float
        [1]

    References
    ----------
    .. [1] :doi:`10.1680/ijoti.1939.13150`
    """
    y = 8.0  # 1 / sqrt(friction factor); y + 2 log10(2.51 y / Re + wall / 3.71) rises and is concave: Newton converges
    for _ in range(50):
        inner = 2.51 * y / reynolds + wall / 3.71
        step = (y + 2.0 * np.log10(inner)) / (1.0 + 2.0 * 2.51 / (reynolds * inner * np.log(10.0)))
        y = max(y - step, 0.1 * y)
        if abs(step) <= 1e-13 * y:
            break
    return float(1.0 / (y * y))


@kernel
def friction_factor(reynolds: float, wall: float, law: int) -> float:
    """Darcy friction factor of a pipe.

    Parameters
    ----------
    reynolds : float
        Reynolds number. [1]
    wall : float
        Roughness over diameter. [1]
    law : int
        0: ``64 / Re + 1 / (2 log10(1 / wall) + 1.14)^2`` (Nikuradse's rough wall plus the laminar part); 1: the larger
        of ``64 / Re`` and Colebrook-White.

    Returns
    -------
    float
        [1]; at no flow that of a Reynolds number of 1e-9.
    """
    re = max(reynolds, LEAST_REYNOLDS)
    factor: float = 64.0 / re
    if law == COLEBROOK:
        factor = max(factor, colebrook_white(re, wall)) if re > 10.0 else factor
    elif wall > 0.0:
        factor += 1.0 / (2.0 * np.log10(1.0 / wall) + 1.14) ** 2
    return factor


@kernel
def squared_drop(flow: float, k: int, pipes: Pipes, law: int) -> float:
    """Drop of squared pressure along a pipe at a compressibility factor of 1, odd in the flow.

    Parameters
    ----------
    flow : float
        [m3 h-1]
    k : int
        Number of the pipe.
    pipes : Pipes
        All pipes.
    law : int
        See `friction_factor`.

    Returns
    -------
    float
        [bar2]
    """
    size = abs(flow)
    factor = pipes.given[k]
    if np.isnan(factor):
        re = size * pipes.per_reynolds[k]
        if re < LEAST_REYNOLDS:
            return float(64.0 / pipes.per_reynolds[k] * pipes.per_friction[k] * flow)
        factor = friction_factor(re, pipes.wall[k], law)
    return float((factor * pipes.per_friction[k] + pipes.per_loss[k]) * flow * size)


@kernel
def drop_slope(flow: float, k: int, pipes: Pipes, law: int) -> float:
    """Slope of `squared_drop`, always above 0.

    Parameters
    ----------
    flow, k, pipes, law
        As for `squared_drop`.

    Returns
    -------
    float
        [bar2 h m-3]
    """
    step = max(1e-6 * abs(flow), 1e-7)
    rise = squared_drop(flow + step, k, pipes, law) - squared_drop(flow - step, k, pipes, law)
    return float(rise / (2.0 * step) + 1e-300)


@kernel
def mean_pressure(first: float, second: float) -> float:
    """Mean pressure along a pipe of which the squared pressures at both ends are given.

    Parameters
    ----------
    first, second : float
        Squared pressures; below 1e-6 they count as that. [bar2]

    Returns
    -------
    float
        ``2/3 (p1^3 - p2^3) / (p1^2 - p2^2)``. [bar]
    """
    a, b = np.sqrt(max(first, LEAST_PRESSURE**2)), np.sqrt(max(second, LEAST_PRESSURE**2))
    return float(2.0 / 3.0 * (a * a + a * b + b * b) / (a + b))


@kernel
def forest_flows(forest: Forest, taken: np.ndarray, chord_flow: np.ndarray) -> np.ndarray:
    """Flow to each junction from its parent: what is taken at and below it, loops and regulators included.

    Parameters
    ----------
    forest : Forest
        The network.
    taken : ndarray (junction,)
        Net demand. [m3 h-1]
    chord_flow : ndarray (loop,)
        Flow of each chord, positive in the direction of its pipe. [m3 h-1]

    Returns
    -------
    ndarray (junction,)
        At a gate what it gives. [m3 h-1]
    """
    flow = np.zeros(len(taken))
    for k in range(len(forest.order)):
        flow[forest.order[k]] = taken[forest.order[k]]
    for c in range(len(forest.chords)):
        flow[forest.chord_from[c]] += chord_flow[c]
        flow[forest.chord_to[c]] -= chord_flow[c]
    for k in range(len(forest.order) - 1, -1, -1):
        at = forest.order[k]
        if forest.parent[at] >= 0:
            flow[forest.parent[at]] += flow[at]
    return flow


@kernel
def forest_pressures(
    forest: Forest, pipes: Pipes, law: int, factor: np.ndarray, slope: np.ndarray, flow: np.ndarray, held: np.ndarray
) -> np.ndarray:
    """Squared pressure of each junction from the flows of the forest; each pipe's own mean pressure is found exactly.

    Parameters
    ----------
    forest, pipes, law
        Network and law.
    factor, slope : ndarray (1,)
        Compressibility factor at pressure 0, and its change by pressure. [1, bar-1]
    flow : ndarray (junction,)
        As from `forest_flows`. [m3 h-1]
    held : ndarray (junction,)
        Squared pressures that are held; NaN elsewhere. [bar2]

    Returns
    -------
    ndarray (junction,)
        [bar2]; negative where the gas cannot get through, NaN without a way to a gate.
    """
    squared = np.full(len(flow), np.nan)
    for n in range(len(forest.order)):
        at = forest.order[n]
        k = forest.pipe[at]
        if k < 0:
            squared[at] = held[at]
            continue
        above = squared[forest.parent[at]]
        drop = squared_drop(flow[at] * forest.forward[at], k, pipes, law) * forest.forward[at]
        below = above
        for _ in range(MOST_OUTER):
            before = below
            below = above - (factor[0] + slope[0] * mean_pressure(above, below)) * drop
            if abs(below - before) <= 1e-14 * abs(above):
                break
        squared[at] = below
    return squared
