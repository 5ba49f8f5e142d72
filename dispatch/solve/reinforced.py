"""Branches with more rating: what prices say that it saves, and the offsets under which a program has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.solve.limits.radial import RadialLimits

MORE = 0.1
"""Share of the rating that a reinforcement adds."""


def reinforced(offsets: Offsets, network: Network, branches: np.ndarray) -> Offsets:
    """Give branches more rating, and nothing else: impedance and the penalty of a relaxed kW stay as they are.

    Parameters
    ----------
    offsets : Offsets
        Of a program. What is taken from a rating and what is added to it enter the rows alike.
    network : Network
        Of the same case.
    branches : ndarray of int
        Lines, then transformers.

    Returns
    -------
    Offsets
    """
    s = offsets.s.copy()
    s[branches] -= MORE * network.s_nom[branches, None]
    return replace(offsets, s=s)


def reinforcement_bound(limits: RadialLimits, price: np.ndarray, dt: float) -> np.ndarray:
    """Bound from above what more rating of each branch alone saves.

    The optimum is a convex function of the right-hand sides and the prices are a subgradient of it, so that no change
    of a right-hand side saves more than the change times its price.

    Parameters
    ----------
    limits : RadialLimits
        Of the program.
    price : ndarray (branch, time)
        Of each rating, both directions. [money kW-1 h-1]
    dt : float
        Length of a step. [h]

    Returns
    -------
    ndarray (branch,)
        Over all steps. [money]
    """
    network = limits.network
    wider = limits.with_offsets(reinforced(limits.offsets, network, np.arange(network.branches)))
    return np.asarray(dt * (price * (wider.p_max - limits.p_max)).sum(axis=1))
