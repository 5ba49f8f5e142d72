"""Sweeps over a forest of buses in flat arrays: sums towards the roots, potentials away from them, and sensitivities.

Arrays are (bus, column) with contiguous columns: a column is a step, or one right-hand side of a loop's equations.
`order` holds the buses parents first; `parent` is -1 at roots. The branch above a bus bears the number of that bus.
"""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel


@kernel
def flow_towards(order: np.ndarray, parent: np.ndarray, injection: np.ndarray) -> np.ndarray:
    """Flow through the branch above each bus, positive away from the root: what is taken at and below the bus.

    Parameters
    ----------
    order, parent : ndarray of int32
        The forest.
    injection : ndarray (bus, column)
        Injected at each bus. [kW or kvar]

    Returns
    -------
    ndarray (bus, column)
        [kW or kvar]; at a root what the source gives, 0 at buses outside the forest.
    """
    flow = np.zeros_like(injection)
    width = injection.shape[1]
    for k in range(len(order) - 1, -1, -1):
        bus = order[k]
        above = parent[bus]
        for t in range(width):
            flow[bus, t] -= injection[bus, t]
        if above >= 0:
            for t in range(width):
                flow[above, t] += flow[bus, t]
    return flow


@kernel
def potentials(
    order: np.ndarray,
    parent: np.ndarray,
    gain: np.ndarray,
    per_p: np.ndarray,
    per_q: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    root: np.ndarray,
) -> np.ndarray:
    """Squared voltage or angle of each bus: ``u = gain * u_parent - per_p * p - per_q * q``.

    Parameters
    ----------
    order, parent : ndarray of int32
        The forest.
    gain, per_p, per_q : ndarray (bus,)
        Coefficients of the branch above each bus.
    p, q : ndarray (bus, column)
        Flow through the branch above each bus, away from the root. [kW, kvar]
    root : ndarray (bus,)
        Potential at the roots; not read elsewhere.

    Returns
    -------
    ndarray (bus, column)
        NaN at buses outside the forest.
    """
    potential = np.full_like(p, np.nan)
    width = p.shape[1]
    for k in range(len(order)):
        bus = order[k]
        above = parent[bus]
        if above < 0:
            for t in range(width):
                potential[bus, t] = root[bus]
            continue
        g, a, b = gain[bus], per_p[bus], per_q[bus]
        for t in range(width):
            potential[bus, t] = g * potential[above, t] - a * p[bus, t] - b * q[bus, t]
    return potential


@kernel
def branch_flows(branch: np.ndarray, sign: np.ndarray, take: np.ndarray, flow: np.ndarray) -> None:
    """Write flows away from the roots as those of the branches, at `bus_from` and towards `bus_to`.

    Parameters
    ----------
    branch : ndarray (bus,) of int32
        Number of the branch above each bus, -1 where there is none.
    sign : ndarray (bus,)
        Whether that branch points away from the root (1) or towards it (-1).
    take : ndarray (bus, column)
        From `flow_towards`. [kW or kvar]
    flow : ndarray (branch, column)
        Written for branches of the forest. [kW or kvar]
    """
    for bus in range(len(branch)):
        above = branch[bus]
        if above >= 0:
            for t in range(take.shape[1]):
                flow[above, t] = sign[bus] * take[bus, t]


@kernel
def forest_state(
    order: np.ndarray,
    parent: np.ndarray,
    branch: np.ndarray,
    sign: np.ndarray,
    gain: np.ndarray,
    per_p: np.ndarray,
    per_q: np.ndarray,
    root: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    flow_p: np.ndarray,
    flow_q: np.ndarray,
) -> np.ndarray:
    """Sweep towards the roots and away from them: flows of all branches of a forest, and squared voltages.

    Parameters
    ----------
    order, parent : ndarray of int32
        The forest.
    branch, sign : ndarray (bus,)
        As in `branch_flows`.
    gain, per_p, per_q, root : ndarray (bus,)
        As in `potentials`.
    p, q : ndarray (bus, column)
        Injected at each bus. [kW, kvar]
    flow_p, flow_q : ndarray (branch, column)
        Written for branches of the forest. [kW, kvar]

    Returns
    -------
    ndarray (bus, column)
        Squared voltages, NaN at buses outside the forest. [1]
    """
    take_p, take_q = flow_towards(order, parent, p), flow_towards(order, parent, q)
    v_squared: np.ndarray = potentials(order, parent, gain, per_p, per_q, take_p, take_q, root)
    branch_flows(branch, sign, take_p, flow_p)
    branch_flows(branch, sign, take_q, flow_q)
    return v_squared


