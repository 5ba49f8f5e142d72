"""Commands that read a case or a result and say something about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.arguments.options import most, output, own_components, solving
from dispatch.examples import CHECK, EXPLAIN, FORECAST, REINFORCE, REPORT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Add = Callable[[str, str, str], argparse.ArgumentParser]


def add_readers(add: Add) -> None:
    """Commands that read a case or a result."""
    p = add("report", "write the HTML report of a result again", REPORT)
    p.add_argument("schedule", metavar="SCHEDULE.nc", type=Path, help="a result of `dispatch run`")
    output(p, "REPORT.html", "page to write", "report.html")
    p = add("reinforce", "rank lines and transformers by what a tenth more rating of each would save", REINFORCE)
    p.add_argument("schedule", metavar="SCHEDULE.nc", type=Path, help="a result of `dispatch run`")
    text = "how many are solved again, at least 1, the highest estimates first (default: 5)"
    p.add_argument("--top", type=most, metavar="N", default=5, help=text)
    own_components(p)
    solving(p)
    p = add("forecast", "fill /forecast from meters, weather and profiles", FORECAST)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="case file, or an embedded case by name")
    output(p, "READY.nc", "case file to write")
    text = "first step, UTC or with offset; later history is not looked at (default: the end of the history)"
    p.add_argument("--from", dest="start", metavar="TIME", help=text)
    p.add_argument("--horizon-h", type=float, metavar="H", help="length in hours, whole steps (default: 24)")
    text = "quantiles, each above 0 and below 1, of loads and PV with a history (default: 0.1 0.5 0.9)"
    p.add_argument("--quantiles", type=float, nargs="+", metavar="Q", help=text)
    text = "draw forecast against what came, of a load or feeder"
    p.add_argument("--figure", type=Path, metavar="FILE.svg", help=text)
    p.add_argument("--load", metavar="ID", help="load that is drawn (default: the first with a history)")
    p.add_argument("--feeder", metavar="ID", help="draw the net load of this source's feeder instead")
    p.add_argument("--json", action="store_true", help="one JSON object on stdout, everything else on stderr")
    p.add_argument("--quiet", action="store_true", help="no progress bar and no summary")
    own_components(p)
    p = add("check", "list everything that is wrong with a case file", CHECK)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="case or result, or a folder of cases")
    own_components(p)
    p = add("explain", "print what a name or word of the attribute table means: dims, unit, range, default", EXPLAIN)
    p.add_argument(
        "name",
        metavar="NAME",
        help="such as s_nom, line.s_nom, line or forecast; or any word, such as battery or voltage",
    )
