"""Rules of time: axes, series, the forecast, and prices against each other."""

from __future__ import annotations

import numpy as np

from dispatch.case.attributes import Attribute, attribute_table
from dispatch.case.rules.findings import SHOWN, Findings, Table, text
from dispatch.case.schema import positions

# What the forecast must hold as soon as there are such elements; prices fall back on the tariff table.
FORECAST = {"p_load": "load", "p_available": "pv"}


def check_series(findings: Findings) -> None:
    """Check every time axis, the values on it, and what is made of them.

    Parameters
    ----------
    findings : Findings
        Receives the problems.
    """
    for table in findings.tables.values():
        section = attribute_table()[table.kind]
        if table.time is not None:
            _axis(findings, table, table.time)
        for row in section.attributes.values():
            if row.series and not section.result and row.name in table.columns:
                _values(findings, table, row)
    _forecast(findings)
    _levels(findings)
    _shifts(findings)
    _prices(findings)


def _axis(findings: Findings, table: Table, time: np.ndarray) -> None:
    def report(code: str, at: int, value: str, allowed: str, hint: str) -> None:
        findings.add(code, table.group, "time", value=f"{value} at {time[at]}", allowed=allowed, hint=hint)

    if not len(time):
        findings.add("empty-time", table.group, "time", value="empty", hint="Give at least one step.")
        return
    if np.isnat(time).any():
        report("nan", int(np.argmax(np.isnat(time))), "NaT", "times", "Give every left edge.")
        return
    whole = time.astype("datetime64[s]")
    if (whole != time).any():
        report("whole-seconds", int(np.argmax(whole != time)), "not whole", "whole seconds", "Round the times.")
    steps = np.diff(whole).astype(np.int64)
    if (steps == 0).any():
        hint = "Keep one of each; in local time the hour that autumn repeats looks like this: use UTC."
        report("time-duplicate", int(np.argmax(steps == 0)) + 1, "repeated", "each time once", hint)
    if (steps < 0).any():
        report("time-order", int(np.argmax(steps < 0)) + 1, "going back", "rising times", "Sort the series by time.")
    positive = steps[steps > 0]
    if not len(positive):
        return
    sizes, counts = np.unique(positive, return_counts=True)
    usual = int(sizes[np.argmax(counts)])
    irregular = (steps != usual) & (steps > 0)
    if irregular.any():
        at = int(np.argmax(irregular))
        value = f"with a step of {steps[at] / 60:g} min ({int(irregular.sum())} such steps)"
        hint = "Fill the gap, or keep a part without gaps; in local time spring leaves an hour out: use UTC."
        report("time-gap", at + 1, value, f"equal steps of {usual / 60:g} min", hint)


def _values(findings: Findings, table: Table, row: Attribute) -> None:
    """NaN and range, with the first hour of each."""
    values = table.columns[row.name]
    if values.ndim == 3 and row.quantile:
        values = values.reshape(len(values), values.shape[1] * values.shape[2])
    owner = row.of or row.kind
    ids = table.columns.get(owner, findings.table(owner).ids) if row.of else table.ids
    if values.ndim != 2 or not values.size:
        return
    low, high = np.min(values), np.max(values)  # NaN if there is one; a quick look that mostly suffices
    if row.range.contains(np.array([low, high])).all():
        return
    missing = np.isnan(values)
    named = ids if len(ids) == len(values) else np.arange(len(values)).astype("S")
    for code, bad in (("nan", _gaps(row, missing)), ("range", ~row.range.contains(values) & ~missing)):
        if not bad.any():
            continue
        who = bad.any(axis=1)
        first = int(np.argmax(bad.any(axis=0)))
        when = f" from {table.time[first]} UTC" if table.time is not None and len(table.time) == values.shape[1] else ""
        sample = "NaN" if code == "nan" else text(values[:, first][bad[:, first]][0])
        value = f"{sample}{when} ({int(bad.sum())} values)"
        hint = "Fill the gaps with values." if code == "nan" else f"{row.description} Correct the values or their unit."
        findings.add(code, table.group, row.name, ids=named[who], value=value, allowed=str(row.range), hint=hint)


def _gaps(row: Attribute, missing: np.ndarray) -> np.ndarray:
    """Where a value is missed: in /forecast an element may be unknown as a whole, in other groups at any time."""
    if not row.can_be_unknown:
        return missing
    return missing & ~missing.all(axis=1, keepdims=True) if row.kind == "forecast" else np.zeros_like(missing)


def _forecast(findings: Findings) -> None:
    forecast = findings.table("forecast")
    if "forecast" not in findings.tables:
        if "bus" not in findings.tables:
            return  # a gas network alone has nothing that is solved
        if findings.table("profile").time is None and findings.table("history").time is None:
            hint = (
                "Add profiles with `dispatch scenario CASE.nc -o OUT.nc`, or a forecast with `dispatch import tables`."
            )
            findings.add("no-series", forecast.group, value="missing, and so is /profile", hint=hint)
        return
    for name, kind in FORECAST.items():
        derivable = any(findings.table(k).time is not None for k in ("profile", "history"))
        if name not in forecast.given and len(findings.table(kind).ids) and not derivable:
            hint = f"Give it for every {kind}, or add /profile or /history from which it can be made."
            findings.add("missing-variable", forecast.group, name, value="missing", hint=hint)
    _ids_of_owners(findings, forecast)


