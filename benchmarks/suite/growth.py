"""The way by prices as the number of prosumers in one forest grows, and on many days of many grids."""

from __future__ import annotations

from functools import partial

from benchmarks.feeders import forest, street
from benchmarks.registry import Benchmark, Subject
from benchmarks.suite.coordination import certified

COPIES = (1, 2, 4, 8, 16, 32, 64, 104)

BENCHMARK = Benchmark(
    name="growth",
    about="the way by prices from 145 to 15,080 prosumers in one forest: copies of LV3.101 with a narrow voltage band",
    measures={"by prices, certified": certified},
    subjects=lambda: tuple(Subject("forest", f"{145 * n} prosumers", partial(forest, n)) for n in COPIES),
    small=lambda: (Subject("street", "small", street),),
)
