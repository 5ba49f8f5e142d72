"""A grid on its way in: switches fused, islands checked, meters drawn, then a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from dispatch.case.importers.metering import Tariff, draw_meters
from dispatch.case.importers.reading import first_ids
from dispatch.case.schema import build_case
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    import xarray as xr

Table = dict[str, np.ndarray]
ENDS = {
    "line": ("bus_from", "bus_to"),
    "transformer": ("bus_from", "bus_to"),
    "source": ("bus",),
    "load": ("bus",),
    "pv": ("bus",),
    "store": ("bus",),
}


@dataclass
class Grid:
    """Tables by kind, in the columns of the attribute table but for one thing: buses are row numbers.

    Attributes
    ----------
    title : str
        Name of the net.
    tables : dict of str to Table
        ``bus`` (``in_service`` too), ``line``, ``transformer``, ``source``, and ``load``, ``pv``, ``store`` with
        ``bus`` instead of ``meter``; every table has ``id``.
    fused : ndarray (pair, 2) of int
        Rows of buses that a closed switch joins.
    profiles : dict
        Columns of the kind ``profile``; empty where the file has no series.
    notes : list of str
        What was changed or left out, in words.
    problems : list of Problem
        What is wrong.
    """

    title: str
    tables: dict[str, Table]
    fused: np.ndarray
    profiles: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def rows(table: Table, keep: np.ndarray) -> Table:
    """Return the rows of a table where `keep` is true (or at those positions)."""
    return {name: values[keep] for name, values in table.items()}


def joined(kind: str, *tables: Table) -> Table:
    """Rows of all tables, ids made unique in their kind."""
    out = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
    taken: set[str] = set()
    for k, own in enumerate(out["id"]):
        while own in taken:
            own = f"{kind}_{own}"  # noqa: PLW2901 - the id grows until it is free
        taken.add(own)
        out["id"][k] = own
    return out


def named(ids: np.ndarray) -> str:
    """Text with the first few ids and how many more there are."""
    more = f" and {len(ids) - len(first_ids(ids))} more" if len(ids) > len(first_ids(ids)) else ""
    return ", ".join(first_ids(ids)) + more


def finish(grid: Grid, *, drop_isolated: bool, tariff: Tariff, source: str) -> tuple[xr.DataTree, list[str]]:
    """Turn a grid into a case.

    Parameters
    ----------
    grid : Grid
        Read from a file, with the problems met so far; is changed.
    drop_isolated : bool
        Whether buses without a way to a source are left out instead of refused.
    tariff : Tariff
        What every meter pays.
    source : str
        File or folder, for messages.

    Returns
    -------
    case : DataTree
    notes : list of str
        What was changed or left out.

    Raises
    ------
    InputError
        With all problems found, here and before.
    """
    raise_if_any(grid.problems, source)
    _drop_out_of_service(grid)
    fuse(grid)
    _one_source_an_island(grid)
    _isolated(grid, drop_isolated=drop_isolated)
    if not any(len(grid.tables[k]["id"]) for k in ("load", "pv", "store")):
        hint = "Import a net that serves somebody."
        grid.problems.append(Problem("empty", "load", value="missing", allowed="a load, generator or store", hint=hint))
    raise_if_any(grid.problems, source)
    tables: dict[str, Table] = {k: t for k, t in grid.tables.items() if len(t["id"])}
    tables = draw_meters(tables, tariff)
    ids = tables["bus"]["id"]
    for kind, ends in ENDS.items():
        for end in ends:
            if kind in tables and end in tables[kind]:
                tables[kind][end] = ids[tables[kind][end]]
    if "meter" in tables:
        tables["meter"]["bus"] = ids[tables["meter"]["bus"]]
    if grid.profiles:
        tables["profile"] = grid.profiles
    return build_case(tables, title=grid.title), grid.notes


def _drop_out_of_service(grid: Grid) -> None:
    in_service = grid.tables["bus"].pop("in_service", None)
    if in_service is None or in_service.all():
        return
    gone = ~in_service
    grid.notes.append(f"{np.count_nonzero(gone)} buses out of service are left out.")
    grid.fused = grid.fused[in_service[grid.fused].all(axis=1)]
    grid.fused = (np.cumsum(in_service) - 1)[grid.fused]
    drop_buses(grid, gone, "buses out of service")


def fuse(grid: Grid) -> None:
    """Make one bus of those joined by closed switches: the first row stays, with the tightest limits of all."""
    bus = grid.tables["bus"]
    n = len(bus["id"])
    if not len(grid.fused):
        return
    a, b = grid.fused.T
    count, part = connected_components(sp.csr_matrix((np.ones(len(a)), (a, b)), shape=(n, n)), directed=False)
    first = np.full(count, n)
    np.minimum.at(first, part, np.arange(n))
    kept = first[part]
    wrong = np.nonzero(bus["v_nom"] != bus["v_nom"][kept])[0]
    if len(wrong):
        hint = "Open the switch, or correct the nominal voltage."
        value = f"{bus['v_nom'][wrong[0]]:g} kV beside {bus['v_nom'][kept[wrong[0]]]:g} kV"
        allowed = "one nominal voltage on both sides of a switch"
        shown = first_ids(bus["id"][wrong])
        grid.problems.append(Problem("switch", "bus", "v_nom", shown, len(wrong), value, allowed, hint))
    np.maximum.at(bus["v_min_pu"], kept, bus["v_min_pu"])
    np.minimum.at(bus["v_max_pu"], kept, bus["v_max_pu"])
    gone = kept != np.arange(n)
    fused, ids = np.count_nonzero(gone), named(bus["id"][gone])
    grid.notes.append(f"{fused} buses are one with another through closed switches (first: {ids}).")
    _renumber(grid, kept, ~gone)
    for kind in ("line", "transformer"):
        table = grid.tables[kind]
        short = table["bus_from"] == table["bus_to"]
        if short.any():
            grid.notes.append(f"{kind} short-circuited by closed switches is left out: {named(table['id'][short])}.")
            grid.tables[kind] = rows(table, ~short)


def _renumber(grid: Grid, to: np.ndarray, keep: np.ndarray) -> None:
    """Point every end at row `to[row]`, then keep only some buses; elements at dropped buses must be gone."""
    number = np.cumsum(keep) - 1
    for kind, ends in ENDS.items():
        for end in ends:
            grid.tables[kind][end] = number[to[grid.tables[kind][end]]]
    grid.tables["bus"] = rows(grid.tables["bus"], keep)


def _islands(grid: Grid) -> np.ndarray:
    n = len(grid.tables["bus"]["id"])
    used = [rows(grid.tables[k], grid.tables[k]["in_service"]) for k in ("line", "transformer")]
    a, b = (np.concatenate([t[end] for t in used]) for end in ("bus_from", "bus_to"))
    graph = sp.csr_matrix((np.ones(len(a)), (a, b)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def _one_source_an_island(grid: Grid) -> None:
    source = grid.tables["source"]
    if not len(source["id"]):
        hint = "Put an external grid into service where the net is fed."
        grid.problems.append(Problem("source", "source", value="missing", allowed="at least one", hint=hint))
        return
    island = _islands(grid)[source["bus"]]
    keep = np.ones(len(island), bool)
    for part in np.unique(island):
        here = np.nonzero(island == part)[0]
        same = (source["bus"][here] == source["bus"][here[0]]) & (source["v_pu"][here] == source["v_pu"][here[0]])
        keep[here[1:]] = ~same[1:]
        left = here[keep[here]]
        if len(left) > 1:
            hint = "Open a switch between them, or keep one of them in service."
            ids = first_ids(source["id"][left])
            allowed = "one source in each connected part"
            grid.problems.append(Problem("source", "source", "bus", ids, len(left), "connected", allowed, hint))
    if not keep.all():
        grid.notes.append(f"Sources beside another at the same bus are left out: {named(source['id'][~keep])}.")
        grid.tables["source"] = rows(source, keep)


def _isolated(grid: Grid, *, drop_isolated: bool) -> None:
    bus, island = grid.tables["bus"], _islands(grid)
    alone = ~np.isin(island, island[grid.tables["source"]["bus"]])
    if not alone.any() or not len(grid.tables["source"]["id"]):
        return
    ids = bus["id"][alone]
    if not drop_isolated:
        hint = "Close the switch that feeds them, or import with --drop-isolated to leave them out."
        allowed = "a way to a source"
        grid.problems.append(Problem("isolated", "bus", "", first_ids(ids), len(ids), "isolated", allowed, hint))
        return
    grid.notes.append(f"{len(ids)} buses without a way to a source are left out: {named(ids)}.")
    drop_buses(grid, alone, "isolated buses")


def drop_buses(grid: Grid, gone: np.ndarray, why: str) -> None:
    """Leave out buses and everything that is connected to them; a note names each kind."""
    for kind, ends in ENDS.items():
        table = grid.tables[kind]
        touched = np.zeros(len(table["id"]), bool)
        for end in ends:
            touched |= gone[table[end]]
        if touched.any():
            grid.notes.append(f"{np.count_nonzero(touched)} x {kind} at {why} left out: {named(table['id'][touched])}.")
            grid.tables[kind] = rows(table, ~touched)
    _renumber(grid, np.arange(len(gone)), ~gone)
