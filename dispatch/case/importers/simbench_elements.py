"""Buses, branches and prosumers of a SimBench grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dispatch.case.importers.reading import problem_at

if TYPE_CHECKING:
    from dispatch.case.importers.grid import Table
    from dispatch.case.importers.simbench_csv import Folder
    from dispatch.case.importers.simbench_profiles import Library

SOURCE_V_PU = 1.0  # where the upper grid gives no set-point


def buses(data: Folder, notes: list[str]) -> tuple[Table, dict[str, int]]:
    """Read nodes, real ones before auxiliary ones, so that a fused bus bears the name of a real one.

    Returns
    -------
    table : Table
        Of the kind ``bus``.
    at : dict of str to int
        Row of each node.
    """
    order = np.argsort(data.texts("Node", "type") == "auxiliary", kind="stable")
    place = data.own("Coordinates") if data.file("Coordinates") else None
    coordinates = np.full((len(order), 2), np.nan)
    if place is not None and {"id", "x", "y"} <= set(data.read("Coordinates").columns):
        everywhere = data.read("Coordinates").set_index("id")[["x", "y"]]
        everywhere = everywhere[~everywhere.index.duplicated()]
        numbers = everywhere.apply(pd.to_numeric, errors="coerce")
        coordinates = numbers.reindex(data.texts("Node", "coordID")).to_numpy(dtype=float)
    if not np.isfinite(coordinates).all():
        notes.append("bus: without coordinates for all of them, none are given on the map.")
        coordinates = np.full((len(order), 2), np.nan)
    least, labels = data.values("Node", "vmMin"), data.labels("Node")
    if least is not None and (free := sum(v == 0 for v in least)):  # as at the auxiliary nodes of SimBench's own data
        notes.append(f"bus: {free} with a vmMin of 0 have no lower limit of their own and take 0.9.")
        least = [0.9 if v == 0 else v for v in least]
    table: Table = {
        "id": data.ids("Node", "bus"),
        "v_nom": data.numbers("Node", "vmR", above=0, high=1000),
        "v_min_pu": data.reader.numbers("Node", "vmMin", labels, least, default=0.9, low=0.5, high=1.5),
        "v_max_pu": data.numbers("Node", "vmMax", 1.1, low=0.5, high=1.5),
        "longitude": coordinates[:, 0],
        "latitude": coordinates[:, 1],
    }
    table = {name: values[order] for name, values in table.items()}
    return table, {name: k for k, name in enumerate(np.array(labels, object)[order])}


def lines(data: Folder, bus_at: dict[str, int], v_nom: np.ndarray) -> Table:
    """Read lines; the rating is the type's current at the line's highest loading."""
    data.known_types("Line", "LineType")
    start, stop = data.rows("Line", "nodeA", bus_at), data.rows("Line", "nodeB", bus_at)
    length = data.numbers("Line", "length", above=0)
    r, x, b = (data.typed("Line", "LineType", c, low=0) * length for c in "rxb")
    current = data.typed("Line", "LineType", "iMax", above=0) * data.numbers("Line", "loadingMax", 100, above=0) / 100
    v = v_nom[start] if len(start) else np.zeros(0)
    texts = {"value": "without impedance", "allowed": "r or x above 0", "hint": "Correct the line's type or length."}
    data.problems += problem_at((r == 0) & (x == 0), data.labels("Line"), "zero-impedance", "Line", **texts)
    return {
        "id": data.ids("Line", "line"),
        "bus_from": start,
        "bus_to": stop,
        "r": r,
        "x": x,
        "b": b * 1e-6,
        "s_nom": np.sqrt(3) * v * current,
        "length": length,
        "in_service": np.ones(len(length), bool),
    }


def transformers(data: Folder, bus_at: dict[str, int]) -> Table:
    """Read transformers to the upper grid; `loadingMax` scales the rating and, inversely, what is per unit of it."""
    data.known_types("Transformer", "TransformerType")

    def typed(column: str, default: float | None = None, **limits: float) -> np.ndarray:
        return data.typed("Transformer", "TransformerType", column, default, **limits)

    rated = typed("sR", above=0) * 1e3
    share = data.numbers("Transformer", "loadingMax", 100, above=0) / 100
    r, z = typed("pCu", low=0) / rated, typed("vmImp", above=0, high=100) / 100
    neutral = typed("tapNeutr", 0, low=-100, high=100)
    position = data.numbers("Transformer", "tappos", 0, low=-100, high=100)
    moved = (typed("dVa", 0) != 0) & (position != neutral)
    hint = "Set tappos to the neutral position."
    texts = {"value": "a tap that shifts the angle", "allowed": "0 or the neutral position", "hint": hint}
    data.problems += problem_at(moved, data.labels("Transformer"), "tap", "Transformer", "tappos", **texts)
    low_side = _type_texts(data, "tapside") == "LV"
    table = {
        "id": data.ids("Transformer", "transformer"),
        "bus_from": data.rows("Transformer", "nodeHV", bus_at),
        "bus_to": data.rows("Transformer", "nodeLV", bus_at),
        "s_nom": rated * share,
        "v_nom_from": typed("vmHV", above=0, high=1000),
        "v_nom_to": typed("vmLV", above=0, high=1000),
        "r_pu": r * share,
        "x_pu": np.sqrt(np.maximum(z**2 - r**2, 0)) * share,
        "p_no_load": typed("pFe", 0, low=0),
        "i_no_load_pu": typed("iNoLoad", 0, low=0, high=100) / 100 / share,
        "tap_side": np.where(low_side, "to", "from"),
        "tap_step_pu": typed("dVm", 0, low=0, high=20) / 100,
        "phase_shift": typed("va0", 0, low=-360, high=360),
        "in_service": np.ones(len(share), bool),
    }
    taps = {
        "tap_position": position,
        "tap_neutral": neutral,
        "tap_min": typed("tapMin", 0),
        "tap_max": typed("tapMax", 0),
    }
    return table | {k: np.nan_to_num(v).round().astype(np.int32) for k, v in taps.items()}


def _type_texts(data: Folder, column: str) -> np.ndarray:
    types = data.own("TransformerType")
    known = dict(zip(types["id"], types[column], strict=True)) if {"id", column} <= set(types.columns) else {}
    return np.array([str(known.get(t, "")) for t in data.texts("Transformer", "type")], dtype=object)


def sources(data: Folder, bus_at: dict[str, int], notes: list[str]) -> Table:
    """Read where the upper grid feeds in; its voltage is the node's set-point, or `SOURCE_V_PU`."""
    nodes = dict(zip(data.labels("Node"), data.numbers("Node", "vmSetp", SOURCE_V_PU, low=0.8, high=1.2), strict=True))
    given = data.texts("ExternalNet", "calc_type")
    texts = {"value": "not a held voltage", "allowed": "vavm", "hint": "Only a held voltage can be a source."}
    labels = data.labels("ExternalNet")
    data.problems += problem_at(~np.isin(given, ["vavm", ""]), labels, "source", "ExternalNet", "calc_type", **texts)
    v_pu = np.array([nodes.get(n, SOURCE_V_PU) for n in data.texts("ExternalNet", "node")])
    notes += [f"source: {i} holds {v:g} pu." for i, v in zip(labels, v_pu, strict=True)]
    return {"id": data.ids("ExternalNet", "source"), "bus": data.rows("ExternalNet", "node", bus_at), "v_pu": v_pu}


