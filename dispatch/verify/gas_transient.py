"""Pressures of gas networks whose pipes hold gas, from step to step, under given injection and demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from kernels.pipe_linear import drops, packed, packed_slope

if TYPE_CHECKING:
    from kernels.pipe import Pipes

MOST_NEWTON, MOST_HALVINGS = 60, 30
CLOSED = 1e-10
"""What balances and drops may miss, relative to the largest flow and squared pressure."""
FOUND = 1e-6
"""Where they miss more, no state was found."""
LEAST_PRESSURE = 0.05
"""Pressures are not sought below. [bar]"""
LEAST_VOLUME = 1e-6
"""Where there is no pipe, pressures move as if there were so much. [m3 bar-1]"""
FLAT = 1e-9
"""Slope of a drop at least, relative to the largest squared pressure over the largest flow."""


@dataclass(frozen=True)
class PackedNetwork:
    """Junctions that hold gas, and the pipes between them.

    Attributes
    ----------
    start, stop : ndarray (pipe,) of int
        Junctions at both ends.
    half : ndarray (pipe,)
        What half of each pipe holds. [m3 bar-1]
    volume : ndarray (junction,)
        What is held at each junction: half of each of its pipes. [m3 bar-1]
    pipes : Pipes
        Their coefficients.
    law : int
        See `kernels.pipe.friction_factor`.
    factor, slope : float
        Compressibility factor at pressure 0, and its change by pressure. [1, bar-1]
    """

    start: np.ndarray
    stop: np.ndarray
    half: np.ndarray
    volume: np.ndarray
    pipes: Pipes
    law: int
    factor: float
    slope: float

    def content(self, pressure: np.ndarray) -> np.ndarray:
        """Gas at each junction at its pressure, (junction, ...). [m3]."""
        volume = self.volume.reshape(-1, *[1] * (pressure.ndim - 1))
        return np.asarray(volume * packed(pressure, self.factor, self.slope))

    def in_pipes(self, pressure: np.ndarray) -> np.ndarray:
        """Gas in each pipe at the pressures of junctions, half of it at each end's, (pipe, step). [m3]."""
        full = packed(pressure, self.factor, self.slope)
        return np.asarray(self.half[:, None] * (full[self.start] + full[self.stop]))


@dataclass(frozen=True)
class Transient:
    """Pressures and flows by step.

    Attributes
    ----------
    pressure : ndarray (junction, step)
        At the end of each step. [bar]
    flow : ndarray (pipe, step)
        In the middle of each pipe; what its halves take up flows in beside. [m3 h-1]
    residual : ndarray (step,)
        What balances and drops miss, relative to the largest flow and squared pressure.
    """

    pressure: np.ndarray
    flow: np.ndarray
    residual: np.ndarray

    @property
    def blocked(self) -> np.ndarray:
        """Where the gas cannot get through, (junction, step): no pressures fit, and this one is the least."""
        return np.asarray((self.residual > FOUND) & (self.pressure <= 2 * LEAST_PRESSURE))


def transient(
    network: PackedNetwork, given: np.ndarray, initial: np.ndarray, dt: float, guess: tuple[np.ndarray, np.ndarray]
) -> Transient:
    """Follow pressures from step to step: what comes in and does not go out is packed; drops are those of the flows.

    Parameters
    ----------
    network : PackedNetwork
        Which hangs together or not.
    given : ndarray (junction, step)
        What enters at each junction less what is taken there. [m3 h-1]
    initial : ndarray (junction,)
        Pressures before the first step. [bar]
    dt : float
        Length of a step. [h]
    guess : tuple of ndarray (junction, step) and (pipe, step)
        Pressures and flows to begin with in each step. [bar, m3 h-1]

    Returns
    -------
    Transient
        Implicit steps: flows are those at the end of each.
    """
    steps = given.shape[1]
    pressure, flow, residual = np.empty_like(given), np.empty((len(network.start), steps)), np.empty(steps)
    solver = _Step(network, dt, float(np.abs(given).max(initial=0.0)), float(np.max(guess[0], initial=1.0)))
    held = network.content(initial)
    for t in range(steps):
        first = np.maximum(guess[0][:, t], LEAST_PRESSURE), guess[1][:, t].copy()
        pressure[:, t], flow[:, t], residual[t] = solver.solve(given[:, t], held, first)
        held = network.content(pressure[:, t])
    return Transient(pressure, flow, residual)


