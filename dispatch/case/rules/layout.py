"""Rules of the outer form: groups, names, types, dims, units and the attributes of the whole file."""

from __future__ import annotations

import re
import zoneinfo
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import Attribute, Kind, attribute_table
from dispatch.case.migrate import CURRENT
from dispatch.case.rules.findings import Findings, Table, nearest
from dispatch.case.schema import unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

NEEDED = ("bus", "source", "prosumer", "meter", "tariff")
METERED = ("prosumer", "meter", "tariff")
GAS_NEEDED = ("junction", "gate")
UTC = {"utc", "z", "gmt", "etc/utc", "+00:00", ""}
ZONE_LABELS = ("time_zone", "timezone", "tz")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
CURRENCY = re.compile("[A-Z]{3}")
MATCHING = {"float": "f", "int": "i", "bool": "b", "id": "S", "text": "S"}
ORDER = ("id", "time", "time_bounds")


def check_layout(case: xr.DataTree, source: str) -> Findings:
    """Check the outer form and collect what is sound.

    Parameters
    ----------
    case : DataTree
        As read or built.
    source : str
        Stands for the whole file in messages.

    Returns
    -------
    Findings
        With the sound columns of each kind, and the problems found.
    """
    findings = Findings({})
    _root(findings, case.attrs, source)
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    kinds = {kind.group: kind for kind in attribute_table().values() if kind.name != "case"}
    currency = str(case.attrs.get("currency", ""))
    for path, data in groups.items():
        if path in kinds:
            findings.tables[kinds[path].name] = _table(findings, kinds[path], data, currency)
        elif data.variables:
            own = "Remove it, or name the component that it belongs to with --component."
            findings.add("unknown-group", path, value="not known", hint=f"{nearest(path, kinds)} {own}".lstrip())
    for name in needed_kinds(set(findings.tables)):
        if name not in findings.tables:
            hint = "A case needs it: import a network with its meters, or add it with `dispatch import tables`."
            findings.add("missing-group", attribute_table()[name].group, value="missing", hint=hint)
        elif not len(findings.tables[name].ids):
            findings.add("empty-group", attribute_table()[name].group, value="empty", hint=f"Give at least one {name}.")
    return findings


def needed_kinds(present: set[str]) -> tuple[str, ...]:
    """Kinds without which a case is not complete: those of the electric network, of the gas network, or of both.

    Parameters
    ----------
    present : set of str
        Kinds that the case has.

    Returns
    -------
    tuple of str
        A gas network may stand alone, with or without meters for the electricity of its plants and compressors.
    """
    gas = GAS_NEEDED if "junction" in present else ()
    if gas and not present & {"bus", "source", "line", "transformer"}:
        return (*METERED, *gas) if present & {"meter", "load", "pv", "store"} else gas
    return (*NEEDED, *gas)


def _root(findings: Findings, labels: Mapping[Any, object], source: str) -> None:
    zone, currency = str(labels.get("time_zone", "")), str(labels.get("currency", ""))
    if not _known_zone(zone):
        hint = f"{nearest(zone, zoneinfo.available_timezones())} Use an IANA name such as 'Europe/Berlin'.".lstrip()
        findings.add("time-zone", source, "time_zone", value=repr(zone), allowed="an IANA time zone", hint=hint)
    if not CURRENCY.fullmatch(currency):
        hint = "Use a code of ISO 4217 such as 'EUR'."
        findings.add("currency", source, "currency", value=repr(currency), allowed="three capital letters", hint=hint)
    if CONTROL.search(str(labels.get("title", ""))):
        hint = "Remove the control characters."
        findings.add("characters", source, "title", value="not plain text", allowed="printable characters", hint=hint)
    version = labels.get("schema_version")
    if not isinstance(version, int | np.integer) or version != CURRENT:
        hint = "Build the case with `build_case`, or read it with `load_case`, which migrates."
        findings.add("schema-version", source, "schema_version", value=str(version), allowed=str(CURRENT), hint=hint)


def _known_zone(zone: str) -> bool:
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(zone)


