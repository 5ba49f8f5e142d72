"""The project's optimum against the rebuild's, over generated cases of every kind and one real feeder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from generated_cases import RECIPES, tables_of
from rebuild.model import Feeder, optimum
from rebuild.plain import plain

from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import build_case
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.model.linear import linear_flow
from dispatch.solve.monolithic import Monolithic

if TYPE_CHECKING:
    import xarray as xr

Given = tuple["xr.DataTree", dict[str, np.ndarray], float]
SEEDS = range(2)
SIMBENCH = Path(__file__).parents[2].parent / "shared/data/networks/simbench_scenario1_extract"


def within(value: float) -> float:
    """The agreement that is promised: 1e-6 relative."""
    return 1e-6 * max(1.0, abs(value))


@pytest.fixture(params=[(name, seed) for name in RECIPES for seed in SEEDS], ids=lambda p: f"{p[0]} {p[1]}")
def generated(request: pytest.FixtureRequest) -> Given:
    name, seed = request.param
    recipe = RECIPES[name]
    tables, offsets = tables_of(recipe, seed)
    return build_case(tables), offsets, recipe.limit_penalty


def monolithic(
    case: xr.DataTree, offsets: dict[str, np.ndarray], penalty: float, *, all_rows: bool = False
) -> tuple[Monolithic, Offsets]:
    given = Offsets(offsets["v_max"], offsets["v_min"], offsets["s"])
    inputs = make_inputs(case, offsets=given, limit_penalty=penalty)
    return Monolithic(compile_program(inputs), network_of(case), inputs, all_rows=all_rows), given


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


@pytest.mark.slow
@pytest.mark.skipif(not SIMBENCH.exists(), reason="needs the shared data beside the checkout")
@pytest.mark.parametrize("setting", ["reverse-flow", "small-transformer"])
def test_a_real_feeder_agrees(setting: str) -> None:
    from benchmarks.feeders import simbench_day

    case = simbench_day(setting, steps=60)
    network = network_of(case)
    none = Offsets.zero(network.buses, network.branches, 60)
    zero = {"v_max": none.v_max, "v_min": none.v_min, "s": none.s}
    own = optimum(plain(case), zero, method="highs-ds")
    found = monolithic(case, zero, 1e4)[0].solve(none, 1e4)
    assert found.objective == pytest.approx(own.objective, abs=within(own.objective))
