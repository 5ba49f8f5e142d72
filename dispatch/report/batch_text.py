"""How a night will go and how it went, as lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.report.words import UNKNOWN, number

if TYPE_CHECKING:
    from collections.abc import Mapping

PERCENT = ("p50", "p95", "p99")


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
    if summary["slowest"]:
        lines.append("slowest: " + ", ".join(f"{f['name']} {f['seconds']:.2f} s" for f in summary["slowest"]))
    for f in summary["worst"]:
        hours = f"{f['hours_unmet']:g} h with unmet limits" if f["hours_unmet"] else ""
        lines.append(f"  {f['name']}: {f['status']}" + (f", {f['says'] or hours}" if f["says"] or hours else ""))
    return "\n".join(lines)


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
    return (
        f"{found['feeders']:,} feeders in {found['groups']:,} groups: {size}\n"
        f"predicted: {time}, {found['memory_gib']:.2f} GiB"
    )
