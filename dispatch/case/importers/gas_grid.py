"""A gas network on its way in: open valves fused, isolated parts checked, then a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from dispatch.case.gas_network import zone_order, zones_of
from dispatch.case.importers.grid import Table, named, rows
from dispatch.case.importers.reading import first_ids
from dispatch.case.schema import build_case
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    import xarray as xr

ENDS = {
    "pipe": ("junction_from", "junction_to"),
    "regulator": ("junction_from", "junction_to"),
    "gate": ("junction",),
    "consumer": ("junction",),
    "injection": ("junction",),
}


@dataclass
class GasGrid:
    """Tables by kind, in the columns of the attribute table but for one thing: junctions are row numbers.

    Attributes
    ----------
    title : str
        Name of the net.
    gas : dict of str to float
        Columns of the kind ``gas_network``.
    tables : dict of str to Table
        ``junction`` (``in_service`` too), and the kinds of `ENDS`; every table has ``id``. ``ratio_low`` and
        ``ratio_high`` of regulators are the least and the highest ratio of pressures of compressors, NaN elsewhere.
    fused : ndarray (pair, 2) of int
        Rows of junctions that an open valve joins.
    notes : list of str
        What was changed or left out, in words.
    problems : list of Problem
        What is wrong.
    """

    title: str
    gas: dict[str, float]
    tables: dict[str, Table]
    fused: np.ndarray
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def finish(grid: GasGrid, *, drop_isolated: bool, source: str) -> tuple[xr.DataTree, list[str]]:
    """Turn a gas grid into a case.

    Parameters
    ----------
    grid : GasGrid
        Read from a file, with the problems met so far; is changed.
    drop_isolated : bool
        Whether junctions without a way to a gate are left out instead of refused.
    source : str
        File, for messages.

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
    gone = ~grid.tables["junction"].pop("in_service")
    if gone.any():
        grid.notes.append(f"junction: {np.count_nonzero(gone)} out of service are left out.")
        _drop(grid, gone, "junctions out of service")
    _fuse(grid)
    if not len(grid.tables["gate"]["id"]):
        hint = "Put an external grid (a slack junction) into service where the net is fed."
        grid.problems.append(Problem("gate", "gate", value="missing", allowed="at least one", hint=hint))
        raise_if_any(grid.problems, source)
    _isolated(grid, drop_isolated=drop_isolated)
    raise_if_any(grid.problems, source)
    _boost(grid)
    ids = grid.tables["junction"]["id"]
    for kind, ends in ENDS.items():
        for end in ends:
            grid.tables[kind][end] = ids[grid.tables[kind][end]]
    tables = {k: t for k, t in grid.tables.items() if len(t["id"])}
    return build_case({"gas_network": grid.gas, **tables}, title=grid.title), grid.notes


def _drop(grid: GasGrid, gone: np.ndarray, why: str) -> None:
    """Leave out junctions and everything that is connected to them; a note names each kind."""
    for kind, ends in ENDS.items():
        table = grid.tables[kind]
        touched = np.any([gone[table[end]] for end in ends], axis=0)
        if touched.any():
            grid.notes.append(f"{np.count_nonzero(touched)} x {kind} at {why} left out: {named(table['id'][touched])}.")
            grid.tables[kind] = rows(table, ~touched)
    if len(grid.fused):
        grid.fused = grid.fused[~gone[grid.fused].any(axis=1)]
    _renumber(grid, np.arange(len(gone)), ~gone)


def _renumber(grid: GasGrid, to: np.ndarray, keep: np.ndarray) -> None:
    """Point every end at row `to[row]`, then keep only some junctions; elements at dropped ones must be gone."""
    number = np.cumsum(keep) - 1
    for kind, ends in ENDS.items():
        for end in ends:
            grid.tables[kind][end] = number[to[grid.tables[kind][end]]]
    if len(grid.fused):
        grid.fused = number[to[grid.fused]]
    grid.tables["junction"] = rows(grid.tables["junction"], keep)


