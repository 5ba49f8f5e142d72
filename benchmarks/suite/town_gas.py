"""The embedded town on both grids: one day, checked by AC power flow and by steady gas pressures.

In two processes that are there already, its forecast made beforehand; beside it the same town without gas network and
plant, and the plant on a crowded area.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.feeders import without_gas
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.suite.town import run
from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.case.schema import columns
from dispatch.case.slices import split_feeders
from dispatch.case.trees import tree_of
from dispatch.forecast.profile import predict

if TYPE_CHECKING:
    import xarray as xr

GAP = 1e-6
OTHER_BUS = b"NS_bus_idx_78"
"""Low-voltage side of the transformer below which most houses and 1.3 MW of PV are."""


def day(season: str) -> xr.DataTree:
    """First day of an embedded week, with its forecast."""
    return predict(load_case(embedded_path(f"schutterwald_{season}")), horizon_h=24)


def elsewhere() -> xr.DataTree:
    """Move the plant's meter to a crowded area, on the summer day."""
    case = day("summer")
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    meter = groups["/prosumer/meter"]
    at = np.where(meter["meter"].to_numpy() == b"biogas", OTHER_BUS, meter["bus"].to_numpy())
    groups["/prosumer/meter"] = meter.assign(bus=(meter["bus"].dims, at, meter["bus"].attrs))
    tree = tree_of(groups)
    tree.attrs = dict(case.attrs)
    return tree


def small_town() -> xr.DataTree:
    """Cut out the plant's feeder for four hours."""
    town = predict(load_case(embedded_path("schutterwald_summer")), horizon_h=4)
    return next(f for f in split_feeders(town) if len(columns(f, "plant")["id"]))


def _gas(result: xr.DataTree) -> str:
    """Say what became of the gas network's limits."""
    if "pressure" not in result["schedule"]:
        return ""
    pressure, said = result["schedule/pressure"], json.loads(result["certificate"].attrs["messages"])
    return f"{float(pressure.min()):.3f} to {float(pressure.max()):.3f} bar, {len(said)} messages; "


def both(case: xr.DataTree) -> Timing:
    """Time the town on both grids."""
    return run(case, GAP, _gas)


def alone(case: xr.DataTree) -> Timing:
    """Time the same town without gas network and plant."""
    return run(without_gas(case), GAP)


BENCHMARK = Benchmark(
    name="town-gas",
    about="the embedded town on both grids with its biogas plant, checked on both, and the electric town alone",
    measures={"run": both, "run without gas and plant": alone},
    subjects=lambda: (
        Subject("town on both grids", "summer", lambda: day("summer")),
        Subject("town on both grids", "winter", lambda: day("winter")),
        Subject("town on both grids", "summer, plant on a crowded area", elsewhere),
    ),
    small=lambda: (Subject("the plant's feeder", "small", small_town),),
)
