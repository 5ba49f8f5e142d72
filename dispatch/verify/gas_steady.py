"""Steady flow in every step: sweeps over the forest, and Newton's method for the flows around its loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernels.pipe import Forest, Pipes, forest_flows, forest_pressures
from kernels.pipe_loops import chord_effects, compressibility, loop_jacobian, loop_residual

MOST_NEWTON, MOST_HALVINGS = 80, 40
CLOSED = 1e-11


@dataclass(frozen=True)
class Hydraulics:
    """What the equations need.

    Attributes
    ----------
    forest, pipes : Forest, Pipes
        The network.
    law : int
        Friction law, see `kernels.pipe.friction_factor`.
    factor, slope : ndarray (1,)
        Compressibility factor at pressure 0, and its change by pressure. [1, bar-1]
    held : ndarray (junction, step or 1)
        Squared pressures that are held; NaN elsewhere. [bar2]
    """

    forest: Forest
    pipes: Pipes
    law: int
    factor: np.ndarray
    slope: np.ndarray
    held: np.ndarray

    def held_in(self, step: int) -> np.ndarray:
        """Squared pressures that are held in a step. [bar2]."""
        return np.ascontiguousarray(self.held[:, step if self.held.shape[1] > 1 else 0])

    def swept(
        self, taken: np.ndarray, chord: np.ndarray, held: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Flows and squared pressures of the forest for given chord flows, and what does not fit around the loops."""
        flow = forest_flows(self.forest, taken, chord)
        squared = forest_pressures(self.forest, self.pipes, self.law, self.factor, self.slope, flow, held)
        if not len(chord):
            return flow, squared, np.zeros(0)
        rest = loop_residual(self.forest, self.pipes, self.law, self.factor, self.slope, squared, chord)
        return flow, squared, rest


def steady_state(of: Hydraulics, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steady state of a gas network in every step; without loops one sweep down and one up.

    Parameters
    ----------
    of : Hydraulics
        The network.
    taken : ndarray (junction, step)
        Net demand. [m3 h-1]

    Returns
    -------
    squared : ndarray (junction, step)
        [bar2]; negative where the gas cannot get through, NaN without a way to a gate.
    flow : ndarray (junction, step)
        Flow to each junction from its parent; at a gate what it gives. [m3 h-1]
    chord : ndarray (loop, step)
        Flow of each chord. [m3 h-1]
    residual : ndarray (step,)
        Largest residual of a loop, relative to the largest squared pressure that is held.
    """
    junctions, steps = taken.shape
    loops = len(of.forest.chords)
    squared, flow = np.empty((junctions, steps)), np.empty((junctions, steps))
    chords, residual = np.empty((loops, steps)), np.zeros(steps)
    effect = chord_effects(of.forest) if loops else np.zeros((0, junctions))
    chord = np.zeros(loops)
    scale = float(np.nanmax(of.held, initial=0.0)) or 1.0
    for t in range(steps):
        demand = np.ascontiguousarray(taken[:, t])
        held = of.held_in(t)
        chord = _closed(of, demand, held, effect, chord, scale)
        flow[:, t], squared[:, t], rest = of.swept(demand, chord, held)
        chords[:, t], residual[t] = chord, np.abs(rest).max(initial=0.0) / scale
    return squared, flow, chords, residual


def _closed(
    of: Hydraulics, demand: np.ndarray, held: np.ndarray, effect: np.ndarray, chord: np.ndarray, scale: float
) -> np.ndarray:
    """Chord flows at which the loops close, from those of the step before; halved steps where one overshoots."""
    flow, squared, rest = of.swept(demand, chord, held)
    for _ in range(MOST_NEWTON):
        size = np.abs(rest).max(initial=0.0)
        if size <= CLOSED * scale:
            break
        z = compressibility(of.forest, of.factor, of.slope, squared, len(of.pipes.wall))
        move = np.linalg.solve(loop_jacobian(of.forest, of.pipes, of.law, z, flow, chord, effect), -rest)
        for halving in range(MOST_HALVINGS):
            tried = chord + 0.5**halving * move
            flow, squared, rest = of.swept(demand, tried, held)
            if np.abs(rest).max() < size:
                break
        else:
            break
        chord = tried
    return chord
