"""Rules for single elements: ids, parents, choices and ranges."""

from __future__ import annotations

import numpy as np

from dispatch.case.attributes import Attribute, attribute_table
from dispatch.case.rules.findings import SHOWN, Findings, Table, nearest, text
from dispatch.case.rules.layout import CONTROL
from dispatch.case.schema import positions


def check_values(findings: Findings) -> None:
    """Check every sound column by its row of the attribute table.

    Parameters
    ----------
    findings : Findings
        Receives the problems.
    """
    for kind, table in findings.tables.items():
        section = attribute_table()[kind]
        if section.has_elements:
            _ids(findings, table)
        if section.result:
            continue
        for name, row in section.attributes.items():
            if name not in table.given or name not in table.columns or not table.columns[name].size:
                continue
            if row.parent:
                _parents(findings, table, row)
            elif row.dtype == "text":
                _texts(findings, table, row)
            elif row.dtype in {"float", "int"}:
                _range(findings, table, row)


def _unprintable(values: np.ndarray) -> np.ndarray:
    """Where bytes are no UTF-8 text or contain control characters."""
    raw = values.reshape(-1)
    codes = np.frombuffer(np.ascontiguousarray(raw).tobytes(), np.uint8).reshape(len(raw), -1)
    # Only what is not plain ASCII needs a closer look; NUL pads at the end, and is a mistake before it.
    used = codes.shape[1] - np.argmax(codes[:, ::-1] != 0, axis=1)
    inside = np.arange(codes.shape[1]) < used[:, None]
    suspicious = ((codes < 32) | (codes > 126)) & inside
    doubtful = suspicious.any(axis=1) & (codes != 0).any(axis=1)
    for k in np.nonzero(doubtful)[0]:
        try:
            doubtful[k] = CONTROL.search(raw[k].decode()) is not None
        except UnicodeDecodeError:
            doubtful[k] = True
    return np.asarray(doubtful)


def _ids(findings: Findings, table: Table) -> None:
    ids = table.ids
    if not len(ids):
        return
    hint = "Give every element an id of its own."
    empty = ids == b""
    if empty.any():
        findings.add("empty-id", table.group, table.kind, ids=ids[empty], value="empty", hint=hint)
    unique, counts = np.unique(ids, return_counts=True)
    double = unique[(counts > 1) & (unique != b"")]
    if len(double):
        findings.add("duplicate-id", table.group, table.kind, ids=double, value="used more than once", hint=hint)
    bad = _unprintable(ids)
    if bad.any():
        hint = "Use printable characters in UTF-8 only."
        findings.add("characters", table.group, table.kind, ids=ids[bad], value="not plain text", hint=hint)


def _parents(findings: Findings, table: Table, row: Attribute) -> None:
    wanted, parent = table.columns[row.name], findings.table(row.parent)
    if not len(parent.ids) and row.parent not in findings.tables and row.required:
        return  # the missing group has been said
    unknown = positions(parent.ids, wanted) < 0
    if not row.required:
        unknown &= wanted != b""
    if not unknown.any():
        return
    names = list(dict.fromkeys(text(v) for v in wanted[unknown]))
    close = nearest(names[0], [text(i) for i in parent.ids[:2000]]) if len(names) <= SHOWN else ""
    value = ", ".join(repr(n) for n in names[:SHOWN])
    hint = f"{close} Add it to {parent.group} or correct the id.".lstrip()
    allowed = f"ids of {parent.group}"
    findings.where("unknown-parent", table, row.name, unknown, value=value, allowed=allowed, hint=hint)


def _texts(findings: Findings, table: Table, row: Attribute) -> None:
    values = np.atleast_1d(table.columns[row.name])
    if row.choices:
        bad = ~np.isin(values, [c.encode() for c in row.choices])
        allowed = ", ".join(row.choices)
        code, hint = "choice", f"{nearest(text(values[np.argmax(bad)]), row.choices)} Use one of these.".lstrip()
    else:
        bad, code, allowed = _unprintable(values), "characters", "printable characters in UTF-8"
        hint = "Remove the control characters."
    if not bad.any():
        return
    if row.dims:
        findings.where(code, table, row.name, bad, value=repr(text(values[np.argmax(bad)])), allowed=allowed, hint=hint)
    else:
        findings.add(code, table.group, row.name, value=repr(text(values[0])), allowed=allowed, hint=hint)


def _range(findings: Findings, table: Table, row: Attribute) -> None:
    if row.series:
        return  # rules_series names the hours too
    values = table.columns[row.name]
    if not row.dims:
        if not row.range.contains(values):
            hint = f"{row.description} Correct the value or its unit{f' ({row.unit})' if row.unit else ''}."
            findings.add("range", table.group, row.name, value=text(values[()]), allowed=str(row.range), hint=hint)
        return
    missing = np.isnan(values) if row.dtype == "float" else np.zeros(len(values), bool)
    optional = row.can_be_unknown
    if missing.any() and not optional:
        default = "" if row.required else f" or leave the column out to use the default {row.default}"
        hint = f"Give a number{default}."
        findings.where("nan", table, row.name, missing, value="NaN", allowed=str(row.range), hint=hint)
    outside = ~row.range.contains(values) & ~missing
    hint = f"{row.description} Correct the value or its unit{f' ({row.unit})' if row.unit else ''}."
    findings.where("range", table, row.name, outside, allowed=str(row.range), hint=hint)
