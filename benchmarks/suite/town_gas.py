"""The embedded town on both grids: one day, checked by AC power flow and by steady gas pressures.

In two processes that are there already, its forecast made beforehand. The reference is the same town without gas
network and plant; the other measure lets the plant stand on an area in which hundreds of limits bind.
"""

from __future__ import annotations

import json
from contextlib import nullcontext

import numpy as np
import xarray as xr

from benchmarks.registry import Benchmark, Reference, Subject, Timing
from benchmarks.solving import timed
from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.case.schema import columns
from dispatch.case.slices import split_feeders
from dispatch.forecast.profile import predict
from dispatch.run.optimize import optimize
from dispatch.run.parallel import WorkerPool
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages

OTHER_BUS = b"NS_bus_idx_78"
"""Low-voltage side of the transformer below which most houses and 1.3 MW of PV are."""


def day(season: str) -> xr.DataTree:
    """First day of an embedded week, with its forecast."""
    return predict(load_case(embedded_path(f"schutterwald_{season}")), horizon_h=24)


def elsewhere() -> xr.DataTree:
    """The summer day with the plant's meter on a crowded area."""
    case = day("summer")
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    meter = groups["/prosumer/meter"]
    at = np.where(meter["meter"].to_numpy() == b"biogas", OTHER_BUS, meter["bus"].to_numpy())
    groups["/prosumer/meter"] = meter.assign(bus=(meter["bus"].dims, at, meter["bus"].attrs))
    return _tree(case, groups)


def without_gas(case: xr.DataTree) -> xr.DataTree:
    """The same electric network alone."""
    groups = {n.path: n.to_dataset(inherit=False) for n in case.subtree if not n.path.startswith(("/gas", "/plant"))}
    groups["/forecast"] = groups["/forecast"].drop_dims(["consumer", "injection"], errors="ignore")
    return _tree(case, groups)


def _tree(case: xr.DataTree, groups: dict[str, xr.Dataset]) -> xr.DataTree:
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(case.attrs)
    return tree


def small_town() -> xr.DataTree:
    """The plant's feeder for four hours."""
    town = predict(load_case(embedded_path("schutterwald_summer")), horizon_h=4)
    return next(f for f in split_feeders(town) if len(columns(f, "plant")["id"]))


def run(case: xr.DataTree, method: str = "auto") -> Timing:
    """From the case with its forecast to the result in memory."""
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
    """What became of the gas network's limits."""
    if "pressure" not in result["schedule"]:
        return ""
    pressure, said = result["schedule/pressure"], json.loads(result["certificate"].attrs["messages"])
    return f"{float(pressure.min()):.3f} to {float(pressure.max()):.3f} bar, {len(said)} messages; "


def alone(case: xr.DataTree) -> Timing:
    """Time the same town without gas network and plant."""
    return run(without_gas(case))


BENCHMARK = Benchmark(
    name="town-gas",
    about="the embedded town on both grids with its biogas plant, checked on both, beside the electric town alone",
    measures={"run, gap 1e-6": run},
    subjects=lambda: (
        Subject("town on both grids", "summer", lambda: day("summer")),
        Subject("town on both grids", "winter", lambda: day("winter")),
        Subject("town on both grids", "summer, plant on a crowded area", elsewhere),
    ),
    small=lambda: (Subject("the plant's feeder", "small", small_town),),
    references=(Reference("without gas and plant", alone),),
)
