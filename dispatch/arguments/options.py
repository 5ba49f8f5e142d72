"""Options that several commands share, each in one place."""

from __future__ import annotations

import argparse
from pathlib import Path


def count(text: str) -> int:
    """Read a number of processes or days."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of processes; give 1 or more")
    return number


def most(text: str) -> int:
    """Read a number of reinforcements."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of reinforcements; give 1 or more")
    return number


def workers(p: argparse.ArgumentParser) -> None:
    """Say how many processes."""
    text = "processes, at least 1 (default: one a core, one for small cases); the result does not depend on it"
    p.add_argument("--workers", type=count, metavar="N", help=text)


def own_components(p: argparse.ArgumentParser) -> None:
    """Name files of the user's own components."""
    text = "a component of your own, a Python file (docs/own-component.md); may be given more than once"
    p.add_argument("--component", action="append", default=[], metavar="FILE", help=text)


def output(p: argparse.ArgumentParser, metavar: str, text: str, default: str | None = None) -> None:
    """Say where to write."""
    chosen = f"{text} (default: {default}); " if default else f"{text}; "
    folder = "its folder is" if default is None or Path(default).suffix else "it is"
    value = Path(default) if default else None
    p.add_argument(
        "-o", "--output", type=Path, metavar=metavar, default=value, required=value is None,
        help=f"{chosen}{folder} made if missing",
    )  # fmt: skip


def solving(p: argparse.ArgumentParser) -> None:
    """Say how a run is told, and in how many processes."""
    workers(p)
    p.add_argument("--json", action="store_true", help="one JSON object on stdout, everything else on stderr")
    p.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def span(p: argparse.ArgumentParser) -> None:
    """Say which time is scheduled."""
    p.add_argument(
        "--start",
        metavar="TIME",
        help="first step, as 2016-06-12T22:00 (UTC) or 2016-06-13T00:00+02:00 (default: the first there is)",
    )
    p.add_argument(
        "--horizon-h",
        type=float,
        metavar="H",
        help="length of the schedule in hours, whole steps (default: 24, or the whole of a shorter /forecast)",
    )


def method(p: argparse.ArgumentParser) -> None:
    """Choose the way to the optimum."""
    p.add_argument(
        "--method",
        choices=["auto", "monolithic", "decomposed"],
        default="auto",
        help="way to the optimum of a program: all in one, or stores by prices (default: what suits the feeder); "
        "where AC takes several rounds, what it adds to limits follows the schedules found (docs/formulation.md)",
    )


def until(p: argparse.ArgumentParser) -> None:
    """Say when a run may stop."""
    p.add_argument(
        "--gap",
        type=float,
        metavar="G",
        default=1e-6,
        help="relative gap to the lower bound that is optimal enough (default: 1e-6; 1e-4 for planning runs)",
    )
    p.add_argument(
        "--deadline-s",
        type=float,
        metavar="S",
        help="seconds from the start by which the best schedule so far is written, with its bound (default: none)",
    )


def limits_at(p: argparse.ArgumentParser, text: str, default: float | None) -> None:
    """Say at which quantile limits hold."""
    p.add_argument("--limits-at", type=float, metavar="Q", default=default, help=text)
