"""Slow readable twin of the mixing kernel: one system of linear equations a step, for all junctions at once."""

from __future__ import annotations

import numpy as np


def shares(start, stop, flow, given, part, outlet, filling):
    """Shares where gas enters at every junction."""
    junctions, steps = given.shape
    found = np.empty((junctions, steps))
    held, own = [0.0] * len(outlet), [0.0] * len(outlet)
    for t in range(steps):
        matrix, right = np.zeros((junctions, junctions)), part[:, t].copy()
        for j in range(junctions):
            matrix[j, j] = given[j, t]
        for z, at in enumerate(outlet):
            if filling[z, t] < 0 < held[z]:
                freed = min(-filling[z, t], held[z])
                matrix[at, at] += freed
                right[at] += freed * own[z] / held[z]
                own[z] *= 1 - freed / held[z]
                held[z] -= freed
        for a, b, amount in zip(start, stop, flow[:, t], strict=True):
            up, down = (a, b) if amount > 0 else (b, a)
            if a != b:
                matrix[down, down] += abs(amount)
                matrix[down, up] -= abs(amount)
        found[:, t] = np.linalg.solve(matrix, right)
        for z, at in enumerate(outlet):
            if filling[z, t] > 0:
                held[z] += filling[z, t]
                own[z] += filling[z, t] * found[at, t]
    return found
