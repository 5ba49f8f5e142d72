"""Cases before a scenario, and a small library of shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import build_case

if TYPE_CHECKING:
    import xarray as xr

QUARTER = np.timedelta64(900, "s")
SUMMER = np.datetime64("2016-06-11T22:00:00", "s")


def plain_case(houses: int = 40, order: int | None = None, **changed: Any) -> xr.DataTree:
    """A street of houses of 2.1 kW, gas known for all but every fifth; `order` shuffles the rows of the loads."""
    name = np.char.add("h", np.arange(houses).astype(str))
    rows = np.arange(houses) if order is None else np.random.default_rng(order).permutation(houses)
    gas = np.where(np.arange(houses) % 5 == 0, np.nan, 1500.0 + 37 * np.arange(houses))
    tables = {
        "bus": {"id": ["b"], "v_nom": [0.4]},
        "source": {"id": ["s"], "bus": ["b"]},
        "prosumer": {"id": name, "gas_year": gas},
        "tariff": {"id": ["old"], "price_import": [0.3]},
        "meter": {"id": name, "bus": ["b"] * houses, "prosumer": name, "tariff": ["old"] * houses},
        "load": {
            "id": name[rows],
            "meter": name[rows],
            "p_nom": np.full(houses, 2.1),
            "q_nom": np.full(houses, 0.21),
            "kind": np.where(rows % 7 == 0, "other", "household"),
        },
    }
    return build_case({kind: {**tables.get(kind, {}), **table} for kind, table in (tables | changed).items()})


def own_library(start: str, days: int, names: tuple[str, ...] = ("mine", "PVx"), minutes: int = 15) -> dict[str, Any]:
    """Columns of a case's own ``/profile``."""
    step = np.timedelta64(60 * minutes, "s")
    time = np.datetime64(start, "s") + step * np.arange(days * 1440 // minutes)
    shape = np.abs(np.sin(np.arange(len(time)) / 9.0 + np.arange(len(names))[:, None]))
    return {"id": list(names), "time": time, "p_pu": shape, "q_pu": shape}