def _load_kind(profile: str) -> str:
    if profile.startswith(("H0", "H_")):
        return "household"
    if profile.startswith(("Air_", "Soil_")):
        return "heat_pump"
    trade = (profile[:1] in {"G", "L"} and profile[1:2].isdigit()) or profile in {"BL-H", "WB-H"}
    return "commercial" if trade else "other"


def loads(data: Folder, bus_at: dict[str, int], library: Library) -> Table:
    """Read loads; yearly use follows from the profile."""
    names = data.texts("Load", "profile")
    p_nom = data.numbers("Load", "pLoad", low=0) * 1e3
    return {
        "id": data.ids("Load", "load"),
        "bus": data.rows("Load", "node", bus_at),
        "p_nom": p_nom,
        "q_nom": data.numbers("Load", "qLoad", 0) * 1e3,
        "profile": np.array([library.load_id.get(n, "") for n in names], object),
        "kind": np.array([_load_kind(n) for n in names], object),
        "joins": np.array([n.startswith(("Air_", "Soil_", "HLS_", "APLS_")) for n in names], bool),
        "energy_year": p_nom * np.array([library.full_load_hours.get(n, np.nan) for n in names], dtype=float),
    }


def _res_kind(name: str) -> str:
    starts = {"pv": "pv", "lv_res": "pv", "wind": "wind", "biomass": "biomass", "hydro": "hydro"}
    return next((kind for start, kind in starts.items() if name.lower().startswith(start)), "other")


