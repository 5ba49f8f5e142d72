"""Who is behind which meter, for files that know buses but no meters.

The rule: everything at a bus is one meter of one prosumer, unless the bus serves several. Then each load that is not a
heat pump (or charging point, where the file tells) has a meter of its own; a heat pump, PV system or battery joins the
load of the same house (names such as ``HH_w12``, ``HP_w12``, ``PV_w12``), otherwise the first joins the first load, the
second the second and so on, and one that is left over gets a meter of its own. Wind, hydro and biomass beside a load
always have meters of their own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers.naming import house_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Table = dict[str, np.ndarray]
MEMBERS = ("load", "pv", "store")
APART = {"wind", "hydro", "biomass"}


@dataclass(frozen=True)
class Tariff:
    """The tariff that every imported meter gets.

    Attributes
    ----------
    price_import, price_export : float
        [currency/kWh]
    """

    price_import: float = 0.30
    price_export: float = 0.08


@dataclass
class _Member:
    kind: str
    row: int
    name: str
    house: str
    what: str
    joins: bool


def draw_meters(tables: dict[str, Table], tariff: Tariff) -> dict[str, Table]:
    """Give every load, pv and store a meter, and every meter a prosumer and the tariff.

    Parameters
    ----------
    tables : dict of str to Table
        With ``bus`` (row number) in loads, pvs and stores; ``joins`` in loads, where given, marks those that belong
        to another load at their bus, otherwise heat pumps do.
    tariff : Tariff
        What every meter pays.

    Returns
    -------
    dict of str to Table
        With ``prosumer``, ``meter`` and ``tariff``, and ``meter`` in place of ``bus`` in their elements.
    """
    at_bus: dict[int, list[_Member]] = defaultdict(list)
    for kind in MEMBERS:
        if kind not in tables:
            continue
        table = tables[kind]
        what = table.get("kind", np.full(len(table["id"]), kind))
        joins = table.pop("joins", (what == "heat_pump") | (kind != "load"))
        for row, (name, bus) in enumerate(zip(table["id"], table["bus"], strict=True)):
            at_bus[int(bus)].append(_Member(kind, row, name, house_of(name), str(what[row]), bool(joins[row])))
    groups = [(bus, group) for bus in sorted(at_bus) for group in _groups(at_bus[bus])]
    if not groups:
        return tables
    ids = _meter_ids([group for _, group in groups])
    owner: dict[str, np.ndarray] = {k: np.empty(len(tables[k]["id"]), object) for k in MEMBERS if k in tables}
    for meter, (_, group) in zip(ids, groups, strict=True):
        for member in group:
            owner[member.kind][member.row] = meter
    out: dict[str, Any] = dict(tables)
    for kind, meters in owner.items():
        out[kind] = {k: v for k, v in tables[kind].items() if k != "bus"} | {"meter": meters}
    prices = {"price_import": np.array([tariff.price_import]), "price_export": np.array([tariff.price_export])}
    out["tariff"] = {"id": np.array(["standard"], object), **prices}
    out["prosumer"] = {"id": ids, **_prosumer_columns(groups, tables)}
    out["meter"] = {
        "id": ids,
        "bus": np.array([bus for bus, _ in groups]),
        "prosumer": ids,
        "tariff": np.full(len(ids), "standard", object),
    }
    return out


def _groups(members: list[_Member]) -> Iterator[list[_Member]]:
    """Split what stands at one bus into meters."""
    heads = [m for m in members if not m.joins]
    apart = [m for m in members if heads and m.what in APART]
    others = [m for m in members if m not in heads and m not in apart]
    if len(heads) <= 1:
        if heads or others:
            yield [*heads, *others]
        yield from ([m] for m in apart)
        return
    meters = [[m] for m in heads]
    houses = {m.house: k for k, m in enumerate(heads) if m.house}
    turn: dict[tuple[str, str], int] = defaultdict(int)
    for member in others:
        group = houses.get(member.house, -1)
        if group < 0:
            kind = (member.kind, member.what)
            group, turn[kind] = turn[kind], turn[kind] + 1
        if group < len(heads):
            meters[group].append(member)
        else:
            meters.append([member])
    yield from meters
    yield from ([m] for m in apart)


def _meter_ids(groups: list[list[_Member]]) -> np.ndarray:
    """House of a group where it has one of its own, otherwise the name of its first member."""
    taken: set[str] = set()
    ids = []
    for group in groups:
        own = group[0].house or group[0].name
        if own in taken:
            own = group[0].name
        while own in taken:
            own += "_"
        taken.add(own)
        ids.append(own)
    return np.array(ids, dtype=object)


def _prosumer_columns(groups: list[tuple[int, list[_Member]]], tables: dict[str, Table]) -> Table:
    """Yearly use (where loads know theirs) and heating of each prosumer."""
    energy = tables["load"].pop("energy_year", None) if "load" in tables else None
    pumps = [any(m.what == "heat_pump" for m in group) for _, group in groups]
    columns = {"heating": np.where(pumps, "heat_pump", "unknown")}
    if energy is not None:
        loads = [[m.row for m in group if m.kind == "load"] for _, group in groups]
        columns["energy_year"] = np.array([energy[r].sum() if r else np.nan for r in loads])
    return columns
