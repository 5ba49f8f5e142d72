"""Parts of a network whose worst bus stands for all of their voltage limits while rows are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.linear import forest_of
from kernels.radial import potentials

if TYPE_CHECKING:
    from dispatch.case.network import Network

BAR_SHARE = 0.02
"""Buses nearer to the first fork than this share of the feeder's longest electric distance count as its bus bar."""


def voltage_groups(network: Network) -> np.ndarray:
    """Group buses by the branch of the feeder on which they hang.

    A branch is the tree below a bus that hangs on the feeder's bus bar: the first fork seen from the source, and
    what is as good as connected to it.

    Parameters
    ----------
    network : Network
        Any number of feeders.

    Returns
    -------
    ndarray (bus,) of int32
        Number of the group; -1 at isolated buses.
    """
    order, parent = network.order, network.parent
    forest = forest_of(network)
    one = np.ones((network.buses, 1))
    ones, still = np.ones(network.buses), np.zeros(network.buses)
    # Minus the distance to the source: each branch counts its own impedance once.
    distance = -potentials(order, parent, ones, forest.per_p + forest.per_q, still, one, one, still)[:, 0]
    children = np.bincount(parent[order][parent[order] >= 0], minlength=network.buses)
    trunk = np.zeros(network.buses, bool)
    fork = np.full(network.buses, -1)  # of each bus's feeder, by the feeder's root
    root = np.arange(network.buses)
    for bus in order:
        above = parent[bus]
        if above >= 0:
            root[bus] = root[above]
            trunk[bus] = trunk[above] and children[above] == 1
        else:
            trunk[bus] = True
        if trunk[bus]:
            fork[root[bus]] = bus
    group = np.full(network.buses, -1, np.int32)
    longest = np.zeros(network.buses)
    np.maximum.at(longest, root[order], distance[order])
    bar = trunk.copy()
    for bus in order:
        above, top = parent[bus], root[bus]
        if above >= 0 and bar[above]:
            bar[bus] |= distance[bus] - distance[fork[top]] <= BAR_SHARE * (longest[top] - distance[fork[top]])
        if bar[bus]:
            group[bus] = top
        else:
            group[bus] = bus if bar[above] else group[above]
    return np.asarray(np.unique(group, return_inverse=True)[1] - int((group < 0).any()), np.int32)
