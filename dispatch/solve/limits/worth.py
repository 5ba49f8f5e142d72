"""What injections are worth at prices of limits, without stating a row for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.radial import worth_of_injections

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.model.linear import Forest
    from dispatch.solve.limits.known_rows import KnownRows


def worth_by_sweep(
    network: Network, forest: Forest, voltage: np.ndarray, keys: np.ndarray, prices: np.ndarray, steps: int
) -> tuple[np.ndarray, float]:
    """Say what injections are worth in a network without closed loops.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    forest : Forest
        Its coefficients.
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
    of_bus, of_branch = np.zeros((network.buses, steps)), np.zeros((network.branches, steps))
    np.add.at(of_bus, (keys["element"][voltage], keys["step"][voltage]), prices[voltage])
    np.add.at(of_branch, (keys["element"][~voltage], keys["step"][~voltage]), prices[~voltage])
    if of_bus[network.feeder < 0].any():
        return np.zeros(2 * of_bus.size), np.nan
    inner = np.nonzero(network.parent_branch >= 0)[0]
    of_flow = np.zeros_like(of_bus)
    of_flow[inner] = forest.sign[inner, None] * of_branch[network.parent_branch[inner]]
    coefficients = (forest.gain, forest.per_p, forest.per_q, forest.root_v)
    p, q, fixed = worth_of_injections(network.order, network.parent, *coefficients, of_bus, of_flow)
    return np.concatenate([p.ravel(), q.ravel()]), float(np.sum(fixed))


def worth_by_rows(
    known: KnownRows, buses: int, voltage: np.ndarray, keys: np.ndarray, prices: np.ndarray, steps: int
) -> tuple[np.ndarray, float]:
    """Do the same in any network of so many buses, from its rows."""
    number, of = np.unique(np.where(voltage, keys["element"], buses + keys["element"]), return_inverse=True)
    is_bus = number < buses
    matrix, constant = known.rows(is_bus, np.where(is_bus, number, number - buses))
    priced = np.zeros((len(number), steps))
    np.add.at(priced, (of, keys["step"]), prices)
    return (matrix.T @ priced).ravel(), float(np.sum(constant[of] * prices))