class _Step:
    """Newton's method for one step; flows are eliminated, pressures solved for."""

    def __init__(self, network: PackedNetwork, dt: float, flow: float, pressure: float) -> None:
        self._n, self._dt = network, dt
        self._flow, self._squared = max(flow, 1.0), pressure**2
        count, start, stop = len(network.volume), network.start, network.stop
        rows = np.concatenate([np.arange(count), start, start, stop, stop])
        cols = np.concatenate([np.arange(count), start, stop, start, stop])
        self._place, self._size = np.unique(cols.astype(np.int64) * count + rows, return_inverse=True)
        self._shape = sp.csc_matrix(
            (np.ones(len(self._place)), (self._place % count, self._place // count)), (count, count)
        )

    def _missed(
        self, given: np.ndarray, held: np.ndarray, pressure: np.ndarray, flow: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Tell what balances and drops miss, with compressibility factors and slopes of drops."""
        n = self._n
        balance = (n.content(pressure) - held) / self._dt - given
        np.add.at(balance, n.start, flow)
        np.subtract.at(balance, n.stop, flow)
        a, b = pressure[n.start], pressure[n.stop]
        z = n.factor + n.slope * 2 / 3 * (a * a + a * b + b * b) / (a + b)
        drop, slope = drops(flow[:, None], n.pipes, n.law)
        return balance, a * a - b * b - z * drop[:, 0], z, slope[:, 0]

    def _size_of(self, balance: np.ndarray, drop: np.ndarray) -> float:
        most = float(np.abs(balance).max(initial=0.0)) / self._flow
        return max(most, float(np.abs(drop).max(initial=0.0)) / self._squared)

    def solve(
        self, given: np.ndarray, held: np.ndarray, first: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Find pressures and flows at the end of a step, and what they miss."""
        pressure, flow = first
        missed = self._missed(given, held, pressure, flow)
        size = self._size_of(*missed[:2])
        for _ in range(MOST_NEWTON):
            if size <= CLOSED:
                break
            move, change = self._move(pressure, *missed)
            for halving in range(MOST_HALVINGS):
                part = 0.5**halving
                tried = np.maximum(pressure + part * move, LEAST_PRESSURE), flow + part * change
                found = self._missed(given, held, *tried)
                if (now := self._size_of(*found[:2])) < size:
                    break
            else:
                break
            pressure, flow, missed, size = *tried, found, now
        return pressure, flow, size

    def _move(
        self, pressure: np.ndarray, balance: np.ndarray, drop: np.ndarray, z: np.ndarray, slope: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Newton's step for pressures and flows."""
        n = self._n
        steep = z * np.maximum(slope, FLAT * self._squared / self._flow)
        by_from, by_to, shift = 2 * pressure[n.start] / steep, 2 * pressure[n.stop] / steep, drop / steep
        packing = np.maximum(n.volume * packed_slope(pressure, n.factor, n.slope), LEAST_VOLUME) / self._dt
        right = -balance
        np.subtract.at(right, n.start, shift)
        np.add.at(right, n.stop, shift)
        values = np.bincount(self._size, np.concatenate([packing, by_from, -by_to, -by_from, by_to]))
        matrix = sp.csc_matrix((values, self._shape.indices, self._shape.indptr), self._shape.shape)
        move = splu(matrix).solve(right)
        return move, shift + by_from * move[n.start] - by_to * move[n.stop]
