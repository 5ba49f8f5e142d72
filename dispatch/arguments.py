"""What the command line takes: commands, options, and the help that teaches them."""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dispatch.examples import (
    BACKTEST,
    BATCH,
    CHECK,
    DEMO,
    EXIT_CODES,
    EXPLAIN,
    EXPORT,
    FIRST_STEPS,
    FORECAST,
    IMPORT,
    MERGE,
    REINFORCE,
    REPORT,
    RERUN,
    RUN,
    SCENARIO,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Add = Callable[[str, str, str], argparse.ArgumentParser]


class _Parser(argparse.ArgumentParser):
    """A parser that says where the help is when it is used wrongly."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nsee: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Build the parser; a command without arguments leaves ``command`` None.

    Returns
    -------
    argparse.ArgumentParser
    """
    try:
        release = version("prosumer-dispatch")
    except PackageNotFoundError:
        release = "not installed"
    top = _Parser(
        prog="dispatch",
        description="Schedule batteries, PV and biogas plants of a town at lowest cost inside the limits of its\n"
        "electric and gas networks; certified, and checked by AC power flow.",
        epilog=FIRST_STEPS + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"dispatch {release}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, text: str, examples: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=examples + "\n" + EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    _add_runs(add)
    _add_scenario(add)
    _add_doors(add)
    return top


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of processes; give 1 or more")
    return number


def _most(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of reinforcements; give 1 or more")
    return number


def _workers(p: argparse.ArgumentParser) -> None:
    text = "processes, at least 1 (default: one a core, one for small cases); the result does not depend on it"
    p.add_argument("--workers", type=_count, metavar="N", help=text)


def _components(p: argparse.ArgumentParser) -> None:
    text = "a component of your own, a Python file (docs/own-component.md); may be given more than once"
    p.add_argument("--component", action="append", default=[], metavar="FILE", help=text)


def _output(p: argparse.ArgumentParser, metavar: str, text: str, default: str | None = None) -> None:
    chosen = f"{text} (default: {default}); " if default else f"{text}; "
    folder = "its folder is" if default is None or Path(default).suffix else "it is"
    value = Path(default) if default else None
    p.add_argument(
        "-o", "--output", type=Path, metavar=metavar, default=value, required=value is None,
        help=f"{chosen}{folder} made if missing",
    )  # fmt: skip


def _solving(p: argparse.ArgumentParser) -> None:
    _workers(p)
    p.add_argument("--json", action="store_true", help="one JSON object on stdout, everything else on stderr")
    p.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def _span(p: argparse.ArgumentParser) -> None:
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


def _method(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--method",
        choices=["auto", "monolithic", "decomposed"],
        default="auto",
        help="way to the optimum, which is the same: one program, or stores by prices (default: what suits the feeder)",
    )


def _until(p: argparse.ArgumentParser) -> None:
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
        help="seconds after which the best schedule so far is written, with its bound (default: none)",
    )


def _limits_at(p: argparse.ArgumentParser, text: str, default: float | None) -> None:
    p.add_argument("--limits-at", type=float, metavar="Q", default=default, help=text)


def _add_runs(add: Add) -> None:
    p = add("demo", "run the embedded town of Schutterwald (1,506 houses) and show the result", DEMO)
    p.add_argument("--season", choices=["summer", "winter"], default="summer", help="which day (default: summer)")
    _output(p, "FOLDER", "where to write", "dispatch-demo")
    _solving(p)
    p = add("run", "find, certify and AC-check the schedule of a case", RUN)
    name = "case file, or an embedded case by name: schutterwald_summer, schutterwald_winter"
    p.add_argument("case", metavar="CASE.nc", type=Path, help=name)
    _output(p, "SCHEDULE.nc", "result file", "schedule.nc")
    _span(p)
    p.add_argument(
        "--all-rows", action="store_true", help="state all network rows in the last program (same optimum, slower)"
    )
    _method(p)
    p.add_argument("--integers", action="store_true", help="choose what runs at its minimum by an integer program")
    _until(p)
    _limits_at(p, "hold network limits against this quantile of net load, as 0.9 (default: 0.5, as expected)", 0.5)
    _components(p)
    p.add_argument("--no-report", action="store_true", help="write no report.html")
    _solving(p)
    p = add("backtest", "compare schedules made from forecasts with what really came, over measured days", BACKTEST)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="case with /history of every load and pv")
    p.add_argument(
        "--days", type=_count, default=7, metavar="N", help="the last whole days of the history (default: 7)"
    )
    _limits_at(p, "add a fifth schedule: from the forecast, its limits held at this quantile of net load, as 0.9", None)
    p.add_argument(
        "--notice-h", type=float, default=12.0, metavar="H",
        help="hours between the making of a schedule and the begin of its day (default: 12)",
    )  # fmt: skip
    _solving(p)
    p = add("rerun", "solve a result's case again with its own settings and compare every array", RERUN)
    p.add_argument("schedule", metavar="SCHEDULE.nc", type=Path, help="a result of `dispatch run`")
    _components(p)
    _workers(p)
    _add_batch(add)
    _add_readers(add)


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
        _span(q)
        _method(q)
        _until(q)
        _limits_at(q, "hold network limits against this quantile of net load, as 0.9 (default: 0.5)", 0.5)
        _components(q)
        _solving(q)
    q = actions.add_parser("status", help="how a night goes or went", description="How a night goes or went.")
    q.add_argument("results", metavar="RESULTS", type=Path, help="folder that `dispatch batch run` writes")
    q.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _batch_where(p: argparse.ArgumentParser) -> None:
    """Where a night is written and worked on."""
    _output(p, "RESULTS", "folder of results")
    p.add_argument("--resume", action="store_true", help="go on in a folder that has results; what is done is kept")
    text = "address of a Dask scheduler, tls://host:port, or tcp:// on this machine (extra `cluster`)"
    p.add_argument("--scheduler", metavar="ADDRESS", help=text)
    text = "TOML file: cluster to be started by dask-jobqueue, or certificates (docs/batch.md)"
    p.add_argument("--cluster", type=Path, metavar="FILE.toml", help=text)
    text = "most memory of all workers together (default: what is free)"
    p.add_argument("--memory-gib", type=float, metavar="GIB", help=text)
    p.add_argument("--no-report", action="store_true", help="write no report.html")


def _add_readers(add: Add) -> None:
    """Commands that read a case or a result."""
    p = add("report", "write the HTML report of a result again", REPORT)
    p.add_argument("schedule", metavar="SCHEDULE.nc", type=Path, help="a result of `dispatch run`")
    _output(p, "REPORT.html", "page to write", "report.html")
    p = add("reinforce", "rank lines and transformers by what a tenth more rating of each would save", REINFORCE)
    p.add_argument("schedule", metavar="SCHEDULE.nc", type=Path, help="a result of `dispatch run`")
    text = "how many are solved again, at least 1, the highest estimates first (default: 5)"
    p.add_argument("--top", type=_most, metavar="N", default=5, help=text)
    _components(p)
    _solving(p)
    p = add("forecast", "fill /forecast from meters, weather and profiles", FORECAST)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="case file, or an embedded case by name")
    _output(p, "READY.nc", "case file to write")
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
    p = add("check", "list everything that is wrong with a case file", CHECK)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="case or result, or a folder of cases")
    _components(p)
    p = add("explain", "print what a name of the attribute table means: dims, unit, range, default", EXPLAIN)
    p.add_argument("name", metavar="NAME", help="such as s_nom, line.s_nom, line or forecast")


