"""The way by prices beside general tools and beside our own one program.

Ours is timed from the case in memory to the certified plan: parents by id, bounds, compiling, solving and the whole
certificate; peers from resolved arrays to their solver's optimum. One thread on both sides.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.feeders import GRID, SETTINGS, simbench_day, street
from benchmarks.registry import Benchmark, Reference, Subject, Timing
from benchmarks.solving import LIMIT_PENALTY, no_offsets, solve, timed
from benchmarks.suite.lv_day import PYOMO, PYPSA
from dispatch.case.network import network_of
from dispatch.case.schema import reading
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.certificate import certify, require
from dispatch.solve.decomposed import Decomposed

if TYPE_CHECKING:
    import xarray as xr


def certified(case: xr.DataTree) -> Timing:
    """From the case to the certified plan, with seconds by stage in the remark."""
    stages: dict[str, float] = {}

    def work() -> tuple[float, float, int]:
        stages.clear()
        with reading(case):
            begin = time.perf_counter()
            inputs, network, offsets = (
                make_inputs(case, limit_penalty=LIMIT_PENALTY),
                network_of(case),
                no_offsets(case),
            )
            program = compile_program(inputs)
            compiled = time.perf_counter()
            model = Decomposed(program, network, inputs)
            found = model.solve(offsets, LIMIT_PENALTY)
            solved = time.perf_counter()
            proof = certify(case, offsets, LIMIT_PENALTY, found.columns, found.prices)
            require(proof)
        stages.update(compile=compiled - begin, solve=solved - compiled, certify=time.perf_counter() - solved)
        if not found.method.startswith("decomposed"):
            raise RuntimeError(f"solved as {found.method}")
        return found.objective, proof.gap_relaxation, int((found.prices.limits > 0).sum())

    clock, (objective, gap, priced) = timed(work)
    spent = ", ".join(f"{name} {seconds * 1e3:.3g} ms" for name, seconds in stages.items())
    return Timing(*clock, objective, f"gap {gap:.0e}, {priced} limits priced; {spent}")


def one_program(case: xr.DataTree) -> Timing:
    """Our own monolithic way with lazy rows, certified."""

    def work() -> float:
        with reading(case):
            found, offsets = solve(case), no_offsets(case)
            require(certify(case, offsets, LIMIT_PENALTY, found.columns, found.prices))
        return found.objective

    clock, objective = timed(work)
    return Timing(*clock, objective, "lazy rows")


BENCHMARK = Benchmark(
    name="coordination",
    about="the way by prices from case to certified plan, beside general tools and our own one program",
    measures={"by prices, certified": certified},
    subjects=lambda: tuple(Subject(GRID, setting, partial(simbench_day, setting)) for setting in [*SETTINGS, "wide"]),
    small=lambda: (Subject("street", "small", street),),
    peers=(PYOMO, PYPSA),
    references=(Reference("dispatch: one program", one_program),),
)
