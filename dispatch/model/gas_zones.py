"""Where gas is balanced: zones up to 4 bar gauge as a whole, above it every junction by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.gas_network import GasNetwork

LOW_PRESSURE = 4.0
"""Gauge pressure below which a zone has one lumped linepack. [bar]"""


@dataclass(frozen=True)
class Zones:
    """Zones with a way to a gate.

    Attributes
    ----------
    of_junction : ndarray (junction,) of int
        Zone of each junction, -1 without a way to a gate.
    count : int
        How many there are.
    holder : ndarray (zone,) of int
        First gate, or gates + first regulator, that holds its pressure.
    junction : ndarray (zone,) of int
        The junction that it is, -1 where it is all that hangs together by pipes.
    split : ndarray (junction,) of bool
        Whether each junction is a zone by itself.
    """

    of_junction: np.ndarray
    count: int
    holder: np.ndarray
    junction: np.ndarray
    split: np.ndarray


def zones_of_case(case: xr.DataTree, network: GasNetwork, *, whole: bool = False) -> Zones:
    """Find the zones that have a way to a gate, numbered in the order of their first junction, whole ones first.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : GasNetwork
        Of the case.
    whole : bool
        Balance gas above 4 bar gauge by the whole, too.

    Returns
    -------
    Zones
    """
    supplied = network.supplied
    held = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    roots = np.nonzero((network.held >= 0) & supplied)[0]
    highest = np.zeros(int(network.zone.max(initial=-1)) + 1)
    np.maximum.at(highest, network.zone[roots], held[network.held[roots]])
    ambient = float(columns(case, "gas_network")["pressure_ambient"][()])
    split = supplied & (highest[network.zone] - ambient >= LOW_PRESSURE) & (not whole)
    key = np.where(split, len(highest) + np.arange(len(split)), network.zone)
    found, first, of = np.unique(key[supplied], return_index=True, return_inverse=True)
    zone = np.full(len(network.zone), -1)
    zone[supplied] = of
    junction = np.where(found >= len(highest), np.nonzero(supplied)[0][first], -1)
    holder = np.full(len(highest), np.iinfo(np.int32).max)
    np.minimum.at(holder, network.zone[roots], network.held[roots])
    return Zones(zone, len(found), holder[network.zone[supplied][first]], junction, split)


def zones_that_hold(network: GasNetwork, zones: Zones, whole: Zones) -> np.ndarray:
    """Find in which zone the pressure of each zone is held, where it falls apart into junctions the first of them.

    Parameters
    ----------
    network : GasNetwork
        Of the case.
    zones, whole : Zones
        As they are, and with gas above 4 bar gauge balanced by the whole.

    Returns
    -------
    ndarray (zone of whole,) of int
    """
    roots = np.nonzero((network.held >= 0) & network.supplied)[0][::-1]
    found = np.full(whole.count, -1)
    found[whole.of_junction[roots]] = zones.of_junction[roots]
    return found


def zones_of_elements(network: GasNetwork, zones: Zones) -> dict[str, np.ndarray]:
    """Zone of each junction, gate and regulator (the one behind it), -1 without a way to a gate."""
    of = zones.of_junction
    return {"junction": of, "gate": of[network.gate_at], "regulator": of[network.regulator_to]}
