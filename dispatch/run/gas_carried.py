"""How much of the demand for gas there is pressure for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.gas_pipes import gas_values
from dispatch.verify.gas import gas_flow

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.gas_network import GasNetwork

HALVINGS = 24
"""Parts are found to 1e-7."""


def short_zones(case: xr.DataTree, network: GasNetwork, squared: np.ndarray) -> np.ndarray:
    """Tell which zones have a junction below air pressure, through which nothing could flow out.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : GasNetwork
        Of the case.
    squared : ndarray (junction, step)
        Squared pressures; negative where there is none. [bar2]

    Returns
    -------
    ndarray (zone, step) of bool
        Zones as `GasNetwork.zone` numbers them.
    """
    found = np.zeros((int(network.zone.max(initial=-1)) + 1, squared.shape[1]), bool)
    low = (squared < gas_values(case)["pressure_ambient"] ** 2) & network.supplied[:, None]
    np.logical_or.at(found, network.zone, low)
    return found


def carried_part(
    case: xr.DataTree, network: GasNetwork, taken: np.ndarray, demand: np.ndarray, raised: np.ndarray | None = None
) -> np.ndarray:
    """Find what part of the demand of each zone, and of all zones behind it, there is pressure for; by bisection.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : GasNetwork
        Of the case.
    taken : ndarray (junction, step)
        All that is taken less what is injected. [m3 h-1]
    demand : ndarray (junction, step)
        The part of it that consumers take. [m3 h-1]
    raised : ndarray (junction, step), optional
        See `dispatch.verify.gas.gas_flow`.

    Returns
    -------
    ndarray (zone, step)
        1 where all of it is carried.
    """
    into, out = network.zone[network.regulator_to], network.zone[network.regulator_from]

    def with_behind(zones: np.ndarray) -> np.ndarray:
        zones = zones.copy()
        for _ in into:
            np.logical_or.at(zones, into, zones[out])
        return zones

    def short(part: np.ndarray) -> np.ndarray:
        less = taken - (1 - part[network.zone]) * demand
        return short_zones(case, network, gas_flow(case, less, raised).squared)

    low = np.ones((int(network.zone.max(initial=-1)) + 1, taken.shape[1]))
    first = with_behind(short(low))
    if not first.any():
        return low
    low[first] = 0.0
    high = np.ones_like(low)
    for _ in range(HALVINGS):
        tried = np.where(first, (low + high) / 2, 1.0)
        failed = first & with_behind(short(tried))
        high, low = np.where(failed, tried, high), np.where(failed, low, tried)
    return low
