"""The way by prices beside general tools and beside our own one program.

All start from arrays of prosumers and network in memory, parents and bounds resolved: ours from
`dispatch.model.elements.Inputs`, the peers from what `benchmarks.arrays.day_arrays` makes of the same case. Ours ends
with the certified plan, as does our own one program (whose certificate compiles the case anew, as in every run); the
peers end with the optimum. One thread on all sides.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.feeders import GRID, SETTINGS, simbench_day, street
from benchmarks.registry import Benchmark, Reference, Subject, Timing
from benchmarks.solving import LIMIT_PENALTY, no_offsets, timed
from benchmarks.suite.lv_day import PYOMO, PYPSA
from dispatch.case.network import network_of
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.certificate import certify, require
from dispatch.solve.monolithic import Monolithic
from dispatch.solve.stores_only import plan_by_prices, prove

if TYPE_CHECKING:
    import xarray as xr

REPEATS, MOST_REPEATS = 7, 300
SPAN_S = 3.0
"""Short work is repeated for so long: the speed of a core that others share changes from second to second."""


def certified(case: xr.DataTree, least: int = REPEATS) -> Timing:
    """From arrays to the certified plan, with seconds by stage in the remark."""
    inputs, network, offsets = make_inputs(case, limit_penalty=LIMIT_PENALTY), network_of(case), no_offsets(case)
    stages: dict[str, float] = {}

    def work() -> tuple[float, float, int, int]:
        begin = time.perf_counter()
        found = plan_by_prices(inputs, network, offsets, LIMIT_PENALTY)
        solved = time.perf_counter()
        proof = prove(inputs, network, offsets, LIMIT_PENALTY, found)
        require(proof)
        stages.update(solve=solved - begin, certify=time.perf_counter() - solved)
        return proof.objective_relaxation, proof.gap_relaxation, int((found.limit_prices > 0).sum()), found.entries

    repeats = max(least, min(round(SPAN_S / timed(work, 1)[0].seconds), MOST_REPEATS))
    clock, (objective, gap, priced, entries) = timed(work, repeats)
    spent = ", ".join(f"{name} {seconds * 1e3:.3g} ms" for name, seconds in stages.items())
    return Timing(*clock, objective, f"gap {gap:.0e}, {priced} limits priced, {entries} entries; {spent}")


def one_program(case: xr.DataTree) -> Timing:
    """From arrays to the certified optimum of our own monolithic way with lazy rows."""
    inputs, network, offsets = make_inputs(case, limit_penalty=LIMIT_PENALTY), network_of(case), no_offsets(case)

    def work() -> float:
        found = Monolithic(compile_program(inputs), network, inputs).solve(offsets, LIMIT_PENALTY)
        require(certify(case, offsets, LIMIT_PENALTY, found.columns, found.prices))
        return found.objective

    clock, objective = timed(work)
    return Timing(*clock, objective, "lazy rows")


BENCHMARK = Benchmark(
    name="coordination",
    about="the way by prices from arrays to certified plan, beside general tools and our own one program",
    measures={"by prices, certified": certified},
    subjects=lambda: tuple(Subject(GRID, setting, partial(simbench_day, setting)) for setting in [*SETTINGS, "wide"]),
    small=lambda: (Subject("street", "small", street),),
    peers=(PYOMO, PYPSA),
    references=(Reference("dispatch: one program", one_program),),
)
