"""The town's gas network and its biogas plant."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers.pandapipes import import_pandapipes
from dispatch.case.merge import merge_cases
from dispatch.case.schema import build_case, columns
from dispatch.scenario.prices import TariffRule

if TYPE_CHECKING:
    import xarray as xr

BIOGAS, GAS_HOUSE = b"biogas", b"gas_house"
BUS, JUNCTION = b"NS_bus_idx_118", b"K1253"
PRESSURE_LOW, PRESSURE_HIGH = 0.5, 1.5
"""Lowest and highest operating pressure of the network, whose gate holds 1 bar. [bar gauge]"""
NETWORK_FEE, BELOW_IMPORT = 0.08, 0.05
PLANT = {
    "holder_nom": [2500.0],
    "p_own": [30.0],
    "heat_demand": [120.0],
    "heat_tank_nom": [500.0],
    "boiler_nom": [250.0],
}
SUBSTRATE = {
    "feed_max": [4.0, 4.0],
    "feed_day": [27.0, 40.0],
    "methane_yield": [121.0, 16.0],
    "price": [40.0, 0.0],
}
ENGINE = {"p_nom": [450.0]}
UPGRADER = {"flow_nom": [320.0]}


def gas_network(path: Path, time: np.ndarray, shape: np.ndarray) -> xr.DataTree:
    """Import the gas network, its consumers on one shape, its junctions with the pressures of a 1 bar network.

    Parameters
    ----------
    path : Path
        pandapipes file.
    time, shape : ndarray (time,)
        Of ``/profile``, and what a house takes over its mean hour. [UTC, 1]

    Returns
    -------
    DataTree
    """
    case, notes = import_pandapipes(path)
    print("\n".join(notes))
    kinds = ("gas_network", "junction", "gate", "pipe", "consumer")
    tables: dict[str, dict[str, Any]] = {kind: columns(case, kind) for kind in kinds}
    ambient = float(tables["gas_network"]["pressure_ambient"])
    tables["junction"]["pressure_min"][:] = ambient + PRESSURE_LOW
    tables["junction"]["pressure_max"][:] = ambient + PRESSURE_HIGH
    tables["consumer"]["profile"] = np.full(len(tables["consumer"]["id"]), GAS_HOUSE)
    one = {"p_pu": shape[None].astype(np.float32), "q_pu": np.zeros((1, len(time)), np.float32)}
    return build_case({**tables, "profile": {"id": np.array([GAS_HOUSE]), "time": time, **one}})


def with_plant_meter(tables: dict[str, dict[str, Any]], time: np.ndarray, time_zone: str) -> dict[str, dict[str, Any]]:
    """Add the plant's prosumer, meter and tariff to the tables of the electric network.

    It buys at the hour's energy price of the scenario and sells 0.05 EUR/kWh below that.

    Parameters
    ----------
    tables : dict
        Of the imported electric network.
    time : ndarray (time,)
        Of the prices, UTC.
    time_zone : str
        In which the day is divided.

    Returns
    -------
    dict
    """
    rule = TariffRule()
    energy = rule.energy_price(time, time_zone)
    flat = {"price_import": rule.price_middle, "price_export": rule.price_middle - BELOW_IMPORT}
    added: dict[str, dict[str, Any]] = {
        "prosumer": {},
        "meter": {"bus": BUS, "prosumer": BIOGAS, "tariff": BIOGAS},
        "tariff": {**flat, "network_fee": NETWORK_FEE},
    }
    whole = dict(tables)
    for kind, row in added.items():
        blank = columns(build_case({kind: {"id": [BIOGAS], **{n: [v] for n, v in row.items()}}}), kind)
        whole[kind] = {n: np.concatenate([old, blank[n]]) for n, old in tables[kind].items()}
    old = whole["tariff"]["price_import"][:-1, None], whole["tariff"]["price_export"][:-1, None]
    prices = {
        "price_import": np.concatenate([np.repeat(old[0], len(time), axis=1), energy[None]]),
        "price_export": np.concatenate([np.repeat(old[1], len(time), axis=1), energy[None] - BELOW_IMPORT]),
    }
    return whole | {"forecast": {"time": time, **prices}}


def join_gas(case: xr.DataTree, gas: xr.DataTree) -> xr.DataTree:
    """Join the gas network to the equipped town, row i of its consumers to the i-th house, and build the plant.

    Parameters
    ----------
    case, gas : DataTree
        Town and gas network.

    Returns
    -------
    DataTree
    """
    load, meter = columns(case, "load"), columns(case, "meter")
    house = load["meter"][load["kind"] == b"household"]
    owner = dict(zip(meter["id"].tolist(), meter["prosumer"].tolist(), strict=True))
    pairs = zip(columns(gas, "consumer")["id"].tolist(), house.tolist(), strict=True)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "houses.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["consumer", "prosumer"])
            rows.writerows((consumer.decode(), owner[m].decode()) for consumer, m in pairs)
        joined, notes = merge_cases(case, gas, path)
    print("\n".join(notes))
    at_plant = {"plant": [BIOGAS]}
    plant = build_case(
        {
            "plant": {"id": [BIOGAS], "meter": [BIOGAS], "junction": [JUNCTION], **PLANT},
            "substrate": {"id": ["maize", "slurry"], "plant": [BIOGAS] * 2, **SUBSTRATE},
            "chp": {"id": ["engine"], **at_plant, **ENGINE},
            "upgrader": {"id": ["membrane"], **at_plant, **UPGRADER},
        }
    )
    groups = {node.path: node.to_dataset(inherit=False) for node in joined.subtree}
    groups |= {n.path: n.to_dataset(inherit=False) for n in plant.subtree if n.path.startswith("/plant")}
    attrs = dict(joined.attrs)
    joined = joined.from_dict(groups)
    joined.attrs = attrs
    return joined
