"""Compressors as elements, and the electricity that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.elements import Elements
from dispatch.model.gas_pipes import gas_values
from kernels.pipe_linear import BAR_NORMAL, KELVIN_NORMAL

if TYPE_CHECKING:
    import xarray as xr

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
    table, warm = columns(case, "compressor"), (gas_values(case)["temperature"] + KELVIN_NORMAL) / KELVIN_NORMAL
    held = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    at = [parent_index(case, "compressor", f"junction_{side}") for side in ("from", "to")]
    low, high = (np.append(held[zones.holder], np.nan)[zones.of_junction[end]] for end in at)
    power = (EXPONENT - 1) / EXPONENT
    work = BAR_NORMAL * PER_BAR * warm / power * (np.maximum(high / low, 1.0) ** power - 1) / EFFICIENCY
    return np.asarray(np.where(np.isnan(table["electricity"]), np.nan_to_num(work), table["electricity"]))
