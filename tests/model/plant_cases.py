"""A feeder with a biogas plant that burns, upgrades and injects into a zone of low pressure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dispatch.case.offsets import GasLimit, Offsets
from dispatch.case.schema import build_case
from dispatch.model.gas_limits import LIMITED


def plant_tables(
    steps: int = 8,
    step_minutes: int = 60,
    seed: int = 0,
    *,
    linepack: bool = True,
    upgrader: bool = True,
    boiler: bool = True,
    other: float = 5.0,
    bounded: bool = False,
    account: str = "",
    compressor: bool = False,
    booster: bool = False,
    start: str = "2026-06-01T20:00:00",
) -> dict[str, dict[str, Any]]:
    """Columns of the case; demand of gas varies around what the plant could inject.

    `bounded`: engines and upgrading have a minimum and ramps, feeding too, and one substrate's feed is given.
    `booster`: the regulator raises the pressure instead of lowering it.
    `account`: balancing period of an account into which the plant injects and from which a consumer elsewhere takes.
    """
    rng = np.random.default_rng(seed)
    time = np.datetime64(start, "s") + np.arange(steps) * np.timedelta64(60 * step_minutes, "s")
    shape = rng.uniform(0.3, 1.4, (2, steps))
    tables: dict[str, dict[str, Any]] = {
        "bus": {"id": ["b0", "b1"], "v_nom": [0.4, 0.4]},
        "source": {"id": ["grid"], "bus": ["b0"]},
        "line": {"id": ["l"], "bus_from": ["b0"], "bus_to": ["b1"], "r": [0.01], "x": [0.01], "s_nom": [400]},
        "prosumer": {"id": ["farm", "house"]},
        "tariff": {"id": ["flat"], "price_import": [0.3], "price_export": [0.1]},
        "meter": {"id": ["mf", "mh"], "bus": ["b1", "b1"], "prosumer": ["farm", "house"], "tariff": ["flat"] * 2},
        "load": {"id": ["lf", "lh"], "meter": ["mf", "mh"], "p_nom": [20, 5]},
        "store": {"id": ["s"], "meter": ["mh"], "energy_nom": [10], "p_nom": [4], "state_of_charge_initial": [2]},
        "gas_network": {"heating_value_higher": 11.0},
        "junction": {"id": ["g", "m", "a", "z"], "pressure_max": [np.nan, np.nan, 2.5 if linepack else 2.0, 2.6]},
        "gate": {"id": ["city"], "junction": ["g"], "pressure": [5.5], "flow_max": [900]},
        "pipe": {
            "id": ["p0", "p1"],
            "junction_from": ["g", "a"],
            "junction_to": ["m", "z"],
            "length": [3000, 5000],
            "inner_diameter": [0.15, 0.15],
        },
        "regulator": {"id": ["r"], "junction_from": ["m"], "junction_to": ["a"], "pressure": [2.0], "flow_max": [500]},
        "consumer": {"id": ["k0", "k1"], "junction": ["m", "z"], "flow_nom": [30, 60]},
        "injection": {"id": ["other"], "junction": ["z"], "flow_nom": [other]},
        "plant": {
            "id": ["plant"],
            "meter": ["mf"],
            "junction": ["a"],
            "holder_nom": [900],
            "holder_initial": [200],
            "p_own": [12],
            "heat_demand": [60],
            "heat_tank_nom": [200],
            "boiler_nom": [80 if boiler else 0],
        },
        "substrate": {
            "id": ["maize", "slurry"],
            "plant": ["plant", "plant"],
            "feed_max": [2.0, 3.0],
            "feed_day": [18.0, 40.0],
            "methane_yield": [121.0, 16.0],
            "tau": [60.0, 20.0],
            "price": [40.0, 0.0],
            "gas_rate_initial": [90.0, np.nan],
        },
        "chp": {"id": ["engine"], "plant": ["plant"], "p_nom": [250]},
        "upgrader": {"id": ["membrane"], "plant": ["plant"], "flow_nom": [220]},
        "forecast": {
            "time": time,
            "time_step": np.timedelta64(60 * step_minutes, "s"),
            "price_import": rng.uniform(0.25, 0.35, (1, steps)),
            "price_export": rng.uniform(-0.2, 0.25, (1, steps)),
            "p_load": rng.uniform(1, 20, (2, steps)),
            "flow_consumer": np.array([[30.0], [60.0]]) * shape,
        },
    }
    if bounded:
        tables["chp"] |= {"p_min_pu": [0.5], "ramp_pu": [0.4], "p_initial": [200.0]}
        tables["upgrader"] |= {"flow_min_pu": [0.4], "ramp_pu": [0.5]}
        tables["substrate"] |= {"feed_ramp": [0.3, np.inf], "weekend_pu": [0.5, 1.2]}
        given = np.full((2, steps), np.nan)
        given[1] = rng.uniform(0.5, 2.5, steps)
        tables["forecast"]["feed_given"] = given
    if account:
        tables["account"] = {
            "id": ["other", "dairy"], "period": ["horizon", account], "band": [0.0, 400.0], "carry_over": [1.0, 0.7],
            "balance_initial": [0.0, -150.0], "price_short": [0.1, 0.09], "price_surplus": [0.02, 0.03],
            "fee": [0.0, 0.005],
        }  # fmt: skip
        tables["plant"]["account"] = ["dairy"]
        tables["consumer"]["account"] = ["dairy", ""]
    if compressor:
        tables["compressor"] = {"id": ["up"], "junction_from": ["z"], "junction_to": ["m"], "meter": ["mf"]}
        tables["compressor"] |= {"flow_max": [40.0], "electricity": [0.05]}
    if booster:  # the level before holds less than the zone behind
        tables["gate"]["pressure"] = [1.6]
        tables["booster"] = {"id": ["lift"], "regulator": ["r"], "meter": ["mf"], "electricity": [0.03]}
    if not upgrader:
        del tables["upgrader"]
    return tables


def plant_case(**choices: Any) -> Any:
    """Build the case."""
    return build_case(plant_tables(**choices), title="biogas")


def with_gas_limits(case: Any, seed: int = 0) -> Offsets:
    """Offsets that state two pressures, two shares, a gate and a regulator, with any effects."""
    rng, steps = np.random.default_rng(seed), case["forecast"].sizes["time"]
    sizes = {name: case[f"gas/{kind}"].sizes[kind] for name, kind in LIMITED.items()}
    lifts, gas = case["gas/compressor"].sizes["compressor"] if "compressor" in case["gas"].children else 0, {}
    for name, count in sizes.items():
        constant = rng.uniform(1.0, 3.0, (count, steps))
        constant[: count - 2] = np.nan
        effect = rng.uniform(-1e-3, 2e-3, (count, 1, steps))
        through = rng.uniform(-1e-3, 0.0, (count, 1, steps))
        pack, lifted = rng.uniform(0.0, 1e-3, (count, steps)), rng.uniform(-1e-3, 1e-3, (count, lifts, steps))
        let_in = rng.uniform(-1e-3, 1e-3, (count, sizes["flow_gate"], steps))
        gas[name] = GasLimit(constant, effect, through, pack, lifted, let_in)
    zero = Offsets.zero(case["electric/bus"].sizes["bus"], case["electric/line"].sizes["line"], steps)
    return replace(zero, gas=gas)