def _levels(findings: Findings) -> None:
    """Levels of quantiles rise within (0, 1)."""
    forecast = findings.table("forecast")
    levels = forecast.columns.get("quantile")
    if levels is None:
        return
    sound = levels.dtype.kind == "f" and levels.ndim == 1 and bool(((levels > 0) & (levels < 1)).all())
    if not sound or (np.diff(levels) <= 0).any():
        hint = "Give fractions in rising order, such as 0.1, 0.5, 0.9."
        value = ", ".join(map(text, levels.ravel()[:SHOWN]))
        findings.add("quantiles", forecast.group, "quantile", value=value, allowed="rising, in (0, 1)", hint=hint)


def _ids_of_owners(findings: Findings, table: Table) -> None:
    """Series of other kinds' elements stand in the order of those elements."""
    rows = attribute_table()[table.kind].attributes.values()
    for owner in dict.fromkeys(a.of for a in rows if a.of):
        ids, own = table.columns.get(owner), findings.table(owner).ids
        if ids is None or ids.dtype.kind != "S":
            used = [a.name for a in rows if a.of == owner]
            if any(n in table.given for n in used) and len(own):
                hint = f"Give the ids of the {owner} rows as a coordinate."
                findings.add("series-ids", table.group, owner, value="missing", hint=hint)
        elif len(ids) != len(own) or (ids != own).any():
            same = sorted(ids.tolist()) == sorted(own.tolist())
            odd = np.setxor1d(ids, own)
            value = "in another order than" if same else "not the same as"
            hint = f"Reorder it to the order of {findings.table(owner).group}." if same else "Make the series anew."
            value = f"{value} the ids of {findings.table(owner).group}"
            findings.add("series-ids", table.group, owner, ids=None if same else odd, value=value, hint=hint)


def _shifts(findings: Findings) -> None:
    """Refuse shifts that are no whole steps or longer than the profile."""
    load, time = findings.table("load"), findings.table("profile").time
    if not load.has("profile_shift", "profile") or "profile_shift" not in load.given or time is None or len(time) < 2:
        return
    step = (time[1] - time[0]) / np.timedelta64(1, "h")
    if step <= 0:
        return
    shift = load.columns["profile_shift"]
    used = (load.columns["profile"] != b"") & np.isfinite(shift)
    steps = np.divide(shift, step, where=used, out=np.zeros(len(shift)))
    uneven = used & (np.abs(steps - np.rint(steps)) > 1e-6)
    hint = "Round it: a profile is moved by whole steps, never interpolated."
    findings.where("profile-shift", load, "profile_shift", uneven, allowed=f"multiples of {step:g} h", hint=hint)
    long = used & (np.abs(steps) >= len(time)) & ~uneven
    findings.where("profile-shift", load, "profile_shift", long, allowed=f"less than {len(time) * step:g} h", hint=hint)


def _prices(findings: Findings) -> None:
    """Outside green-only meters nobody may earn by buying and selling at once."""
    tariff, meter, forecast = (findings.table(k) for k in ("tariff", "meter", "forecast"))
    if not tariff.has("price_import", "price_export", "network_fee") or not meter.has("tariff", "green_only"):
        return
    import_price, export_price = (_price(tariff, forecast, n) for n in ("price_import", "price_export"))
    if import_price.shape[1] != export_price.shape[1] and 1 not in {import_price.shape[1], export_price.shape[1]}:
        return
    at = positions(tariff.ids, meter.columns["tariff"])
    free = (at >= 0) & ~meter.columns["green_only"]
    with np.errstate(invalid="ignore"):
        above = export_price > import_price + tariff.columns["network_fee"][:, None]
    for k in np.nonzero(above.any(axis=1) & np.isin(np.arange(len(tariff.ids)), at[free]))[0]:
        t = int(np.argmax(above[k]))
        bought = import_price[k, min(t, import_price.shape[1] - 1)] + tariff.columns["network_fee"][k]
        sold = export_price[k, min(t, export_price.shape[1] - 1)]
        varies = above.shape[1] > 1 and forecast.time is not None and t < len(forecast.time)
        when = f" from {forecast.time[t]} UTC" if varies and forecast.time is not None else ""
        value = f"{sold:g} in tariff {text(tariff.ids[k])!r}, above its import price with fees of {bought:g}{when}"
        hint = "Lower it, put the PV on a meter of its own, or set green_only (no grid charging, no battery export)."
        users = meter.ids[free & (at == k)]
        allowed = "at most price_import + network_fee at meters without green_only"
        findings.add("export-price", meter.group, "tariff", ids=users, value=value, allowed=allowed, hint=hint)


def _price(tariff: Table, forecast: Table, name: str) -> np.ndarray:
    """Price of each tariff, by step where the forecast has it."""
    given = forecast.columns.get(name)
    if given is not None and given.ndim == 2 and len(given) == len(tariff.ids) and given.shape[1]:
        return given
    return tariff.columns[name][:, None]
