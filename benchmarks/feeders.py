"""Cases that benchmarks are measured on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dispatch.case.attributes import attribute_table
from dispatch.case.embedded import embedded_path
from dispatch.case.importers.simbench import import_simbench
from dispatch.case.netcdf import load_case
from dispatch.case.schema import Columns, as_bytes, build_case, columns
from dispatch.case.trees import tree_of
from dispatch.errors import InputError, Problem
from dispatch.forecast.profile import predict

if TYPE_CHECKING:
    import xarray as xr

SIMBENCH = Path(__file__).parents[2] / "shared/data/networks/simbench_scenario1_extract"
GRID = "LV3.101"
GRIDS = ("LV1.101", "LV2.101", "LV4.101", "LV5.201")
DAY = np.datetime64("2016-05-29T22:00:00", "s")  # the local 30 May, the day of the feasibility study
SEASONS = {
    "spring": np.datetime64("2016-03-29T22:00:00", "s"),
    "summer": DAY,
    "autumn": np.datetime64("2016-09-29T22:00:00", "s"),
    "winter": np.datetime64("2016-01-14T23:00:00", "s"),
}
HOUSES = 145  # for which the transformers of `SETTINGS` are meant
# Three ways to make limits bind: many exports at once, a narrow voltage band, a small transformer.
SETTINGS = {
    "reverse-flow": {"v_min_pu": 0.94, "v_max_pu": 1.03, "transformer_kva": 100.0},
    "tight-voltage": {"v_min_pu": 0.98, "v_max_pu": 1.008, "transformer_kva": 100.0},
    "small-transformer": {"v_min_pu": 0.94, "v_max_pu": 1.03, "transformer_kva": 60.0},
}
WIDE = {"wide": {"v_min_pu": 0.5, "v_max_pu": 1.5, "transformer_kva": 1000.0}}  # no limit binds


def simbench_day(setting: str, *, steps: int = 96, grid: str = GRID, season: str = "summer") -> xr.DataTree:
    """One day of a SimBench grid, LV3.101 with 145 prosumers by default, by the rule of the feasibility study.

    80 % of the loads have PV that yields a year's use at 950 kWh/kW (at least 3 kW), 70 % of those a battery of
    1.5 h of it with half an hour's power; import prices swing between 0.13 and 0.37, export pays 0.06, wear is 0.02.

    Parameters
    ----------
    setting : str
        One of `SETTINGS` or ``"wide"``; the transformer's rating is scaled to the number of houses.
    steps : int
        Quarter hours.
    grid, season : str
        Of `GRIDS` and `SEASONS`.

    Raises
    ------
    InputError
        If the shared data are not beside the checkout.
    """
    return build_case(_tables(setting, steps, grid, season), title=f"{grid} {setting}")


def _tables(setting: str, steps: int, grid: str, season: str) -> dict[str, dict[str, Any]]:
    imported, day = _imported(steps, grid, season)
    chosen = (SETTINGS | WIDE)[setting]
    houses = len(columns(imported, "load")["id"])
    tables: dict[str, dict[str, Any]] = {k: columns(imported, k) for k in ("bus", "source", "line", "transformer")}
    tables["bus"] |= {name: np.full(len(tables["bus"]["id"]), chosen[name]) for name in ("v_min_pu", "v_max_pu")}
    tables["source"]["v_pu"] = np.ones(1)
    # Another rating but the same ohms, and the rated ratio: what binds is the setting, not a tap.
    scale = chosen["transformer_kva"] * houses / HOUSES / tables["transformer"]["s_nom"]
    for name in ("s_nom", "r_pu", "x_pu"):
        tables["transformer"][name] = tables["transformer"][name] * scale
    tables["transformer"]["tap_position"] = tables["transformer"]["tap_neutral"]
    return tables | _prosumers(imported, day)


def forest(copies: int) -> xr.DataTree:
    """Build copies of LV3.101 with a narrow voltage band, each with a source of its own, in one case.

    Parameters
    ----------
    copies : int
        Of 145 prosumers each.
    """
    one = _tables("tight-voltage", 96, GRID, "summer")
    whole = {kind: _repeated(kind, table, copies) for kind, table in one.items()}
    return build_case(whole, title=f"{copies} x {GRID}")


def _repeated(kind: str, table: dict[str, Any], copies: int) -> dict[str, Any]:
    """Stack a table's rows; ids and the ids of parents get the number of their copy."""
    found = {}
    for name, column in table.items():
        values = np.asarray(column)
        if name == "time" or values.ndim == 0:
            found[name] = column
        elif name == "id" or (kind != "forecast" and attribute_table()[kind].attributes[name].parent):
            texts = as_bytes(values)
            found[name] = np.concatenate(
                [np.where(texts == b"", b"", np.char.add(texts, b"#%d" % k)) for k in range(copies)]
            )
        else:
            found[name] = np.concatenate([values] * copies)
    return found


@cache
def _imported(steps: int, grid: str, season: str) -> tuple[xr.DataTree, Columns]:
    if not SIMBENCH.exists():
        hint = "Put the folder 'shared' beside the checkout, or run another benchmark."
        raise InputError([Problem("missing", "/electric", value="no SimBench extract", hint=hint)], "benchmarks")
    imported = import_simbench(SIMBENCH, grid)[0]
    return imported, columns(predict(imported, start=SEASONS[season], horizon_h=steps / 4), "forecast")


def _sun(first: np.datetime64, steps: int) -> np.ndarray:
    """Read the power of the profile PV5 from a time on, per its yearly peak."""
    table = pd.read_csv(SIMBENCH / "RESProfile.csv.gz", sep=";", usecols=["time", "PV5"])
    day = pd.Timestamp(first, tz="UTC").tz_convert("Europe/Berlin").strftime("%d.%m.%Y 00:00")
    row = int(np.nonzero(table["time"] == day)[0][0])
    power = table["PV5"].to_numpy(float)
    return np.asarray(power[row : row + steps] / power.max())


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
    sunny = _sun(day["time"][0], steps)
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
    """First day, all feeders, of the electric side of the embedded town in ``summer`` or ``winter``."""
    return predict(without_gas(load_case(embedded_path(f"schutterwald_{season}"))), horizon_h=24)


def without_gas(case: xr.DataTree) -> xr.DataTree:
    """Leave out gas network and biogas plants."""
    groups = {n.path: n.to_dataset(inherit=False) for n in case.subtree if not n.path.startswith(("/gas", "/plant"))}
    if "/forecast" in groups:
        groups["/forecast"] = groups["/forecast"].drop_dims(["consumer", "injection"], errors="ignore")
    tree = tree_of(groups)
    tree.attrs = dict(case.attrs)
    return tree
