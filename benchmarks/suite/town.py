"""Whole runs of the embedded town: one day, AC-checked, in two processes that are there already.

The forecast is made beforehand. The hard areas are those of the feasibility study: two of the town's transformers with
PV of 11 kW on nine of ten houses and little room for voltage; hundreds of voltage limits bind in them.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.feeders import street, town_day
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import timed
from benchmarks.suite.shared_meter import bare_town
from dispatch.case.attributes import attribute_table
from dispatch.case.schema import build_case, columns, has
from dispatch.case.slices import split_feeders
from dispatch.forecast.profile import predict
from dispatch.run.optimize import optimize
from dispatch.run.processes import WorkerPool
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages
from dispatch.scenario.equip import equip

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

HARD = {13: 1.03, 11: 1.04}
"""Area and its largest voltage. [1]"""


def hard_day(area: int, v_max_pu: float) -> xr.DataTree:
    """First day of one area with PV nearly everywhere and little room for voltage."""
    given: dict[str, Any] = {"pv_share": 0.9, "battery_share": 0.4, "pv_size_kw": 11.0}
    feeder = split_feeders(predict(equip(bare_town("summer"), **given, seed=1, season="summer"), horizon_h=24))[area]
    tables = {k: columns(feeder, k) for k, kind in attribute_table().items() if not kind.result and has(feeder, k)}
    tables["bus"]["v_max_pu"] = np.full(len(tables["bus"]["id"]), v_max_pu)
    return build_case({k: table for k, table in tables.items() if k != "case"}, title=f"area {area}")


def run(case: xr.DataTree, gap: float, told: Callable[[xr.DataTree], str] = lambda _: "") -> Timing:
    """From the case with its forecast to the result in memory; `told` says more of it for the remark."""
    stages = Stages()

    def work() -> xr.DataTree:
        stages.seconds.clear()
        return optimize(case, Settings(gap=gap), workers=pool, stages=stages)

    many = len(columns(case, "source")["id"]) > 1  # a single feeder is solved in this process
    with WorkerPool(2) if many else nullcontext(1) as pool:
        clock, result = timed(work, 3 if many else 1)
    proof = result["certificate"]
    spent = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in stages.seconds.items())
    note = (
        f"gap {float(proof['gap'].max()):.0e}, {int(proof['rounds'].max())} rounds, {int(proof['rows'].sum())} limits"
        f" stated; {told(result)}{spent}, those of feeders added up over processes"
    )
    return Timing(clock.seconds, None if many else clock.cpu_s, float(proof["objective"].sum()), note)


BENCHMARK = Benchmark(
    name="town",
    about="whole AC-checked runs of the embedded town, and of two of its areas in which hundreds of limits bind",
    measures={"run, gap 1e-6": partial(run, gap=1e-6), "run, gap 1e-4": partial(run, gap=1e-4)},
    subjects=lambda: (
        Subject("town", "as shipped, electric side", partial(town_day, "summer")),
        *(Subject(f"area {k}", f"v_max {v} pu", partial(hard_day, k, v)) for k, v in HARD.items()),
    ),
    small=lambda: (Subject("street", "small", street),),
)
