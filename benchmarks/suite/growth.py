"""The time that a forest takes as its prosumers grow in number, and where it goes.

A whole run solves each feeder by itself. Beside it one coordination takes the whole forest at once: its restricted
program falls apart into those of the feeders, as no limit joins them.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.feeders import forest, street
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import LIMIT_PENALTY, no_offsets, timed
from benchmarks.suite.coordination import certified
from dispatch.case.network import network_of
from dispatch.case.schema import columns
from dispatch.model.inputs import make_inputs
from dispatch.run.optimize import optimize
from dispatch.run.stages import Stages
from dispatch.solve.ascent import Ascent, ascend
from dispatch.solve.blocks.constants import given_at_ports
from dispatch.solve.blocks.moving import MovingStores
from dispatch.solve.blocks.stores import StoreBlock
from dispatch.solve.limits.radial import limits_over
from dispatch.solve.protocols import KEY
from dispatch.solve.until import Until

if TYPE_CHECKING:
    import xarray as xr

COPIES = (1, 2, 4, 8, 16, 32, 64, 104)


def by_stage(case: xr.DataTree) -> Timing:
    """From arrays to the certified plan, once; what goes to members and limits and to the ascent is timed besides."""
    found = certified(case, 1)
    inputs, network = make_inputs(case, limit_penalty=LIMIT_PENALTY), network_of(case)
    begin = time.perf_counter()
    given, meters = given_at_ports(inputs), inputs.kinds["meter"].count
    block = MovingStores(StoreBlock(inputs, np.ones(meters, bool)))
    limits = limits_over(given, network, inputs, no_offsets(case))
    made = time.perf_counter()
    ascend([block], limits, given, inputs.dt * LIMIT_PENALTY, Ascent(np.zeros(0, KEY), np.zeros(0)), Until())
    spent = f"of which members and limits {made - begin:.3g} s, ascent {time.perf_counter() - made:.3g} s"
    return replace(found, note=f"{found.note}; {spent}; {found.seconds / meters * 1e3:.2f} ms a meter")


def whole_run(case: xr.DataTree) -> Timing:
    """From the case to the AC-checked result in memory, in this process."""
    stages = Stages()

    def work() -> xr.DataTree:
        stages.seconds.clear()
        return optimize(case, stages=stages)

    clock, result = timed(work, 1)
    proof, meters = result["certificate"], len(columns(case, "meter")["id"])
    spent = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in stages.seconds.items())
    note = f"gap {float(proof['gap'].max()):.0e}; {spent}; {clock.seconds / meters * 1e3:.2f} ms a meter"
    return Timing(*clock, float(proof["objective"].sum()), note)


BENCHMARK = Benchmark(
    name="growth",
    about="from 145 to 15,080 prosumers in one forest: copies of LV3.101 with a narrow voltage band",
    measures={"whole run": whole_run, "one coordination": by_stage},
    subjects=lambda: tuple(Subject("forest", f"{145 * n} prosumers", partial(forest, n)) for n in COPIES),
    small=lambda: (Subject("street", "small", street),),
)
