"""The linear network of docs/formulation.md as branches between reached buses, with no notion of a tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

Table = dict[str, np.ndarray]


@dataclass(frozen=True)
class Grid:
    """Branches in service between reached buses, and the buses that a source reaches."""

    start: np.ndarray
    stop: np.ndarray
    r: np.ndarray
    x: np.ndarray
    ratio: np.ndarray
    s_nom: np.ndarray
    number: np.ndarray  # in lines, then transformers, of the whole case
    reached: np.ndarray
    source_bus: np.ndarray
    source_v: np.ndarray


def at(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Position of each wanted id."""
    where = {i: k for k, i in enumerate(ids.tolist())}
    return np.array([where[w] for w in wanted.tolist()], int)


def grid_of(case: dict[str, Table]) -> Grid:
    """Electric network by the table of the page's *Network rows*."""
    bus, line, trafo, source = (case[k] for k in ("bus", "line", "transformer", "source"))
    start = np.concatenate([at(bus["id"], t["bus_from"]) for t in (line, trafo)]).astype(int)
    stop = np.concatenate([at(bus["id"], t["bus_to"]) for t in (line, trafo)]).astype(int)
    on = np.concatenate([line["in_service"], trafo["in_service"]]).astype(bool)
    n = len(line["id"])
    v_from, v_to = bus["v_nom"][start], bus["v_nom"][stop]
    tap = 1 + trafo["tap_step_pu"] * (trafo["tap_position"] - trafo["tap_neutral"])
    k_from = np.where(trafo["tap_side"] == b"from", tap, 1.0)
    k_to = np.where(trafo["tap_side"] == b"to", tap, 1.0)
    ratio = (trafo["v_nom_from"] * k_from / v_from[n:]) / (trafo["v_nom_to"] * k_to / v_to[n:])
    referred = (trafo["v_nom_from"] / v_from[n:]) ** 2 / trafo["s_nom"]
    r = np.concatenate([line["r"] / (1000 * v_from[:n] ** 2), trafo["r_pu"] * referred])
    x = np.concatenate([line["x"] / (1000 * v_from[:n] ** 2), trafo["x_pu"] * referred])
    s_nom = np.concatenate([line["s_nom"], trafo["s_nom"]])
    source_bus = at(bus["id"], source["bus"])
    reached = np.zeros(len(bus["id"]), bool)
    reached[source_bus] = True
    while True:  # spreads from the sources until nothing new is reached
        spread = on & (reached[start] ^ reached[stop])
        if not spread.any():
            break
        reached[start[spread]] = reached[stop[spread]] = True
    used = np.nonzero(on & reached[start])[0]
    full_ratio = np.concatenate([np.ones(n), ratio])
    return Grid(
        start[used], stop[used], r[used], x[used], full_ratio[used], s_nom[used], used, reached, source_bus,
        source["v_pu"],
    )  # fmt: skip


def reactive_flow(grid: Grid, q: np.ndarray) -> np.ndarray:
    """Reactive flow of each branch (branch, step) when nothing but the reactive injections q (bus, step) acts."""
    return linear_state(grid, np.zeros_like(q), q)[2]


def linear_state(grid: Grid, given: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squared voltages (bus, step), active and reactive flows (branch, step) under injections (bus, step)."""
    n, m, s = len(grid.reached), len(grid.start), len(grid.source_bus)
    branch, source = np.arange(m), np.arange(s)
    # Unknowns: V, θ (bus), p, q (branch), p, q (source).
    # Rows: both balances (bus), drop, angle (branch), V, θ (source).
    v, angle, p, react, p_s, q_s = np.cumsum([0, n, n, m, m, s])
    drop, turn, hold = 2 * n, 2 * n + m, 2 * n + 2 * m
    a2, r, x = grid.ratio**2, grid.r, grid.x
    entries = [
        (grid.stop, p + branch, 1.0), (grid.start, p + branch, -1.0), (grid.source_bus, p_s + source, 1.0),
        (n + grid.stop, react + branch, 1.0), (n + grid.start, react + branch, -1.0),
        (n + grid.source_bus, q_s + source, 1.0),
        (drop + branch, v + grid.stop, a2), (drop + branch, v + grid.start, -1.0),
        (drop + branch, p + branch, 2 * r), (drop + branch, react + branch, 2 * x),
        (turn + branch, angle + grid.stop, 1.0), (turn + branch, angle + grid.start, -1.0),
        (turn + branch, p + branch, x), (turn + branch, react + branch, -r),
        (hold + source, v + grid.source_bus, 1.0), (hold + s + source, angle + grid.source_bus, 1.0),
    ]  # fmt: skip
    rows = np.concatenate([e[0] for e in entries])
    columns = np.concatenate([e[1] for e in entries])
    values = np.concatenate([np.broadcast_to(np.asarray(e[2], float), e[0].shape) for e in entries])
    size = 2 * n + 2 * m + 2 * s
    keep = np.concatenate([grid.reached, grid.reached, np.ones(2 * m + 2 * s, bool)])  # same places in rows and columns
    matrix = sp.csc_matrix((values, (rows, columns)), shape=(size, size))[keep][:, keep]
    right = np.zeros((size, q.shape[1]))
    right[:n] = -given
    right[n : 2 * n] = -q
    right[hold : hold + s] = (grid.source_v**2)[:, None]
    found = np.zeros((size, q.shape[1]))
    found[keep] = splu(matrix.tocsc()).solve(right[keep])
    return found[v : v + n], found[p : p + m], found[react : react + m]
