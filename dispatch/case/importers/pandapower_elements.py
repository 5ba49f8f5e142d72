"""Loads, static generators, storage and external grids of a pandapower net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.importers.grid import Table, named, rows
from dispatch.case.importers.reading import problem_at

if TYPE_CHECKING:
    from dispatch.case.importers.pandapower_net import Net

# Parts of names by which an element's kind is told; the first that fits counts.
GENERATION = (
    ("pv", ("pv", "solar", "photovoltaic")),
    ("wind", ("wind", "wp", "wka", "wea")),
    ("biomass", ("bio", "bm")),
    ("hydro", ("hydro", "wasser")),
)
DEMAND = (
    ("heat_pump", ("hp", "heat", "wärmepumpe")),
    ("household", ("hh", "household", "h0", "residential")),
    ("commercial", ("commercial", "industr", "g0", "g1", "g2", "g3", "g4", "g5", "g6")),
)
REFUSED = {  # table: columns of which one that is not zero makes an element count; none: it counts in any case
    "gen": (),
    "motor": ("pn_mech_mw",),
    "ward": ("ps_mw", "qs_mvar", "pz_mw", "qz_mvar"),
    "xward": (),
    "shunt": ("p_mw", "q_mvar"),
    "impedance": (),
    "dcline": (),
    "trafo3w": (),
    "asymmetric_load": ("p_a_mw", "p_b_mw", "p_c_mw", "q_a_mvar", "q_b_mvar", "q_c_mvar"),
    "asymmetric_sgen": ("p_a_mw", "p_b_mw", "p_c_mw", "q_a_mvar", "q_b_mvar", "q_c_mvar"),
    "svc": (),
    "ssc": (),
    "vsc": (),
    "tcsc": (),
    "bus_dc": (),
    "line_dc": (),
}
HINTS = {
    "gen": "Replace it by an sgen (given power) or an ext_grid (held voltage), or take it out of service.",
    "shunt": "Take it out of service, or replace it by a load of the same reactive power.",
    "trafo3w": "Replace it by two-winding transformers, or take it out of service.",
    "ward": "Replace its constant power by a load, or take it out of service.",
    "impedance": "Replace it by a line of the same impedance, or take it out of service.",
    "asymmetric_load": "Replace it by a balanced load; the network is a balanced three-phase one.",
    "asymmetric_sgen": "Replace it by a balanced sgen; the network is a balanced three-phase one.",
}


def kind_of(text: str, kinds: tuple[tuple[str, tuple[str, ...]], ...], otherwise: str) -> str:
    """Kind whose words occur in a text; a word of two letters must stand alone."""
    low = text.lower()
    parts = set(low.replace("-", " ").replace("_", " ").split())
    for kind, words in kinds:
        if any(w in parts or (len(w) > 2 and w in low) for w in words):
            return kind
    return otherwise


def refuse_others(net: Net) -> None:
    """Note one problem for each table of elements that cannot be handled and would change the result."""
    for table, columns in REFUSED.items():
        counts = net.flags(table, "in_service")
        if columns:
            counts &= np.any([net.numbers(table, c, 0.0) != 0 for c in columns], axis=0)
        hint = HINTS.get(table, "Take it out of service, or replace it by loads, sgens and lines.")
        texts = {"value": "in service", "allowed": "bus, line, trafo, switch, load, sgen, storage, ext_grid"}
        net.problems += problem_at(counts, net.labels(table), "unsupported", table, hint=hint, **texts)


def sources(net: Net) -> Table:
    """External grids in service."""
    table: Table = {
        "id": net.ids("ext_grid", "source"),
        "bus": net.buses("ext_grid", "bus"),
        "v_pu": net.numbers("ext_grid", "vm_pu", 1.0, low=0.8, high=1.2),
    }
    return _in_service(net, "ext_grid", table)


def _in_service(net: Net, name: str, table: Table) -> Table:
    keep = net.flags(name, "in_service")
    if not keep.all():
        net.notes.append(f"{name}: {np.count_nonzero(~keep)} out of service are left out: {named(table['id'][~keep])}.")
    return rows(table, keep)


def _powers(net: Net, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Active (kW) and reactive power (kvar) after scaling."""
    scaling = net.numbers(name, "scaling", 1.0)
    return net.numbers(name, "p_mw") * 1e3 * scaling, net.numbers(name, "q_mvar", 0.0) * 1e3 * scaling


