"""Build the embedded town, in summer and in winter; data/README.md has the command and says where inputs come from."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
from pathlib import Path

import numpy as np
from biogas import gas_network, join_gas, with_plant_meter
from check import report
from gas_shape import gas_shape
from houses import gas_by_house
from shapes import STEP, history, read_series, shapes, simbench_folder, table_file
from sun import roof_shapes
from weather import typical_weather

from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.netcdf import save_case
from dispatch.case.schema import build_case, columns
from dispatch.scenario.equip import equip

DATA = Path(__file__).parents[1]
DAYS, PAST = 7, 28
WEEKS = {"summer": np.datetime64("2016-06-11T22:00:00", "s"), "winter": np.datetime64("2016-02-16T23:00:00", "s")}
SOURCE_V_PU, V_MAX_PU = 1.03, 1.08
SHARES = {"pv_share": 0.8, "battery_share": 0.4, "heat_pump_share": 0.15, "pv_size_kw": 10.0, "seed": 1}


def packaged(package: str, path: str) -> Path:
    """File of an installed package that is not imported; its expected place where it is not installed."""
    spec = importlib.util.find_spec(package)
    return (Path(spec.origin).parent if spec and spec.origin else Path(package)) / path


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python data/build_town", description=__doc__)
    network = packaged("pandapower", "networks/lv_schutterwald.json")
    gas = packaged("pandapipes", "networks/network_files/gas_net_schutterwald_1bar.json")
    parser.add_argument("--network", type=Path, default=network, help="pandapower's lv_schutterwald.json")
    parser.add_argument("--gas", type=Path, default=gas, help="pandapipes' gas_net_schutterwald_1bar.json")
    parser.add_argument("--simbench", type=Path, help="folder of the SimBench tables; default: the installed package's")
    parser.add_argument("--weather", type=Path, required=True, help="PVGIS typical year (CSV)")
    parser.add_argument("--output", type=Path, default=DATA, help="folder for the two files")
    parser.add_argument("--no-figures", action="store_true", help="leave out the power flow of the week")
    return parser.parse_args()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Build both files and print what they hold."""
    given = arguments()
    simbench = given.simbench or simbench_folder()
    inputs = [given.network, given.gas, table_file(simbench, "LoadProfile"), given.weather]
    for path in inputs:
        print(f"read  {digest(path)}  {path.name}")
    town, notes = import_pandapower(given.network)
    for note in notes:
        print(note)
    kinds = ("bus", "source", "line", "transformer", "prosumer", "meter", "load", "tariff")
    tables = {kind: columns(town, kind) for kind in kinds}
    tables["source"]["v_pu"][:] = SOURCE_V_PU
    tables["bus"]["v_max_pu"][tables["bus"]["v_nom"] < 1] = V_MAX_PU
    tables["prosumer"]["gas_year"] = gas_by_house(given.gas, tables)
    load, place = read_series(simbench, "LoadProfile"), [tables["bus"][n].mean() for n in ("latitude", "longitude")]
    for season, first in WEEKS.items():
        station, time = typical_weather(given.weather, first, DAYS), first + STEP * np.arange(96 * DAYS)
        roofs = roof_shapes(station, *place, time)
        library = build_case({"profile": shapes(load, first, DAYS, roofs)})
        whole = with_plant_meter(tables, time, town.attrs["time_zone"])
        plain = build_case({**whole, "station": station}, title=f"Schutterwald, a {season} week")
        case = equip(plain, season=season, profiles=library, **SHARES)
        case["/profile"] = library["/profile"].copy()  # whole: it serves other cases too
        case["/history"] = build_case({"history": history(load, first, DAYS, PAST)})["/history"].copy()
        case = join_gas(case, gas_network(given.gas, time, gas_shape(given.weather, time)))
        path = given.output / f"schutterwald_{season}.nc"
        save_case(case, path)
        print(f"wrote {digest(path)}  {path.name}  {path.stat().st_size / 1e6:.2f} MB")
        if not given.no_figures:
            print(report(case))


if __name__ == "__main__":
    main()