def _table(findings: Findings, kind: Kind, data: xr.Dataset, currency: str) -> Table:
    """Sound columns of one group."""
    ids = data.variables[kind.name].to_numpy() if kind.has_elements and kind.name in data.variables else None
    if kind.has_elements and (ids is None or ids.dtype.kind != "S" or ids.ndim != 1):
        found = "missing" if ids is None else f"of type {ids.dtype}"
        hint = f"Give the ids as the coordinate {kind.name!r} in fixed-width bytes (`build_case` does)."
        findings.add("ids", kind.group, kind.name, value=found, allowed="fixed-width bytes", hint=hint)
        ids = np.zeros(data.sizes.get(kind.name, 0), "S1") if ids is None or ids.ndim != 1 else ids.astype("S")
    owners = {name for a in kind.attributes.values() for name in (a.of, a.by) if name}
    known = {*kind.attributes, *owners, "time", "time_bounds", *([kind.name] if kind.has_elements else [])}
    known |= {"quantile"} if any(a.quantile for a in kind.attributes.values()) else set()
    columns: dict[str, np.ndarray] = {}
    for label, variable in data.variables.items():
        name = str(label)
        row = kind.attributes.get(name)
        if row is not None:
            if _sound(findings, kind, row, variable, currency):
                columns[name] = variable.to_numpy()
        elif name in owners or (name == "quantile" and name in known):
            columns[name] = variable.to_numpy()
        elif name not in known:
            hint = f"{nearest(name, known)} See `dispatch explain {kind.name}`.".lstrip()
            findings.add("unknown-variable", kind.group, name, value="not known", hint=hint)
    given = frozenset(map(str, data.variables))
    if ids is None:
        ids = np.zeros(0, "S1")
    _complete(findings, kind, columns, given, len(ids))
    return Table(kind.name, ids, columns, given, _time(findings, kind, data))


def _complete(
    findings: Findings, kind: Kind, columns: dict[str, np.ndarray], given: frozenset[str], count: int
) -> None:
    """Fill in defaults, and miss what has none."""
    for name, row in kind.attributes.items():
        if name in given or row.series or kind.result or row.dims not in {(), (kind.name,)}:
            continue
        if not row.required:
            filler = row.default.encode() if isinstance(row.default, str) else row.default
            columns[name] = np.full(count if row.dims else (), filler)
        elif count:
            hint = f"Give it for every {kind.name}: {row.description}"
            findings.add("missing-variable", kind.group, name, value="missing", hint=hint)


def _sound(findings: Findings, kind: Kind, row: Attribute, variable: xr.Variable, currency: str) -> bool:
    """Whether type, dims and unit of a column are as the attribute table has them."""
    exact = row.memory_dtype
    fits = variable.dtype.kind == "S" if exact == "bytes" else variable.dtype == np.dtype(exact)
    if not fits:
        value = f"of type {variable.dtype}"
        findings.add("dtype", kind.group, row.name, value=value, allowed=exact, hint=f"Convert it to {exact}.")
    if variable.dims != row.dims:
        over, allowed = (f"({', '.join(map(str, d))})" for d in (variable.dims, row.dims))
        hint = "Give it exactly these dims, in this order."
        findings.add("dims", kind.group, row.name, value=f"over {over}", allowed=allowed, hint=hint)
    if row.unit and fits and not ("{currency}" in row.unit and not CURRENCY.fullmatch(currency)):
        wanted, found = unit_of(row, currency), variable.attrs.get("units")
        if found != wanted:
            code, value = ("unit", f"in {found!r}") if found else ("unit-missing", "without units")
            hint = f"Convert the values and set the attribute units to {wanted!r}."
            findings.add(code, kind.group, row.name, value=value, allowed=wanted, hint=hint)
            return False
    return variable.dtype.kind == MATCHING[row.dtype] and variable.dims == row.dims


def _time(findings: Findings, kind: Kind, data: xr.Dataset) -> np.ndarray | None:
    """Time axis of a group, if it is one."""
    if "time" not in data.variables:
        series = [n for n, a in kind.attributes.items() if a.series and n in data.variables]
        if series:
            hint = "Give the left edges of the steps as the coordinate 'time'."
            findings.add("missing-time", kind.group, "time", value="missing", hint=hint)
        return None
    variable = data.variables["time"]
    for label in ZONE_LABELS:
        zone = str(variable.attrs.get(label, ""))
        if zone.lower() not in UTC:
            hint = "Convert the times to UTC and remove the attribute."
            findings.add("not-utc", kind.group, "time", value=f"labelled {label}={zone!r}", allowed="UTC", hint=hint)
    if variable.dtype.kind != "M" or variable.ndim != 1:
        hint = "Use datetime64 in UTC."
        findings.add("dtype", kind.group, "time", value=f"of type {variable.dtype}", allowed="datetime64", hint=hint)
        return None
    _bounds(findings, kind, data)
    return np.asarray(variable.to_numpy())


def _bounds(findings: Findings, kind: Kind, data: xr.Dataset) -> None:
    """Compare the bounds, where given, with the left edges."""
    if "time_bounds" not in data.variables:
        return
    time, bounds = data.variables["time"].to_numpy(), data.variables["time_bounds"].to_numpy()
    shaped = bounds.dtype.kind == "M" and bounds.shape == (len(time), 2)
    if not shaped or (bounds[:, 0] != time).any() or (bounds[1:, 0] != bounds[:-1, 1]).any():
        hint = "Each row is the left and the right edge of a step; leave them out to have them made from 'time'."
        value = "not the edges of the steps in 'time'"
        findings.add("time-bounds", kind.group, "time_bounds", value=value, hint=hint)
