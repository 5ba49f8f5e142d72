"""Utilities of feeders so small that a test can run dozens of them, and an executor that starts no process."""

from __future__ import annotations

import shutil
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.netcdf import save_case
from dispatch.case.schema import build_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import xarray as xr

STEPS = 4
TIME = np.datetime64("2026-06-20T10:00", "s") + np.arange(STEPS) * np.timedelta64(3600, "s")


def tiny_case(houses: int = 1, pv_kw: float = 5.0, feeders: int = 1, **changed: Any) -> xr.DataTree:
    """Feeders of one line with a few houses at its end, each with PV and a store; `changed` replaces columns."""
    feeder = [f"f{k}" for k in range(feeders)]
    names = [f"{f}h{k}" for f in feeder for k in range(houses)]
    house: dict[str, Any] = {"id": names, "meter": names}
    tables: dict[str, dict[str, Any]] = {
        "bus": {"id": [*feeder, *(f"{f}e" for f in feeder)], "v_nom": 0.4},
        "source": {"id": feeder, "bus": feeder, "v_pu": 1.02},
        "line": {
            "id": feeder, "bus_from": feeder, "bus_to": [f"{f}e" for f in feeder], "r": 0.1, "x": 0.05, "s_nom": 60.0,
        },
        "prosumer": {"id": names},
        "tariff": {"id": ["home"], "price_import": [0.3], "price_export": [0.08]},
        "meter": {
            "id": names, "bus": [f"{f}e" for f in feeder for _ in range(houses)], "prosumer": names, "tariff": "home",
        },
        "load": {**house, "p_nom": 1.0},
        "pv": {**house, "p_nom": pv_kw},
        "store": {**house, "energy_nom": 8.0, "p_nom": 4.0},
        "forecast": {
            "time": TIME, "source": "profile", "p_load": np.full((len(names), STEPS), 0.5),
            "q_load": np.full((len(names), STEPS), 0.1),
            "p_available": np.outer(pv_kw * (1 + np.arange(len(names))), [0.8, 0.9, 0.5, 0.0]),
            "price_import": [0.3 + 0.1 * np.arange(STEPS)], "price_export": [np.full(STEPS, 0.08)],
        },
    }  # fmt: skip
    for kind, columns in changed.items():
        tables[kind] = tables[kind] | columns
    return build_case(tables, title="Tiny")


def write_utility(folder: Path, count: int, **options: Any) -> Path:
    """Write a utility of so many cases, no two the same."""
    folder.mkdir(exist_ok=True)
    for k in range(count):
        save_case(tiny_case(pv_kw=3.0 + k / 10, **options), folder / f"case{k:04d}.nc")
    return folder


def copied_utility(folder: Path, count: int, kinds: int = 1) -> Path:
    """Write a utility of so many cases of a few kinds, which is much faster."""
    write_utility(folder, kinds)
    for k in range(kinds, count):
        shutil.copy(folder / f"case{k % kinds:04d}.nc", folder / f"case{k:04d}.nc")
    return folder


class Here(Executor):
    """Does everything at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (handed to whoever asked)
            future.set_exception(error)
        return future


def files_of(folder: Path) -> dict[str, bytes]:
    """Bytes of everything in a folder of results that must not depend on how it came about."""
    return {f.name: f.read_bytes() for f in [folder / "index.nc", *sorted((folder / "groups").glob("*.nc"))]}