@kernel
def worth_of_injections(
    order: np.ndarray,
    parent: np.ndarray,
    gain: np.ndarray,
    per_p: np.ndarray,
    per_q: np.ndarray,
    root: np.ndarray,
    of_potential: np.ndarray,
    of_flow: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Say what injections are worth where potentials and flows of p have prices: the other sweeps, reversed.

    Parameters
    ----------
    order, parent : ndarray of int32
        The forest.
    gain, per_p, per_q, root : ndarray (bus,)
        As in `potentials`.
    of_potential, of_flow : ndarray (bus, column)
        Prices of the potential of each bus, and of the flow of p away from the root through the branch above it.

    Returns
    -------
    p, q : ndarray (bus, column)
        Worth of a unit injected; 0 outside the forest.
    fixed : ndarray (column,)
        Worth of all potentials where nothing is injected.
    """
    of_p, of_q, fixed = np.zeros_like(of_flow), np.zeros_like(of_flow), np.zeros(of_flow.shape[1])
    moved = of_potential.copy()
    width = of_flow.shape[1]
    for k in range(len(order) - 1, -1, -1):
        bus = order[k]
        above = parent[bus]
        if above < 0:
            for t in range(width):
                fixed[t] += root[bus] * moved[bus, t]
            continue
        for t in range(width):
            moved[above, t] += gain[bus] * moved[bus, t]
    for k in range(len(order)):
        bus = order[k]
        above = parent[bus]
        if above < 0:
            continue
        for t in range(width):
            of_p[bus, t] = of_p[above, t] + per_p[bus] * moved[bus, t] - of_flow[bus, t]
            of_q[bus, t] = of_q[above, t] + per_q[bus] * moved[bus, t]
    return of_p, of_q, fixed


@kernel
def potential_sensitivity(
    order: np.ndarray, parent: np.ndarray, gain: np.ndarray, per_flow: np.ndarray, buses: np.ndarray
) -> np.ndarray:
    """How the potential at each of some buses moves with the injection at every bus.

    The weight of a branch on the path to the root is its `per_flow` times the gains after it; an injection counts
    the weights that its own path to the root shares with that path.

    Parameters
    ----------
    order, parent : ndarray of int32
        The forest.
    gain, per_flow : ndarray (bus,)
        Coefficients of the branch above each bus, as in `potentials`; `per_flow` is `per_p` or `per_q`.
    buses : ndarray (row,) of int32
        Buses whose potential is asked for.

    Returns
    -------
    ndarray (row, bus)
        Change per injected kW or kvar; 0 outside the row's own tree.
    """
    found = np.zeros((len(buses), len(parent)))
    for row in range(len(buses)):
        factor = 1.0
        bus = buses[row]
        while parent[bus] >= 0:
            found[row, bus] = factor * per_flow[bus]
            factor *= gain[bus]
            bus = parent[bus]
        for k in range(len(order)):
            below = order[k]
            if parent[below] >= 0:
                found[row, below] += found[row, parent[below]]
    return found


@kernel
def flow_sensitivity(order: np.ndarray, parent: np.ndarray, buses: np.ndarray) -> np.ndarray:
    """How the flow away from the root above each of some buses moves with the injection at every bus.

    Parameters
    ----------
    order, parent : ndarray of int32
        The forest.
    buses : ndarray (row,) of int32
        Buses at the lower end of the branches.

    Returns
    -------
    ndarray (row, bus)
        -1 at and below the bus, 0 elsewhere.
    """
    found = np.zeros((len(buses), len(parent)))
    for row in range(len(buses)):
        found[row, buses[row]] = -1.0
        for k in range(len(order)):
            below = order[k]
            if parent[below] >= 0 and found[row, parent[below]] != 0.0:
                found[row, below] = -1.0
    return found
