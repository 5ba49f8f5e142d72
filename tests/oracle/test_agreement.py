"""The project's optimum against the rebuild's, over generated cases of every kind and one real feeder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from generated_cases import RECIPES, tables_of
from ours import monolithic, within
from rebuild.model import Feeder, optimum
from rebuild.plain import plain

from dispatch.case.network import network_of
from dispatch.case.schema import build_case
from dispatch.model.linear import linear_flow

if TYPE_CHECKING:
    import xarray as xr

Given = tuple["xr.DataTree", dict[str, np.ndarray], float]
SEEDS = range(2)


@pytest.fixture(params=[(name, seed) for name in RECIPES for seed in SEEDS], ids=lambda p: f"{p[0]} {p[1]}")
def generated(request: pytest.FixtureRequest) -> Given:
    name, seed = request.param
    recipe = RECIPES[name]
    tables, offsets = tables_of(recipe, seed)
    return build_case(tables), offsets, recipe.limit_penalty


def test_optimum_and_least_relaxation_agree(generated: Given) -> None:
    case, offsets, penalty = generated
    expected = Feeder(plain(case), offsets, penalty)
    ours, given = monolithic(case, offsets, penalty)
    own = expected.optimum()
    found = ours.solve(given, penalty)
    assert found.objective == pytest.approx(own.objective, abs=within(own.objective))
    least = expected.least_relaxation()
    assert ours.least_relaxation(given).total == pytest.approx(least, abs=within(least))


@pytest.mark.parametrize("name", RECIPES)
def test_all_rows_agree_too(name: str) -> None:
    recipe = RECIPES[name]
    tables, offsets = tables_of(recipe, 7)
    case = build_case(tables)
    own = optimum(plain(case), offsets, recipe.limit_penalty)
    ours, given = monolithic(case, offsets, recipe.limit_penalty, all_rows=True)
    found = ours.solve(given, recipe.limit_penalty)
    assert found.objective == pytest.approx(own.objective, abs=within(own.objective))


@pytest.mark.parametrize("name", ["plain", "two loops, flipped", "transformers side by side", "source below"])
def test_linear_flow_of_the_optimum_agrees(name: str) -> None:
    recipe = RECIPES[name]
    tables, offsets = tables_of(recipe, 11)
    case = build_case(tables)
    feeder = Feeder(plain(case), offsets, recipe.limit_penalty)
    own = feeder.optimum().values
    p = np.zeros((len(tables["bus"]["id"]), recipe.steps))
    for meter, bus in enumerate(feeder.meter_bus):
        p[bus] += own["p_export", meter] - own["p_import", meter]
    found = linear_flow(network_of(case), p, feeder.reactive())
    branches = range(len(found.p))
    assert np.allclose(found.p, [own["p", k] for k in branches], rtol=0, atol=1e-5)
    assert np.allclose(found.q, [own["q", k] for k in branches], rtol=0, atol=1e-5)
    assert np.allclose(found.v_squared, [own["v_squared", k] * 1e-4 for k in range(len(p))], rtol=0, atol=1e-8)


def test_generated_cases_use_what_they_are_made_for() -> None:
    """Guards against cases in which nothing binds: each recipe must be felt by at least one seed."""
    felt = dict.fromkeys(("relaxation", "p_curtailed", "p_unserved", "p_spilled", "shortfall", "p_peak"), 0.0)
    costs = {}
    for name, recipe in RECIPES.items():
        tables, offsets = tables_of(recipe, 0)
        found = optimum(plain(build_case(tables)), offsets, recipe.limit_penalty)
        costs[name] = found.objective
        felt["relaxation"] += found.relaxation
        for (column, _), values in found.values.items():
            if column in felt:
                felt[column] += values.sum()
    assert all(amount > 1e-3 for amount in felt.values()), felt
    assert len({round(cost, 6) for cost in costs.values()}) >= len(costs) - 2
