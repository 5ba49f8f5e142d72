"""Compressors and boosters as elements, and the electricity that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.elements import Elements
from dispatch.model.gas_pipes import gas_values
from kernels.pipe_linear import BAR_NORMAL, KELVIN_NORMAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from dispatch.case.gas_network import GasNetwork
    from dispatch.model.gas_zones import Zones

EXPONENT, EFFICIENCY = 1.3, 0.7
"""Isentropic exponent of natural gas, and what compressors make of their electricity."""
PER_BAR = 1e5 / 3.6e6
"""A bar times a cubic metre. [kW h]"""


def compressors(case: xr.DataTree, zones: Zones) -> Elements:
    """Elements of compressors in service whose ends have a way to a gate.

    Parameters
    ----------
    case : DataTree
        Valid, with a gas network.
    zones : Zones
        Its zones.

    Returns
    -------
    Elements
    """
    table, energy = columns(case, "compressor"), gas_values(case)["heating_value_higher"]
    if not len(table["id"]):
        none = dict.fromkeys(("gas_max", "electricity", "p_nom"), np.zeros((0, 1)))
        at = np.zeros(0, np.int32)
        ways = {"zone_from": ("zone", at), "zone_to": ("zone", at), "meter": ("meter", at)}
        return Elements(0, none, ways, at, table["id"])
    ends = [zones.of_junction[parent_index(case, "compressor", f"junction_{side}")] for side in ("from", "to")]
    own = np.nonzero(table["in_service"] & (ends[0] >= 0) & (ends[1] >= 0) & (ends[0] != ends[1]))[0]
    electricity = electricity_of(case, zones)
    parameters = {
        "gas_max": energy * table["flow_max"][own, None],
        "electricity": electricity[own, None] / energy,
        "p_nom": (electricity * table["flow_max"])[own, None],
    }
    first, second = (end[own].astype(np.int32) for end in ends)
    nodes = {"zone_from": ("zone", first), "zone_to": ("zone", second)}
    nodes["meter"] = ("meter", parent_index(case, "compressor", "meter")[own].astype(np.int32))
    return Elements(len(own), parameters, nodes, own.astype(np.int32), table["id"][own])


def electricity_of(case: xr.DataTree, zones: Zones) -> np.ndarray:
    """Electricity for a normal cubic metre; where it is not given, of adiabatic compression between held pressures.

    Parameters
    ----------
    case : DataTree
        Valid, with compressors.
    zones : Zones
        Of its gas network.

    Returns
    -------
    ndarray (compressor,)
        [kW h m-3]
    """
    table = columns(case, "compressor")
    at = [parent_index(case, "compressor", f"junction_{side}") for side in ("from", "to")]
    low, high = (_held(case, zones)[zones.of_junction[end]] for end in at)
    work = _adiabatic(case, high / low)
    return np.asarray(np.where(np.isnan(table["electricity"]), np.nan_to_num(work), table["electricity"]))


def boosters(case: xr.DataTree, network: GasNetwork, zones: Zones, live: np.ndarray) -> Elements:
    """Elements of boosters whose regulators are elements of the program.

    Parameters
    ----------
    case : DataTree
        Valid, with a gas network.
    network : GasNetwork
        Of the case.
    zones : Zones
        Its zones.
    live : ndarray of int
        Regulators that are elements.

    Returns
    -------
    Elements
    """
    table, energy = columns(case, "booster"), gas_values(case)["heating_value_higher"]
    if not len(table["id"]):
        none, at = np.zeros((0, 1)), np.zeros(0, np.int32)
        return Elements(0, {"electricity": none}, {"regulator": ("regulator", at), "meter": ("meter", at)}, at)
    regulator = parent_index(case, "booster", "regulator")
    number = np.full(len(network.regulator_from), -1, np.int32)
    number[live] = np.arange(len(live))
    own = np.nonzero(number[regulator] >= 0)[0]
    at = regulator[own]
    before = _held(case, zones)[zones.of_junction[network.regulator_from[at]]]
    ratio = np.where(
        np.isnan(table["pressure_ratio"][own]),
        columns(case, "regulator")["pressure"][at] / before,
        table["pressure_ratio"][own],
    )
    electricity = np.where(np.isnan(table["electricity"][own]), _adiabatic(case, ratio), table["electricity"][own])
    most = columns(case, "regulator")["flow_max"][at]
    parameters = {"electricity": electricity[:, None] / energy, "p_nom": (electricity * most)[:, None]}
    meter = parent_index(case, "booster", "meter")[own].astype(np.int32)
    nodes = {"regulator": ("regulator", number[at]), "meter": ("meter", meter)}
    return Elements(len(own), parameters, nodes, own.astype(np.int32), table["id"][own])


def power_of_boosters(kinds: Mapping[str, Elements], injected: np.ndarray, count: int) -> np.ndarray:
    """Electricity of boosters that carry what is taken behind them, less what plants inject there.

    Parameters
    ----------
    kinds : mapping of str to Elements
        Of the gas network, balanced by the whole.
    injected : ndarray (upgrader, step)
        Biomethane of plants. [kW]
    count : int
        How many meters there are.

    Returns
    -------
    ndarray (meter, step)
        [kW]
    """
    zone, regulator, booster = (kinds[k] for k in ("zone", "regulator", "booster"))
    need = np.array(zone.parameters["demand"])
    if len(injected):
        np.subtract.at(need, kinds["upgrader"].nodes["zone"][1], injected)
    start, stop = (regulator.nodes[f"zone_{end}"][1] for end in ("from", "to"))
    _, first = np.unique(stop, return_index=True)  # of regulators side by side the first carries all
    own, carried = need.copy(), np.zeros((regulator.count, need.shape[1]))
    for _ in range(zone.count):  # regulators form no circle
        carried[first] = np.clip(need[stop[first]], 0.0, regulator.parameters["gas_max"][first])
        need = own.copy()
        np.add.at(need, start[first], carried[first])
    found = np.zeros((count, need.shape[1]))
    power = booster.parameters["electricity"] * carried[booster.nodes["regulator"][1]]
    np.add.at(found, booster.nodes["meter"][1], power)
    return found


def _held(case: xr.DataTree, zones: Zones) -> np.ndarray:
    """Pressure that is held in each zone, then NaN for none. [bar]."""
    held = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    return np.append(held[zones.holder], np.nan)


def _adiabatic(case: xr.DataTree, ratio: np.ndarray) -> np.ndarray:
    """Electricity of compression of a normal cubic metre by a ratio of pressures. [kW h m-3]."""
    warm = (gas_values(case)["temperature"] + KELVIN_NORMAL) / KELVIN_NORMAL
    power = (EXPONENT - 1) / EXPONENT
    work = BAR_NORMAL * PER_BAR * warm / power * (np.maximum(ratio, 1.0) ** power - 1) / EFFICIENCY
    return np.asarray(work)
