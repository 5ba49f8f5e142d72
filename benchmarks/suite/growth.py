"""The way by prices as the number of prosumers in one forest grows, and where its time goes."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.feeders import forest, street
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import LIMIT_PENALTY, no_offsets
from benchmarks.suite.coordination import certified
from dispatch.case.network import network_of
from dispatch.model.inputs import make_inputs
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


BENCHMARK = Benchmark(
    name="growth",
    about="the way by prices from 145 to 15,080 prosumers in one forest: copies of LV3.101 with a narrow voltage band",
    measures={"by prices, certified": by_stage},
    subjects=lambda: tuple(Subject("forest", f"{145 * n} prosumers", partial(forest, n)) for n in COPIES),
    small=lambda: (Subject("street", "small", street),),
)
