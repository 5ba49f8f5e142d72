"""Small cases whose solution runs through every kernel: what `dispatch.run.warm` solves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import build_case

if TYPE_CHECKING:
    import xarray as xr

STEPS = 24


def street() -> xr.DataTree:
    """Build a street in which PV and stores meet a small transformer."""
    return build_case(_street(), title="Street")


def _street() -> dict[str, dict[str, Any]]:
    """Columns of the street."""
    names = ["a", "b", "c"]
    time = np.datetime64("2026-06-20T22:00", "s") + np.arange(STEPS) * np.timedelta64(3600, "s")
    sun = np.maximum(0, np.sin((np.arange(STEPS) - 5) / 14 * np.pi))
    house: dict[str, Any] = {"id": names, "meter": names}
    return {
        "bus": {"id": ["high", "low", *names], "v_nom": [20.0] + [0.4] * 4, "v_max_pu": 1.045},
        "source": {"id": ["s"], "bus": ["high"], "v_pu": 1.01},
        "transformer": {
            "id": ["t"], "bus_from": ["high"], "bus_to": ["low"], "s_nom": 20.0, "v_nom_from": 20.0, "v_nom_to": 0.4,
            "r_pu": 0.015, "x_pu": 0.04,
        },
        "line": {
            "id": names, "bus_from": ["low", "a", "b"], "bus_to": names, "r": 0.05, "x": 0.01, "s_nom": 60.0,
        },
        "prosumer": {"id": names},
        "tariff": {"id": ["home"], "price_import": [0.3], "price_export": [0.08]},
        "meter": {"id": names, "bus": names, "prosumer": names, "tariff": "home"},
        "load": {**house, "p_nom": 1.0},
        "pv": {**house, "p_nom": 12.0},
        "store": {**house, "energy_nom": 8.0, "p_nom": 4.0},
        "forecast": {
            "time": time, "source": "profile", "p_load": np.full((3, STEPS), 0.6), "q_load": np.full((3, STEPS), 0.1),
            "p_available": np.outer([12.0, 11.0, 10.0], sun),
            "price_import": [0.3 + 0.1 * np.sin(np.arange(STEPS) / 24 * 4 * np.pi)],
            "price_export": [np.full(STEPS, 0.08)],
        },
    }  # fmt: skip


def farm() -> xr.DataTree:
    """Build the street with a tank, and a biogas plant that injects into a loop of pipes."""
    tables, hours = _street(), np.arange(STEPS)
    tables["store"] = {
        "id": ["a", "b", "tank"],
        "meter": ["a", "b", "c"],
        "kind": ["battery", "battery", "tank"],
        "energy_nom": [8.0, 8.0, 10.0],
        "p_nom": [4.0, 4.0, 3.0],
        "state_of_charge_initial": [4.0, 4.0, 5.0],
    }
    tables["forecast"] |= {
        "p_withdrawal": np.outer([0.0, 0.0, 1.0], np.ones(STEPS)),
        "flow_consumer": np.array([30.0 + 10.0 * np.cos(hours / 24 * 2 * np.pi)]),
    }
    return build_case({
        **tables,
        "gas_network": {"heating_value_higher": 11.0},
        "junction": {"id": ["g", "h", "i"], "pressure_max": 2.5},
        "gate": {"id": ["city"], "junction": ["g"], "pressure": [2.0], "flow_max": [900]},
        "pipe": {
            "id": ["gh", "hi", "gi"], "junction_from": ["g", "h", "g"], "junction_to": ["h", "i", "i"],
            "length": 3000, "inner_diameter": 0.15,
        },
        "consumer": {"id": ["k"], "junction": ["h"], "flow_nom": [30]},
        "plant": {
            "id": ["plant"], "meter": ["a"], "junction": ["i"], "holder_nom": [900], "holder_initial": [200],
            "p_own": [2], "heat_demand": [10], "boiler_nom": [30],
        },
        "substrate": {
            "id": ["slurry"], "plant": ["plant"], "feed_max": [3.0], "feed_day": [40.0], "methane_yield": [16.0],
            "tau": [20.0],
        },
        "chp": {"id": ["engine"], "plant": ["plant"], "p_nom": [20]},
        "upgrader": {"id": ["membrane"], "plant": ["plant"], "flow_nom": [20]},
    }, title="Farm")  # fmt: skip
