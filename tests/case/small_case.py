"""A small valid case with every kind, which tests break in one way or another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import build_case

if TYPE_CHECKING:
    import xarray as xr

STEPS = 8
TIME = np.datetime64("2026-06-01T00:00:00", "s") + np.arange(STEPS) * np.timedelta64(900, "s")


def small_tables() -> dict[str, dict[str, Any]]:
    """Columns of a case: two feeders at 20 kV and 0.4 kV, three houses, PV with planes, batteries, weather."""
    rng = np.random.default_rng(7)
    houses = np.arange(3)
    return {
        "bus": {"id": ["hv1", "a0", "a1", "a2", "hv2", "b0", "b1"], "v_nom": [20, 0.4, 0.4, 0.4, 20, 0.4, 0.4]},
        "source": {"id": ["süd", "nord"], "bus": ["hv1", "hv2"], "v_pu": [1.02, 1.0]},
        "line": {
            "id": ["la1", "la2", "lb1"],
            "bus_from": ["a0", "a1", "b0"],
            "bus_to": ["a1", "a2", "b1"],
            "r": [0.05, 0.06, 0.04],
            "x": [0.02, 0.02, 0.03],
            "s_nom": [170, 170, 100],
            "in_service": [True, True, True],
        },
        "transformer": {
            "id": ["ta", "tb"],
            "bus_from": ["hv1", "hv2"],
            "bus_to": ["a0", "b0"],
            "s_nom": [400, 250],
            "v_nom_from": [20, 20],
            "v_nom_to": [0.4, 0.42],
            "r_pu": [0.01, 0.012],
            "x_pu": [0.04, 0.05],
            "tap_position": [1, 0],
            "tap_min": [-2, -2],
            "tap_max": [2, 2],
            "tap_step_pu": [0.025, 0.025],
            "phase_shift": [150, 150],
        },
        "prosumer": {"id": ["huber", "maier", "müller"], "energy_year": [3500, np.nan, 4100]},
        "tariff": {"id": ["flat", "feed_in"], "price_import": [0.3, 0.28], "price_export": [0.08, 0.5]},
        "meter": {
            "id": ["m1", "m2", "m3"],
            "bus": ["a1", "a2", "b1"],
            "prosumer": ["huber", "maier", "müller"],
            "tariff": ["flat", "flat", "feed_in"],
            "green_only": [False, False, True],
        },
        "load": {
            "id": ["l1", "l2", "l3"],
            "meter": ["m1", "m2", "m3"],
            "p_nom": [2, 3, 4],
            "profile": ["h0", "h0", ""],
        },
        "pv": {"id": ["p1", "p3"], "meter": ["m1", "m3"], "p_nom": [8, 9], "profile": ["sun", "sun"]},
        "inverter": {"id": ["i1"], "pv": ["p1"], "p_ac_nom": [7]},
        "plane": {"id": ["e1"], "inverter": ["i1"], "p_dc_nom": [8], "surface_tilt": [35], "surface_azimuth": [180]},
        "store": {"id": ["s1"], "meter": ["m1"], "energy_nom": [10], "p_nom": [5], "state_of_charge_initial": [4]},
        "profile": {"id": ["h0", "sun"], "time": TIME, "p_pu": rng.random((2, STEPS))},
        "station": {"id": ["w"], "time": TIME, "temp_air": 20 + rng.random((1, STEPS))},
        "forecast": {
            "time": TIME,
            "p_load": houses[:, None] + rng.random((3, STEPS)),
            "p_available": rng.random((2, STEPS)),
            "price_import": np.full((2, STEPS), 0.3),
            "price_export": np.array([[0.08], [0.5]]) * np.ones(STEPS),
        },
    }


def small_case() -> xr.DataTree:
    """Build the small case."""
    return build_case(small_tables(), title="Two feeders in Tübingen")
