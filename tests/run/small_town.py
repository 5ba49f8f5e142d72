"""A town of two feeders in which limits bind: strong PV behind a small transformer, and a long thin line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import build_case

if TYPE_CHECKING:
    import xarray as xr

STEPS = 24
TIME = np.datetime64("2026-06-20T22:00", "s") + np.arange(STEPS) * np.timedelta64(3600, "s")  # a day in Berlin
SUN = np.maximum(0, np.sin((np.arange(STEPS) - 5) / 14 * np.pi))
USE = 0.4 + 0.3 * np.cos((np.arange(STEPS) - 19) / 24 * 2 * np.pi)


def small_town(houses: int = 4, *, s_nom: float = 25.0, pv_kw: float = 12.0, **changed: Any) -> xr.DataTree:
    """Build the town; `changed` replaces columns of kinds."""
    names = [f"{f}{h}" for f in "ab" for h in range(houses)]
    feeders = [n[0] for n in names]
    before = [f"{n[0]}-low" if n[1:] == "0" else f"bus-{n[0]}{int(n[1:]) - 1}" for n in names]
    n = len(names)
    tables: dict[str, dict[str, Any]] = {
        "bus": {
            "id": ["a-high", "b-high", "a-low", "b-low", *(f"bus-{m}" for m in names)],
            "v_nom": [20.0] * 2 + [0.4] * (2 + n),
            "v_max_pu": 1.045,
        },
        "source": {"id": ["feeder-a", "feeder-b"], "bus": ["a-high", "b-high"], "v_pu": 1.01},
        "transformer": {
            "id": ["ta", "tb"], "bus_from": ["a-high", "b-high"], "bus_to": ["a-low", "b-low"], "s_nom": s_nom,
            "v_nom_from": 20.0, "v_nom_to": 0.4, "r_pu": 0.015, "x_pu": 0.04, "p_no_load": 0.1,
        },
        "line": {
            "id": [f"line-{m}" for m in names], "bus_from": before, "bus_to": [f"bus-{m}" for m in names],
            "r": [0.02 if f == "a" else 0.09 for f in feeders], "x": 0.01, "s_nom": 60.0,
        },
        "prosumer": {"id": [f"house-{m}" for m in names]},
        "tariff": {"id": ["home"], "price_import": [0.3], "price_export": [0.08]},
        "meter": {
            "id": [f"meter-{m}" for m in names], "bus": [f"bus-{m}" for m in names],
            "prosumer": [f"house-{m}" for m in names], "tariff": "home",
        },
        "load": {"id": [f"load-{m}" for m in names], "meter": [f"meter-{m}" for m in names], "p_nom": 1.0},
        "pv": {"id": [f"pv-{m}" for m in names], "meter": [f"meter-{m}" for m in names], "p_nom": pv_kw},
        "store": {
            "id": [f"store-{m}" for m in names[::2]], "meter": [f"meter-{m}" for m in names[::2]],
            "energy_nom": 8.0, "p_nom": 4.0,
        },
        "forecast": {
            "time": TIME, "source": "profile",
            "p_load": np.outer(1 + np.arange(n) / 10, USE), "q_load": np.outer(0.2 + np.arange(n) / 50, USE),
            "p_available": np.outer(pv_kw * (1 - np.arange(n) / 40), SUN),
            "price_import": [0.3 + 0.1 * np.sin(np.arange(STEPS) / 24 * 4 * np.pi)],
            "price_export": [np.full(STEPS, 0.08)],
        },
    }  # fmt: skip
    for kind, columns in changed.items():
        tables[kind] = tables[kind] | columns
    return build_case(tables, title="Small town")
