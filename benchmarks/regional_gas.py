"""A regional gas network of 4 to 16 bar with a biogas plant, made by rule and seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch.case.schema import build_case

START = "2026-06-01T00:00:00"
PLANT = 9
"""Junction at which the plant injects."""


def regional_gas(junctions: int = 20, steps: int = 672, minutes: int = 15, *, seed: int = 1, houses: int = 20) -> Any:
    """Make the case.

    A main of 200 mm with branches of 100 to 150 mm and one loop, set at 10 bar by its city gate and allowed up to 17
    bar; three towns of low pressure behind regulators; one feeder with houses with batteries and PV, and the plant.

    Parameters
    ----------
    junctions : int
        Of the network above 4 bar gauge.
    steps, minutes : int
        Of the horizon, from Monday 1 June 2026, 2 o'clock local time.
    seed : int
        Of lengths, demands and shapes.
    houses : int
        On the feeder of the plant.

    Returns
    -------
    DataTree
        With /forecast.
    """
    rng = np.random.default_rng(seed)
    parent = np.array([0] + [int(rng.integers(max(0, k - 3), k)) for k in range(1, junctions)])
    ids = [f"j{k}" for k in range(junctions)]
    towns = [junctions // 4, junctions // 2, junctions - 1]
    day = 2 * np.pi * (np.arange(steps) * minutes / 60 / 24)
    shape = np.clip(0.75 - 0.45 * np.cos(day - 1.0) + 0.2 * np.cos(2 * day), 0.1, None) * rng.uniform(0.9, 1.1, steps)
    tables = _electric(houses, steps, minutes, day, rng)
    tables["gas_network"] = {"heating_value_higher": 11.2, "friction_law": "nikuradse"}
    tables["junction"] = {
        "id": [*ids, *(f"t{k}{end}" for k in range(3) for end in "ab")],
        "pressure_min": [5.0] * junctions + [1.3] * 6,
        "pressure_max": [17.0] * junctions + [2.0] * 6,
    }
    tables["gate"] = {"id": ["city"], "junction": ["j0"], "pressure": [10.0], "flow_max": [2500.0]}
    main = np.arange(1, junctions) < junctions // 2
    tables["pipe"] = {
        "id": [*(f"p{k}" for k in range(1, junctions)), "loop", *(f"q{k}" for k in range(3))],
        "junction_from": [*(ids[p] for p in parent[1:]), ids[junctions // 3], *(f"t{k}a" for k in range(3))],
        "junction_to": [*ids[1:], ids[-2], *(f"t{k}b" for k in range(3))],
        "length": [*rng.uniform(800, 3000, junctions - 1), 2500.0, *[1500.0] * 3],
        "inner_diameter": [*np.where(main, 0.2, rng.choice([0.1, 0.15], junctions - 1)), 0.1, *[0.15] * 3],
    }
    tables["regulator"] = {
        "id": [f"r{k}" for k in range(3)], "junction_from": [ids[k] for k in towns],
        "junction_to": [f"t{k}a" for k in range(3)], "pressure": [1.6] * 3, "flow_max": [900.0] * 3,
    }  # fmt: skip
    some = rng.choice(np.arange(1, junctions), junctions // 2, replace=False)
    at = [*(ids[k] for k in some), *(f"t{k}b" for k in range(3))]
    mean = np.concatenate([rng.uniform(2, 12, len(some)), rng.uniform(20, 60, 3)])
    tables["consumer"] = {"id": [f"c{k}" for k in range(len(at))], "junction": at, "flow_nom": mean}
    tables["forecast"]["flow_consumer"] = mean[:, None] * shape * rng.uniform(0.85, 1.15, (len(at), steps))
    tables["plant"]["junction"] = [ids[min(PLANT, junctions - 1)]]
    return build_case(tables, title="4 to 16 bar")


def _electric(
    houses: int, steps: int, minutes: int, day: np.ndarray, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Make a feeder with houses, and the plant behind a meter of its own."""
    time = np.datetime64(START, "s") + np.arange(steps) * np.timedelta64(60 * minutes, "s")
    buses = houses + 1
    names = [*(f"h{k}" for k in range(houses)), "farm"]
    price = 0.28 + 0.06 * np.sin(day - 2.0) + rng.normal(0, 0.01, steps)
    sun = np.clip(-np.cos(day + 0.5), 0, None) ** 1.5
    return {
        "bus": {"id": [f"b{k}" for k in range(buses + 1)], "v_nom": [0.4] * (buses + 1)},
        "source": {"id": ["grid"], "bus": ["b0"]},
        "line": {
            "id": [f"l{k}" for k in range(buses)], "bus_from": [f"b{max(0, k - 2)}" for k in range(buses)],
            "bus_to": [f"b{k + 1}" for k in range(buses)], "r": [0.01] * buses, "x": [0.008] * buses,
            "s_nom": [900.0] * buses,
        },
        "prosumer": {"id": names},
        "tariff": {"id": ["dynamic"], "price_import": [0.3], "price_export": [0.08]},
        "meter": {
            "id": [f"m{n}" for n in names], "bus": [*(f"b{k + 2}" for k in range(houses)), "b1"],
            "prosumer": names, "tariff": ["dynamic"] * len(names),
        },
        "load": {"id": [f"l{n}" for n in names], "meter": [f"m{n}" for n in names], "p_nom": [0.5] * houses + [15.0]},
        "pv": {
            "id": [f"v{k}" for k in range(houses)], "meter": [f"mh{k}" for k in range(houses)],
            "p_nom": [8.0] * houses,
        },
        "store": {
            "id": [f"s{k}" for k in range(houses)], "meter": [f"mh{k}" for k in range(houses)],
            "energy_nom": [8.0] * houses, "p_nom": [4.0] * houses,
        },
        "plant": {
            "id": ["biogas"], "meter": ["mfarm"], "junction": ["j0"], "holder_nom": [2500.0], "p_own": [20.0],
            "heat_demand": [120.0], "heat_tank_nom": [500.0], "boiler_nom": [250.0],
        },
        "substrate": {
            "id": ["maize", "slurry"], "plant": ["biogas"] * 2, "kind": ["maize_silage", "cattle_slurry"],
            "feed_max": [3.0, 4.0], "feed_day": [30.0, 40.0], "price": [40.0, 0.0],
        },
        "chp": {"id": ["engine"], "plant": ["biogas"], "p_nom": [450.0]},
        "upgrader": {"id": ["membrane"], "plant": ["biogas"], "flow_nom": [360.0]},
        "forecast": {
            "time": time, "time_step": np.timedelta64(60 * minutes, "s"), "price_import": price[None],
            "price_export": price[None] - 0.18,
            "p_load": np.concatenate([rng.uniform(0.2, 1.2, (houses, steps)), np.full((1, steps), 15.0)]),
            "p_available": 8.0 * sun * rng.uniform(0.7, 1.0, (houses, steps)),
        },
    }  # fmt: skip
