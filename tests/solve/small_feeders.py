"""Small feeders by recipe and seed, compiled and ready to solve."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import build_case, protect, reading
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.monolithic import Monolithic, solve_elastic

for folder in ("oracle", "kernels", "batch"):
    sys.path.append(str(Path(__file__).parents[1] / folder))
from generated_cases import RECIPES, tables_of  # noqa: E402


@dataclass
class Feeder:
    """A case with everything that solving it takes."""

    case: object
    offsets: Offsets
    penalty: float
    network: object = field(init=False)
    inputs: object = field(init=False)
    program: object = field(init=False)

    def __post_init__(self):
        with reading(self.case):
            self.network = network_of(self.case)
            self.inputs = make_inputs(self.case, offsets=self.offsets, limit_penalty=self.penalty)
        self.program = compile_program(self.inputs)

    @property
    def limits(self):
        return limits_of(self.program, self.network, self.inputs, self.offsets)

    def monolithic(self, **settings):
        return Monolithic(self.program, self.network, self.inputs, **settings)

    def solve(self, **settings):
        return self.monolithic(**settings).solve(self.offsets, self.penalty)

    def solve_elastic(self, **settings):
        return solve_elastic(self.monolithic(**settings), self.offsets, self.penalty)


def feeder_of(tables, penalty=1e4, offsets=None):
    case = build_case(tables)
    network = network_of(case)
    steps = len(tables["forecast"]["time"])
    return Feeder(case, offsets or Offsets.zero(network.buses, network.branches, steps), penalty)


@cache
def generated(name, seed):
    """One for all tests, so nobody may write to it."""
    recipe = RECIPES[name]
    tables, offset = tables_of(recipe, seed)
    feeder = feeder_of(tables, recipe.limit_penalty, Offsets(**offset))
    program = feeder.program
    protect(program.matrix.data, program.row_lower, program.row_upper, program.lower, program.upper, program.cost)
    protect(program.injection.data, program.injection_constant, *(offset[n] for n in ("v_max", "v_min", "s")))
    return feeder


def relative(a, b):
    return abs(a - b) / max(1.0, abs(b))
