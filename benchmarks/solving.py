"""Our own work, as benchmarks time it: in this process, after imports, on a case in memory."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.registry import Timing
from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.monolithic import Monolithic

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from dispatch.solve.solution import Solution

REPEATS = 3
LIMIT_PENALTY = 1e4


def timed(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """Time some runs after one that warms up (first use compiles kernels): median in seconds, and the last result."""
    work()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), found


def solve(case: xr.DataTree, *, all_rows: bool = False) -> Solution:
    """Case to optimum of the linear program, without offsets: resolve, compile, solve."""
    inputs, network = make_inputs(case, limit_penalty=LIMIT_PENALTY), network_of(case)
    monolithic = Monolithic(compile_program(inputs), network, inputs, all_rows=all_rows)
    return monolithic.solve(Offsets.zero(network.buses, network.branches, inputs.steps), LIMIT_PENALTY)


def build_and_solve(case: xr.DataTree) -> Timing:
    """From the case in memory to the optimum, in a warm process."""
    seconds, found = timed(lambda: solve(case))
    return Timing(seconds, found.objective, f"{found.rounds} rounds of lazy rows")


def build_and_solve_all_rows(case: xr.DataTree) -> Timing:
    """Do the same with every network row stated."""
    seconds, found = timed(lambda: solve(case, all_rows=True), 1)
    return Timing(seconds, found.objective, "all rows")
