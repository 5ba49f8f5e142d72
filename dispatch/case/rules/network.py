"""Rules of the electric network: limits, impedances, voltages, islands and loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from dispatch.case.network import forest
from dispatch.case.rules.findings import Findings, Table, text
from dispatch.case.schema import positions

MAX_LOOPS = 20
SHOWN_CHORDS = 50
RATED_TOLERANCE = 0.25
SHIFT_TOLERANCE_DEGREE = 1e-3


@dataclass(frozen=True)
class Branches:
    """Lines, then transformers: their ends as positions of buses (-1: unknown)."""

    tables: tuple[Table, Table]
    start: np.ndarray
    stop: np.ndarray
    in_service: np.ndarray
    phase_shift: np.ndarray

    @property
    def lines(self) -> int:
        """How many of them are lines."""
        return len(self.tables[0].ids)

    def name(self, number: int) -> str:
        """Kind and id of a branch."""
        kind = 0 if number < self.lines else 1
        table = self.tables[kind]
        return f"{table.kind} {text(table.ids[number - kind * self.lines])}"


def check_network(findings: Findings) -> None:
    """Check buses and branches one by one, then how they hang together.

    Parameters
    ----------
    findings : Findings
        Receives the problems.
    """
    bus, line, transformer = (findings.table(k) for k in ("bus", "line", "transformer"))
    if bus.has("v_min_pu", "v_max_pu"):
        crossed = bus.columns["v_min_pu"] >= bus.columns["v_max_pu"]
        hint = "Swap the two limits, or leave one out to use the default 0.90 to 1.10."
        findings.where("voltage-limits", bus, "v_min_pu", crossed, allowed="below v_max_pu", hint=hint)
    branches = _branches(bus, line, transformer)
    _impedance(findings, line, "r", "x")
    _impedance(findings, transformer, "r_pu", "x_pu")
    for kind, table in enumerate(branches.tables):
        part = slice(0, branches.lines) if kind == 0 else slice(branches.lines, None)
        start, stop = branches.start[part], branches.stop[part]
        itself = (start == stop) & (start >= 0)
        hint = "Connect it to two different buses, or remove it."
        findings.where("self-loop", table, "bus_to", itself, value="the same bus as bus_from", hint=hint)
    if bus.has("v_nom"):
        _line_voltages(findings, bus, line, branches)
        _rated_voltages(findings, bus, transformer, branches)
    _taps(findings, transformer)
    _structure(findings, bus, branches)


def _ends(bus: Table, table: Table, side: str) -> np.ndarray:
    if not table.has(side):
        return np.full(len(table.ids), -1, np.int32)
    return positions(bus.ids, table.columns[side])


def _branches(bus: Table, line: Table, transformer: Table) -> Branches:
    both = (line, transformer)
    start, stop = (np.concatenate([_ends(bus, t, side) for t in both]) for side in ("bus_from", "bus_to"))
    used = np.concatenate([t.columns.get("in_service", np.ones(len(t.ids), bool)) for t in both])
    shift = transformer.columns.get("phase_shift", np.zeros(len(transformer.ids)))
    return Branches(both, start, stop, used.astype(bool), np.concatenate([np.zeros(len(line.ids)), shift]))


def _impedance(findings: Findings, table: Table, r: str, x: str) -> None:
    if table.has(r, x):
        zero = (table.columns[r] == 0) & (table.columns[x] == 0)
        hint = f"Give at least a small {x}, or join its two buses into one."
        findings.where("zero-impedance", table, r, zero, value=f"0, and {x} too", allowed=f"{r} or {x} > 0", hint=hint)


def _line_voltages(findings: Findings, bus: Table, line: Table, branches: Branches) -> None:
    start, stop = branches.start[: branches.lines], branches.stop[: branches.lines]
    low, high = bus.columns["v_nom"][start], bus.columns["v_nom"][stop]
    differs = (low != high) & (start >= 0) & (stop >= 0) & ~np.isnan(low) & ~np.isnan(high)
    if differs.any():
        k = int(np.argmax(differs))
        value = f"at {high[k]:g} kV where bus_from is at {low[k]:g} kV"
        hint = "Correct v_nom of one bus, or connect them by a transformer."
        findings.where("voltage-mismatch", line, "bus_to", differs, value=value, allowed="equal v_nom", hint=hint)


def _rated_voltages(findings: Findings, bus: Table, transformer: Table, branches: Branches) -> None:
    for side, ends in (("from", branches.start), ("to", branches.stop)):
        name = f"v_nom_{side}"
        if not transformer.has(name):
            continue
        at = ends[branches.lines :]
        nominal, rated = bus.columns["v_nom"][at], transformer.columns[name]
        far = (np.abs(rated - nominal) > RATED_TOLERANCE * nominal) & (at >= 0)
        if far.any():
            k = int(np.argmax(far))
            allowed = f"within 25 % of v_nom of its bus_{side}, {nominal[k]:g} kV"
            hint = "Check the unit (kV, line to line), and whether bus_from and bus_to are swapped."
            value = f"{rated[k]:g} kV"
            findings.where("rated-voltage", transformer, name, far, value=value, allowed=allowed, hint=hint)


def _taps(findings: Findings, table: Table) -> None:
    if not table.has("tap_position", "tap_min", "tap_max"):
        return
    low, high, position = (table.columns[n] for n in ("tap_min", "tap_max", "tap_position"))
    crossed = low > high
    findings.where("tap-limits", table, "tap_min", crossed, allowed="at most tap_max", hint="Swap the two limits.")
    outside = ((position < low) | (position > high)) & ~crossed
    if outside.any():
        k = int(np.argmax(outside))
        hint = "Correct the position, or give tap_min and tap_max."
        findings.where("tap-position", table, "tap_position", outside, allowed=f"[{low[k]}, {high[k]}]", hint=hint)


def _structure(findings: Findings, bus: Table, branches: Branches) -> None:
    """Islands without a source, with two of them, and loops."""
    n, source = len(bus.ids), findings.table("source")
    used = np.nonzero(branches.in_service & (branches.start >= 0) & (branches.stop >= 0))[0]
    used = used[branches.start[used] != branches.stop[used]]
    roots = positions(bus.ids, source.columns["bus"]) if source.has("bus") else np.zeros(0, np.int32)
    if not n or not (roots >= 0).any():
        return
    graph = sp.csr_matrix((np.ones(len(used)), (branches.start[used], branches.stop[used])), shape=(n, n))
    _, island = connected_components(graph, directed=False)
    fed = island[roots[roots >= 0]]
    alone = ~np.isin(island, fed)
    hint = "Close a switch or add a branch, or leave them out: importers of networks do, with --drop-isolated."
    findings.where("isolated-bus", bus, "", alone, value="not connected to any source", hint=hint)
    order = np.nonzero(roots >= 0)[0]
    first: dict[int, int] = {}
    rivals = [k for k in order if first.setdefault(int(island[roots[k]]), int(k)) != k]
    if rivals:
        mask = np.isin(np.arange(len(roots)), rivals)
        partner = text(source.ids[first[int(island[roots[rivals[0]]])]])
        value = f"in the same island as source {partner!r}"
        hint = "Keep one source, or open the branch that joins the two feeders."
        findings.where("source-conflict", source, "bus", mask, value=value, allowed="one source an island", hint=hint)
    _loops(findings, branches, used, roots, n)


def _loops(findings: Findings, branches: Branches, used: np.ndarray, roots: np.ndarray, n: int) -> None:
    feeder, parent, parent_branch, chords = forest(n, branches.start, branches.stop, used, roots)[1:]
    source = findings.table("source")
    for k in np.unique(feeder[branches.start[chords]]):
        own = chords[feeder[branches.start[chords]] == k]
        if len(own) > MAX_LOOPS:
            names = ", ".join(branches.name(c) for c in own[:SHOWN_CHORDS]) + (" …" if len(own) > SHOWN_CHORDS else "")
            hint = f"Open enough of the branches that close its loops: {names}."
            value = f"heavily meshed, with {len(own)} loops"
            findings.add(
                "meshed", source.group, "bus", ids=source.ids[[k]], value=value, allowed=f"{MAX_LOOPS}", hint=hint
            )
    if branches.phase_shift.any():
        wrong = [c for c in chords if not _cancels(branches, parent, parent_branch, int(c))]
        for table, base in zip(branches.tables, (0, branches.lines), strict=True):
            own = np.array([c - base for c in wrong if (c < branches.lines) == (base == 0)], np.int64)
            if len(own):
                value = "closing a loop whose transformers' phase shifts do not cancel"
                hint = "Correct phase_shift of the transformers in the loop, or open it."
                findings.add("phase-shift", table.group, "bus_to", ids=table.ids[own], value=value, hint=hint)


def _cancels(branches: Branches, parent: np.ndarray, parent_branch: np.ndarray, chord: int) -> bool:
    """Whether the phase shifts around the loop that a chord closes add up to whole turns."""

    def lag(bus: int) -> float:
        total = 0.0
        while parent[bus] >= 0:
            branch = parent_branch[bus]
            total += branches.phase_shift[branch] * (1 if branches.stop[branch] == bus else -1)
            bus = parent[bus]
        return total

    around = lag(branches.start[chord]) + branches.phase_shift[chord] - lag(branches.stop[chord])
    return bool(abs((around + 180) % 360 - 180) <= SHIFT_TOLERANCE_DEGREE)