def _note_voltage_dependence(net: Net) -> None:
    for column in net.frame("load").columns:
        if column.startswith(("const_z", "const_i")) and (net.numbers("load", column, 0.0) != 0).any():
            net.notes.append(f"load: {column} is treated as constant power.")


def loads(net: Net) -> tuple[Table, Table]:
    """Read loads in service, and those of negative power as generation that cannot be curtailed.

    Returns
    -------
    loads, generation : Table
        Of the kinds ``load`` and ``pv``, with ``bus`` as row number.
    """
    _note_voltage_dependence(net)
    p, q = _powers(net, "load")
    texts = net.texts("load", "type") + " " + net.texts("load", "name")
    table: Table = {
        "id": net.ids("load", "load"),
        "bus": net.buses("load", "bus"),
        "p_nom": p,
        "q_nom": q,
        "kind": np.array([kind_of(t, DEMAND, "other") for t in texts], object),
    }
    table = _in_service(net, "load", table)
    gives = table["p_nom"] < 0
    if gives.any():
        ids = table["id"][gives]
        net.notes.append(f"load: {len(ids)} of negative power are generation that is not curtailed: {named(ids)}.")
    other = rows(table, gives)
    flags = {"kind": np.full(len(other["id"]), "other", object), "curtailable": np.zeros(len(other["id"]), bool)}
    return rows(table, ~gives), {**other, "p_nom": -other["p_nom"], "q_nom": -other["q_nom"], **flags}


def generators(net: Net) -> tuple[Table, Table]:
    """Read static generators in service, and those of negative power as loads.

    Returns
    -------
    generation, loads : Table
        Of the kinds ``pv`` and ``load``, with ``bus`` as row number.
    """
    p, q = _powers(net, "sgen")
    kinds = [
        kind_of(t, GENERATION, "") or kind_of(n, GENERATION, "other")
        for t, n in zip(net.texts("sgen", "type"), net.texts("sgen", "name"), strict=True)
    ]
    table: Table = {
        "id": net.ids("sgen", "sgen"),
        "bus": net.buses("sgen", "bus"),
        "p_nom": p,
        "q_nom": q,
        "kind": np.array(kinds, object),
        "curtailable": net.flags("sgen", "controllable"),
    }
    table = _in_service(net, "sgen", table)
    takes = table["p_nom"] < 0
    if takes.any():
        net.notes.append(f"sgen: {np.count_nonzero(takes)} of negative power are loads: {named(table['id'][takes])}.")
    other = {k: v for k, v in rows(table, takes).items() if k != "curtailable"}
    other |= {"p_nom": -other["p_nom"], "q_nom": -other["q_nom"], "kind": np.full(len(other["id"]), "other", object)}
    return rows(table, ~takes), other


def storages(net: Net) -> tuple[Table, Table]:
    """Storage in service as batteries, and their reactive power as loads.

    Returns
    -------
    stores, loads : Table
        Of the kinds ``store`` and ``load``, with ``bus`` as row number.
    """
    p, q = _powers(net, "storage")
    low = net.numbers("storage", "min_e_mwh", 0.0, low=0) * 1e3
    high = net.numbers("storage", "max_e_mwh", low=1e-9) * 1e3
    limits = [np.abs(net.optional("storage", c)) * 1e3 for c in ("max_p_mw", "min_p_mw", "sn_mva")]
    power = np.nan_to_num(np.fmax.reduce([*limits, np.abs(p)]), nan=0.0)
    content = net.numbers("storage", "soc_percent", 50.0, low=0, high=100) / 100
    table: Table = {
        "id": net.ids("storage", "store"),
        "bus": net.buses("storage", "bus"),
        "energy_nom": high - low,
        "p_nom": power,
        "state_of_charge_initial": content * (high - low),
        "q": q,
    }
    empty = (high <= low) & net.flags("storage", "in_service")
    texts = {"value": "too small", "allowed": "above min_e_mwh", "hint": "Correct min_e_mwh and max_e_mwh."}
    net.problems += problem_at(empty, net.labels("storage"), "range", "storage", "max_e_mwh", **texts)
    table = _in_service(net, "storage", table)
    reactive = table.pop("q")
    with_q = reactive != 0
    ids = np.array([f"{i}_q" for i in table["id"][with_q]], object)
    if len(ids):
        net.notes.append(f"storage: reactive power is that of loads beside it: {named(ids)}.")
    other = {"id": ids, "bus": table["bus"][with_q], "p_nom": np.zeros(len(ids)), "q_nom": reactive[with_q]}
    return table, {**other, "kind": np.full(len(ids), "other", object)}
