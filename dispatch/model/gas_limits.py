"""Limits of the gas network as elements: those that are stated, and what injection and linepack change in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import boosted
from dispatch.case.schema import columns
from dispatch.model.elements import Elements

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from dispatch.case.gas_network import GasNetwork
    from dispatch.case.offsets import GasLimit

LIMITED = {"pressure": "junction", "share": "junction", "flow_gate": "gate", "flow_regulator": "regulator"}
"""Quantities that have limits, and the kind of elements they are of."""


@dataclass(frozen=True)
class Bounds:
    """Limits of one quantity.

    Attributes
    ----------
    least, most : ndarray (element,)
        Infinite where there is none. [bar, 1 or kW]
    rating : ndarray (element,)
        In units of which a relaxation is counted. [bar, 1 or kW]
    """

    least: np.ndarray
    most: np.ndarray
    rating: np.ndarray


def bounds_of(case: xr.DataTree, network: GasNetwork) -> dict[str, Bounds]:
    """Limits of every quantity of the gas network.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : GasNetwork
        Of the case.

    Returns
    -------
    dict of str to Bounds
        ``pressure``: `pressure_min` and `pressure_max`, and before a regulator without a booster at least what it
        holds behind it; rated
        at the highest pressure that is held. ``share``: `biomethane_share_max`, rated at 1. ``flow_gate``,
        ``flow_regulator``: from 0 to `flow_max`, rated at it, or where it is infinite at the `flow_nom` of all
        consumers; energy at `heating_value_higher`.
    """
    junction, gate, regulator, consumer = (columns(case, k) for k in ("junction", "gate", "regulator", "consumer"))
    energy = float(columns(case, "gas_network")["heating_value_higher"][()])
    none = np.zeros(0)
    low, high = junction["pressure_min"].copy(), junction["pressure_max"]
    held = regulator.get("pressure", none)
    for k in np.nonzero(regulator["in_service"] & ~boosted(case)[0])[0]:
        low[network.regulator_from[k]] = np.fmax(low[network.regulator_from[k]], held[k])
    highest = float(np.concatenate([gate.get("pressure", none), held]).max(initial=1.0))
    found = {
        "pressure": Bounds(
            np.where(np.isnan(low), -np.inf, low),
            np.where(np.isnan(high), np.inf, high),
            np.full(len(high), highest),
        )
    }
    share = junction["biomethane_share_max"]
    most = np.where(np.isnan(share), np.inf, share)
    found["share"] = Bounds(np.full(len(share), -np.inf), most, np.ones(len(share)))
    usual = max(float(consumer.get("flow_nom", none).sum()), 1.0)
    for name, table in (("flow_gate", gate), ("flow_regulator", regulator)):
        most = table.get("flow_max", none)
        rating = np.where(np.isfinite(most) & (most > 0), most, usual)
        found[name] = Bounds(np.zeros(len(most)), most * energy, rating * energy)
    return found


def stated_limits(gas: Mapping[str, GasLimit]) -> list[tuple[str, int]]:
    """Quantity and element of every limit that is stated, in the order of the elements of ``gas_limit``."""
    return [(name, int(k)) for name in LIMITED if name in gas for k in np.nonzero(gas[name].stated)[0]]


def limit_kinds(
    case: xr.DataTree,
    network: GasNetwork,
    gas: Mapping[str, GasLimit],
    zone_of: Mapping[str, np.ndarray],
    live: Mapping[str, np.ndarray],
    limit_penalty: float,
) -> dict[str, Elements]:
    """Elements of the limits that are stated; none where none is.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : GasNetwork
        Of the case.
    gas : mapping of str to GasLimit
        What is stated.
    zone_of : mapping of str to ndarray (element,)
        Zone of each junction, gate and regulator, -1 without a way to a gate.
    live : mapping of str to ndarray of int
        Regulators, compressors and gates that are elements of the program.
    limit_penalty : float
        Of relaxing a limit by its own rating for an hour. [money h-1]

    Returns
    -------
    dict of str to Elements
    """
    stated = stated_limits(gas)
    if not stated:
        return {}
    bounds = bounds_of(case, network)
    least, most, rating = (
        np.array([getattr(bounds[name], side)[k] for name, k in stated]) for side in ("least", "most", "rating")
    )
    parameters = {
        "constant": np.array([gas[name].constant[k] for name, k in stated]),
        **{n: v[:, None] for n, v in (("least", least), ("most", most), ("rating", rating))},
        "slack_least_max": np.where(np.isfinite(least), np.inf, 0.0)[:, None],
        "slack_most_max": np.where(np.isfinite(most), np.inf, 0.0)[:, None],
        "limit_penalty": np.full((1, 1), limit_penalty),
    }
    ids = np.array([columns(case, LIMITED[name])["id"][k] for name, k in stated])
    every = np.arange(len(stated), dtype=np.int32)
    packs = [(e, int(zone_of[LIMITED[name]][k]), gas[name].by_linepack[k]) for e, (name, k) in enumerate(stated)]
    injections = [
        (e, u, effect) for e, (name, k) in enumerate(stated) for u, effect in enumerate(gas[name].by_injection[k])
    ]
    return {
        "gas_limit": Elements(len(stated), parameters, {}, every, ids),
        "gas_limit_injection": _effects(injections, "upgrader"),
        "gas_limit_linepack": _effects([pack for pack in packs if pack[1] >= 0], "zone"),
        **{
            f"gas_limit_{kind}": _effects(
                [
                    (e, r, effect[k, number])
                    for e, (name, k) in enumerate(stated)
                    for effect in (getattr(gas[name], f"by_{kind}"),)
                    for r, number in enumerate(own.tolist())
                    if number < effect.shape[1]
                ],
                kind,
            )
            for kind, own in live.items()
        },
    }


def _effects(pairs: list[tuple[int, int, np.ndarray]], node: str) -> Elements:
    """Elements that bring what changes at a node into a limit; those without any effect are left out."""
    felt = [(e, k, effect) for e, k, effect in pairs if np.any(effect)]
    first, second = (np.array([pair[i] for pair in felt], np.int32) for i in (0, 1))
    effect = np.array([pair[2] for pair in felt]) if felt else np.zeros((0, 1))
    nodes = {"limit": ("gas_limit", first), node: (node, second)}
    return Elements(len(felt), {"effect": effect}, nodes, np.arange(len(felt), dtype=np.int32))
