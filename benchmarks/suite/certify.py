"""What the certificate costs beside the solve that it certifies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.feeders import GRID, SETTINGS, simbench_day, street
from benchmarks.registry import Benchmark, Reference, Subject, Timing
from benchmarks.solving import LIMIT_PENALTY, build_and_solve, build_and_solve_by_prices, no_offsets, solve, timed
from dispatch.case.schema import reading
from dispatch.solve.certificate import certify

if TYPE_CHECKING:
    import xarray as xr


def certify_optimum(case: xr.DataTree) -> Timing:
    """Prove an optimum from case, plan and prices, the case's tables being read already, as in every run."""
    found, offsets = solve(case), no_offsets(case)
    with reading(case):
        clock, proof = timed(lambda: certify(case, offsets, LIMIT_PENALTY, found.columns, found.prices), 7)
    worst = max(proof.residual_primal, proof.residual_dual, abs(proof.gap_relaxation))
    return Timing(*clock, proof.objective_relaxation, f"residuals and gap at most {worst:.1e}")


BENCHMARK = Benchmark(
    name="certify",
    about="certify an optimum (target: a ratio of 20, 5 % of the solve)",
    measures={"certify": certify_optimum},
    subjects=lambda: tuple(Subject(GRID, setting, partial(simbench_day, setting)) for setting in SETTINGS),
    small=lambda: (Subject("street", "small", street),),
    references=(
        Reference("dispatch: one program", build_and_solve),
        Reference("dispatch: by prices", build_and_solve_by_prices),
    ),
)
