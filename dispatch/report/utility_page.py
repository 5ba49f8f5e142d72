"""One page over all feeders of a utility: small for ten thousand of them, no script, no request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from dispatch.case.netcdf import write_atomically
from dispatch.report import words
from dispatch.report.html import POLICY
from dispatch.report.shared_section import shared_section
from dispatch.report.words import number, plural

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

MOST_TIGHT, MOST_UNMET, MOST_BAD, MOST_DOTS = 200, 100, 100, 5000
"""Rows and dots that are shown; the rest is counted."""
EDGES = (0.5, 0.8, 0.95, 1.0005)
"""Used parts of a limit at which feeders change their colour; the last is the limit and what AC may exceed it by."""
BINS = ("up to 50 %", "50 to 80 %", "80 to 95 %", "95 % to the limit", "beyond the limit")
BAD = {"failed", "invalid", "not_run"}


@dataclass(frozen=True)
class Line:
    """What the page shows of one feeder; NaN where nothing is known."""

    name: str
    status: str
    says: str
    prosumers: int
    share: float
    loading: float
    v_max: float
    v_min: float
    hours: float
    saved: float
    place: tuple[float, float]

    @property
    def bin(self) -> int:
        """Which of `BINS` it is in; -1 where nothing is known."""
        return -1 if math.isnan(self.share) else sum(self.share > edge for edge in EDGES)


def write_utility_page(
    rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any], path: str | os.PathLike[str]
) -> None:
    """Write the page of a utility, whole or not at all.

    Parameters
    ----------
    rows : sequence of mapping
        What the journal says about each feeder.
    summary : mapping
        Object that ``batch status --json`` prints.
    path : path-like
        File to write; an old one is replaced.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    write_atomically(path, utility_page(rows, summary).encode("utf-8"))


def utility_page(rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> str:
    """Text of the page; see `write_utility_page`.

    Returns
    -------
    str
        HTML.
    """
    lines = [_line(row) for row in rows]
    known = sorted((f for f in lines if f.bin >= 0), key=lambda f: (-f.share, f.name))
    bad = [f for f in lines if f.status in BAD]
    unmet = sorted((f for f in known if f.hours > 0), key=lambda f: (-f.hours, f.name))
    dots, height = _dots(known)
    tone, sign, said = _said(summary, len(unmet))
    return _template().render(
        style=Markup(_file("report.css")),  # noqa: S704  the package's own file
        policy=POLICY,
        tone=tone,
        sign=sign,
        said=said,
        feeders=len(lines),
        prosumers=sum(f.prosumers for f in lines),
        cards=_cards(lines, summary),
        bad=bad[:MOST_BAD],
        bad_more=max(0, len(bad) - MOST_BAD),
        bins=[(name, sum(f.bin == k for f in known)) for k, name in enumerate(BINS)],
        dots=dots,
        height=height,
        tight=known[:MOST_TIGHT],
        more=max(0, len(known) - MOST_TIGHT),
        unmet=unmet[:MOST_UNMET],
        shared=shared_section(summary.get("shared")),
        **{name: _known(summary.get(f"{name}_s")) for name in ("p50", "p95", "p99")},
    )


def _line(row: Mapping[str, Any]) -> Line:
    def known(name: str) -> float:
        return _known(row.get(name))

    return Line(
        str(row["name"]),
        str(row["status"]),
        str(row.get("says", "")),
        int(row.get("prosumers", 0)),
        known("limit_share_max"),
        known("loading_max_pu"),
        known("v_max_pu"),
        known("v_min_pu"),
        known("hours_unmet"),
        known("cost_uncontrolled") - known("cost"),
        (known("longitude"), known("latitude")),
    )


def _known(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _said(summary: Mapping[str, Any], unmet: int) -> tuple[str, str, str]:
    """Tone, sign and headline."""
    counts = summary["counts"]
    bad = sum(counts[name] for name in BAD)
    if bad:
        return "bad", "!", f"{plural(bad, 'feeder')} of the utility without a schedule"
    beyond = [limit["id"] for limit in (summary.get("shared") or {}).get("limits", ()) if limit["unmet"]]
    if beyond:
        return "warn", "!", f"Every feeder has a schedule; what they share is not kept: {', '.join(beyond[:3])}"
    if unmet or counts["limits_unmet"]:
        return "warn", "!", f"Every feeder has a schedule; limits of {max(unmet, counts['limits_unmet']):,} are unmet"
    return "good", "✓", "Every feeder has a schedule within its limits"


def _cards(lines: Sequence[Line], summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    counts = summary["counts"]
    saved = sum(f.saved for f in lines if not math.isnan(f.saved))
    hours = sum(f.hours for f in lines if not math.isnan(f.hours))
    proven = counts["optimal"] + counts["gap"] + counts["limits_unmet"]
    others = ", ".join(f"{counts[k]:,} {k}" for k in ("gap", "invalid", "failed", "not_run") if counts[k])
    return [
        ("Scheduled", f"{proven:,} of {len(lines):,}", others or "all optimal"),
        ("Saved against no control", number(saved, 0), "sum of all bills, in the cases' currency"),
        ("Limits unmet", f"{number(hours)} h", f"on {plural(counts['limits_unmet'], 'feeder')}"),
        ("Workers lost", f"{summary.get('workers_lost', 0):,}", "and their work done again"),
    ]


def _dots(known: Sequence[Line]) -> tuple[list[tuple[str, str, int]], int]:
    """Dots of the map, the tightest last so that they are on top, and its height."""
    placed = [f for f in known if not any(map(math.isnan, f.place))][:MOST_DOTS]
    if len(placed) < 2:
        return [], 0
    middle = sum(f.place[1] for f in placed) / len(placed)
    x = [f.place[0] * math.cos(math.radians(middle)) for f in placed]
    y = [-f.place[1] for f in placed]
    left, top = min(x), min(y)
    wide, high = max(x) - left, max(y) - top
    scale = min(980 / max(wide, 1e-9), 700 / max(high, 1e-9))
    dots = [
        (f"{10 + scale * (a - left):.1f}", f"{10 + scale * (b - top):.1f}", f.bin)
        for a, b, f in zip(x, y, placed, strict=True)
    ]
    return dots[::-1], math.ceil(20 + scale * high)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update({"number": words.number, "plural": words.plural})
    return environment.from_string(_file("utility.html"))


def _file(name: str) -> str:
    return resources.files("dispatch.report").joinpath(name).read_text(encoding="utf-8")
