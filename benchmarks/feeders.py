"""Cases that benchmarks are measured on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dispatch.case.embedded import embedded_path
from dispatch.case.importers.simbench import import_simbench
from dispatch.case.netcdf import load_case
from dispatch.case.schema import Columns, build_case, columns
from dispatch.errors import InputError, Problem
from dispatch.forecast.profile import predict

if TYPE_CHECKING:
    import xarray as xr

SIMBENCH = Path(__file__).parents[2] / "shared/data/networks/simbench_scenario1_extract"
GRID = "LV3.101"
DAY = np.datetime64("2016-05-29T22:00:00", "s")  # the local 30 May, the day of the feasibility study
# Three ways to make limits bind: many exports at once, a narrow voltage band, a small transformer.
SETTINGS = {
    "reverse-flow": {"v_min_pu": 0.94, "v_max_pu": 1.03, "transformer_kva": 100.0},
    "tight-voltage": {"v_min_pu": 0.98, "v_max_pu": 1.008, "transformer_kva": 100.0},
    "small-transformer": {"v_min_pu": 0.94, "v_max_pu": 1.03, "transformer_kva": 60.0},
}


def simbench_day(setting: str, *, steps: int = 96) -> xr.DataTree:
    """One day of SimBench LV3.101 with 145 prosumers, by the rule of the feasibility study.

    80 % of the loads have PV that yields a year's use at 950 kWh/kW (at least 3 kW), 70 % of those a battery of
    1.5 h of it with half an hour's power; import prices swing between 0.13 and 0.37, export pays 0.06, wear is 0.02.

    Parameters
    ----------
    setting : str
        One of `SETTINGS`.
    steps : int
        Quarter hours.

    Raises
    ------
    InputError
        If the shared data are not beside the checkout.
    """
    imported, day = _imported(steps)
    chosen = SETTINGS[setting]
    tables: dict[str, dict[str, Any]] = {k: columns(imported, k) for k in ("bus", "source", "line", "transformer")}
    tables["bus"] |= {name: np.full(len(tables["bus"]["id"]), chosen[name]) for name in ("v_min_pu", "v_max_pu")}
    tables["source"]["v_pu"] = np.ones(1)
    # Another rating but the same ohms, and the rated ratio: what binds is the setting, not a tap.
    scale = chosen["transformer_kva"] / tables["transformer"]["s_nom"]
    for name in ("s_nom", "r_pu", "x_pu"):
        tables["transformer"][name] = tables["transformer"][name] * scale
    tables["transformer"]["tap_position"] = tables["transformer"]["tap_neutral"]
    return build_case(tables | _prosumers(imported, day), title=f"{GRID} {setting}")


@cache
def _imported(steps: int) -> tuple[xr.DataTree, Columns]:
    if not SIMBENCH.exists():
        hint = "Put the folder 'shared' beside the checkout, or run another benchmark."
        raise InputError([Problem("missing", "/electric", value="no SimBench extract", hint=hint)], "benchmarks")
    imported = import_simbench(SIMBENCH, GRID)[0]
    return imported, columns(predict(imported, start=DAY, horizon_h=steps / 4), "forecast")


def _sun(steps: int) -> np.ndarray:
    """Read the power of the profile PV5 on the day, per its yearly peak."""
    table = pd.read_csv(SIMBENCH / "RESProfile.csv.gz", sep=";", usecols=["time", "PV5"])
    first = int(np.nonzero(table["time"] == "30.05.2016 00:00")[0][0])
    power = table["PV5"].to_numpy(float)
    return np.asarray(power[first : first + steps] / power.max())


def _prosumers(imported: xr.DataTree, day: Columns) -> dict[str, dict[str, Any]]:
    """Make a prosumer of each load, by the rule of `simbench_day`."""
    load, library = columns(imported, "load"), columns(imported, "profile")
    where = dict(zip(columns(imported, "meter")["id"], columns(imported, "meter")["bus"], strict=True))
    shape = dict(zip(library["id"], library["p_pu"], strict=True))
    ids, steps = load["id"], len(day["time"])
    at = [where[m] for m in load["meter"]]
    mean = load["p_nom"] * np.array([shape[k].mean(dtype=float) for k in load["profile"]])
    rng = np.random.default_rng(0)
    peak = np.maximum(3, mean * 8760 / 950) * (rng.random(len(ids)) < 0.8)
    size = 1.5 * peak * (rng.random(len(ids)) < 0.7)
    sunny = _sun(steps)
    roofs, cells = np.nonzero(peak)[0], np.nonzero(size)[0]
    hour = np.arange(steps) / 4
    return {
        "prosumer": {"id": ids},
        "tariff": {"id": ["swinging"], "price_import": [0.25], "price_export": [0.06]},
        "meter": {"id": ids, "bus": at, "prosumer": ids, "tariff": ["swinging"] * len(ids)},
        "load": {"id": ids, "meter": ids, "p_nom": load["p_nom"], "q_nom": load["q_nom"]},
        "pv": {"id": ids[roofs], "meter": ids[roofs], "p_nom": peak[roofs]},
        "store": {"id": ids[cells], "meter": ids[cells], "energy_nom": size[cells], "p_nom": size[cells] / 2},
        "forecast": {
            "time": day["time"],
            "p_load": day["p_load"],
            "q_load": day["q_load"],
            "p_available": peak[roofs, None] * sunny,
            "price_import": (0.25 + 0.12 * np.sin((hour - 13) / 24 * 4 * np.pi))[None],
            "price_export": np.full((1, steps), 0.06),
        },
    }  # fmt: skip


def street(buses: int = 6, steps: int = 8) -> xr.DataTree:
    """Make up a street: a transformer, a line of buses, at every second one a house with PV and a battery.

    Parameters
    ----------
    buses : int
        At low voltage; about half of them have a meter.
    steps : int
        Quarter hours.
    """
    rng = np.random.default_rng(buses)
    bus = np.char.add("b", np.arange(buses + 1).astype(str))
    house = np.char.add("h", np.arange((buses + 1) // 2).astype(str))
    n, hour = len(house), 10 + np.arange(steps) / 4
    shade = rng.uniform(0.7, 1.0, (n, steps))
    tables: dict[str, dict[str, Any]] = {
        "bus": {"id": bus, "v_nom": np.where(np.arange(buses + 1) == 0, 20.0, 0.4)},
        "source": {"id": ["grid"], "bus": bus[:1]},
        "transformer": {
            "id": ["t"], "bus_from": bus[:1], "bus_to": bus[1:2], "s_nom": [2.0 * n], "v_nom_from": [20.0],
            "v_nom_to": [0.4], "r_pu": [0.012], "x_pu": [0.038],
        },
        "line": {
            "id": np.char.add("l", np.arange(buses - 1).astype(str)), "bus_from": bus[1:-1], "bus_to": bus[2:],
            "r": np.full(buses - 1, 0.1 / buses), "x": np.full(buses - 1, 0.05 / buses),
            "s_nom": np.full(buses - 1, 4.0 * n),
        },
        "prosumer": {"id": house},
        "tariff": {"id": ["swinging"], "price_import": [0.25], "price_export": [0.06]},
        "meter": {"id": house, "bus": bus[1::2][:n], "prosumer": house, "tariff": ["swinging"] * n},
        "load": {"id": house, "meter": house, "p_nom": np.ones(n)},
        "pv": {"id": house, "meter": house, "p_nom": np.full(n, 6.0)},
        "store": {"id": house, "meter": house, "energy_nom": np.full(n, 5.0), "p_nom": np.full(n, 2.5)},
        "forecast": {
            "time": DAY + np.arange(steps) * np.timedelta64(900, "s"),
            "p_load": rng.uniform(0.2, 2.0, (n, steps)),
            "q_load": rng.uniform(0, 0.2, (n, steps)),
            "p_available": 6 * shade * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0),
            "price_import": (0.25 + 0.12 * np.sin((hour - 13) / 24 * 4 * np.pi))[None],
            "price_export": np.full((1, steps), 0.06),
        },
    }  # fmt: skip
    return build_case(tables, title=f"Street of {buses} buses")


def town_day(season: str) -> xr.DataTree:
    """First day, all feeders, of the embedded town in ``summer`` or ``winter``."""
    return predict(load_case(embedded_path(f"schutterwald_{season}")), horizon_h=24)