def generators(data: Folder, bus_at: dict[str, int], library: Library, notes: list[str]) -> Table:
    """Read renewable generation; what takes power at times gives nothing then."""
    given = data.texts("RES", "calc_type")
    hint = "Give its power (pq); held voltages cannot be dispatched."
    labels, texts = data.labels("RES"), {"value": "not pq", "allowed": "pq", "hint": hint}
    data.problems += problem_at(~np.isin(given, ["pq", ""]), labels, "unsupported", "RES", "calc_type", **texts)
    if library.columns:
        rows = np.isin(library.columns["id"], list(library.res_id.values()))
        below = rows & (library.columns["p_pu"] < 0).any(axis=1)
        if below.any():
            notes.append(f"profile: negative generation is 0 in {', '.join(library.columns['id'][below])}.")
            library.columns["p_pu"][below] = np.maximum(library.columns["p_pu"][below], 0)
    return {
        "id": data.ids("RES", "res"),
        "bus": data.rows("RES", "node", bus_at),
        "p_nom": data.numbers("RES", "pRES", low=0) * 1e3,
        "q_nom": data.numbers("RES", "qRES", 0) * 1e3,
        "profile": np.array([library.res_id.get(n, "") for n in data.texts("RES", "profile")], object),
        "kind": np.array([_res_kind(n) for n in data.texts("RES", "type")], object),
    }


def storages(data: Folder, bus_at: dict[str, int], notes: list[str]) -> Table:
    """Read storage as batteries.

    The file gives only the charging power (``pMin`` below 0, ``pMax`` 0) and an efficiency as fraction: power is the
    larger magnitude and the efficiency counts each way. ``chargeLevel`` 0 everywhere counts as not given.
    """
    power = np.maximum(*(np.abs(data.numbers("Storage", c, 0)) for c in ("pMin", "pMax"))) * 1e3
    efficiency = data.numbers("Storage", "etaStore", 0.95, above=0, high=100)
    efficiency = np.where(efficiency > 1, efficiency / 100, efficiency)
    energy = data.numbers("Storage", "eStore", above=0) * 1e3
    level = data.numbers("Storage", "chargeLevel", 0, low=0, high=100) / 100
    known = bool((level > 0).any())
    if len(level) and not known:
        notes.append("store: chargeLevel is 0 everywhere and counts as not given (half full at the start).")
    return {
        "id": data.ids("Storage", "store"),
        "bus": data.rows("Storage", "node", bus_at),
        "energy_nom": energy,
        "p_nom": power,
        "efficiency_charge": efficiency,
        "efficiency_discharge": efficiency,
        "standing_loss": data.numbers("Storage", "sdStore", 0, low=0, high=100) / 100 / 24,
        "state_of_charge_initial": level * energy if known else np.full(len(level), np.nan),
    }


def refuse_others(data: Folder) -> None:
    """Note elements of the grid that cannot be handled."""
    for name in ("PowerPlant", "Transformer3W", "DCLine", "Shunt"):
        rows = np.ones(len(data.own(name)), bool)
        texts = {"value": "in the grid", "allowed": "Line, Transformer, Switch, Load, RES, Storage, ExternalNet"}
        hint = "Remove these rows, or replace them by loads, RES and transformers."
        data.problems += problem_at(rows, data.labels(name), "unsupported", name, hint=hint, **texts)
