"""Switches of a pandapower net: what an open one interrupts and what a closed one joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.importers.grid import Table, named
from dispatch.case.importers.reading import problem_at

if TYPE_CHECKING:
    from dispatch.case.importers.pandapower_net import Net

UNRATED_KA = 100.0  # where the file gives no rating: far above any, so that it never binds
SWITCH_R_TO_X = 2.0  # pandapower's switch_rx_ratio for switches with an impedance
OPEN_END_KVAR = 1.0  # charging from which an energised line with an open end is modelled


def open_ends(net: Net, table: str, letter: str, columns: tuple[str, str]) -> np.ndarray:
    """Tell at which ends open switches interrupt each line (``l``) or transformer (``t``).

    Parameters
    ----------
    net : Net
        The file; a problem is noted for a switch that stands at neither end of its element.
    table, letter : str
        Table of the elements and letter of its switches.
    columns : tuple of str
        Columns of the buses at both ends.

    Returns
    -------
    ndarray (row, 2) of bool
    """
    frame, switch = net.frame(table), net.frame("switch").columns
    rows = np.nonzero((net.texts("switch", "et") == letter) & ~net.flags("switch", "closed"))[0]
    at = {number: k for k, number in enumerate(frame.index)}
    labels = [net.labels("switch")[k] for k in rows]
    elements = [switch["element"][k] for k in rows] if "element" in switch else None
    found = net.reader.references("switch", "element", labels, elements, at)
    bus = net.buses("switch", "bus")[rows]
    ends = np.stack([net.buses(table, c) for c in columns], axis=1)
    out = np.zeros((len(frame), 2), bool)
    good = (found >= 0) & (bus >= 0)
    hit = ends[found] == bus[:, None] if len(ends) else np.zeros((len(rows), 2), bool)
    np.logical_or.at(out, found[good], hit[good])
    texts = {"value": "at neither end", "allowed": f"a bus of its {table}", "hint": "Correct bus or element."}
    net.problems += problem_at(good & ~hit.any(axis=1), labels, "switch", "switch", "bus", **texts)
    return out


def keep_open_ends(net: Net, bus: Table, line: Table, is_open: np.ndarray) -> tuple[Table, Table]:
    """Give energised lines with one open end a bus of their own there, so that their charging counts.

    Only where the charging at nominal voltage is at least `OPEN_END_KVAR`; other interrupted lines, and those open at
    both ends, are out of service.

    Parameters
    ----------
    net : Net
        Gets a note.
    bus, line : Table
        Of the kinds ``bus`` and ``line``.
    is_open : ndarray (line, 2) of bool
        Which ends are open.

    Returns
    -------
    bus, line : Table
        With further buses at the end, their voltage limits so wide that they never bind.
    """
    first = line["bus_from"]
    charging = line["b"] * bus["v_nom"][first] ** 2 * 1e3 if len(first) else np.zeros(0)
    stub = line["in_service"] & (is_open.sum(axis=1) == 1) & (charging >= OPEN_END_KVAR)
    rows = np.nonzero(stub)[0]
    own = len(bus["id"]) + np.arange(len(rows))
    line = {**line, "in_service": line["in_service"] & (stub | ~is_open.any(axis=1))}
    for side, column in enumerate(("bus_from", "bus_to")):
        line[column] = line[column].copy()
        here = is_open[rows, side]
        line[column][rows[here]] = own[here]
    if len(rows):
        net.notes.append(f"{len(rows)} lines with an open end charge there: {named(line['id'][rows])}.")
    ids = np.array([f"{i} open end" for i in line["id"][rows]], object)
    more: Table = {
        "id": ids,
        "v_nom": bus["v_nom"][first[rows]],
        "v_min_pu": np.full(len(rows), 0.5),
        "v_max_pu": np.full(len(rows), 1.5),
        "longitude": np.full(len(rows), np.nan),
        "latitude": np.full(len(rows), np.nan),
        "in_service": np.ones(len(rows), bool),
    }
    return {name: np.concatenate([bus[name], more[name]]) for name in bus}, line


def bus_switches(net: Net, v_nom: np.ndarray) -> tuple[np.ndarray, Table]:
    """Read the closed switches between buses.

    Returns
    -------
    pairs : ndarray (pair, 2) of int
        Rows of buses that a switch without impedance joins.
    lines : Table
        Switches with an impedance, as lines.
    """
    closed = (net.texts("switch", "et") == "b") & net.flags("switch", "closed")
    unknown = ~np.isin(net.texts("switch", "et"), ["b", "l", "t", "t3"])
    texts = {"value": "unknown", "allowed": "b, l, t", "hint": "Correct these cells."}
    net.problems += problem_at(unknown, net.labels("switch"), "switch", "switch", "et", **texts)
    z = net.numbers("switch", "z_ohm", 0.0, low=0)
    start = net.buses("switch", "bus")
    elements = net.frame("switch").columns.get("element")
    if elements is None:
        return np.zeros((0, 2), int), _as_lines(net, np.zeros(0, int), start, start, z, v_nom)
    rows = np.nonzero(closed)[0]
    stop = np.full(len(start), -1)
    labels = [net.labels("switch")[k] for k in rows]
    stop[rows] = net.reader.references("switch", "element", labels, [elements[k] for k in rows], net.row_at)
    good = closed & (start >= 0) & (stop >= 0)
    pairs = np.stack([start, stop], axis=1)[good & (z == 0)]
    return pairs, _as_lines(net, np.nonzero(good & (z > 0))[0], start, stop, z, v_nom)


def _as_lines(net: Net, rows: np.ndarray, start: np.ndarray, stop: np.ndarray, z: np.ndarray, v: np.ndarray) -> Table:
    if len(rows):
        ids = np.array(net.labels("switch"), object)[rows]
        net.notes.append(f"{len(rows)} switches with an impedance are lines (first: {named(ids)}).")
    x = z[rows] / np.hypot(1, SWITCH_R_TO_X)
    current = net.optional("switch", "in_ka")[rows]
    current = np.where(current > 0, current, UNRATED_KA)
    return {
        "id": np.array([f"switch_{net.frame('switch').index[k]}" for k in rows], object),
        "bus_from": start[rows],
        "bus_to": stop[rows],
        "r": SWITCH_R_TO_X * x,
        "x": x,
        "b": np.zeros(len(rows)),
        "s_nom": np.sqrt(3) * v[start[rows]] * 1e3 * current,
        "length": np.zeros(len(rows)),
        "in_service": np.ones(len(rows), bool),
    }
