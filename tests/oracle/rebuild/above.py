"""Limits of a network above feeders as rows over what these take; see docs/formulation.md, *What feeders share*."""

from __future__ import annotations

import numpy as np

from rebuild.grid import Table, grid_of, linear_state
from rebuild.shared import Rows


def rows_above(
    case: dict[str, Table],
    bus: np.ndarray,
    own: tuple[np.ndarray, np.ndarray],
    q: np.ndarray,
    offsets: dict[str, np.ndarray],
    penalty: float,
) -> Rows:
    """Rows of every bus and branch, found by injecting one kW after the other.

    `bus` is that of each feeder, `own` what else is injected (bus, step), `q` what feeders take (feeder, step).
    """
    grid = grid_of(case)
    p, q_at = own[0].copy(), own[1].copy()
    np.subtract.at(q_at, bus, q)
    rest = linear_state(grid, p, q_at)
    weights, right = [], []

    def state(value: np.ndarray, moved: list[np.ndarray], sign: float, most: np.ndarray) -> None:
        weight = np.array([sign * (m - value)[0] for m in moved])
        size = np.abs(weight).max()
        if size > 1e-12:
            weights.append(weight / size)
            right.append((most - sign * value) / size)

    less = []
    for b in bus.tolist():
        injected = p.copy()
        injected[b] -= 1.0
        less.append(linear_state(grid, injected, q_at))
    for k in np.nonzero(grid.reached)[0].tolist():
        moved = [m[0][k] for m in less]
        state(rest[0][k], moved, 1.0, case["bus"]["v_max_pu"][k] ** 2 - offsets["v_max"][k])
        state(rest[0][k], moved, -1.0, offsets["v_min"][k] - case["bus"]["v_min_pu"][k] ** 2)
    for k, number in enumerate(grid.number.tolist()):
        room = np.maximum(grid.s_nom[k] - offsets["s"][number], 0.0)
        most = np.sqrt(np.maximum(room**2 - rest[2][k] ** 2, 0.0))
        for sign in (1.0, -1.0):
            state(rest[1][k], [m[1][k] for m in less], sign, most)
    return Rows(np.array(weights), np.array(right), penalty)
