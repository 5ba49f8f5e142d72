"""Commands through which cases come in, are equipped and joined, and go out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.arguments.options import output, own_components
from dispatch.examples import EXIT_CODES, EXPORT, IMPORT, MERGE, SCENARIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Add = Callable[[str, str, str], argparse.ArgumentParser]


def add_scenario(add: Add) -> None:
    """Add the command that equips a case."""
    p = add("scenario", "equip a case with PV, batteries, heat pumps, cars, profiles and tariffs by one rule", SCENARIO)
    p.add_argument("case", metavar="CASE.nc", type=Path, help="an imported network, or a folder of them")
    output(p, "OUT.nc", "case file to write, or a folder")
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
    own_components(p)


def _add_weather(p: argparse.ArgumentParser) -> None:
    text = "case that receives it, beside its other stations where they are on the same times"
    p.add_argument("--into", required=True, type=Path, metavar="CASE.nc", help=text)
    formats, text = ["epw", "pvgis", "nsrdb", "surfrad"], "format of the file (needs the extra `weather`)"
    p.add_argument("--format", required=True, choices=formats, help=text)
    sources, text = ["forecast", "reanalysis", "measurement", "typical_year"], "what the weather is"
    p.add_argument("--what", choices=sources, help=text + " (default: what the format usually holds)")


def _importing(p: argparse.ArgumentParser, name: str) -> None:
    """Options of one importer."""
    if name in {"tables", "weather"}:
        own_components(p)
    if name == "weather":
        _add_weather(p)
    elif name == "tables":
        p.add_argument("--onto", type=Path, metavar="CASE.nc", help="a case whose kinds the tables replace")
    else:
        p.add_argument("--drop-isolated", action="store_true", help="leave out what no source or gate reaches")
    if name == "simbench":
        p.add_argument("--grid", required=True, nargs="+", help="such as LV3.101 or MV1.101, or several")
        text = "keep profiles from this day on, local date (default: the year)"
        p.add_argument("--start", metavar="DATE", help=text)
        p.add_argument("--days", type=int, metavar="N", help="keep this many days of the profiles (default: all)")
    if name == "matgas":
        p.add_argument("--gauge", action="store_true", help="pressures of the file are gauge, not absolute")
        text = "gas passes compressors freely, instead of being compressed"
        p.add_argument("--bypass-compressors", action="store_true", help=text)


def add_doors(add: Add) -> None:
    """Add the commands that read, join and write cases."""
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
        output(q, "CASE.nc", "case file to write" + (", or folder of one case for each grid" if many else ""))
        _importing(q, name)
    _add_merge(add)
    _add_export(add)


def _add_merge(add: Add) -> None:
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
    output(p, "CASE.nc", "case file to write")
    own_components(p)


def _add_export(add: Add) -> None:
    p = add("export", "write a case as CSV tables, or the LP of a result as MPS", EXPORT)
    kinds = p.add_subparsers(dest="target", required=True, metavar="TARGET")
    q = kinds.add_parser("tables", help="one CSV a kind and case.toml", epilog=EXIT_CODES)
    q.add_argument("file", type=Path, metavar="CASE.nc", help="case or result")
    output(q, "FOLDER", "where to write", "tables")
    own_components(q)
    q = kinds.add_parser("mps", help="the last LP that was solved, all rows", epilog=EXIT_CODES)
    q.add_argument("file", type=Path, metavar="SCHEDULE.nc", help="a result of `dispatch run`")
    output(q, "FILE.mps", "MPS file to write", "schedule.mps")
    own_components(q)