def _add_scenario(add: Add) -> None:
    p = add("scenario", "equip a case with PV, batteries, heat pumps, cars, profiles and tariffs by one rule", SCENARIO)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="an imported network, or a folder of them")
    _output(p, "OUT.nc", "case file to write, or a folder")
    p.add_argument("--pv-share", type=float, metavar="S", help="share of houses with PV, 0 to 1 (default: 0.6)")
    p.add_argument(
        "--battery-share",
        type=float,
        metavar="S",
        help="share of all houses with a battery, only where PV is: at most --pv-share (default: 0.4)",
    )
    p.add_argument(
        "--heat-pump-share",
        type=float,
        metavar="S",
        help="share of houses heated by a heat pump with a tank, the rest by gas (default: 0)",
    )
    p.add_argument("--car-share", type=float, metavar="S", help="share of houses with an electric car (default: 0)")
    p.add_argument(
        "--tank-hours", type=float, metavar="H",
        help="tank over the heat pump's largest heat output, hours; 0: not flexible (default: 1)",
    )  # fmt: skip
    p.add_argument(
        "--shared-meter", action="store_true", default=None,
        help="heat pumps and cars behind the house's meter, not on meters and tariffs of their own",
    )  # fmt: skip
    p.add_argument("--seed", type=int, metavar="N", help="same seed, same town; from 0 (default: 1)")
    p.add_argument("--pv-size-kw", type=float, metavar="KW", help="mean PV of a house, kW (default: by its yearly use)")
    p.add_argument("--battery-hours", type=float, metavar="H", help="capacity over power, hours (default: 2)")
    p.add_argument("--season", choices=("summer", "winter"), help="embedded week that gives shapes (default: summer)")
    p.add_argument("--start", metavar="TIME", help="first time of the shapes, UTC or with offset (default: the week)")
    p.add_argument("--days", type=int, metavar="N", help="length of the shapes (default: 7, or what there is)")
    p.add_argument(
        "--feed-in-tariff",
        type=float,
        metavar="PRICE",
        help="paid for exported energy, per kWh in the case's currency (default: 0.08)",
    )
    p.add_argument(
        "--green-only",
        action="store_true",
        default=None,
        help="no grid charging and no battery export, instead of PV on a meter of its own where the tariff is high",
    )


