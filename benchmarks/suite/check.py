"""Validate a case of 1,000 buses."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.feeders import street
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import timed
from dispatch.case.rules import check_case

if TYPE_CHECKING:
    import xarray as xr


def check(case: xr.DataTree) -> Timing:
    """All rules on a case in memory."""
    clock, problems = timed(lambda: check_case(case))
    return Timing(*clock, note=f"{len(problems)} problems")


BENCHMARK = Benchmark(
    name="check",
    about="validate a case of 1,000 buses and a day of series (target: 0.05 s)",
    measures={"check": check},
    subjects=lambda: (Subject("street", "1,000 buses", partial(street, 1000, 96)),),
    small=lambda: (Subject("street", "small", street),),
)