def _fuse(grid: GasGrid) -> None:
    """Make junctions one that an open valve without loss joins: the id of the first, the narrowest limits."""
    if not len(grid.fused):
        return
    junction = grid.tables["junction"]
    n = len(junction["id"])
    graph = sp.csr_matrix((np.ones(len(grid.fused)), grid.fused.T), shape=(n, n))
    count, part = connected_components(graph, directed=False)
    first = np.full(count, n)
    np.minimum.at(first, part, np.arange(n))
    kept = first[part]
    np.fmax.at(junction["pressure_min"], kept, junction["pressure_min"])
    np.fmin.at(junction["pressure_max"], kept, junction["pressure_max"])
    gone = kept != np.arange(n)
    ids = named(junction["id"][gone])
    grid.notes.append(
        f"{np.count_nonzero(gone)} junctions are one with another through open valves or bypasses ({ids})."
    )
    _renumber(grid, kept, ~gone)
    grid.fused = np.zeros((0, 2), int)
    for kind in ("pipe", "regulator"):
        table = grid.tables[kind]
        short = table["junction_from"] == table["junction_to"]
        if short.any():
            grid.notes.append(f"{kind} short-circuited by open valves is left out: {named(table['id'][short])}.")
            grid.tables[kind] = rows(table, ~short)


def _boost(grid: GasGrid) -> None:
    """Make a booster of each compressor, and find what it holds behind it if no pipe before it takes any pressure."""
    regulator, pipe, gate = (grid.tables[k] for k in ("regulator", "pipe", "gate"))
    low, high = (regulator.pop(f"ratio_{side}", np.full(len(regulator["id"]), np.nan)) for side in ("low", "high"))
    raised = ~np.isnan(low)
    if not raised.any():
        return
    zone = zones_of(len(grid.tables["junction"]["id"]), pipe["junction_from"], pipe["junction_to"], pipe["in_service"])
    on, at = regulator["in_service"], (regulator["junction_from"], regulator["junction_to"])
    ends = tuple(zone[end] for end in at)
    held = np.full(len(grid.tables["junction"]["id"]), np.nan)
    np.fmax.at(held, zone[gate["junction"]], gate["pressure"])
    for z in zone_order(zone, gate["junction"], at[0][on], at[1][on]):
        for k in np.nonzero(on & (ends[1] == z))[0]:
            if raised[k]:
                before, wanted = held[ends[0][k]], regulator["pressure"][k]
                most = high[k] * before
                regulator["pressure"][k] = most if np.isnan(wanted) else min(max(wanted, low[k] * before), most)
            held[z] = np.fmax(held[z], regulator["pressure"][k])
    regulator["pressure"] = np.where(np.isnan(regulator["pressure"]), gate["pressure"][0], regulator["pressure"])
    grid.tables["booster"] = {
        "id": regulator["id"][raised],
        "regulator": regulator["id"][raised],
        "pressure_ratio": np.where(low == high, low, np.nan)[raised],
    }


def _isolated(grid: GasGrid, *, drop_isolated: bool) -> None:
    junction, pipe, regulator = (grid.tables[k] for k in ("junction", "pipe", "regulator"))
    zone = zones_of(len(junction["id"]), pipe["junction_from"], pipe["junction_to"], pipe["in_service"])
    on = regulator["in_service"]
    ends = (zone[regulator["junction_from"][on]], zone[regulator["junction_to"][on]])
    supplied = set(zone[grid.tables["gate"]["junction"]].tolist())
    for _ in range(np.count_nonzero(on)):
        supplied |= {b for a, b in zip(*(e.tolist() for e in ends), strict=True) if a in supplied}
    alone = ~np.isin(zone, list(supplied))
    if not alone.any():
        return
    ids = junction["id"][alone]
    if not drop_isolated:
        hint = "Open the valve that feeds them, or import with --drop-isolated to leave them out."
        if not np.isnan(regulator.get("ratio_low", np.nan)).all():
            hint += " Gas flows one way through compressors (MatGas: both ways with --bypass-compressors)."
        grid.problems.append(
            Problem("isolated", "junction", "", first_ids(ids), len(ids), "isolated", "a way to a gate", hint)
        )
        return
    grid.notes.append(f"{len(ids)} junctions without a way to a gate are left out: {named(ids)}.")
    _drop(grid, alone, "isolated junctions")
