"""The attribute table in words, for `dispatch explain NAME`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dispatch.case.attributes import Attribute, Kind, attribute_table
from dispatch.case.rules.findings import nearest
from dispatch.case.substrates import PARTS, substrate_kinds
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

DTYPES = {"float": "number", "int": "whole number", "bool": "true or false", "id": "id", "text": "text"}


def explain(name: str) -> str:
    """Rows of the attribute table, written for people.

    Parameters
    ----------
    name : str
        A kind (``line``), an attribute (``s_nom``: every kind that has it), one row (``line.s_nom``), a value that a
        row allows (``battery``), or a word: then the kinds and rows that are described with it.

    Returns
    -------
    str
        Several lines.

    Raises
    ------
    InputError
        If nothing is called so; with the nearest name.
    """
    name = name.strip().strip("/")
    table = attribute_table()
    by_group = {kind.group.strip("/"): kind for kind in table.values()}
    found: list[str] = []
    if name in table:
        found += _kind(table[name])
    elif name in by_group and name:
        found += _kind(by_group[name])
    rows = [row for row in _rows() if name in {row.name, f"{row.kind}.{row.name}"}]
    for row in rows:
        found += ([""] if found else []) + _row(row)
    if name in substrate_kinds():
        found += ([""] if found else []) + _substrate(name)
    found = found or _value(name) or _word(name)
    if not found:
        known = [
            *table,
            *substrate_kinds(),
            *(row.name for row in _rows()),
            *(f"{row.kind}.{row.name}" for row in _rows()),
        ]
        hint = f"{nearest(name, known)} Kinds: {', '.join(table)}.".lstrip()
        raise InputError([Problem("unknown-name", repr(name), value="neither a kind nor an attribute", hint=hint)])
    return "\n".join(found)


def _rows() -> Iterator[Attribute]:
    for kind in attribute_table().values():
        yield from kind.attributes.values()


def _kind(kind: Kind) -> list[str]:
    """Describe a kind, one line an attribute."""
    width = max(len(n) for n in kind.attributes)
    lines = [f"{kind.name}  (group {kind.group})", f"  {kind.description}", ""]
    for name, row in kind.attributes.items():
        unit = f" [{_unit(row)}]" if row.unit else ""
        lines.append(f"  {name:<{width}}  {_default(row)}{unit}  {row.description}")
    return lines


def _row(row: Attribute) -> list[str]:
    """Describe one attribute, one line a property."""
    kind = attribute_table()[row.kind]
    facts = {
        "group": kind.group,
        "type": DTYPES[row.dtype] + (f", stored as {row.stored}" if row.stored else ""),
        "dims": ", ".join(row.dims) or "none (one value)",
        "unit": _unit(row),
        "parent": row.parent and f"ids of {row.parent}",
        "allowed": ", ".join(row.choices) or (str(row.range) if row.dtype in {"float", "int"} else ""),
        "default": "" if kind.result and not kind.given else _default(row),
        "source": row.source,
    }
    lines = [f"{row.kind}.{row.name}", f"  {row.description}"]
    return lines + [f"  {key + ':':<9}{value}" for key, value in facts.items() if value]


def _value(name: str) -> list[str]:
    """Describe the attributes of which something is a value."""
    value = "_".join(name.lower().replace("-", " ").split())
    found: list[str] = []
    for row in _rows():
        if value in row.choices:
            own = f"{row.kind}.{row.name}"
            found += [*([""] if found else []), f"{value} is a value of {own}: see `dispatch explain {row.kind}`", ""]
            found += _row(row)
    return found


def _word(name: str) -> list[str]:
    """List the kinds and rows in whose names or descriptions all words stand, one line each."""
    words = name.lower().replace("_", " ").split()
    told = {kind.name: kind.description for kind in attribute_table().values()}
    told |= {f"{row.kind}.{row.name}": row.description for row in _rows()}
    found = {key: text for key, text in told.items() if all(w in f"{key.split('.')[-1]} {text}".lower() for w in words)}
    if not words or not found:
        return []
    width = max(map(len, found))
    lines = [f"  {key:<{width}}  {text}" for key, text in found.items()]
    return [f"No name is called {name!r}. It stands in:", "", *lines]


def _substrate(name: str) -> list[str]:
    """Describe a kind of substrate, one line a value, with its source."""
    kind, rows = substrate_kinds()[name], attribute_table()["substrate"].attributes
    lines = [f"{name}  (kind of substrate)", f"  {kind.description}", ""]
    for key, value in kind.values.items():
        lines.append(f"  {key + ':':<19}{value:g} {_unit(rows[key])}  ({kind.sources[key]})")
    methane = math.prod(kind.values[part] for part in PARTS)
    return [
        *lines,
        f"  {'methane_yield:':<19}{methane:.4g} {_unit(rows['methane_yield'])}  (product of the first three)",
    ]


def _unit(row: Attribute) -> str:
    return row.unit.replace("{currency}", "EUR") + (" (in the case's currency)" if "{currency}" in row.unit else "")


def _default(row: Attribute) -> str:
    kind = attribute_table()[row.kind]
    if kind.result and not kind.given:
        return "result"
    if row.required:
        return "required"
    if row.can_be_unknown:
        return "not known"
    return str(row.default).lower() if isinstance(row.default, bool) else repr(row.default)
