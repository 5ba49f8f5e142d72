"""Slow readable twin of the pipe kernels, and what holds in every steady state."""

from __future__ import annotations

import math


def friction_factor(reynolds, wall, law):
    """Darcy friction factor as a textbook has it; Colebrook-White by bisection."""
    laminar = 64 / reynolds
    if law == 0:
        return laminar + 1 / (2 * math.log10(1 / wall) + 1.14) ** 2 if wall > 0 else laminar
    if reynolds <= 10:
        return laminar
    low, high = 1e-6, 1e6
    for _ in range(200):
        middle = math.sqrt(low * high)
        excess = 1 / math.sqrt(middle) + 2 * math.log10(2.51 / (reynolds * math.sqrt(middle)) + wall / 3.71)
        low, high = (middle, high) if excess > 0 else (low, middle)
    return max(laminar, math.sqrt(low * high))


def drop(flow, k, pipes, law):
    """Drop of squared pressure at a compressibility factor of 1."""
    if flow == 0:
        return 0.0
    factor = pipes.given[k]
    if math.isnan(factor):
        factor = friction_factor(abs(flow) * pipes.per_reynolds[k], pipes.wall[k], law)
    return (factor * pipes.per_friction[k] + pipes.per_loss[k]) * flow * abs(flow)


def mean_pressure(first, second):
    """Mean along a pipe in which the squared pressure falls evenly."""
    if abs(first - second) < 1e-7 * max(first, second):
        return math.sqrt((first + second) / 2)
    return 2 / 3 * (first**1.5 - second**1.5) / (first - second)


def flows_of(forest, taken, chord):
    """Flow to each junction from its parent: everything that is taken at junctions whose way up passes it."""
    found = [0.0] * len(taken)
    reached = set(forest.order.tolist())
    net = {j: taken[j] for j in reached}
    for c, flow in enumerate(chord):
        net[int(forest.chord_from[c])] += flow
        net[int(forest.chord_to[c])] -= flow
    for j in reached:
        at = j
        while at >= 0:
            found[at] += net[j]
            at = int(forest.parent[at])
    return found


def squared_pressure(at, forest, pipes, law, factor, slope, flow, held):
    """Squared pressure of a junction, from its parent's; the mean pressure of the pipe by repetition."""
    k = int(forest.pipe[at])
    if k < 0:
        return held[at]
    above = squared_pressure(int(forest.parent[at]), forest, pipes, law, factor, slope, flow, held)
    lost, below = drop(flow[at], k, pipes, law), above
    for _ in range(200):
        below = above - (factor + slope * mean_pressure(above, max(below, 1e-6))) * lost
    return below
