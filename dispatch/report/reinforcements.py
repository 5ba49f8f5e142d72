"""Reinforcements in the order of what they save: as the ``--json`` object and as the terminal's table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from dispatch.report.outcome import text
from dispatch.report.words import number, plural

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

MOST_ROWS = 20
"""Rows of the terminal's table."""
NAMES = ("kind", "element", "feeder", "s_nom", "hours", "estimate", "saving")


def reinforcements_object(ranking: xr.Dataset) -> dict[str, Any]:
    """Make the object that ``--json`` prints.

    Parameters
    ----------
    ranking : Dataset
        Of `dispatch.rank_reinforcements`.

    Returns
    -------
    dict
        Strict JSON: a saving that was not computed is None.
    """
    return {"currency": ranking.attrs["currency"], "share": ranking.attrs["share"], "reinforcements": _rows(ranking)}


def _rows(ranking: xr.Dataset) -> list[dict[str, Any]]:
    values = zip(*(ranking[name].to_numpy().tolist() for name in NAMES), strict=True)
    return [{name: _plain(v) for name, v in zip(NAMES, row, strict=True)} for row in values]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return text(value)


def print_reinforcements(ranking: xr.Dataset, console: Console) -> None:
    """Print the first rows of a ranking, and how to read them.

    Parameters
    ----------
    ranking : Dataset
        Of `dispatch.rank_reinforcements`.
    console : Console
        Where to print.
    """
    rows, currency = _rows(ranking), ranking.attrs["currency"]
    if not rows:
        console.print(Text("No rating has a price in any hour: more of none would save anything."))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column(f"+{100 * ranking.attrs['share']:g} % rating of", overflow="fold")
    table.add_column("feeder", overflow="ellipsis", max_width=16)
    for name in ("kVA", "hours", f"saves {currency}", "at most"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows[:MOST_ROWS]:
        saving = "" if row["saving"] is None else number(row["saving"], 2)
        cells = (
            f"{row['kind']} {row['element']}", row["feeder"], number(row["s_nom"], 0), number(row["hours"], 2),
            saving, number(row["estimate"], 2),
        )  # fmt: skip
        table.add_row(*(Text(c) for c in cells))
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(Text(f"{plural(len(rows) - MOST_ROWS, 'more branch')} would save less.", style="dim"))
    console.print(
        Text(
            "Over the horizon, each alone. 'Saves': solved again with the AC offsets and impedances of the result. "
            "'At most': from prices alone. All other ratings have no price and would save nothing.",
            style="dim",
        )
    )
