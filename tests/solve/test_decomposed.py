from __future__ import annotations

import numpy as np
import pytest

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import columns, has
from dispatch.solve import coordinate
from dispatch.solve.certificate import certify, require
from dispatch.solve.decomposed import Decomposed
from dispatch.solve.methods import make_model
from dispatch.solve.monolithic import Monolithic, solve_elastic

SEEDS = range(2)
KINDS = [name for name, kind in attribute_table().items() if not kind.result and name != "case"]


def priced(feeder):
    return Decomposed(feeder.program, feeder.network, feeder.inputs)


def proven(feeder, solution, offsets=None, penalty=None):
    offsets, penalty = offsets or feeder.offsets, penalty or feeder.penalty
    found = certify(feeder.case, offsets, penalty, solution.columns, solution.prices)
    require(found)
    return found


def test_prices_reach_the_optimum_of_the_whole_program(recipe, generated, gap):
    for seed in SEEDS:
        feeder = generated(recipe, seed)
        found, expected = priced(feeder).solve(feeder.offsets, feeder.penalty), feeder.solve()
        assert found.method.startswith("decomposed")
        assert gap(found.objective, expected.objective) < 1e-9
        certificate = proven(feeder, found)
        assert gap(certificate.objective_relaxation, found.objective) < 1e-9


def test_limits_bind_and_stores_price_themselves_in_most_recipes(generated):
    from generated_cases import RECIPES

    bind, by_kernel, meters = [], 0, 0
    for name in RECIPES:
        for seed in SEEDS:
            feeder = generated(name, seed)
            model = priced(feeder)
            bind.append((model.solve(feeder.offsets, feeder.penalty).prices.limits > 0).any())
            by_kernel += len(model.block.meters)
            meters += feeder.inputs.kinds["meter"].count
    assert np.mean(bind) >= 0.8
    assert by_kernel >= 0.6 * meters


@pytest.mark.parametrize("name", ["plain", "everything", "standing loss", "medium voltage, loop", "small penalty"])
def test_hot_solves_equal_cold_ones(name, generated, offsets_like, gap):
    feeder, rng = generated(name, 1), np.random.default_rng(5)
    hot = priced(feeder)
    for penalty in (1e3, 1e6, 1e3):
        offsets = offsets_like(feeder, rng, 1.0)
        found = hot.solve(offsets, penalty)
        cold = feeder.monolithic().solve(offsets, penalty)
        assert found.method.startswith("decomposed")
        assert gap(found.objective, cold.objective) < 1e-9
        proven(feeder, found, offsets, penalty)


@pytest.mark.parametrize("name", ["small penalty", "taps", "everything", "plain"])
def test_unavoidable_relaxation_is_the_same_both_ways(name, generated):
    feeder = generated(name, 0)
    mine, least = solve_elastic(priced(feeder), feeder.offsets, feeder.penalty)
    theirs, expected = feeder.solve_elastic()
    assert mine.limit_penalty == theirs.limit_penalty
    assert mine.relaxation == pytest.approx(theirs.relaxation, abs=1e-7)
    assert (least is None) == (expected is None)
    proven(feeder, mine, penalty=mine.limit_penalty)


def test_peaks_and_second_stores_are_left_to_the_program(generated):
    for name, attribute in (("peak price", "peak"), ("negative prices and losses", "battery")):
        feeder = generated(name, 0)
        at = feeder.inputs.kinds[attribute].nodes["meter"][1]
        others = np.unique(at) if attribute == "peak" else np.nonzero(np.bincount(at) > 1)[0]
        assert len(others)
        solution = priced(feeder).solve(feeder.offsets, feeder.penalty)
        assert solution.by_program == len(others)
        assert not np.isin(others, priced(feeder).block.meters).any()


def test_without_violated_limits_nothing_is_left_to_the_program(generated):
    feeder = generated("wide limits", 0)
    found = priced(feeder).solve(feeder.offsets, feeder.penalty)
    assert (
        found.entries
        == found.by_program * feeder.inputs.steps
        < 0.5 * len(feeder.inputs.kinds["meter"].ids) * feeder.inputs.steps
    )
    assert not len(found.prices.keys)
    proven(feeder, found)


def test_few_flows_at_first_end_the_same(generated, gap, monkeypatch):
    """Without an ascent every flow that matters must be found by the members' answers."""
    monkeypatch.setattr("dispatch.solve.ascent.ASCENTS", 1)
    monkeypatch.setattr("dispatch.solve.ascent.WINDOW", 1)
    for seed in SEEDS:
        feeder = generated("everything", seed)
        found = priced(feeder).solve(feeder.offsets, feeder.penalty)
        assert found.method.startswith("decomposed")
        assert gap(found.objective, feeder.solve().objective) < 1e-9
        proven(feeder, found)


