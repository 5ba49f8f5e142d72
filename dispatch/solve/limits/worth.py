"""What injections are worth at prices of limits, without stating a row for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.linear import forest_of, loops_of
from kernels.radial import worth_of_injections

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.model.linear import Forest, Loops

Worth = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of a unit of p and of q injected at each bus, (bus, column), and of what there is without them, (column,)."""


def worth_by_sweep(
    network: Network, voltage: np.ndarray, keys: np.ndarray, prices: np.ndarray, steps: int
) -> tuple[np.ndarray, float]:
    """Say what injections are worth.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    voltage : ndarray (limit,) of bool
        Whether a limit is one of a squared voltage, or of a flow.
    keys : ndarray (limit,) of KEY
        Limits with a price.
    prices : ndarray (limit,)
        Money per unit of squared voltage, and of flow at `bus_from`.
    steps : int
        How many there are.

    Returns
    -------
    ndarray (port,)
        Of a unit injected. [money]
    float
        Of all that is priced where nothing is injected; NaN where a bus without a source has a price. [money]
    """
    priced, p, q, fixed = worth_in_steps(network, voltage, keys, prices)
    weight = np.zeros((2, network.buses, steps))
    weight[0][:, priced], weight[1][:, priced] = p, q
    return weight.ravel(), fixed


def worth_in_steps(
    network: Network, voltage: np.ndarray, keys: np.ndarray, prices: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Do the same for the steps alone in which anything has a price: these, worth of p and q, (bus, step), the rest."""
    forest, loops = forest_of(network), loops_of(network)
    priced, column = np.unique(keys["step"], return_inverse=True)  # nothing is worth anything in other steps
    of_bus, of_branch = np.zeros((network.buses, len(priced))), np.zeros((network.branches, len(priced)))
    np.add.at(of_bus, (keys["element"][voltage], column[voltage]), prices[voltage])
    np.add.at(of_branch, (keys["element"][~voltage], column[~voltage]), prices[~voltage])
    if of_bus[network.feeder < 0].any():
        return priced, np.zeros_like(of_bus), np.zeros_like(of_bus), np.nan
    inner = np.nonzero(network.parent_branch >= 0)[0]
    of_flow = np.zeros_like(of_bus)
    of_flow[inner] = forest.sign[inner, None] * of_branch[network.parent_branch[inner]]
    found = _of_voltages(network, forest, of_bus, of_flow)
    if loops is not None:
        found = _through_loops(network, forest, loops, found, of_branch[network.chords])
    return priced, found[0], found[1], float(np.sum(found[2]))


def _of_voltages(network: Network, forest: Forest, of_bus: np.ndarray, of_flow: np.ndarray) -> Worth:
    """Worth where squared voltages and flows of the forest alone have prices."""
    coefficients = (forest.gain, forest.per_p, forest.per_q, forest.root_v)
    p, q, fixed = worth_of_injections(network.order, network.parent, *coefficients, of_bus, of_flow)
    return p, q, fixed


def _through_loops(network: Network, forest: Forest, loops: Loops, tree: Worth, of_chord: np.ndarray) -> Worth:
    """Add what injections are worth by the flows that they make in chords.

    A chord's flow is priced itself, and leaves at one end what it gives at the other: at these prices `d`, what closes
    the gaps `g` of the forest, ``f = -M^-1 g``, is worth ``-M^-T d`` for each gap, and a gap is made of voltages and
    angles of the forest.
    """
    p, q, fixed = tree
    direct = np.concatenate([of_chord + p[loops.stop] - p[loops.start], q[loops.stop] - q[loops.start]])
    of_gap = loops.inverse.T @ direct
    of_gap = -(of_gap + loops.inverse.T @ (direct - loops.matrix.T @ of_gap))
    of_drop, of_turn = of_gap[: len(loops.start)], of_gap[len(loops.start) :]
    of_bus, of_angle, still = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    np.add.at(of_bus, loops.stop, loops.ratio_squared[:, None] * of_drop)
    np.subtract.at(of_bus, loops.start, of_drop)
    np.add.at(of_angle, loops.stop, of_turn)
    np.subtract.at(of_angle, loops.start, of_turn)
    by_drop = _of_voltages(network, forest, of_bus, still)
    coefficients = (forest.angle_gain, forest.angle_per_p, forest.angle_per_q, np.zeros(network.buses))
    by_turn = worth_of_injections(network.order, network.parent, *coefficients, of_angle, still)
    return p + by_drop[0] + by_turn[0], q + by_drop[1] + by_turn[1], fixed + by_drop[2]
