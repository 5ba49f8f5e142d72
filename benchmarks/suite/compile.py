"""Compile a day of the embedded town."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.feeders import street, town_day
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import timed
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs

if TYPE_CHECKING:
    import xarray as xr


def compile_day(case: xr.DataTree) -> Timing:
    """Turn inputs of a case into arrays for the solver, after warm-up."""
    inputs = make_inputs(case)
    clock, program = timed(lambda: compile_program(inputs))
    return Timing(*clock, note=f"{program.matrix.shape[1]} columns, {program.matrix.nnz} nonzeros")


def resolve_day(case: xr.DataTree) -> Timing:
    """Turn a case into inputs: ids to positions, bounds, reactive flows."""
    return Timing(*timed(lambda: make_inputs(case))[0])


def compile_with_network(case: xr.DataTree) -> Timing:
    """Do the same with every network row stated."""
    inputs = make_inputs(case)
    clock, program = timed(lambda: compile_program(inputs, network=True))
    return Timing(*clock, note=f"{program.matrix.shape[1]} columns, {program.matrix.nnz} nonzeros")


BENCHMARK = Benchmark(
    name="compile",
    about="compile one day of the embedded town (target: 0.5 s after warm-up)",
    measures={"compile": compile_day, "compile with network": compile_with_network, "resolve inputs": resolve_day},
    subjects=lambda: tuple(Subject("town", season, partial(town_day, season)) for season in ("summer", "winter")),
    small=lambda: (Subject("street", "small", street),),
)