def test_the_whole_program_is_solved_where_rounds_run_out(generated, gap, monkeypatch):
    monkeypatch.setattr(coordinate, "MOST_ROUNDS", 0)
    feeder = generated("plain", 0)
    found = priced(feeder).solve(feeder.offsets, feeder.penalty)
    assert found.method.startswith("monolithic")
    assert gap(found.objective, feeder.solve().objective) < 1e-12


def test_the_same_input_gives_the_same_bytes(generated):
    first, second = (
        priced(f).solve(f.offsets, f.penalty) for f in (generated("everything", 2), generated("everything", 2))
    )
    assert first.columns.tobytes() == second.columns.tobytes()
    assert first.prices.rows.tobytes() == second.prices.rows.tobytes()
    assert first.prices.limits.tobytes() == second.prices.limits.tobytes()


def test_the_method_is_chosen_by_what_the_kernel_can_price(generated):
    plain, peaks = generated("plain", 0), generated("peak price", 0)
    assert isinstance(make_model("auto", plain.program, plain.network, plain.inputs), Decomposed)
    assert isinstance(make_model("auto", peaks.program, peaks.network, peaks.inputs), Monolithic)
    assert isinstance(make_model("monolithic", plain.program, plain.network, plain.inputs), Monolithic)
    assert isinstance(make_model("decomposed", peaks.program, peaks.network, peaks.inputs), Decomposed)


def forecast_changed(feeder, rng):
    """Another load, generation and price at every meter and step, for the same elements."""
    tables = {name: dict(columns(feeder.case, name)) for name in KINDS if has(feeder.case, name)}
    for name in ("p_load", "p_available", "price_import", "price_export"):
        if name in tables["forecast"]:
            values = tables["forecast"][name]
            tables["forecast"][name] = values * rng.uniform(0.9, 1.1, values.shape)
    tables["forecast"]["price_import"] = np.maximum(
        tables["forecast"]["price_import"], tables["forecast"]["price_export"] + 1e-3
    )
    return tables


@pytest.mark.parametrize("name", ["plain", "everything", "several feeders", "taps", "wide limits", "small penalty"])
def test_a_newer_forecast_is_solved_hot_to_its_own_optimum(name, generated, feeder_of, gap):
    feeder, rng = generated(name, 3), np.random.default_rng(8)
    model = priced(feeder)
    model.solve(feeder.offsets, feeder.penalty)
    for _ in range(3):
        newer = feeder_of(forecast_changed(feeder, rng), feeder.penalty, feeder.offsets)
        assert model.renew(newer.program, newer.network, newer.inputs, feeder.penalty)
        found = model.solve(feeder.offsets, feeder.penalty)
        assert found.method.startswith("decomposed")
        assert gap(found.objective, newer.solve().objective) < 1e-9
        proven(newer, found)


@pytest.mark.parametrize("pushed", [-1.0, np.inf])
@pytest.mark.parametrize("name", ["plain", "everything", "several feeders"])
def test_a_quite_other_forecast_is_solved_from_prices_or_basis_of_before(
    name, pushed, generated, feeder_of, gap, monkeypatch
):
    monkeypatch.setattr(coordinate, "PUSHED", pushed)
    feeder = generated(name, 3)
    model = priced(feeder)
    model.solve(feeder.offsets, feeder.penalty)
    tables = {kind: dict(columns(feeder.case, kind)) for kind in KINDS if has(feeder.case, kind)}
    for series in {"p_load", "p_available"} & set(tables["forecast"]):
        tables["forecast"][series] = 1.4 * tables["forecast"][series]
    newer = feeder_of(tables, feeder.penalty, feeder.offsets)
    assert model.renew(newer.program, newer.network, newer.inputs, feeder.penalty)
    found = model.solve(feeder.offsets, feeder.penalty)
    assert gap(found.objective, newer.solve().objective) < 1e-9
    proven(newer, found)


def test_a_model_of_other_elements_is_not_renewed(generated, gap):
    feeder, other = generated("plain", 0), generated("plain", 1)
    model = priced(feeder)
    expected = model.solve(feeder.offsets, feeder.penalty).objective
    assert not model.renew(other.program, other.network, other.inputs, feeder.penalty)
    assert gap(model.solve(feeder.offsets, feeder.penalty).objective, expected) < 1e-9
