"""Rules for stores: contents that fit into them, cars that come back, and meters at which cars and tanks can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.rules.findings import text
from dispatch.case.schema import positions

if TYPE_CHECKING:
    from dispatch.case.rules.findings import Findings, Table

CONTENTS = ("state_of_charge_initial", "state_of_charge_final", "state_of_charge_leave")


def check_stores(findings: Findings) -> None:
    """Check the stores of a case against each other's attributes, their meters and their series.

    Parameters
    ----------
    findings : Findings
        Receives the problems.
    """
    store = findings.table("store")
    if not len(store.ids):
        return
    if store.has("energy_nom"):
        for name in CONTENTS:
            if store.has(name):
                _fits(findings, store, name, store.columns[name])
        _least(findings, store)
    _trips(findings, store)
    _green(findings, store)


def _fits(findings: Findings, store: Table, name: str, content: np.ndarray) -> None:
    size = store.columns["energy_nom"]
    above = content > size
    if above.any():
        k = int(np.argmax(above))
        value, allowed = f"{content[k]:g} kW h", f"[0, energy_nom = {size[k]:g}]"
        hint = "Contents are energies, not fractions: lower it or enlarge energy_nom."
        findings.where("state-of-charge", store, name, above, value=value, allowed=allowed, hint=hint)


def _least(findings: Findings, store: Table) -> None:
    """Series of least contents, where they are matched by id."""
    forecast = findings.table("forecast")
    series, ids = (forecast.columns.get(name) for name in ("state_of_charge_least", "store"))
    if series is None or ids is None or series.ndim != 2 or len(series) != len(store.ids) or not series.size:
        return
    at = positions(ids, store.ids)
    if not (at >= 0).all():
        return
    most, size = np.fmax.reduce(series, axis=1).astype(float)[at], store.columns["energy_nom"]
    above = most > size * (1 + 1e-6)  # the series is of single precision
    if above.any():
        k = int(np.argmax(above))
        value, allowed = f"up to {most[k]:g} kW h", f"[0, energy_nom = {size[k]:g}]"
        hint = "No store can hold more than energy_nom: lower the series or enlarge the store."
        findings.add(
            "state-of-charge", forecast.group, "state_of_charge_least",
            ids=store.ids[above], value=value, allowed=allowed, hint=hint,
        )  # fmt: skip


def _trips(findings: Findings, store: Table) -> None:
    """Cars that leave and never return, return without leaving, or use energy without leaving."""
    if not store.has("leaves_at", "returns_at", "energy_trip"):
        return
    leaves, returns = (np.isfinite(store.columns[name]) for name in ("leaves_at", "returns_at"))
    hint = "Give both times, or neither."
    findings.where("trip", store, "returns_at", leaves & ~returns, value="not known", allowed="known", hint=hint)
    findings.where("trip", store, "leaves_at", returns & ~leaves, value="not known", allowed="known", hint=hint)
    idle = (store.columns["energy_trip"] > 0) & ~leaves & ~returns
    hint = "Give leaves_at and returns_at, or a series p_withdrawn in /forecast and an energy_trip of 0."
    findings.where("trip", store, "energy_trip", idle, allowed="0 where a car never leaves", hint=hint)


def _green(findings: Findings, store: Table) -> None:
    """Cars and tanks at green-only meters: these need to know the direction of each step beforehand."""
    meter = findings.table("meter")
    if not meter.has("green_only") or not store.has("meter", "kind") or not len(meter.ids):
        return
    at = positions(meter.ids, store.columns["meter"])
    bad = (at >= 0) & meter.columns["green_only"][at] & (store.columns["kind"] != b"battery")
    if bad.any():
        value = f"green-only meter {text(store.columns['meter'][np.argmax(bad)])!r}"
        hint = "Put cars and heat pumps on a meter of their own: their direction is not known beforehand."
        findings.where("green-only", store, "meter", bad, value=value, allowed="other meters", hint=hint)
