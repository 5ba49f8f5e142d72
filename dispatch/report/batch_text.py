"""How a night will go and how it went, as lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.report.words import UNKNOWN, number

if TYPE_CHECKING:
    from collections.abc import Mapping

PERCENT = ("p50", "p95", "p99")
NAMED = 5
"""So many feeders are named at most."""


def status_text(summary: Mapping[str, Any]) -> str:
    """Say how a night went, as lines for the terminal.

    Parameters
    ----------
    summary : mapping
        Object that ``batch status --json`` prints.

    Returns
    -------
    str
    """
    counts = ", ".join(f"{n:,} {name}" for name, n in summary["counts"].items() if n)
    times = [summary[k] for k in ("p50_s", "p95_s", "p99_s")]
    lines = [
        f"{summary['feeders']:,} feeders, {summary['prosumers']:,} prosumers: {counts or 'nothing'}",
        f"{summary['groups_done']:,} of {summary['groups']:,} groups done, {summary['workers_lost']:,} workers lost",
        "seconds of a feeder: "
        + ", ".join(f"{n} {UNKNOWN if t is None else number(t, 2)}" for n, t in zip(PERCENT, times, strict=True)),
    ]
    lines += shared_lines(summary.get("shared"))
    if summary["slowest"]:
        lines.append("slowest: " + ", ".join(f"{f['name']} {f['seconds']:.2f} s" for f in summary["slowest"]))
    for f in summary["worst"]:
        hours = f"{f['hours_unmet']:g} h with unmet limits" if f["hours_unmet"] else ""
        lines.append(f"  {f['name']}: {f['status']}" + (f", {f['says'] or hours}" if f["says"] or hours else ""))
    return "\n".join(lines)


def shared_lines(shared: Mapping[str, Any] | None) -> list[str]:
    """Say how far limits that feeders share are agreed on, and what cannot be met.

    Parameters
    ----------
    shared : mapping or None
        Of the object that ``batch status --json`` prints.

    Returns
    -------
    list of str
        Empty where nothing is shared.
    """
    if not shared:
        return []
    reached = shared.get("gap_delivered", shared["gap"])
    gap = UNKNOWN if reached is None else f"{reached:.1e}"
    lines = [f"shared limits: round {shared['rounds']}, gap {gap}" + ("" if shared.get("done") else ", going on")]
    lines += [f"  {said}" for said in fixed_lines(shared)]
    for limit in shared.get("limits", ()):
        loading = UNKNOWN if limit["loading_max"] is None else f"{100 * limit['loading_max']:.1f} %"
        prices = [abs(p) for p in limit["price"]]
        priced = sum(p > 0 for p in prices)
        text = f"  {limit['id']}: {limit['feeders']:,} feeders, loaded up to {loading}{voltage_text(limit)}"
        lines.append(text + (f", a price in {priced} steps (up to {max(prices):.4g} per kWh)" if priced else ""))
        lines += [f"    priced: {binding_text(limit)}"] if limit.get("binding") else []
        lines += [f"    {said}" for said in unmet_lines(limit)]
    return lines


def voltage_text(limit: Mapping[str, Any]) -> str:
    """Say between which voltages the buses were on which feeders hang, of a network above them."""
    ends = [[v for v in limit.get(name, ()) if v is not None] for name in ("v_min_pu", "v_max_pu")]
    return f", voltage {min(ends[0]):.4f} to {max(ends[1]):.4f} pu" if all(ends) else ""


def binding_text(limit: Mapping[str, Any]) -> str:
    """Name the limits of a network above feeders that have a price, the dearest first."""
    found = [f"{b['limit']} ({b['steps']} steps)" for b in limit.get("binding", ())]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more


def fixed_lines(shared: Mapping[str, Any]) -> list[str]:
    """Say which feeders were asked no more, and what that means for the bound."""
    names = shared.get("fixed") or []
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    said = f"{', '.join(names[:NAMED])}{more} ended workers again and again when asked at prices: the schedule"
    return [f"{said} without any is delivered, the limits are shared by the others, and bound and gap are of these"]


def unmet_lines(limit: Mapping[str, Any]) -> list[str]:
    """Say what of a shared limit cannot be met: which steps, and how much."""
    steps = [u for u in limit["unmet"] if "kw" in u]
    found = []
    if steps:
        most = max(steps, key=lambda u: float(u["kw"]))
        found.append(
            f"not met in {len(steps)} steps ({limit['hours_unmet']:g} h, {steps[0]['time']} … {steps[-1]['time']} UTC):"
            f" up to {_beyond(most)}, at {most['time']}; no plan of the feeders does with less that costs"
            f" less than {limit['penalty']:g} for each kWh"
        )
    found += [
        f"not met: {u['kg']:.4g} kg beyond it; no plan does with less that costs less than {limit['penalty']:g} a kg"
        for u in limit["unmet"]
        if "kg" in u
    ]
    return found


def _beyond(most: Mapping[str, Any]) -> str:
    """Say by how much a limit is exceeded at worst; of a network above feeders which one, and a voltage in pu."""
    amount = f"{most['kw']:.4g} kW beyond {most.get('limit', 'it')}"
    return f"{amount} ({most['pu']:.4g} pu)" if "pu" in most else amount


def plan_text(found: Mapping[str, Any]) -> str:
    """Say what a night will take, as lines for the terminal.

    Parameters
    ----------
    found : mapping
        Object that ``batch plan --json`` prints.

    Returns
    -------
    str
    """
    size = f"{found['meters']:,} meters, {found['buses']:,} buses"
    longest = f"longest group {found['longest_group_s']:,.0f} s"
    time = f"{found['work_s']:,.0f} s of work, {found['wall_s']:,.0f} s with {found['workers']} workers ({longest})"
    more = ", ".join(
        f"{c['wall_s']:,.0f} s with {c['workers']} ({c['limited_by']} decides)" for c in found["on_more_cores"]
    )
    lines = [
        f"{found['feeders']:,} feeders in {found['groups']:,} groups: {size}",
        f"predicted: {time}, {found['memory_gib']:.2f} GiB",
        f"on more cores, start included: {more}",
    ]
    if found["sharing"]:
        lines.append(f"{found['sharing']:,} feeders share limits: their rounds come on top")
    return "\n".join(lines)
