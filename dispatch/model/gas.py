"""Elements of the gas network's components and of biogas plants; see docs/formulation.md for every quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import GasNetwork, gas_network_of
from dispatch.case.schema import Columns, columns, has, parent_index
from dispatch.model.components.plant import LOWER
from dispatch.model.elements import Elements
from dispatch.model.gas_limits import limit_kinds
from dispatch.model.meters import sum_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from dispatch.case.offsets import GasLimit
    from dispatch.model.series import Series

PRESSURE_NORMAL, KELVIN = 1.01325, 273.15
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
    """

    of_junction: np.ndarray
    count: int
    holder: np.ndarray


def zones_of_case(network: GasNetwork) -> Zones:
    """Find the zones that have a way to a gate, numbered in the order of their first junction.

    Parameters
    ----------
    network : GasNetwork
        Of the case.

    Returns
    -------
    Zones
    """
    supplied = network.supplied
    found, of = np.unique(network.zone[supplied], return_inverse=True)
    zone = np.full(len(network.zone), -1)
    zone[supplied] = of
    holder = np.full(len(found), np.iinfo(np.int32).max)
    held = np.nonzero((network.held >= 0) & supplied)[0]
    np.minimum.at(holder, zone[held], network.held[held])
    return Zones(zone, len(found), holder)


def gas_kinds(
    case: xr.DataTree,
    series: Series,
    windows: dict[str, np.ndarray],
    dt: float,
    limits: Mapping[str, GasLimit],
    limit_penalty: float,
) -> dict[str, Elements]:
    """Elements of plants, and of the gas network where one of them injects; none in a case without plants.

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
    limits : mapping of str to GasLimit
        Limits of the gas network that are stated.
    limit_penalty : float
        Of relaxing one of them by its own rating for an hour. [money h-1]

    Returns
    -------
    dict of str to Elements
    """
    if not has(case, "plant") or not len(columns(case, "plant")["id"]):
        return {}
    plant = columns(case, "plant")
    meter = parent_index(case, "plant", "meter")
    kinds = {
        "substrate": _substrates(case, windows["day"], dt),
        "plant": _elements(plant, _plant(plant), {"meter": ("meter", meter)}),
        "chp": _at_plant(case, "chp", ("p_nom", "efficiency_electric", "efficiency_thermal", "running_cost"), meter),
    }
    if not has(case, "junction"):
        return kinds
    network = gas_network_of(case)
    zones = zones_of_case(network)
    upgrader = _upgraders(case, meter, zones)
    kinds |= {"upgrader": upgrader} | _network(case, series, network, zones)
    live = kinds["regulator"].index
    return kinds | limit_kinds(case, network, limits, zones_of_elements(network, zones), live, limit_penalty)


def zones_of_elements(network: GasNetwork, zones: Zones) -> dict[str, np.ndarray]:
    """Zone of each junction, gate and regulator (the one behind it), -1 without a way to a gate."""
    of = zones.of_junction
    return {"junction": of, "gate": of[network.gate_at], "regulator": of[network.regulator_to]}


def _elements(table: Columns, parameters: dict[str, np.ndarray], nodes: dict[str, tuple[str, np.ndarray]]) -> Elements:
    count = len(table["id"])
    two = {n: v if v.ndim == 2 else v[:, None] for n, v in parameters.items()}
    return Elements(count, two, nodes, np.arange(count, dtype=np.int32), table["id"])


def _plant(plant: Columns) -> dict[str, np.ndarray]:
    """Parameters of plants, with what is not known filled in; `p_nom` widens the bounds of the meter."""
    initial = np.where(np.isnan(plant["holder_initial"]), plant["holder_nom"] / 2, plant["holder_initial"])
    names = ("methane_share", "holder_nom", "price_flare", "p_own", "heat_demand", "heat_tank_nom", "efficiency_boiler")
    return {
        **{n: plant[n] for n in names},
        "holder_initial": initial,
        "holder_final": np.where(np.isnan(plant["holder_final"]), initial, plant["holder_final"]),
        "flow_boiler_max": plant["boiler_nom"] / (plant["efficiency_boiler"] * LOWER * plant["methane_share"]),
        "p_nom": plant["p_own"],
    }


def _at_plant(case: xr.DataTree, kind: str, names: tuple[str, ...], meter: np.ndarray) -> Elements:
    """Elements of a kind that hangs on plants, with their meters."""
    table = columns(case, kind)
    at = parent_index(case, kind, "plant") if len(table["id"]) else np.zeros(0, np.int32)
    none = np.zeros(len(table["id"]))
    nodes = {"plant": ("plant", at), "meter": ("meter", meter[at])}
    return _elements(table, {n: table.get(n, none) for n in names}, nodes)


def _substrates(case: xr.DataTree, day: np.ndarray, dt: float) -> Elements:
    """Substrates; what is due in a day that the horizon cuts is the part of its hours."""
    table = columns(case, "substrate")
    none = np.zeros(len(table["id"]))
    feed_day, gas = table.get("feed_day", none), table.get("methane_yield", none)
    start = table.get("gas_rate_initial", none)
    due = feed_day[:, None] * (np.bincount(day) * dt / 24.0)[day]
    parameters = {n: table.get(n, none) for n in ("feed_max", "feed_day", "methane_yield", "tau", "price")}
    parameters |= {"feed_due": due, "gas_rate_initial": np.where(np.isnan(start), gas * feed_day / 24.0, start)}
    parameters["gas_rate_final"] = _final_rate(table.get("gas_rate_final", none), parameters, len(day) * dt)
    at = parent_index(case, "substrate", "plant") if len(none) else np.zeros(0, np.int32)
    return _elements(table, parameters, {"plant": ("plant", at)})


def _final_rate(given: np.ndarray, substrate: dict[str, np.ndarray], hours: float) -> np.ndarray:
    """Least rate of methane at the end: where it is not given, what even feeding leaves."""
    kept = np.exp(-hours / substrate["tau"])
    day = substrate["feed_day"] / 24.0
    even = kept * substrate["gas_rate_initial"] + (1 - kept) * substrate["methane_yield"] * day
    return np.where(np.isnan(given), even, given)


def _upgraders(case: xr.DataTree, meter: np.ndarray, zones: Zones) -> Elements:
    names = ("flow_nom", "methane_slip", "electricity", "conditioning_cost", "price_gas")
    found = _at_plant(case, "upgrader", names, meter)
    at, junction = found.nodes["plant"][1], parent_index(case, "plant", "junction")
    found.parameters["methane_share"] = columns(case, "plant")["methane_share"][at][:, None]
    found.parameters["p_nom"] = found.parameters["electricity"] * found.parameters["flow_nom"]
    found.nodes["zone"] = ("zone", zones.of_junction[junction[at]].astype(np.int32))
    return found


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
    parameters = {
        "demand": demand,
        "demand_max": np.maximum(demand, 0.0),
        "surplus_max": np.maximum(-demand, 0.0),
        "linepack_nom": headroom_of_zones(case, network, zones)[1][:, None] * energy,
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
    low = (highest - gas["pressure_ambient"] < LOW_PRESSURE) & np.isfinite(lowest) & (lowest > highest)
    swing = np.where(low, lowest, 0.0) - np.where(low, highest, 0.0)
    z = gas["compressibility"] + gas["compressibility_slope"] * np.where(low, lowest + highest, 0.0) / 2
    return swing, np.asarray(volume * swing / PRESSURE_NORMAL * KELVIN / kelvin / z)
