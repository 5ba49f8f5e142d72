"""Independent ways to one optimum: lazy rows by simplex, all rows by interior point, the explicit model by Pyomo."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest
from small_feeders import RECIPES, generated, relative

from dispatch.model.compiler import compile_program
from dispatch.model.explicit import explicit_model
from dispatch.solve.highs import Highs

SEEDS = range(9)


def by_interior_point(feeder):
    full = compile_program(feeder.inputs, network=True)
    arrays = (full.matrix, full.row_lower, full.row_upper, full.lower, full.upper, full.cost)
    found = Highs(*arrays).solve(("interior point",))
    assert found.method == "interior point"
    return found.objective + full.constant


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_simplex_and_interior_point_agree(name):
    for seed in SEEDS:
        feeder = generated(name, seed)
        assert relative(by_interior_point(feeder), feeder.solve().objective) < 1e-6


def test_there_are_three_hundred():
    assert len(RECIPES) * len(SEEDS) >= 300


@pytest.mark.parametrize("name", ["plain", "peak price over two months", "two loops, flipped", "green-only", "taps"])
def test_the_explicit_model_agrees(name):
    feeder = generated(name, 3)
    model = explicit_model(feeder.inputs, network=True)
    solver = pyo.SolverFactory("appsi_highs")
    solver.highs_options = {"threads": 1}  # HiGHS has one pool of threads a process, and ours has one thread
    solver.solve(model)
    objective = next(model.component_data_objects(pyo.Objective, active=True))
    assert relative(pyo.value(objective), feeder.solve().objective) < 1e-6
