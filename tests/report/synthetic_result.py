"""Synthetic results: a case built with `build_case` and random but plausible arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import build_case

if TYPE_CHECKING:
    import xarray as xr


def make_result(
    *,
    feeders: int = 3,
    buses: int = 12,
    steps: int = 96,
    seed: int = 0,
    pv: bool = True,
    batteries: bool = True,
    places: bool = True,
    title: str = "Test town",
    prefix: str = "",
    start: str = "2016-06-03T22:00:00",
    unmet: list[dict[str, Any]] | str | None = None,
    status: str = "optimal",
) -> xr.DataTree:
    """A result with `feeders` random trees of `buses` buses; half of the buses have a house."""
    rng = np.random.default_rng(seed)
    tables = _network(rng, feeders, buses, places, prefix)
    _houses(rng, tables, pv, batteries, prefix)
    dt = np.timedelta64(15, "m")
    time = np.datetime64(start, "s") + dt * np.arange(steps)
    hour = (time - time[0]) / np.timedelta64(1, "h")
    sun = np.clip(np.sin(np.pi * ((hour % 24) - 6) / 12), 0, None) ** 1.3
    evening = 0.4 + 0.5 * np.exp(-(((hour % 24) - 19) ** 2) / 6)
    n_load, n_pv = len(tables["load"]["id"]), len(tables["pv"]["id"])
    tables["forecast"] = {
        "time": time,
        "p_load": rng.uniform(0.2, 1.2, (n_load, 1)) * evening * rng.uniform(0.7, 1.3, (n_load, steps)),
        "p_available": tables["pv"]["p_nom"][:, None] * sun * rng.uniform(0.85, 0.95, (n_pv, steps)),
        "price_import": np.full((1, steps), 0.3),
        "price_export": np.full((1, steps), 0.08),
    }
    _results(rng, tables, time, sun, status)
    result = build_case(tables, title=title)
    result["certificate"].attrs["method"] = "monolithic"
    if unmet is not None:
        result["certificate"].attrs["unmet"] = unmet if isinstance(unmet, str) else json.dumps(unmet)
    return result


def _texts(values: Any) -> np.ndarray:
    """Array of text, also where there is none."""
    return np.asarray(values) if len(values) else np.zeros(0, "U1")


def _network(rng: np.random.Generator, feeders: int, buses: int, places: bool, prefix: str) -> dict[str, Any]:
    names = [f"{prefix}f{f}b{b}" for f in range(feeders) for b in range(buses)]
    longitude, latitude = np.full((2, feeders * buses), np.nan)
    start, stop = [], []
    columns = int(np.ceil(np.sqrt(feeders)))
    for f in range(feeders):
        first = f * buses
        centre = np.array([7.88 + 0.008 * (f % columns), 48.45 + 0.005 * (f // columns)])
        place = np.zeros((buses, 2))
        for b in range(1, buses):
            before = 0 if b < 3 else int(rng.integers(max(1, b - 6), b))
            turn = rng.normal(0, 0.8) + 2 * np.pi * (b % 5) / 5
            place[b] = place[before] + 0.0006 * np.array([np.cos(turn) * 1.5, np.sin(turn)])
            if b > 1:
                start.append(names[first + before])
                stop.append(names[first + b])
        if places:
            longitude[first : first + buses], latitude[first : first + buses] = (centre + place).T
    roots = [names[f * buses] for f in range(feeders)]
    low = [names[f * buses + 1] for f in range(feeders)] if buses > 1 else []
    some = len(low)
    return {
        "bus": {"id": names, "v_nom": np.where(np.isin(names, roots) & bool(low), 20.0, 0.4), "longitude": longitude,
                "latitude": latitude},
        "source": {"id": [f"{prefix}area-{f}" for f in range(feeders)], "bus": roots},
        "line": {"id": [f"{prefix}line{k}" for k in range(len(start))], "bus_from": _texts(start),
                 "bus_to": _texts(stop), "r": 0.01, "x": 0.01, "s_nom": 150.0},
        "transformer": {"id": [f"{prefix}trafo-{f}" for f in range(some)], "bus_from": _texts(roots[:some]),
                        "bus_to": _texts(low), "s_nom": 400.0, "v_nom_from": 20.0, "v_nom_to": 0.4,
                        "r_pu": 0.01, "x_pu": 0.04},
    }  # fmt: skip


def _houses(rng: np.random.Generator, tables: dict[str, Any], pv: bool, batteries: bool, prefix: str) -> None:
    at = [b for k, b in enumerate(tables["bus"]["id"]) if k % 2 or len(tables["bus"]["id"]) == 1]
    n = len(at)
    meters = [f"{prefix}meter{k}" for k in range(n)]
    houses = [f"{prefix}house{k}" for k in range(n)]
    with_pv = np.nonzero(rng.random(n) < 0.8)[0] if pv else np.zeros(0, int)
    with_store = with_pv[rng.random(len(with_pv)) < 0.6] if batteries else np.zeros(0, int)
    size = rng.uniform(4, 14, len(with_pv))
    tables["prosumer"] = {"id": _texts(houses), "energy_year": rng.uniform(1500, 6000, n)}
    tables["tariff"] = {"id": ["flat"], "price_import": 0.3, "price_export": 0.08}
    tables["meter"] = {"id": _texts(meters), "bus": at, "prosumer": houses, "tariff": "flat"}
    tables["load"] = {"id": [f"load{k}" for k in range(n)], "meter": meters, "p_nom": 1.0}
    tables["pv"] = {"id": _texts([f"pv{k}" for k in with_pv]), "p_nom": size,
                    "meter": _texts(meters)[with_pv]}  # fmt: skip
    tables["store"] = {"id": _texts([f"store{k}" for k in with_store]), "energy_nom": 10.0, "p_nom": 5.0,
                       "meter": _texts(meters)[with_store]}  # fmt: skip


def _results(rng: np.random.Generator, tables: dict[str, Any], time: np.ndarray, sun: np.ndarray, status: str) -> None:
    steps = len(time)
    count = {kind: len(t["id"]) for kind, t in tables.items() if "id" in t}
    load, available = tables["forecast"]["p_load"], tables["forecast"]["p_available"]
    curtailed = np.where(sun > 0.85, 0.1, 0.0) * available
    charge = 3 * sun * rng.uniform(0, 1, (count["store"], 1)) * (np.arange(steps) < 0.55 * steps)
    discharge = np.where(sun == 0, 0.4, 0.0) * rng.uniform(0.5, 1, (count["store"], 1))
    of = {m: k for k, m in enumerate(tables["meter"]["id"])}
    net = load.copy()
    for kind, values in (("pv", curtailed - available), ("store", charge - discharge)):
        np.add.at(net, [of[m] for m in tables[kind]["meter"]], values)
    before = load.copy()
    np.add.at(before, [of[m] for m in tables["pv"]["meter"]], -available)
    depth = rng.uniform(0.2, 1, (count["bus"], 1))
    v_before = 1.01 + depth * (0.115 * sun - 0.03)
    v = np.clip(v_before, 0.9, 1.0995)
    line = rng.uniform(0.05, 0.7, (count["line"], 1)) * (0.2 + sun)
    trafo = rng.uniform(0.7, 0.95, (count["transformer"], 1)) * (0.3 + sun)
    cost = 0.25 * net.clip(0).sum(axis=1) * 0.3 - 0.25 * (-net).clip(0).sum(axis=1) * 0.08
    tables["schedule"] = {
        "time": time,
        "p_import": net.clip(0), "p_export": (-net).clip(0), "p_charge": charge, "p_discharge": discharge,
        "state_of_charge": np.clip(np.cumsum(0.25 * (charge - discharge), axis=1) + 2, 0, 10),
        "p_curtailed": curtailed, "v_pu": v, "v_linear_pu": v + 0.0007, "p_line": 100 * line,
        "loading_line_pu": line, "p_transformer": 300 * trafo, "loading_transformer_pu": np.minimum(trafo, 1.0),
        "loading_line_linear_pu": line, "loading_transformer_linear_pu": trafo, "v_uncontrolled_pu": v_before,
        "loading_line_uncontrolled_pu": 1.3 * line, "loading_transformer_uncontrolled_pu": 1.25 * trafo,
        "p_import_uncontrolled": before.clip(0), "p_export_uncontrolled": (-before).clip(0),
        "cost": cost, "cost_uncontrolled": cost + rng.gamma(2, 0.2, len(cost)) - 0.05,
        "cost_no_battery": cost + rng.gamma(2, 0.4, len(cost)),
    }  # fmt: skip
    tables["price"] = {
        "time": time,
        "marginal_price": np.where(v >= 1.0994, -0.08, 0.0) * depth, "marginal_value": np.full(charge.shape, 0.2),
        "price_v_max": np.where(v >= 1.0994, 0.5, 0.0), "price_v_min": np.zeros(v.shape),
        "price_line": np.zeros(line.shape), "price_transformer": np.where(trafo > 1, 0.06, 0.0),
        "saving_line": np.zeros(len(line)), "saving_transformer": np.where(trafo > 1, 0.6, 0.0).sum(axis=1),
    }  # fmt: skip
    tables["offset"] = {"time": time}
    sources = count["source"]
    bill = rng.uniform(50, 90, sources)
    figures = {name: np.full(sources, 1e-9) for name in attribute_table()["certificate"].attributes}
    figures |= {"objective": bill, "objective_relaxation": bill, "lower_bound": bill - 1e-6, "repair_cost": 0 * bill}
    figures |= {"rounds": np.full(sources, 3), "rows": np.full(sources, 840), "columns": np.full(sources, 50_000)}
    tables["certificate"] = figures | {"status": status}
