"""Small random cases with every component, and the Hypothesis strategy that draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import build_case
from dispatch.model.inputs import Inputs, make_inputs

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Shape:
    """What a random case has."""

    seed: int = 0
    buses: int = 3
    meters: int = 3
    steps: int = 4
    step_minutes: int = 60
    month_end: bool = True
    transformer: bool = True
    tap_side: str = "to"
    loop: bool = False
    out_of_service: bool = False
    offsets: bool = True
    peak: bool = True


def shapes() -> st.SearchStrategy[Shape]:
    """Draw any small case."""
    return st.builds(
        Shape,
        seed=st.integers(0, 2**32 - 1),
        buses=st.integers(2, 4),
        meters=st.integers(2, 4),
        steps=st.integers(3, 8),
        step_minutes=st.sampled_from([15, 60, 180]),
        month_end=st.booleans(),
        transformer=st.booleans(),
        tap_side=st.sampled_from(["from", "to"]),
        loop=st.booleans(),
        out_of_service=st.booleans(),
        offsets=st.booleans(),
        peak=st.booleans(),
    )


def ids(letter: str, count: int) -> list[str]:
    return [f"{letter}{k}" for k in range(count)]


def _network(shape: Shape, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """A random tree of low-voltage buses, fed directly or through a transformer; bus 0 is the root of the tree."""
    n = shape.buses
    buses = ids("b", n)
    ends = [(buses[rng.integers(0, k)], buses[k]) for k in range(1, n)]
    if shape.loop:
        ends.append((buses[n - 1], buses[0]))
    if shape.out_of_service:
        ends.append((buses[0], buses[n - 1]))
    ends = [(b, a) if rng.random() < 0.3 else (a, b) for a, b in ends]
    m = len(ends)
    tables: dict[str, dict[str, Any]] = {
        "bus": {
            "id": buses,
            "v_nom": np.full(n, 0.4),
            "v_min_pu": rng.uniform(0.9, 0.97, n),
            "v_max_pu": rng.uniform(1.01, 1.1, n),
        },
        "source": {"id": ["grid"], "bus": ["b0"], "v_pu": [rng.uniform(0.98, 1.03)]},
        "line": {
            "id": ids("l", m),
            "bus_from": [a for a, _ in ends],
            "bus_to": [b for _, b in ends],
            "r": rng.uniform(0.01, 0.2, m),
            "x": rng.uniform(0.01, 0.1, m),
            "s_nom": rng.uniform(5, 30, m),
            "in_service": [not (shape.out_of_service and k == m - 1) for k in range(m)],
        },
    }
    if shape.transformer:
        bus = tables["bus"]
        high = {"id": "high", "v_nom": 20.0, "v_min_pu": 0.95, "v_max_pu": 1.06}
        tables["bus"] = {name: [*bus[name], high[name]] for name in bus}
        tables["source"]["bus"] = ["high"]
        tables["transformer"] = {
            "id": ["t0"], "bus_from": ["high"], "bus_to": ["b0"], "s_nom": [25.0], "v_nom_from": [20.5],
            "v_nom_to": [0.4], "r_pu": [0.01], "x_pu": [0.05], "tap_side": [shape.tap_side],
            "tap_position": [int(rng.integers(-3, 4))], "tap_step_pu": [0.025], "tap_min": [-3], "tap_max": [3],
        }  # fmt: skip
    return tables


def _meters(shape: Shape, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Meters of three tariffs: plain, with a peak price, and green-only with a high feed-in price."""
    m = shape.meters
    tariff = [["plain", "peak", "green"][k % 3] for k in range(m)]
    behind = ids("m", m)
    loads, pvs, stores = m + 1, m + 2, m + 3
    at = {k: [behind[i] for i in rng.integers(0, m, n)] for k, n in (("load", loads), ("pv", pvs), ("store", stores))}
    initial = rng.uniform(0, 4, stores)
    initial[0] = np.nan
    final = rng.uniform(0, 4, stores)
    final[-1] = np.nan
    unlimited = rng.random(m) < 0.5
    other = [k for k in range(m) if tariff[k] != "green"]
    kind = ["battery"] * (stores - 2) + ["car", "tank"]
    at["store"][-2:] = [behind[i] for i in rng.choice(other, 2)]
    return {
        "prosumer": {"id": behind},
        "meter": {
            "id": behind,
            "bus": [f"b{k}" for k in rng.integers(0, shape.buses, m)],
            "prosumer": behind,
            "tariff": tariff,
            "p_import_max": np.where(unlimited, np.inf, rng.uniform(1, 6, m)),
            "p_export_max": np.where(unlimited, np.inf, rng.uniform(0, 6, m)),
            "green_only": [t == "green" for t in tariff],
        },
        "load": {"id": ids("d", loads), "meter": at["load"], "p_nom": rng.uniform(0, 2, loads)},
        "pv": {
            "id": ids("v", pvs),
            "meter": at["pv"],
            "p_nom": rng.uniform(0, 8, pvs),
            "q_nom": rng.uniform(-1, 1, pvs),
            "curtailable": rng.random(pvs) < 0.7,
        },
        "store": {
            "id": ids("s", stores),
            "meter": at["store"],
            "kind": kind,
            "p_discharge_nom": np.where(rng.random(stores) < 0.5, np.nan, rng.uniform(1, 3, stores)),
            "energy_nom": rng.uniform(4, 10, stores),
            "p_nom": rng.uniform(1, 5, stores),
            "efficiency_charge": rng.uniform(0.8, 1, stores),
            "efficiency_discharge": rng.uniform(0.8, 1, stores),
            "standing_loss": rng.uniform(0, 0.05, stores),
            "wear_cost": rng.uniform(0, 0.05, stores),
            "state_of_charge_initial": initial,
            "state_of_charge_final": final,
        },
        "tariff": {
            "id": ["plain", "peak", "green"],
            "price_import": [0.3, 0.25, 0.1],
            "price_export": [0.1, 0.05, 0.2],
            "network_fee": [0.02, 0.0, 0.01],
            "price_peak": [0.0, 0.4 if shape.peak else 0.0, 0.0],
        },
    }


