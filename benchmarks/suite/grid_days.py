"""The way by prices beside our own one program, on many days of the shared SimBench grids."""

from __future__ import annotations

from functools import partial

from benchmarks.feeders import GRIDS, SEASONS, SETTINGS, simbench_day, street
from benchmarks.registry import Benchmark, Reference, Subject
from benchmarks.suite.coordination import certified, one_program

BENCHMARK = Benchmark(
    name="grid-days",
    about="the way by prices beside one program with lazy rows: grids x seasons x settings",
    measures={"by prices, certified": certified},
    subjects=lambda: tuple(
        Subject(grid, f"{setting}, {season}", partial(simbench_day, setting, grid=grid, season=season))
        for grid in GRIDS
        for season in SEASONS
        for setting in SETTINGS
    ),
    small=lambda: (Subject("street", "small", street),),
    references=(Reference("dispatch: one program", one_program),),
)
