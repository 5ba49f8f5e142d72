"""Our own work, as benchmarks time it: in this process, after imports, on a case in memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.registry import Timing
from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.decomposed import Decomposed
from dispatch.solve.monolithic import Monolithic

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from dispatch.solve.solution import Solution

REPEATS = 3
LIMIT_PENALTY = 1e4


class Clock(NamedTuple):
    """Wall-clock and processor time in seconds."""

    seconds: float
    cpu_s: float


def timed(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[Clock, Any]:
    """Time some runs after one that warms up (first use compiles kernels): the median run, and the last result."""
    work()
    runs = []
    for _ in range(repeats):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        found = work()
        runs.append(Clock(time.perf_counter() - begin, time.process_time() - begin_cpu))
    return sorted(runs)[len(runs) // 2], found


def no_offsets(case: xr.DataTree) -> Offsets:
    """Limits as they stand, without what an AC check would add."""
    network = network_of(case)
    return Offsets.zero(network.buses, network.branches, case["/forecast"].sizes["time"])


def solve(case: xr.DataTree, *, all_rows: bool = False) -> Solution:
    """Case to optimum of the linear program, without offsets: resolve, compile, solve."""
    inputs, network = make_inputs(case, limit_penalty=LIMIT_PENALTY), network_of(case)
    monolithic = Monolithic(compile_program(inputs), network, inputs, all_rows=all_rows)
    return monolithic.solve(no_offsets(case), LIMIT_PENALTY)


def build_and_solve(case: xr.DataTree) -> Timing:
    """From the case in memory to the optimum, in a warm process."""
    clock, found = timed(lambda: solve(case))
    return Timing(*clock, found.objective, f"{found.rounds} rounds of lazy rows")


def build_and_solve_by_prices(case: xr.DataTree) -> Timing:
    """Do the same the decomposed way."""

    def work() -> Solution:
        inputs, network = make_inputs(case, limit_penalty=LIMIT_PENALTY), network_of(case)
        return Decomposed(compile_program(inputs), network, inputs).solve(no_offsets(case), LIMIT_PENALTY)

    clock, found = timed(work)
    return Timing(*clock, found.objective, f"by prices, {found.entries} entries in the last program")


def build_and_solve_all_rows(case: xr.DataTree) -> Timing:
    """Do the same with every network row stated."""
    clock, found = timed(lambda: solve(case, all_rows=True), 1)
    return Timing(*clock, found.objective, "all rows")
