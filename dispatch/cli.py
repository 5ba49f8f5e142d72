"""Arguments → one call of the Python API → exit code."""

from __future__ import annotations

import json
import os
import select
import sys
import time
import traceback
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dispatch.arguments import parser
from dispatch.cli_choices import settings_of
from dispatch.cli_utility import batch, import_many, went
from dispatch.errors import DispatchError, InputError
from dispatch.run.processes import import_all
from dispatch.terminal import EXIT, progress, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

USAGE, STOPPED, CUT_OFF = 2, 130, 141
ROOMS = {
    "backtest": ("dispatch.run.backtest",),
    "demo": ("dispatch.run.files",),
    "forecast": ("dispatch.run.forecasts",),
    "rerun": ("dispatch.run.again",),
    "run": ("dispatch.run.files",),
}
"""What commands load that load much."""
MANY = {"pandapower", "roseau", "simbench"}
"""Importers that take many grids at once."""


def _demo(a: argparse.Namespace) -> int:
    from dispatch.run.files import run_demo

    return _finish(run_demo(a.output, season=a.season, workers=a.workers, progress=progress(a)), a)


def _run(a: argparse.Namespace) -> int:
    from dispatch.run.files import run_case

    shown = {"report": not a.no_report, "progress": progress(a)}
    outcome = run_case(a.case, a.output, settings_of(a), workers=a.workers, begun=a.begun, **shown)
    return _finish(outcome, a)


def _backtest(a: argparse.Namespace) -> int:
    from dispatch.case.netcdf import load_valid_case
    from dispatch.report.backtest import backtest_object, backtest_text
    from dispatch.report.progress import telling
    from dispatch.run.backtest import backtest

    options = {"days": a.days, "notice_h": a.notice_h, "limits_at": a.limits_at, "workers": a.workers}
    case = load_valid_case(a.case)
    with telling(str(a.case), lines=not a.quiet, bar=progress(a)) as told:
        table = backtest(case, told=told, **options)
    if a.json:
        print(json.dumps(backtest_object(table), allow_nan=False))  # noqa: T201
    elif not a.quiet:
        print(backtest_text(table))  # noqa: T201
    return 0


def _rerun(a: argparse.Namespace) -> int:
    from dispatch.run.again import rerun

    differences = rerun(a.schedule, components=a.component, workers=a.workers)
    say(*differences)
    print(f"{a.schedule}: " + ("not reproduced" if differences else "reproduced, every array identical"))  # noqa: T201
    return 4 if differences else 0


def _reinforce(a: argparse.Namespace) -> int:
    from dispatch.run.doors import reinforce

    ranking = reinforce(
        a.schedule, top=a.top, components=a.component, workers=a.workers, progress=not a.json and progress(a)
    )
    if a.json:
        from dispatch.report.reinforcements import reinforcements_object

        print(json.dumps(reinforcements_object(ranking), allow_nan=False))  # noqa: T201
    elif not a.quiet:
        from rich.console import Console

        from dispatch.report.reinforcements import print_reinforcements

        print_reinforcements(ranking, Console())
    return 0


def _check(a: argparse.Namespace) -> int:
    from dispatch.run.doors import validate

    if a.case.is_dir():
        from dispatch.run.utility import check_utility

        return went(check_utility(a.case, a.component), str(a.case))
    notes = validate(a.case, a.component)
    say(*notes)
    print(f"{a.case}: no problems")  # noqa: T201
    return 0


def _explain(a: argparse.Namespace) -> int:
    from dispatch.case.explain import explain

    print(explain(a.name))  # noqa: T201
    return 0


def _import(a: argparse.Namespace) -> int:
    from dispatch.case.utility import is_utility
    from dispatch.run.doors import import_case

    many = a.source in MANY and (len(a.file) > 1 or len(getattr(a, "grid", [])) > 1 or is_utility(a.output))
    if many:
        return import_many(a)
    if a.source in MANY:
        a.file = a.file[0]
    if a.source in {"pandapower", "pandapipes", "roseau"}:
        notes = import_case(a.source, a.file, a.output, drop_isolated=a.drop_isolated)
    elif a.source == "matgas":
        options = {"gauge": a.gauge, "bypass_compressors": a.bypass_compressors, "drop_isolated": a.drop_isolated}
        notes = import_case("matgas", a.file, a.output, **options)
    elif a.source == "simbench":
        options = {"grid": a.grid[0], "start": a.start, "days": a.days, "drop_isolated": a.drop_isolated}
        notes = import_case("simbench", a.file, a.output, **options)
    elif a.source == "weather":
        notes = import_case("weather", a.file, a.output, file_format=a.format, base=a.into, what=a.what)
    else:
        notes = import_case("tables", a.file, a.output, base=a.onto)
    say(*notes)
    print(f"wrote {a.output}")  # noqa: T201
    return 0


