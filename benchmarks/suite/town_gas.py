"""The embedded town on both grids: one day, checked by AC power flow and by steady gas pressures.

In two processes that are there already, its forecast made beforehand; beside it the same town without gas network and
plant, and the plant on a crowded area.
"""

from __future__ import annotations

import json
from contextlib import nullcontext

import numpy as np
import xarray as xr

from benchmarks.feeders import without_gas
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import timed
from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.case.schema import columns
from dispatch.case.slices import split_feeders
from dispatch.forecast.profile import predict
from dispatch.run.optimize import optimize
from dispatch.run.processes import WorkerPool
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages

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
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(case.attrs)
    return tree


def small_town() -> xr.DataTree:
    """Cut out the plant's feeder for four hours."""
    town = predict(load_case(embedded_path("schutterwald_summer")), horizon_h=4)
    return next(f for f in split_feeders(town) if len(columns(f, "plant")["id"]))


def run(case: xr.DataTree, method: str = "auto") -> Timing:
    """Go from the case with its forecast to the result in memory."""
    stages = Stages()

    def work() -> xr.DataTree:
        stages.seconds.clear()
        return optimize(case, Settings(method=method), workers=pool, stages=stages)

    many = len(columns(case, "source")["id"]) > 1  # a single feeder is solved in this process
    with WorkerPool(2) if many else nullcontext(1) as pool:
        clock, result = timed(work, 3 if many else 1)
    proof, spent = result["certificate"], ", ".join(f"{n} {s:.3g} s" for n, s in stages.seconds.items())
    note = (
        f"gap {float(proof['gap'].max()):.0e}, {int(proof['rounds'].max())} rounds, {int(proof['rows'].sum())} limits"
        f" stated; {_gas(result)}{spent}, those of feeders added up over processes"
    )
    return Timing(*clock, float(proof["objective"].sum()), note)


def _gas(result: xr.DataTree) -> str:
    """Say what became of the gas network's limits."""
    if "pressure" not in result["schedule"]:
        return ""
    pressure, said = result["schedule/pressure"], json.loads(result["certificate"].attrs["messages"])
    return f"{float(pressure.min()):.3f} to {float(pressure.max()):.3f} bar, {len(said)} messages; "


def alone(case: xr.DataTree) -> Timing:
    """Time the same town without gas network and plant."""
    return run(without_gas(case))


BENCHMARK = Benchmark(
    name="town-gas",
    about="the embedded town on both grids with its biogas plant, checked on both, and the electric town alone",
    measures={"run": run, "run without gas and plant": alone},
    subjects=lambda: (
        Subject("town on both grids", "summer", lambda: day("summer")),
        Subject("town on both grids", "winter", lambda: day("winter")),
        Subject("town on both grids", "summer, plant on a crowded area", elsewhere),
    ),
    small=lambda: (Subject("the plant's feeder", "small", small_town),),
)
