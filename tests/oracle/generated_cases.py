"""Small feeders by feature and seed, as columns for `dispatch.case.schema.build_case`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Tables = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """What a generated feeder has; the defaults give an ordinary one with limits that bind."""

    buses: int = 5
    meters: int = 5
    steps: int = 6
    step_s: int = 900
    start: str = "2026-06-01T10:00:00"
    green: float = 0.0  # share of meters
    fixed_pv: float = 0.0  # share of pv that cannot be curtailed
    second_pv: float = 0.0  # share of meters with another pv
    second_store: float = 0.0
    negative: bool = False
    peak: float = 0.0
    connection: bool = False
    tap: bool = False
    loops: int = 0
    twin_transformer: bool = False
    flipped: bool = False
    from_below: bool = False  # the source stands at the low-voltage side
    flexible: float = 0.0  # share of stores that are cars or tanks, at meters that are not green-only
    standing_loss: float = 0.0
    far_final: bool = False
    feeding: bool = False  # loads below zero
    strong_q: bool = False
    offsets: bool = False
    limit_penalty: float = 1e4
    out_of_service: bool = False
    feeders: int = 1
    slack_room: float = 1.0  # above 1 the limits are wide
    medium: bool = False  # 110/20 kV, cables of some metres, powers in MW


WIDE = 10.0
MEDIUM = 1000.0
PLAIN = Recipe()
RECIPES = {
    "plain": PLAIN,
    "wide limits": replace(PLAIN, slack_room=3 * WIDE),
    "green-only": replace(PLAIN, green=1.0, second_pv=0.5),
    "green-only, part not curtailable": replace(PLAIN, green=0.7, fixed_pv=0.5, second_pv=0.8, connection=True),
    "green-only, several stores": replace(PLAIN, green=0.6, second_store=0.7, second_pv=0.4),
    "not curtailable": replace(PLAIN, fixed_pv=0.7, second_pv=0.3),
    "not curtailable behind a small connection": replace(PLAIN, fixed_pv=1.0, connection=True),
    "negative prices": replace(PLAIN, negative=True),
    "negative prices and losses": replace(PLAIN, negative=True, standing_loss=0.05, second_store=0.5),
    "peak price": replace(PLAIN, peak=30.0),
    "peak price over two months": replace(PLAIN, peak=2.0, start="2026-01-31T22:00:00", steps=8),
    "connection limits": replace(PLAIN, connection=True),
    "taps": replace(PLAIN, tap=True, slack_room=3.0),
    "loop": replace(PLAIN, loops=1),
    "two loops, flipped": replace(PLAIN, buses=7, loops=2, flipped=True),
    "transformers side by side": replace(PLAIN, twin_transformer=True, tap=True, slack_room=3.0),
    "flipped": replace(PLAIN, flipped=True, buses=7),
    "source below": replace(PLAIN, from_below=True, tap=True, flipped=True, slack_room=3.0),
    "standing loss": replace(PLAIN, standing_loss=0.1, step_s=3600),
    "final content out of reach": replace(PLAIN, far_final=True, standing_loss=0.02),
    "loads that feed in": replace(PLAIN, feeding=True, fixed_pv=0.3, connection=True, green=0.3),
    "reactive power near the rating": replace(PLAIN, strong_q=True),
    "cars and tanks": replace(PLAIN, flexible=0.8, standing_loss=0.05),
    "cars, tanks and batteries behind one meter": replace(PLAIN, flexible=0.6, second_store=1.0, connection=True),
    "cars and tanks, negative prices, green-only neighbours": replace(
        PLAIN, flexible=0.7, second_store=0.5, negative=True, green=0.4, second_pv=0.4, peak=3.0
    ),
    "cars and tanks that lack content": replace(PLAIN, flexible=1.0, far_final=True, standing_loss=0.1, step_s=3600),
    "offsets": replace(PLAIN, offsets=True),
    "offsets, loop, penalty": replace(PLAIN, offsets=True, loops=1, limit_penalty=1e6),
    "small penalty": replace(PLAIN, limit_penalty=20.0),
    "out of service": replace(PLAIN, out_of_service=True, buses=7),
    "one step": replace(PLAIN, steps=1, step_s=3600),
    "several feeders": replace(PLAIN, feeders=3, buses=3, meters=3),
    "medium voltage": replace(PLAIN, medium=True, offsets=True),
    "medium voltage, loop": replace(PLAIN, medium=True, loops=1, flipped=True, offsets=True, buses=7),
    "everything": replace(
        PLAIN, buses=8, meters=8, steps=8, green=0.3, fixed_pv=0.3, second_pv=0.4, second_store=0.3, peak=3.0,
        connection=True, tap=True, loops=1, flipped=True, standing_loss=0.03, far_final=True, feeding=True,
        offsets=True, limit_penalty=1e5, start="2026-01-31T22:00:00", feeders=2,
        slack_room=4.0,
    ),
}  # fmt: skip


def tables_of(recipe: Recipe, seed: int) -> tuple[Tables, dict[str, np.ndarray]]:
    """Columns of every kind, and the offsets of the whole case."""
    rng = np.random.default_rng(seed)
    parts = [_feeder(recipe, rng, f"f{k}") for k in range(recipe.feeders)]
    names = dict.fromkeys(name for part in parts for name in part)
    tables = {
        kind: {c: np.concatenate([np.asarray(p[kind][c]) for p in parts if kind in p]) for c in _columns(parts, kind)}
        for kind in names
    }
    tables["tariff"] = _tariffs(recipe, rng)
    tables["forecast"] |= _prices(recipe, rng)
    start = np.datetime64(recipe.start, "s")
    tables["forecast"]["time"] = start + np.arange(recipe.steps) * np.timedelta64(recipe.step_s, "s")
    return tables, _offsets(recipe, rng, tables)


def _columns(parts: list[Tables], kind: str) -> list[str]:
    return list(next(p[kind] for p in parts if kind in p))


def _feeder(recipe: Recipe, rng: np.random.Generator, name: str) -> Tables:
    ids = np.array([f"{name}b{k}" for k in range(recipe.buses)])
    room = recipe.slack_room
    tables: Tables = {
        "bus": {
            "id": ids,
            "v_nom": np.where(np.arange(len(ids)) == 0, *((110.0, 20.0) if recipe.medium else (20.0, 0.4))),
            "v_min_pu": 1 - room * rng.uniform(0.005, 0.03, len(ids)),
            "v_max_pu": 1 + room * rng.uniform(0.005, 0.02, len(ids)),
        },
        "source": {"id": [f"{name}s"], "bus": [ids[0]], "v_pu": [rng.uniform(0.99, 1.01)]},
        "transformer": _transformers(recipe, rng, name, ids),
        "line": _lines(recipe, rng, name, ids),
    }
    if room >= WIDE:
        tables["bus"]["v_min_pu"], tables["bus"]["v_max_pu"] = np.full(len(ids), 0.6), np.full(len(ids), 1.4)
    if recipe.from_below:
        tables["source"]["bus"] = [ids[1]]
    tables |= _prosumers(recipe, rng, name, ids)
    return _at_medium_voltage(tables) if recipe.medium else tables


def _at_medium_voltage(tables: Tables) -> Tables:
    """Powers a thousand times as large, on cables of 10 to 100 m: drops of 1e-9 to 1e-8 per kW."""
    for kind, names in {
        "transformer": ("s_nom",), "line": ("s_nom",), "pv": ("p_nom", "q_nom"), "store": (
            "p_nom", "energy_nom", "state_of_charge_initial", "state_of_charge_final",
        ), "forecast": ("p_load", "q_load", "p_available"),
    }.items():  # fmt: skip
        for column in names:
            tables[kind][column] = tables[kind][column] * MEDIUM
    tables["transformer"] |= {"v_nom_from": np.array([110.0]), "v_nom_to": np.array([20.0])}
    tables["line"]["r"], tables["line"]["x"] = tables["line"]["r"] * 0.03, tables["line"]["x"] * 0.03
    return tables


def _transformers(recipe: Recipe, rng: np.random.Generator, name: str, ids: np.ndarray) -> dict[str, Any]:
    count = 2 if recipe.twin_transformer else 1
    return {
        "id": [f"{name}t{k}" for k in range(count)],
        "bus_from": [ids[0]] * count,
        "bus_to": [ids[1]] * count,
        "s_nom": recipe.slack_room * rng.uniform(15, 40, count) * (20 if recipe.twin_transformer else 1),
        "v_nom_from": rng.choice([20.0, 21.0], count) if recipe.tap else np.full(count, 20.0),
        "v_nom_to": rng.choice([0.4, 0.41], count) if recipe.tap else np.full(count, 0.4),
        "r_pu": rng.uniform(0.01, 0.03, count),
        "x_pu": rng.uniform(0.03, 0.06, count),
        "tap_side": rng.choice(["from", "to"], count) if recipe.tap else ["from"] * count,
        "tap_position": rng.integers(-2, 3, count) if recipe.tap else np.zeros(count, int),
        "tap_neutral": rng.integers(0, 2, count) if recipe.tap else np.zeros(count, int),
        "tap_min": np.full(count, -3),
        "tap_max": np.full(count, 3),
        "tap_step_pu": np.full(count, 0.0125),
        "in_service": np.ones(count, bool),
    }


def _lines(recipe: Recipe, rng: np.random.Generator, name: str, ids: np.ndarray) -> dict[str, Any]:
    low = np.arange(1, len(ids))  # buses at low voltage
    ends = [(int(rng.choice(low[low < k])), int(k)) for k in low[1:]]
    for _ in range(recipe.loops):
        i, j = rng.choice(low, 2, replace=False)
        ends.append((int(i), int(j)))
    on = [True] * len(ends)
    if recipe.out_of_service:  # beside each of two lines one that is open: it must carry nothing
        ends += [ends[0], (1, int(low[-1]))]
        on += [False, False]
    if recipe.flipped:
        ends = [(j, i) if rng.random() < 0.6 else (i, j) for i, j in ends]
    count = len(ends)
    return {
        "id": [f"{name}l{k}" for k in range(count)],
        "bus_from": [ids[i] for i, _ in ends],
        "bus_to": [ids[j] for _, j in ends],
        "r": rng.uniform(0.02, 0.2, count),
        "x": rng.uniform(0.005, 0.15, count),
        "s_nom": recipe.slack_room * rng.uniform(6, 30, count),
        "in_service": on,
    }


def _prosumers(recipe: Recipe, rng: np.random.Generator, name: str, ids: np.ndarray) -> Tables:
    n, steps = recipe.meters, recipe.steps
    meters = np.array([f"{name}m{k}" for k in range(n)])
    extra_pv = np.nonzero(rng.random(n) < recipe.second_pv)[0]
    extra_store = np.nonzero(rng.random(n) < recipe.second_store)[0]
    green = rng.random(n) < recipe.green
    pv_at = np.concatenate([np.nonzero(rng.random(n) < 0.8)[0], extra_pv, [0]])
    store_at = np.concatenate([np.nonzero(rng.random(n) < 0.6)[0], extra_store, [n - 1]])
    load_at = np.concatenate([np.arange(n), rng.integers(0, n, 2)])
    p_load = rng.uniform(0, 6, (len(load_at), steps)) * (rng.random((len(load_at), steps)) < 0.9)
    if recipe.feeding:
        p_load -= rng.uniform(0, 5, (len(load_at), 1))
    share = 1.5 if recipe.strong_q else 0.3
    return {
        "prosumer": {"id": [f"{name}p{k}" for k in range(n)]},
        "meter": {
            "id": meters,
            "bus": rng.choice(ids[1:], n),
            "prosumer": [f"{name}p{k}" for k in range(n)],
            "tariff": np.where(green, b"feed", b"flat" if not recipe.peak else b"peak"),
            "p_import_max": rng.choice([0.0, 2.0, 5.0, np.inf] if recipe.connection else [np.inf], n),
            "p_export_max": rng.choice([0.0, 1.5, 4.0, np.inf] if recipe.connection else [np.inf], n),
            "green_only": green,
        },
        "load": {
            "id": [f"{name}d{k}" for k in range(len(load_at))],
            "meter": meters[load_at],
            "p_nom": np.ones(len(load_at)),
        },
        "pv": {
            "id": [f"{name}v{k}" for k in range(len(pv_at))],
            "meter": meters[pv_at],
            "p_nom": np.full(len(pv_at), 10.0),
            "q_nom": rng.choice([0.0, -1.0, 0.5], len(pv_at)),
            "curtailable": rng.random(len(pv_at)) >= recipe.fixed_pv,
        },
        "store": _stores(recipe, rng, name, meters[store_at], green[store_at]),
        "forecast": {
            **_series_of_stores(recipe, rng, len(store_at)),
            "p_load": p_load,
            "q_load": p_load * share * rng.uniform(-0.3, 1, p_load.shape),
            "p_available": rng.uniform(0, 12, (len(pv_at), steps)) * (rng.random((len(pv_at), steps)) < 0.8),
        },
    }  # fmt: skip


def _series_of_stores(recipe: Recipe, rng: np.random.Generator, count: int) -> dict[str, Any]:
    """Series of cars and tanks; some are not known."""
    if not recipe.flexible:
        return {}
    shape = (count, recipe.steps)
    plugged = rng.random(shape) < 0.7
    found = {
        "p_max_pu": plugged * rng.choice([0.5, 1.0], shape),
        "p_withdrawn": np.where(plugged, rng.choice([0.0, 1.0], shape), rng.uniform(0, 6, shape)),
        "state_of_charge_least": rng.uniform(0, 2, shape) * (rng.random(shape) < 0.4),
        "coefficient_of_performance": rng.uniform(1, 5, shape),
    }
    for values in found.values():
        values[rng.random(count) < 0.1] = np.nan
    return found


def _stores(
    recipe: Recipe, rng: np.random.Generator, name: str, meter: np.ndarray, green: np.ndarray
) -> dict[str, Any]:
    n, size = len(meter), rng.uniform(2, 15, len(meter))
    initial = np.where(rng.random(n) < 0.3, np.nan, size * rng.uniform(0, 1, n))
    final = np.where(rng.random(n) < 0.5, np.nan, size * rng.uniform(0, 1, n))
    if recipe.far_final:
        initial, final = np.zeros(n), size
    kind, discharging = np.full(n, b"battery"), np.full(n, np.nan)
    if recipe.flexible:
        kind = np.where((rng.random(n) < recipe.flexible) & ~green, rng.choice([b"car", b"tank"], n), kind)
        discharging = np.where(rng.random(n) < 0.5, np.nan, rng.uniform(0.0, 4.0, n))
    return {
        "id": [f"{name}e{k}" for k in range(n)],
        "meter": meter,
        "kind": kind,
        "p_discharge_nom": discharging,
        "energy_nom": size,
        "p_nom": size * rng.uniform(0.2, 0.8, n),
        "efficiency_charge": rng.uniform(0.85, 1, n),
        "efficiency_discharge": rng.uniform(0.85, 1, n),
        "standing_loss": recipe.standing_loss * rng.random(n),
        "wear_cost": rng.choice([0.0, 0.02, 0.05], n),
        "state_of_charge_initial": initial,
        "state_of_charge_final": final,
    }


def _tariffs(recipe: Recipe, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "id": ["flat", "feed", "peak"],
        "price_import": [0.3] * 3,
        "price_export": [0.05] * 3,
        "network_fee": rng.uniform(0, 0.1, 3) * (not recipe.negative),
        "price_peak": [0.0, 0.0, recipe.peak],
    }


def _prices(recipe: Recipe, rng: np.random.Generator) -> dict[str, Any]:
    buy = rng.uniform(-0.25 if recipe.negative else 0.12, 0.4, (3, recipe.steps))
    sell = buy - rng.uniform(0, 0.2, buy.shape)
    sell[1] = buy[1] + rng.uniform(0, 0.3, recipe.steps)  # a feed-in tariff above the import price: green-only
    return {"price_import": buy, "price_export": sell}


def _offsets(recipe: Recipe, rng: np.random.Generator, tables: Tables) -> dict[str, np.ndarray]:
    buses = len(tables["bus"]["id"])
    branches = len(tables["line"]["id"]) + len(tables["transformer"]["id"])
    scale = 1.0 if recipe.offsets else 0.0
    return {
        "v_max": scale * rng.uniform(-0.004, 0.008, (buses, recipe.steps)),
        "v_min": scale * rng.uniform(-0.008, 0.004, (buses, recipe.steps)),
        "s": scale * (MEDIUM if recipe.medium else 1.0) * rng.uniform(-2, 8, (branches, recipe.steps)),
        **{
            way: scale * (MEDIUM if recipe.medium else 1.0) * rng.uniform(0, 4) * rng.random((branches, recipe.steps))
            for way in ("forward", "reverse")
        },
    }