def _merge(a: argparse.Namespace) -> int:
    from dispatch.run.doors import merge

    say(*merge(a.electric, a.gas, a.match, a.output, meter=a.meter))
    print(f"wrote {a.output}")  # noqa: T201
    return 0


def _export(a: argparse.Namespace) -> int:
    from dispatch.run.doors import export

    for file in export(a.target, a.file, a.output):
        print(f"wrote {file}")  # noqa: T201
    return 0


def _scenario(a: argparse.Namespace) -> int:
    from dispatch.run.doors import scenario

    chosen = {k: v for k, v in vars(a).items() if k not in {"command", "case", "output", "component"} and v is not None}
    if a.case.is_dir():
        from dispatch.run.utility import equip_utility

        return went(equip_utility(a.case, a.output, **chosen), str(a.output))
    scenario(a.case, a.output, **chosen)
    print(f"wrote {a.output}")  # noqa: T201
    return 0


def _report(a: argparse.Namespace) -> int:
    from dispatch.run.doors import report

    report(a.schedule, a.output)
    print(f"wrote {a.output}")  # noqa: T201
    return 0


def _forecast(a: argparse.Namespace) -> int:
    from dispatch.run.forecasts import forecast_case

    said = forecast_case(
        a.case,
        a.output,
        start=a.start,
        horizon_h=a.horizon_h,
        quantiles=a.quantiles,
        figure=a.figure,
        load=a.load,
        feeder=a.feeder,
        progress=progress(a) and not a.json,
    )
    if a.json:
        print(json.dumps(said, allow_nan=False))  # noqa: T201
    elif not a.quiet:
        text = f"{said['loads_from_history']} of {said['loads']} loads from history"
        text += f", {said['pv_from_weather']} of {said['pv']} PV from weather, {said['steps']} steps"
        print(f"{text} from {said['start']} UTC")  # noqa: T201
        for series, faults in said.get("faults", {}).items():
            print(f"  {series}: " + ", ".join(f"{count} {name}" for name, count in faults.items()))  # noqa: T201
        for file in said["files"]:
            print(f"wrote {file}")  # noqa: T201
    return 0


def _finish(outcome: Any, a: argparse.Namespace) -> int:
    """Tell how a run ended, as text or as one JSON object, and give the exit code."""
    say(*outcome.notes)
    if a.json or a.quiet:
        say(*outcome.summary["messages"])
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


def _refused(error: Exception, exit_code: int, *, as_json: bool) -> int:
    """Tell why nothing came of a command; with ``--json`` also as the object on stdout."""
    say(str(error) or type(error).__name__)
    if as_json:
        problems = [asdict(p) for p in error.problems] if isinstance(error, InputError) else []
        status = "invalid" if exit_code == EXIT["invalid"] else "failed"
        print(json.dumps({"status": status, "problems": problems, "messages": [str(error)]}))  # noqa: T201
    return exit_code


def _learn(files: Sequence[str]) -> None:
    """Take the user's own components, before anything that may hold them is read."""
    if files:
        from dispatch.model.registry import load_components

        load_components(files)


COMMANDS = {
    "batch": batch,
    "demo": _demo,
    "run": _run,
    "backtest": _backtest,
    "rerun": _rerun,
    "check": _check,
    "explain": _explain,
    "forecast": _forecast,
    "scenario": _scenario,
    "import": _import,
    "merge": _merge,
    "export": _export,
    "reinforce": _reinforce,
    "report": _report,
}


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
    begun, top = time.monotonic(), parser()
    a = top.parse_args(arguments)
    if hasattr(a, "deadline_s"):
        a.begun = begun  # a deadline counts from here
    if a.command is None:
        top.print_help(sys.stderr)
        return USAGE
    as_json = getattr(a, "json", False)
    try:
        import_all(*ROOMS.get(a.command, ()))
        _learn(getattr(a, "component", []))
        return _carried_out(a)
    except DispatchError as error:
        return _refused(error, error.exit_code, as_json=as_json)
    except OSError as error:
        return _refused(error, EXIT["failed"], as_json=as_json)
    except KeyboardInterrupt:
        say("stopped; nothing half-written is left behind")
        return STOPPED
    except Exception as error:  # noqa: BLE001  (exit code 1 belongs to bad input, and Python would end with it)
        traceback.print_exc()
        say("This is a bug: please report it with the lines above and the file.")
        return _refused(error, EXIT["failed"], as_json=as_json)


def _carried_out(a: argparse.Namespace) -> int:
    """Run a command, though whoever reads what it prints may go away, as `head` does."""
    try:
        code = COMMANDS[a.command](a)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise  # another pipe, such as that of a worker
        # Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CUT_OFF
    return code


def _nobody_reads() -> bool:
    """Whether stdout is a pipe whose other end is closed; so it is taken where the system cannot be asked."""
    if not hasattr(select, "poll"):
        return True
    asked = select.poll()
    asked.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in asked.poll(0))


if __name__ == "__main__":
    sys.exit(main())
