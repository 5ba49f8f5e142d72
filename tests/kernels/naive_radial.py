"""Slow readable twins of the radial kernels, and random networks to compare them on."""

from __future__ import annotations

import numpy as np

from dispatch.case.network import Network, forest


def random_network(rng, buses, *, chords=0, sources=1, dead=0):
    """Random forest with taps, branches pointing either way, parallel lines and chords; `dead` isolated buses."""
    live = buses - dead
    shuffled = rng.permutation(buses)
    roots, start, stop = shuffled[:sources], [], []
    for k in range(sources, live):
        ends = [
            shuffled[k],
            shuffled[k - sources - rng.integers(0, (k - sources) // sources + 1) * sources]
            if k >= 2 * sources
            else shuffled[k % sources],
        ]
        rng.shuffle(ends)
        start.append(ends[0])
        stop.append(ends[1])
    tree = list(zip(start, stop, strict=True))
    for _ in range(chords):
        a, b = tree[rng.integers(len(tree))]
        if rng.random() < 0.5:  # a parallel line
            start.append(a)
            stop.append(b)
        else:
            near = [k for pair in tree if a in pair or b in pair for k in pair if k not in (a, b)]
            if near:
                start.append(a)
                stop.append(near[0])
    n = len(start)
    start, stop = np.array(start, np.int32), np.array(stop, np.int32)
    ratio = np.where(rng.random(n) < 0.3, rng.uniform(0.95, 1.05, n), 1.0)
    found = forest(buses, start, stop, np.arange(n), roots.astype(np.int32))
    return Network(
        *found[:4],
        start,
        stop,
        rng.uniform(1e-6, 1e-4, n),
        rng.uniform(1e-6, 1e-4, n),
        ratio,
        rng.uniform(50, 500, n),
        np.ones(n, bool),
        found[4],
        n,
        roots.astype(np.int32),
        rng.uniform(0.97, 1.05, sources),
    )


def dense_flow(network, p, q):
    """Solve balance, drop, angle and source rows as one dense linear system a step; (v_squared, p, q) as columns."""
    n, m = network.buses, network.branches
    live = network.feeder >= 0
    size = 2 * n + 2 * m + 2 * len(network.source_bus)
    rows, right = [], []

    def row(constant, *terms):
        line = np.zeros(size)
        for at, value in terms:
            line[at] += value
        rows.append(line)
        right.append(constant)

    flow_p, flow_q, give = 2 * n, 2 * n + m, 2 * n + 2 * m
    for bus in range(n):
        if not live[bus]:
            row(np.zeros(p.shape[1]), (bus, 1.0))
            row(np.zeros(p.shape[1]), (n + bus, 1.0))
            continue
        for first, injected, side in ((flow_p, p, 0), (flow_q, q, 1)):
            terms = [(first + k, 1.0) for k in np.nonzero(network.branch_to == bus)[0]]
            terms += [(first + k, -1.0) for k in np.nonzero(network.branch_from == bus)[0]]
            terms += [(give + 2 * k + side, 1.0) for k in np.nonzero(network.source_bus == bus)[0]]
            row(-injected[bus], *terms)
    for k in range(m):
        i, j, r, x, a = network.branch_from[k], network.branch_to[k], network.r[k], network.x[k], network.ratio[k]
        row(np.zeros(p.shape[1]), (j, a**2), (i, -1.0), (flow_p + k, 2 * r), (flow_q + k, 2 * x))
        row(np.zeros(p.shape[1]), (n + j, 1.0), (n + i, -1.0), (flow_p + k, x), (flow_q + k, -r))
    for k, bus in enumerate(network.source_bus):
        row(np.full(p.shape[1], network.source_v_pu[k] ** 2), (bus, 1.0))
        row(np.zeros(p.shape[1]), (n + bus, 1.0))
    found = np.linalg.solve(np.array(rows), np.array(right))
    v = np.where(live[:, None], found[:n], np.nan)
    return v, found[flow_p:flow_q], found[flow_q:give]
