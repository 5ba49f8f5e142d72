"""Arguments → one call of the Python API → exit code."""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.errors import DispatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXIT = {"optimal": 0, "gap": 0, "invalid": 1, "limits_unmet": 3, "failed": 4, "not_run": 4}
EXIT_CODES = "exit codes: 0 done, 1 bad input, 2 wrong usage, 3 done but some limits cannot be met, 4 failed"
EXAMPLES = """
first steps:
  dispatch demo                                     the embedded town, into ./dispatch-demo/
  dispatch import pandapower net.json -o net.nc     a network of your own
  dispatch scenario net.nc --pv-share 0.6 --battery-share 0.4 -o case.nc
  dispatch run case.nc -o out/schedule.nc           schedule, run.json and report.html
  dispatch explain s_nom                            what a name means, its unit and range
"""


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201  (the terminal is this module's job)


def _demo(a: argparse.Namespace) -> int:
    from dispatch.run.files import run_demo

    return _finish(run_demo(a.output, season=a.season, workers=a.workers, progress=_progress(a)), a)


def _run(a: argparse.Namespace) -> int:
    from dispatch.run.files import run_case
    from dispatch.run.settings import Settings

    settings = Settings(
        start=a.start,
        horizon_h=a.horizon_h,
        all_rows=a.all_rows,
        components=tuple(str(Path(f).resolve()) for f in a.component),
    )
    outcome = run_case(a.case, a.output, settings, workers=a.workers, report=not a.no_report, progress=_progress(a))
    return _finish(outcome, a)


def _rerun(a: argparse.Namespace) -> int:
    from dispatch.run.again import rerun

    differences = rerun(a.schedule, components=a.component, workers=a.workers)
    _say(*differences)
    print(f"{a.schedule}: " + ("not reproduced" if differences else "reproduced, every array identical"))  # noqa: T201
    return 4 if differences else 0


def _check(a: argparse.Namespace) -> int:
    from dispatch.run.doors import validate

    notes = validate(a.case, a.component)
    _say(*notes)
    print(f"{a.case}: no problems")  # noqa: T201
    return 0


def _explain(a: argparse.Namespace) -> int:
    from dispatch.case.explain import explain

    print(explain(a.name))  # noqa: T201
    return 0


def _import(a: argparse.Namespace) -> int:
    from dispatch.run.doors import import_case

    if a.source == "pandapower":
        notes = import_case("pandapower", a.file, a.output, drop_isolated=a.drop_isolated)
    elif a.source == "simbench":
        options = {"grid": a.grid, "start": a.start, "days": a.days, "drop_isolated": a.drop_isolated}
        notes = import_case("simbench", a.file, a.output, **options)
    else:
        notes = import_case("tables", a.file, a.output, base=a.onto)
    _say(*notes)
    print(f"wrote {a.output}")  # noqa: T201
    return 0


def _export(a: argparse.Namespace) -> int:
    from dispatch.run.doors import export

    for file in export(a.target, a.file, a.output):
        print(f"wrote {file}")  # noqa: T201
    return 0


def _scenario(a: argparse.Namespace) -> int:
    from dispatch.run.doors import scenario

    chosen = {k: v for k, v in vars(a).items() if k not in {"command", "function", "case", "output"} and v is not None}
    scenario(a.case, a.output, **chosen)
    print(f"wrote {a.output}")  # noqa: T201
    return 0


def _report(a: argparse.Namespace) -> int:
    from dispatch.case.netcdf import load_case
    from dispatch.report.html import write_report

    write_report(load_case(a.schedule), a.output)
    print(f"wrote {a.output}")  # noqa: T201
    return 0


def _progress(a: argparse.Namespace) -> bool:
    return not a.quiet and sys.stderr.isatty()


def _finish(outcome: Any, a: argparse.Namespace) -> int:
    """Tell how a run ended, as text or as one JSON object, and give the exit code."""
    _say(*outcome.notes)
    if a.json:
        print(json.dumps(outcome.summary, allow_nan=False))  # noqa: T201
    elif not a.quiet:
        from rich.console import Console

        from dispatch.report.summary import print_summary

        print_summary(outcome.result, Console())
        for file in outcome.files:
            print(f"wrote {file}")  # noqa: T201
        for line in outcome.next_steps:
            print(line)  # noqa: T201
    return EXIT[outcome.summary["status"]]


def _common(p: argparse.ArgumentParser, default: str) -> None:
    p.add_argument("-o", "--output", type=Path, default=Path(default), metavar="PATH", help=f"default: {default}")
    p.add_argument(
        "--workers", type=int, metavar="N", help="processes; default: one a core (results do not depend on it)"
    )
    p.add_argument("--json", action="store_true", help="one JSON object on stdout, everything else on stderr")
    p.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def _parser() -> argparse.ArgumentParser:
    try:
        release = version("prosumer-dispatch")
    except PackageNotFoundError:
        release = "not installed"
    top = argparse.ArgumentParser(
        prog="dispatch",
        description="Schedule batteries and PV of every house of a town at lowest cost inside the limits of its "
        "network; certified, and checked by AC power flow.",
        epilog=EXAMPLES + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"dispatch {release}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        p = commands.add_parser(name, help=text, description=text, epilog=EXIT_CODES)
        p.set_defaults(function=function)
        return p

    p = command("demo", _demo, "run the embedded town of Schutterwald (1,506 houses) and show the result")
    p.add_argument("--season", choices=["summer", "winter"], default="summer", help="which day (default: summer)")
    _common(p, "dispatch-demo")
    p = command("run", _run, "find, certify and AC-check the schedule of a case")
    p.add_argument("case", type=Path, help="case file, or the name of an embedded one (schutterwald_summer)")
    p.add_argument("--start", metavar="TIME", help="first step, ISO 8601 UTC; default: the first of the case's series")
    p.add_argument("--horizon-h", type=float, metavar="H", help="length of the schedule (default: 24, or all there is)")
    p.add_argument(
        "--all-rows",
        action="store_true",
        help="solve the last program with all network rows stated (same optimum, slower)",
    )
    p.add_argument("--component", action="append", default=[], metavar="FILE", help="a component of your own")
    p.add_argument("--no-report", action="store_true", help="write no report.html")
    _common(p, "schedule.nc")
    p = command("rerun", _rerun, "solve a result's case again with its own settings and compare every array")
    p.add_argument("schedule", type=Path)
    p.add_argument("--component", action="append", default=[], metavar="FILE", help="a component of your own")
    p.add_argument("--workers", type=int, metavar="N")
    p = command("check", _check, "list everything that is wrong with a case file")
    p.add_argument("case", type=Path)
    p.add_argument("--component", action="append", default=[], metavar="FILE", help="a component of your own")
    p = command("explain", _explain, "print what a name of the attribute table means: dims, unit, range, default")
    p.add_argument("name", help="such as s_nom, line.s_nom, line or forecast")
    _add_scenario(command)
    _add_doors(command)
    p = command("report", _report, "write the HTML report of a result again")
    p.add_argument("schedule", type=Path)
    p.add_argument("-o", "--output", type=Path, default=Path("report.html"))
    return top


def _add_scenario(command: Callable[..., argparse.ArgumentParser]) -> None:
    p = command("scenario", _scenario, "equip a case with PV, batteries, heat pumps, profiles and tariffs by one rule")
    p.add_argument("case", type=Path)
    p.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.nc")
    p.add_argument("--pv-share", type=float, metavar="S", help="share of houses with PV (default: 0.6)")
    p.add_argument(
        "--battery-share",
        type=float,
        metavar="S",
        help="share of all houses with a battery, only where PV is (default: 0.4)",
    )
    p.add_argument(
        "--heat-pump-share",
        type=float,
        metavar="S",
        help="share of houses heated by a heat pump, the rest by gas (default: 0)",
    )
    p.add_argument("--seed", type=int, metavar="N", help="same seed, same town (default: 1)")
    p.add_argument("--pv-size-kw", type=float, metavar="KW", help="mean PV of a house (default: by its yearly use)")
    p.add_argument("--battery-hours", type=float, metavar="H", help="capacity over power (default: 2)")
    p.add_argument("--season", choices=("summer", "winter"), help="embedded week that gives shapes (default: summer)")
    p.add_argument("--start", metavar="TIME", help="first time of the shapes, UTC or with offset (default: the week)")
    p.add_argument("--days", type=int, metavar="N", help="length of the shapes (default: 7, or what there is)")
    p.add_argument("--feed-in-tariff", type=float, metavar="PRICE", help="paid for exported energy (default: 0.08)")
    p.add_argument(
        "--green-only",
        action="store_true",
        default=None,
        help="no grid charging and no battery export, instead of PV on a meter of its own where the tariff is high",
    )


def _add_doors(command: Callable[..., argparse.ArgumentParser]) -> None:
    p = command("import", _import, "read a network or tables of your own into a case file")
    kinds = p.add_subparsers(dest="source", required=True, metavar="SOURCE")
    for name, what in (("pandapower", "FILE.json"), ("simbench", "FOLDER"), ("tables", "FOLDER")):
        q = kinds.add_parser(name, help=f"{what} → case", epilog=EXIT_CODES)
        q.add_argument("file", type=Path, metavar=what)
        q.add_argument("-o", "--output", type=Path, required=True, metavar="CASE.nc")
        if name == "simbench":
            q.add_argument("--grid", required=True, help="such as LV3.101 or MV1.101")
            q.add_argument(
                "--start", metavar="DATE", help="keep profiles from this day on, local date (default: the year)"
            )
            q.add_argument("--days", type=int, metavar="N", help="keep this many days of the profiles")
        if name == "tables":
            q.add_argument("--onto", type=Path, metavar="CASE.nc", help="a case whose kinds the tables replace")
        else:
            q.add_argument("--drop-isolated", action="store_true", help="leave out buses that no source reaches")
    p = command("export", _export, "write a case as CSV tables, or the LP of a result as MPS")
    kinds = p.add_subparsers(dest="target", required=True, metavar="TARGET")
    q = kinds.add_parser("tables", help="CASE.nc → one CSV a dim and case.toml", epilog=EXIT_CODES)
    q.add_argument("file", type=Path, metavar="CASE.nc")
    q.add_argument("-o", "--output", type=Path, default=Path("tables"), metavar="FOLDER")
    q = kinds.add_parser("mps", help="SCHEDULE.nc → the last LP that was solved, all rows", epilog=EXIT_CODES)
    q.add_argument("file", type=Path, metavar="SCHEDULE.nc")
    q.add_argument("-o", "--output", type=Path, default=Path("schedule.mps"), metavar="FILE.mps")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; default: the process's own.

    Returns
    -------
    int
        0 done, 1 bad input, 2 wrong usage, 3 done with limits unmet, 4 failed.
    """
    a = _parser().parse_args(arguments)
    try:
        return int(a.function(a))
    except DispatchError as error:
        _say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _say("stopped; nothing half-written is left behind")
        return 130


if __name__ == "__main__":
    sys.exit(main())
