"""Small work that compiles the kernels, each with the types of arrays that real work hands it.

``python -m dispatch.run.warm`` does all of it: where images of machines are built, nobody waits for it later.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.case.schema import build_case
from dispatch.forecast.profile import predict
from dispatch.run.cold import FORECASTING, SOLVING, mark
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    import xarray as xr

STEPS = 24


def compile_solving() -> None:
    """Run a street of three houses once by each method."""
    for method in ("decomposed", "monolithic"):
        optimize(_street(), Settings(method=method, gap=1e-4))
    mark(SOLVING)


def compile_forecasting() -> None:
    """Forecast loads and PV of the embedded town for an hour."""
    predict(load_case(embedded_path("schutterwald_summer")), horizon_h=1)
    mark(FORECASTING)


def _street() -> xr.DataTree:
    """Build a street in which PV and stores meet a small transformer."""
    names = ["a", "b", "c"]
    time = np.datetime64("2026-06-20T22:00", "s") + np.arange(STEPS) * np.timedelta64(3600, "s")
    sun = np.maximum(0, np.sin((np.arange(STEPS) - 5) / 14 * np.pi))
    house: dict[str, Any] = {"id": names, "meter": names}
    tables: dict[str, dict[str, Any]] = {
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
    return build_case(tables, title="Street")


PARTS = {SOLVING: compile_solving, FORECASTING: compile_forecasting}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
