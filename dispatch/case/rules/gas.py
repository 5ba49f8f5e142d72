"""Rules of the gas network: pressures, pipes, what holds a pressure, and who has a way to a gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import zone_order, zones_of
from dispatch.case.rules.findings import text
from dispatch.case.schema import positions

if TYPE_CHECKING:
    from dispatch.case.rules.findings import Findings, Table


@dataclass(frozen=True)
class Links:
    """Ends of pipes or regulators as positions of junctions (-1: unknown), and which of them can be followed."""

    table: Table
    start: np.ndarray
    stop: np.ndarray
    used: np.ndarray


def check_gas(findings: Findings) -> None:
    """Check junctions, pipes and regulators one by one, then how they hang together.

    Parameters
    ----------
    findings : Findings
        Receives the problems.
    """
    junction = findings.table("junction")
    if not len(junction.ids):
        return
    pipe, regulator = (_links(junction, findings.table(k)) for k in ("pipe", "regulator"))
    for links in (pipe, regulator):
        itself = (links.start == links.stop) & (links.start >= 0)
        hint = "Connect it to two different junctions, or remove it."
        value = "the same junction as junction_from"
        findings.where("self-loop", links.table, "junction_to", itself, value=value, hint=hint)
    _heating_values(findings)
    _limits(findings, junction)
    _resistance(findings, pipe.table)
    _absolute(findings)
    _held_once(findings, junction)
    _structure(findings, junction, pipe, regulator)


def _links(junction: Table, table: Table) -> Links:
    ends = [
        positions(junction.ids, table.columns[side]) if table.has(side) else np.full(len(table.ids), -1, np.int32)
        for side in ("junction_from", "junction_to")
    ]
    start, stop = ends
    used = np.asarray(table.columns.get("in_service", np.ones(len(table.ids), bool)), bool)
    return Links(table, start, stop, used & (start >= 0) & (stop >= 0) & (start != stop))


def _heating_values(findings: Findings) -> None:
    gas = findings.table("gas_network")
    if not gas.has("heating_value_lower", "heating_value_higher"):
        return
    low, high = float(gas.columns["heating_value_lower"]), float(gas.columns["heating_value_higher"])
    if low >= high:
        hint = (
            "Swap the two where they are mixed up; where only one is known give both (the lower of natural gas is 0.9"
            " of the higher): what is not given is 10.1 and 11.2."
        )
        allowed = f"below heating_value_higher, {high:g}"
        findings.add("heating-values", gas.group, "heating_value_lower", value=f"{low:g}", allowed=allowed, hint=hint)


def _limits(findings: Findings, junction: Table) -> None:
    if not junction.has("pressure_min", "pressure_max"):
        return
    crossed = junction.columns["pressure_min"] >= junction.columns["pressure_max"]
    hint = "Swap the two limits, or leave one out."
    findings.where("pressure-limits", junction, "pressure_min", crossed, allowed="below pressure_max", hint=hint)


def _resistance(findings: Findings, pipe: Table) -> None:
    if not pipe.has("length", "loss_coefficient"):
        return
    free = (pipe.columns["length"] == 0) & (pipe.columns["loss_coefficient"] == 0)
    hint = "Give its length, or join its two junctions into one."
    value = "0, and loss_coefficient too"
    findings.where("zero-resistance", pipe, "length", free, value=value, allowed="one of them > 0", hint=hint)


def _absolute(findings: Findings) -> None:
    """Refuse held pressures that can only be gauge pressures."""
    gas = findings.table("gas_network")
    ambient = float(gas.columns["pressure_ambient"]) if gas.has("pressure_ambient") else 1.01325
    for kind in ("gate", "regulator"):
        table = findings.table(kind)
        if not table.has("pressure"):
            continue
        low = table.columns["pressure"] <= ambient
        hint = f"Pressures are absolute: add the air pressure ({ambient:g} bar) to a gauge pressure."
        findings.where("gauge-pressure", table, "pressure", low, allowed=f"above {ambient:g} bar", hint=hint)


def _held_once(findings: Findings, junction: Table) -> None:
    """Each junction's pressure is held by one element, inside the junction's limits."""
    taken: dict[int, str] = {}
    for kind, side in (("gate", "junction"), ("regulator", "junction_to")):
        table = findings.table(kind)
        if not table.has(side, "pressure"):
            continue
        at = positions(junction.ids, table.columns[side])
        serves = np.asarray(table.columns.get("in_service", np.ones(len(at), bool)), bool) & (at >= 0)
        rival = np.zeros(len(at), bool)
        for k in np.nonzero(serves)[0]:
            if int(at[k]) in taken:
                rival[k] = True
            else:
                taken[int(at[k])] = f"{kind} {text(table.ids[k])}"
        if rival.any():
            value = f"at a junction whose pressure {taken[int(at[np.argmax(rival)])]} holds"
            hint = "Make one element of them with the sum of their flow_max, or take one out of service."
            allowed = "one gate or regulator outlet a junction"
            findings.where("pressure-conflict", table, side, rival, value=value, allowed=allowed, hint=hint)
        _inside(findings, junction, table, at, serves)


def _inside(findings: Findings, junction: Table, table: Table, at: np.ndarray, serves: np.ndarray) -> None:
    if not junction.has("pressure_min", "pressure_max"):
        return
    low, high = (junction.columns[n][at] for n in ("pressure_min", "pressure_max"))
    outside = serves & ((table.columns["pressure"] < low) | (table.columns["pressure"] > high))
    if outside.any():
        k = int(np.argmax(outside))
        hint = "Correct the pressure, or the limits of the junction; all are absolute."
        allowed = f"[{low[k]:g}, {high[k]:g}] of its junction"
        findings.where("held-pressure", table, "pressure", outside, allowed=allowed, hint=hint)


def _structure(findings: Findings, junction: Table, pipe: Links, regulator: Links) -> None:
    """Circles of regulators, regulators that would have to raise the pressure, and who is without gas."""
    gate = findings.table("gate")
    gate_at = positions(junction.ids, gate.columns["junction"]) if gate.has("junction") else np.zeros(0, np.int32)
    if not (gate_at >= 0).any():
        return
    zone = zones_of(len(junction.ids), pipe.start, pipe.stop, pipe.used)
    live = gate_at[gate_at >= 0]
    first, second = regulator.start[regulator.used], regulator.stop[regulator.used]
    ordered = zone_order(zone, live, first, second)
    supplied = _reached(zone, live, first, second)
    circle = regulator.used & np.isin(zone[regulator.stop], list(supplied - set(ordered)))
    value = "part of a circle of regulators, or behind one"
    hint = "Open the circle: gas goes one way through regulators and boosters, and no pipe leads back."
    findings.where("regulator-circle", regulator.table, "junction_to", circle, value=value, hint=hint)
    if not circle.any():
        _steps_down(findings, zone, live, regulator)
    _compressors(findings, junction, zone, supplied)
    _boosters(findings)
    for kind in ("consumer", "injection", "plant"):
        table = findings.table(kind)
        if not table.has("junction"):
            continue
        at = positions(junction.ids, table.columns["junction"])
        alone = (at >= 0) & ~np.isin(zone[at], list(supplied))
        value = "at a junction without a way to a gate"
        hint = "Add a pipe or a regulator, put one into service, or leave them out: importers do, with --drop-isolated."
        findings.where("no-gas", table, "junction", alone, value=value, hint=hint)


def _compressors(findings: Findings, junction: Table, zone: np.ndarray, supplied: set[int]) -> None:
    """Compressors stand between two levels that both have gas."""
    table = findings.table("compressor")
    if not table.has("junction_from", "junction_to", "in_service"):
        return
    ends = [positions(junction.ids, table.columns[f"junction_{side}"]) for side in ("from", "to")]
    known = table.columns["in_service"].astype(bool) & (ends[0] >= 0) & (ends[1] >= 0)
    same = known & (zone[ends[0]] == zone[ends[1]])
    hint = "Connect it to two levels, or take it out of service: inside one level gas flows through pipes alone."
    findings.where("one-level", table, "junction_to", same, value="in the level of junction_from", hint=hint)
    alone = known & ~(np.isin(zone[ends[0]], list(supplied)) & np.isin(zone[ends[1]], list(supplied)))
    hint = "Add a pipe or a regulator, or take the compressor out of service."
    findings.where("no-gas", table, "junction_from", alone, value="with an end without a way to a gate", hint=hint)


def _boosters(findings: Findings) -> None:
    """Refuse a second booster of a regulator."""
    table = findings.table("booster")
    if table.has("regulator"):
        named, counts = np.unique(table.columns["regulator"], return_counts=True)
        double = np.isin(table.columns["regulator"], named[counts > 1])
        hint = "Keep one of them; compressors one after the other have a regulator each."
        findings.where("two-boosters", table, "regulator", double, value="of another booster, too", hint=hint)


def _reached(zone: np.ndarray, gate_at: np.ndarray, first: np.ndarray, second: np.ndarray) -> set[int]:
    """Zones that have a way to a gate, circles or not."""
    found = set(zone[gate_at].tolist())
    for _ in range(len(first)):
        found |= {b for a, b in zip(zone[first].tolist(), zone[second].tolist(), strict=True) if a in found}
    return found


def _steps_down(findings: Findings, zone: np.ndarray, gate_at: np.ndarray, regulator: Links) -> None:
    """Refuse regulators without a booster whose outlet is to be held above everything that is held at their inlet."""
    gate, booster = findings.table("gate"), findings.table("booster")
    if not gate.has("pressure") or not regulator.table.has("pressure") or len(gate.ids) != len(gate_at):
        return
    highest: dict[int, float] = {}
    for z, pressure in zip(zone[gate_at].tolist(), gate.columns["pressure"].tolist(), strict=True):
        highest[z] = max(pressure, highest.get(z, 0.0))
    used = np.nonzero(regulator.used)[0]
    outlets, pressures = zone[regulator.stop[used]].tolist(), regulator.table.columns["pressure"][used].tolist()
    for z, pressure in zip(outlets, pressures, strict=True):
        highest[z] = max(pressure, highest.get(z, 0.0))
    held = regulator.table.columns["pressure"]
    before = np.array([highest.get(int(z), np.inf) for z in zone[regulator.start]])
    boosted = np.isin(regulator.table.ids, booster.columns.get("regulator", []))
    up = regulator.used & (held >= before) & ~boosted
    if up.any():
        k = int(np.argmax(up))
        hint = "Swap its junctions, or correct the pressure: a regulator without a booster only lowers it."
        allowed = f"below {before[k]:g} bar, the highest that is held before it"
        findings.where("regulator-pressure", regulator.table, "pressure", up, allowed=allowed, hint=hint)
