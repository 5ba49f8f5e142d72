"""What Newton's method needs to find the flows around the loops of a gas network."""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel
from kernels.pipe import Forest, Pipes, drop_slope, mean_pressure, squared_drop


@kernel
def loop_residual(
    forest: Forest,
    pipes: Pipes,
    law: int,
    factor: np.ndarray,
    slope: np.ndarray,
    squared: np.ndarray,
    chord: np.ndarray,
) -> np.ndarray:
    """How far the squared pressures at the ends of each chord are from what its flow makes of them.

    Parameters
    ----------
    forest, pipes, law, factor, slope
        As for `kernels.pipe.forest_pressures`.
    squared : ndarray (junction,)
        [bar2]
    chord : ndarray (loop,)
        Flow of each chord. [m3 h-1]

    Returns
    -------
    ndarray (loop,)
        [bar2]
    """
    found = np.empty(len(chord))
    for c in range(len(chord)):
        first, second = squared[forest.chord_from[c]], squared[forest.chord_to[c]]
        z = factor[0] + slope[0] * mean_pressure(first, second)
        found[c] = first - second - z * squared_drop(chord[c], forest.chords[c], pipes, law)
    return found


@kernel
def chord_effects(forest: Forest) -> np.ndarray:
    """Change of the flow to each junction from its parent by one more unit of flow through each chord.

    Parameters
    ----------
    forest : Forest
        The network.

    Returns
    -------
    ndarray (loop, junction)
        1, 0 or -1; up to the gates, regulators included.
    """
    effect = np.zeros((len(forest.chords), len(forest.parent)))
    for c in range(len(forest.chords)):
        at = forest.chord_from[c]
        while at >= 0:
            effect[c, at] += 1.0
            at = forest.parent[at]
        at = forest.chord_to[c]
        while at >= 0:
            effect[c, at] -= 1.0
            at = forest.parent[at]
    return effect


@kernel
def loop_jacobian(
    forest: Forest, pipes: Pipes, law: int, z: np.ndarray, flow: np.ndarray, chord: np.ndarray, effect: np.ndarray
) -> np.ndarray:
    """Differentiate the residuals by the chord flows, with compressibility factors held.

    Parameters
    ----------
    forest, pipes, law
        As for `loop_residual`.
    z : ndarray (pipe,)
        Compressibility factors. [1]
    flow : ndarray (junction,)
        As from `kernels.pipe.forest_flows`. [m3 h-1]
    chord : ndarray (loop,)
        Flow of each chord. [m3 h-1]
    effect : ndarray (loop, junction)
        As from `chord_effects`.

    Returns
    -------
    ndarray (loop, loop)
        Row: residual, column: chord. [bar2 h m-3]
    """
    loops = len(chord)
    found = np.zeros((loops, loops))
    for c in range(loops):
        k = forest.chords[c]
        found[c, c] -= z[k] * drop_slope(chord[c], k, pipes, law)
        for side in range(2):
            at = forest.chord_from[c] if side == 0 else forest.chord_to[c]
            sign = -1.0 if side == 0 else 1.0
            while forest.pipe[at] >= 0:
                k = forest.pipe[at]
                steep = sign * z[k] * drop_slope(flow[at], k, pipes, law)
                for l in range(loops):
                    found[c, l] += steep * effect[l, at]
                at = forest.parent[at]
    return found


@kernel
def compressibility(
    forest: Forest, factor: np.ndarray, slope: np.ndarray, squared: np.ndarray, count: int
) -> np.ndarray:
    """Compressibility factor of each pipe at its mean pressure.

    Parameters
    ----------
    forest, factor, slope
        As for `kernels.pipe.forest_pressures`.
    squared : ndarray (junction,)
        [bar2]
    count : int
        How many pipes there are.

    Returns
    -------
    ndarray (pipe,)
        At pressure 0 where a pipe carries nothing. [1]
    """
    z = np.full(count, factor[0])
    for n in range(len(forest.order)):
        at = forest.order[n]
        if forest.pipe[at] >= 0:
            z[forest.pipe[at]] += slope[0] * mean_pressure(squared[forest.parent[at]], squared[at])
    for c in range(len(forest.chords)):
        z[forest.chords[c]] += slope[0] * mean_pressure(squared[forest.chord_from[c]], squared[forest.chord_to[c]])
    return z