def _forecast(shape: Shape, rng: np.random.Generator, tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    start = np.datetime64("2024-03-31T20:00" if shape.month_end else "2024-10-26T20:00", "s")
    loads, pvs, stores = (len(tables[kind]["id"]) for kind in ("load", "pv", "store"))
    plugged = rng.random((stores, shape.steps)) < 0.7
    return {
        "time": start + np.arange(shape.steps) * np.timedelta64(60 * shape.step_minutes, "s"),
        "p_load": rng.uniform(-0.5, 4, (loads, shape.steps)),
        "q_load": rng.uniform(-0.5, 1, (loads, shape.steps)),
        "p_available": np.maximum(rng.uniform(-2, 8, (pvs, shape.steps)), 0),
        "p_max_pu": plugged * rng.uniform(0.5, 1, plugged.shape),
        "p_withdrawn": ~plugged * rng.uniform(0, 3, plugged.shape),
        "state_of_charge_least": rng.uniform(0, 4, plugged.shape),
        "coefficient_of_performance": rng.uniform(1, 5, plugged.shape),
        "price_import": np.array([[0.3], [0.25], [0.1]]) + rng.uniform(-0.1, 0.1, (3, shape.steps)),
        "price_export": np.array([[0.1], [0.05], [0.2]]) + rng.uniform(-0.1, 0.05, (3, shape.steps)),
    }


def case_of(shape: Shape) -> xr.DataTree:
    """Build the case of a shape."""
    rng = np.random.default_rng(shape.seed)
    tables = _network(shape, rng) | _meters(shape, rng)
    tables["forecast"] = _forecast(shape, rng, tables)
    return build_case(tables)


def inputs_of(shape: Shape) -> Inputs:
    """Build the inputs of a shape, with offsets where it has them."""
    case = case_of(shape)
    rng = np.random.default_rng(shape.seed + 1)
    network = network_of(case)
    offsets = Offsets(
        rng.uniform(-0.01, 0.01, (network.buses, shape.steps)),
        rng.uniform(-0.01, 0.01, (network.buses, shape.steps)),
        rng.uniform(-1, 1, (network.branches, shape.steps)),
        *rng.uniform(0, 1, (2, network.branches, shape.steps)),
    )
    return make_inputs(case, offsets=offsets if shape.offsets else None, limit_penalty=2e3)


def small_town(*, flexible: bool = False) -> xr.DataTree:
    """Round numbers: a transformer, a line, and one house with everything, for two steps of half an hour.

    With `flexible` it has a car and a tank besides its battery.
    """
    time = np.datetime64("2024-06-30T21:30:00") + np.arange(2) * np.timedelta64(1800, "s")
    tables: dict[str, dict[str, Any]] = (
        {
            "bus": {"id": ["high", "low", "end"], "v_nom": [20.0, 0.4, 0.4]},
            "source": {"id": ["grid"], "bus": ["high"], "v_pu": [1.02]},
            "line": {
                "id": ["cable"], "bus_from": ["low"], "bus_to": ["end"], "r": [0.16], "x": [0.08], "s_nom": [50.0],
            },
            "transformer": {
                "id": ["station"], "bus_from": ["high"], "bus_to": ["low"], "s_nom": [100.0], "v_nom_from": [20.0],
                "v_nom_to": [0.4], "r_pu": [0.01], "x_pu": [0.04], "tap_position": [2], "tap_step_pu": [0.025],
                "tap_max": [2],
            },
            "prosumer": {"id": ["house"]},
            "meter": {
                "id": ["house"], "bus": ["end"], "prosumer": ["house"], "tariff": ["t"], "p_import_max": [1.0],
                "p_export_max": [3.0],
            },
            "load": {"id": ["load"], "meter": ["house"], "p_nom": [2.0]},
            "pv": {"id": ["roof"], "meter": ["house"], "p_nom": [8.0], "q_nom": [-0.5]},
            "store": {
                "id": ["battery"], "meter": ["house"], "energy_nom": [8.0], "p_nom": [5.0], "standing_loss": [0.19],
                "efficiency_charge": [0.9], "efficiency_discharge": [0.8], "state_of_charge_final": [6.0],
            },
            "tariff": {
                "id": ["t"], "price_import": [0.3], "price_export": [0.08], "network_fee": [0.02], "price_peak": [4.0],
            },
            "forecast": {
                "time": time,
                "p_load": [[2.0, 1.5]],
                "q_load": [[0.4, 0.3]],
                "p_available": [[0.0, 6.0]],
                "price_import": [[0.3, 0.25]],
                "price_export": [[0.08, 0.06]],
            },
        }
    )  # fmt: skip
    if flexible:
        tables["store"] |= {
            "id": ["battery", "car", "tank"], "meter": ["house"] * 3, "kind": ["battery", "car", "tank"],
            "energy_nom": [8.0, 40.0, 10.0], "p_nom": [5.0, 11.0, 2.0], "p_discharge_nom": [np.nan, 3.0, np.nan],
            "standing_loss": [0.19, 0.0, 0.36], "efficiency_charge": [0.9, 0.9, 1.0], "efficiency_discharge": [0.8] * 3,
            "wear_cost": [0.02, 0.02, 0.0], "state_of_charge_final": [6.0, 24.0, np.nan],
        }  # fmt: skip
        tables["forecast"] |= {
            "p_max_pu": [[np.nan] * 2, [1.0, 0.0], [1.0, 1.0]],
            "p_withdrawn": [[np.nan] * 2, [0.0, 5.0], [3.0, 2.0]],
            "state_of_charge_least": [[np.nan] * 2, [30.0, 0.0], [0.0, 4.0]],
            "coefficient_of_performance": [[np.nan] * 2, [1.0, 1.0], [3.0, 2.5]],
        }
    return build_case(tables)