def _add_weather(p: argparse.ArgumentParser) -> None:
    text = "case that receives it, beside its other stations where they are on the same times"
    p.add_argument("--into", required=True, type=Path, metavar="CASE.nc", help=text)
    formats, text = ["epw", "pvgis", "nsrdb", "surfrad"], "format of the file (needs the extra `weather`)"
    p.add_argument("--format", required=True, choices=formats, help=text)
    sources, text = ["forecast", "reanalysis", "measurement", "typical_year"], "what the weather is"
    p.add_argument("--what", choices=sources, help=text + " (default: what the format usually holds)")


def _importing(p: argparse.ArgumentParser, name: str) -> None:
    """Options of one importer."""
    if name == "weather":
        _add_weather(p)
    elif name == "tables":
        p.add_argument("--onto", type=Path, metavar="CASE.nc", help="a case whose kinds the tables replace")
    else:
        p.add_argument("--drop-isolated", action="store_true", help="leave out what no source or gate reaches")
    if name == "matgas":
        p.add_argument("--gauge", action="store_true", help="pressures of the file are gauge, not absolute")
        text = "gas passes compressors freely, instead of being compressed"
        p.add_argument("--bypass-compressors", action="store_true", help=text)


def _add_doors(add: Add) -> None:
    p = add("import", "read a network or tables of your own into a case file", IMPORT)
    kinds = p.add_subparsers(dest="source", required=True, metavar="SOURCE")
    sources = {
        "pandapower": ("FILE.json", "a net written by pandapower.to_json; pandapower itself is not needed"),
        "roseau": ("FILE.json", "a network written by roseau-load-flow, which itself is not needed"),
        "simbench": ("FOLDER", "a grid of SimBench's CSV folder, with its profiles"),
        "pandapipes": ("FILE.json", "a gas network written by pandapipes.to_json; pandapipes itself is not needed"),
        "matgas": ("FILE.m", "a gas network of GasModels.jl; nothing in the file is run"),
        "tables": ("FOLDER", "CSV tables and case.toml, as `dispatch export tables` writes them"),
        "weather": ("FILE", "weather of one place, for the PV forecast"),
    }
    for name, (what, text) in sources.items():
        q = kinds.add_parser(name, help=f"{what}: {text}", description=f"{what}: {text}.", epilog=EXIT_CODES)
        many: dict[str, Any] = {"nargs": "+"} if name in {"pandapower", "roseau", "simbench"} else {}
        q.add_argument("file", type=Path, metavar=what, help=text + ("; many make a utility" if many else ""), **many)
        _output(q, "CASE.nc", "case file to write" + (", or folder of one case for each grid" if many else ""))
        if name == "simbench":
            q.add_argument("--grid", required=True, nargs="+", help="such as LV3.101 or MV1.101, or several")
            q.add_argument(
                "--start", metavar="DATE", help="keep profiles from this day on, local date (default: the year)"
            )
            q.add_argument("--days", type=int, metavar="N", help="keep this many days of the profiles (default: all)")
        _importing(q, name)
    p = add("merge", "join the electric and the gas network of one place into one case", MERGE)
    p.add_argument(
        "electric", type=Path, metavar="ELECTRIC.nc", help="case with an electric network; all of it is kept"
    )
    p.add_argument("gas", type=Path, metavar="GAS.nc", help="case with a gas network")
    text = "CSV with the columns consumer (of GAS.nc) and prosumer (of ELECTRIC.nc)"
    p.add_argument("--match", type=Path, required=True, metavar="FILE.csv", help=text)
    p.add_argument(
        "--meter", metavar="ID", help="meter of ELECTRIC.nc for plants and compressors of GAS.nc without one"
    )
    _output(p, "CASE.nc", "case file to write")
    p = add("export", "write a case as CSV tables, or the LP of a result as MPS", EXPORT)
    kinds = p.add_subparsers(dest="target", required=True, metavar="TARGET")
    q = kinds.add_parser("tables", help="one CSV a kind and case.toml", epilog=EXIT_CODES)
    q.add_argument("file", type=Path, metavar="CASE.nc", help="case or result")
    _output(q, "FOLDER", "where to write", "tables")
    q = kinds.add_parser("mps", help="the last LP that was solved, all rows", epilog=EXIT_CODES)
    q.add_argument("file", type=Path, metavar="SCHEDULE.nc", help="a result of `dispatch run`")
    _output(q, "FILE.mps", "MPS file to write", "schedule.mps")
