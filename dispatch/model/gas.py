"""Elements of the gas network's components and of biogas plants; see docs/formulation.md for every quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import gas_network_of
from dispatch.case.schema import columns, has, parent_index
from dispatch.model.accounts import account_kinds
from dispatch.model.components.zone import HOLDING_PRICE
from dispatch.model.elements import Elements
from dispatch.model.gas_compressors import boosters, compressors
from dispatch.model.gas_levels import level_kinds
from dispatch.model.gas_limits import limit_kinds
from dispatch.model.gas_zones import LOW_PRESSURE, Zones, zones_of_case, zones_of_elements
from dispatch.model.meters import sum_at
from dispatch.model.plants import plant_kinds, upgraders

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.gas_network import GasNetwork
    from dispatch.case.offsets import Offsets
    from dispatch.model.series import Series

PRESSURE_NORMAL, KELVIN = 1.01325, 273.15


def has_gas(case: xr.DataTree) -> bool:
    """Whether a case has plants or a gas network."""
    return has(case, "junction") or (has(case, "plant") and bool(len(columns(case, "plant")["id"])))


def gas_kinds(
    case: xr.DataTree,
    series: Series,
    windows: dict[str, np.ndarray],
    dt: float,
    offsets: Offsets,
    limit_penalty: float,
    *,
    whole: bool = False,
) -> dict[str, Elements]:
    """Elements of plants and of the gas network; none in a case without either.

    Parameters
    ----------
    case : DataTree
        Valid.
    series : Series
        Its forecast.
    windows : dict of str to ndarray (step,)
        See `dispatch.model.windows.windows_of`.
    dt : float
        Length of a step. [h]
    offsets : Offsets
        With the limits of the gas network that are stated, and what is held to run or not.
    limit_penalty : float
        Of relaxing one of them by its own rating for an hour. [money h-1]
    whole : bool
        Balance gas above 4 bar gauge by the whole, without what its pipes hold.

    Returns
    -------
    dict of str to Elements
    """
    if not has_gas(case):
        return {}
    kinds = plant_kinds(case, series.time, windows["day"], dt, offsets.on)
    if not has(case, "junction"):
        return kinds
    network = gas_network_of(case)
    zones = zones_of_case(case, network, whole=whole)
    kinds |= {"upgrader": upgraders(case, zones.of_junction, dt, series.time, offsets.on)}
    kinds["compressor"] = compressors(case, zones)
    kinds |= _network(case, series, network, zones) | account_kinds(case, series, windows)
    kinds["booster"] = boosters(case, network, zones, kinds["regulator"].index)
    kinds |= level_kinds(case, network, zones, offsets.point, len(series.time), limit_penalty)
    live = {kind: kinds[kind].index for kind in ("regulator", "compressor", "gate")}
    return kinds | limit_kinds(case, network, offsets.gas, zones_of_elements(network, zones), live, limit_penalty)


def _network(case: xr.DataTree, series: Series, network: GasNetwork, zones: Zones) -> dict[str, Elements]:
    """Zones with their demand, gates, and regulators in service between zones."""
    energy = float(columns(case, "gas_network")["heating_value_higher"][()])
    demand = np.zeros((zones.count, len(series.time)))
    for kind, flow, sign in (("consumer", series.flow_consumer, 1.0), ("injection", series.flow_injection, -1.0)):
        if len(flow):
            at = zones.of_junction[parent_index(case, kind, "junction")]
            demand += sign * energy * sum_at(at[at >= 0], flow[at >= 0], zones.count)
    gate, regulator = columns(case, "gate"), columns(case, "regulator")
    gates = len(gate["id"])
    ends = {s: zones.of_junction[getattr(network, f"regulator_{s}")] for s in ("from", "to")}
    live = np.nonzero(regulator["in_service"] & (ends["from"] >= 0) & (ends["to"] >= 0))[0]
    ids = np.concatenate([gate["id"], regulator["id"]])[zones.holder]
    alone = zones.junction >= 0
    levels = [np.nonzero(zones.split & (network.zone == z))[0] for z in np.unique(network.zone[zones.split])]
    ids = np.where(alone, columns(case, "junction")["id"][zones.junction], ids)
    packed = headroom_of_zones(case, network, zones)[1] * energy
    short = demand.copy()
    for junctions in levels:  # what lacks or is over in a level is counted where its pressure is held
        of = zones.of_junction[junctions]
        short[of] = 0.0
        short[of[int(np.argmax(network.held[junctions] >= 0))]] = demand[of].sum(axis=0)
    parameters = {
        "demand": demand,
        "demand_max": np.maximum(short, 0.0),
        "surplus_max": np.maximum(-short, 0.0),
        "linepack_least": np.where(alone, -np.inf, 0.0)[:, None],
        "linepack_nom": np.where(alone, np.inf, packed)[:, None],
        "holding_price": np.where(alone, 0.0, HOLDING_PRICE)[:, None],
    }
    limit = regulator.get("flow_max", np.zeros(0))[live, None] * energy
    between = {f"zone_{s}": ("zone", at[live].astype(np.int32)) for s, at in ends.items()}
    return {
        "zone": Elements(zones.count, parameters, {}, np.arange(zones.count, dtype=np.int32), ids),
        "gate": Elements(
            gates,
            {"gas_max": gate["flow_max"][:, None] * energy},
            {"zone": ("zone", zones.of_junction[network.gate_at].astype(np.int32))},
            np.arange(gates, dtype=np.int32),
            gate["id"],
        ),
        "regulator": Elements(len(live), {"gas_max": limit}, between, live.astype(np.int32), regulator["id"][live]),
    }


def headroom_of_zones(case: xr.DataTree, network: GasNetwork, zones: Zones) -> tuple[np.ndarray, np.ndarray]:
    """Pressure between what is held in each zone and the highest that all its junctions allow, and the gas of it.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : GasNetwork
        Of the case.
    zones : Zones
        Its zones.

    Returns
    -------
    headroom : ndarray (zone,)
        0 where some held pressure is 4 bar gauge or more, where no junction has a `pressure_max`, or where it is not
        above the pressure that is held. [bar]
    linepack : ndarray (zone,)
        Gas that it takes. [m3]
    """
    gas = {n: float(v[()]) for n, v in columns(case, "gas_network").items() if v.dtype.kind == "f"}
    pipe, junction = columns(case, "pipe"), columns(case, "junction")
    held = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    lowest, highest = np.full(zones.count, np.inf), np.zeros(zones.count)
    at = np.nonzero((network.held >= 0) & network.supplied)[0]
    np.maximum.at(highest, zones.of_junction[at], held[network.held[at]])
    inside = network.supplied
    np.fmin.at(lowest, zones.of_junction[inside], junction["pressure_max"][inside])
    volume = np.zeros(zones.count)
    if len(pipe["id"]):
        used = pipe["in_service"] & inside[network.pipe_from]
        size = np.pi / 4 * pipe["inner_diameter"] ** 2 * pipe["length"]
        np.add.at(volume, zones.of_junction[network.pipe_from[used]], size[used])
    kelvin = gas["temperature"] + KELVIN
    low = (
        (zones.junction < 0)
        & (highest - gas["pressure_ambient"] < LOW_PRESSURE)
        & np.isfinite(lowest)
        & (lowest > highest)
    )
    swing = np.where(low, lowest, 0.0) - np.where(low, highest, 0.0)
    z = gas["compressibility"] + gas["compressibility_slope"] * np.where(low, lowest + highest, 0.0) / 2
    return swing, np.asarray(volume * swing / PRESSURE_NORMAL * KELVIN / kelvin / z)
