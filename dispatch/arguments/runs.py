"""Commands that solve: demo, run, backtest, rerun and a utility's batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.arguments.options import count, limits_at, method, output, own_components, solving, span, until, workers
from dispatch.examples import BACKTEST, BATCH, DEMO, EXIT_CODES, RERUN, RUN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Add = Callable[[str, str, str], argparse.ArgumentParser]

INTEGERS = (
    "choose by integer programs when engines and upgrading that have a minimum run (10 s to 2 min for a plant's day); "
    "what is not proven when they end is the gap"
)


def add_runs(add: Add) -> None:
    """Add the commands."""
    p = add("demo", "run the embedded town of Schutterwald (1,506 houses) and show the result", DEMO)
    p.add_argument("--season", choices=["summer", "winter"], default="summer", help="which day (default: summer)")
    output(p, "FOLDER", "where to write", "dispatch-demo")
    solving(p)
    p = add("run", "find, certify and AC-check the schedule of a case", RUN)
    name = "case file, or an embedded case by name: schutterwald_summer, schutterwald_winter"
    p.add_argument("case", metavar="CASE.nc", type=Path, help=name)
    output(p, "SCHEDULE.nc", "result file", "schedule.nc")
    span(p)
    p.add_argument(
        "--all-rows", action="store_true", help="state all network rows in the last program (same optimum, slower)"
    )
    method(p)
    p.add_argument("--integers", action="store_true", help=INTEGERS)
    until(p)
    limits_at(p, "hold network limits against this quantile of net load, as 0.9 (default: 0.5, as expected)", 0.5)
    own_components(p)
    p.add_argument("--no-report", action="store_true", help="write no report.html")
    solving(p)
    p = add("backtest", "compare schedules made from forecasts with what really came, over measured days", BACKTEST)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="case with /history of every load and pv")
    p.add_argument(
        "--days",
        type=count,
        default=7,
        metavar="N",
        help="the last whole days of the history but one, which is only looked ahead to (default: 7)",
    )
    limits_at(p, "add a fifth schedule: from the forecast, its limits held at this quantile of net load, as 0.9", None)
    p.add_argument(
        "--notice-h", type=float, default=12.0, metavar="H",
        help="hours between the making of a schedule and the begin of its day (default: 12)",
    )  # fmt: skip
    solving(p)
    p = add("rerun", "solve a result's case again with its own settings and compare every array", RERUN)
    p.add_argument("schedule", metavar="SCHEDULE.nc", type=Path, help="a result of `dispatch run`")
    own_components(p)
    workers(p)
    _add_batch(add)


def _add_batch(add: Add) -> None:
    """Commands over a whole utility."""
    p = add("batch", "run every feeder of a utility, a folder of cases", BATCH)
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")
    texts = {
        "run": "schedule every feeder, resumable after any end",
        "plan": "print groups, predicted time and memory; nothing is run",
    }
    for name, text in texts.items():
        q = actions.add_parser(name, help=text, description=text + ".", epilog=EXIT_CODES)
        q.add_argument("utility", metavar="UTILITY", type=Path, help="folder of case files, or one case file")
        if name == "run":
            _batch_where(q)
        span(q)
        method(q)
        until(q)
        limits_at(q, "hold network limits against this quantile of net load, as 0.9 (default: 0.5)", 0.5)
        own_components(q)
        solving(q)
    q = actions.add_parser("status", help="how a night goes or went", description="How a night goes or went.")
    q.add_argument("results", metavar="RESULTS", type=Path, help="folder that `dispatch batch run` writes")
    q.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _batch_where(p: argparse.ArgumentParser) -> None:
    """Where a night is written and worked on."""
    output(p, "RESULTS", "folder of results")
    p.add_argument("--resume", action="store_true", help="go on in a folder that has results; what is done is kept")
    text = "address of a Dask scheduler, tls://host:port, or tcp:// on this machine (extra `cluster`)"
    p.add_argument("--scheduler", metavar="ADDRESS", help=text)
    text = "TOML file: cluster to be started by dask-jobqueue, or certificates (docs/batch.md)"
    p.add_argument("--cluster", type=Path, metavar="FILE.toml", help=text)
    text = "most memory of all workers together (default: what is free)"
    p.add_argument("--memory-gib", type=float, metavar="GIB", help=text)
    p.add_argument("--no-report", action="store_true", help="write no report.html")
