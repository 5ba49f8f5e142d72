from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dispatch.solve.certificate import certify, require


def test_lazy_rows_and_all_rows_have_one_optimum(recipe, generated, gap):
    feeder = generated(recipe, 1)
    lazy, every = feeder.solve(), feeder.solve(all_rows=True)
    assert gap(lazy.objective, every.objective) < 1e-9
    for solution in (lazy, every):
        require(certify(feeder.case, feeder.offsets, feeder.penalty, solution.columns, solution.prices))


@pytest.mark.parametrize("all_rows", [False, True])
@pytest.mark.parametrize("name", ["plain", "everything", "transformers side by side"])
def test_hot_solves_equal_cold_ones(name, all_rows, generated, offsets_like, gap):
    feeder, rng = generated(name, 1), np.random.default_rng(5)
    hot = feeder.monolithic(all_rows=all_rows)
    for penalty in (1e3, 1e6):
        offsets = offsets_like(feeder, rng, 1.0)
        found = hot.solve(offsets, penalty)
        cold = feeder.monolithic().solve(offsets, penalty)
        assert gap(found.objective, cold.objective) < 1e-9
        require(certify(feeder.case, offsets, penalty, found.columns, found.prices))
        assert hot.least_relaxation(offsets).total == pytest.approx(
            feeder.monolithic().least_relaxation(offsets).total, abs=1e-9
        )


def test_the_same_input_gives_the_same_bytes(generated):
    first, second = (generated("everything", 2).solve_elastic() for _ in range(2))
    assert first[0].columns.tobytes() == second[0].columns.tobytes()
    assert first[0].prices.limits.tobytes() == second[0].prices.limits.tobytes()


@pytest.mark.parametrize("name", ["small penalty", "taps", "everything"])
@pytest.mark.parametrize("seed", [0, 1])
def test_penalty_rises_until_only_the_least_relaxation_is_left(name, seed, generated):
    feeder = generated(name, seed)
    first = feeder.solve()
    solution, least = feeder.solve_elastic()
    assert solution.limit_penalty >= feeder.penalty
    if first.relaxation == 0:
        assert least is None
        return
    total = feeder.monolithic().least_relaxation(feeder.offsets).total
    assert solution.relaxation <= total * (1 + 1e-6) + 1e-7
    assert first.relaxation >= total - 1e-9
    if solution.limit_penalty > feeder.penalty:
        before = feeder.monolithic().solve(feeder.offsets, solution.limit_penalty / 10)
        assert before.relaxation > total * (1 + 1e-6) + 1e-7


def test_limit_prices_are_not_negative_and_inside_their_penalty(generated):
    feeder = generated("small penalty", 0)
    solution = feeder.solve()
    ceiling = feeder.penalty / feeder.limits.rating_of(solution.prices.keys)
    assert (solution.prices.limits >= 0).all()
    assert (solution.prices.limits <= ceiling * (1 + 1e-9)).all()
    relaxed = solution.slacks > 1e-9
    np.testing.assert_allclose(solution.prices.limits[relaxed], ceiling[relaxed])
    assert relaxed.any()


def test_more_rows_a_round_or_fewer_end_the_same(generated, gap, monkeypatch):
    feeder = generated("everything", 0)
    expected = feeder.solve().objective
    monkeypatch.setattr("dispatch.solve.engines.MOST_ROWS", 1)
    one = feeder.solve()
    assert gap(one.objective, expected) < 1e-9
    assert one.rounds > 3


def test_wider_limits_cost_less(generated):
    feeder = generated("plain", 0)
    o = feeder.offsets
    wide = replace(o, v_max=o.v_max - 0.01, v_min=o.v_min + 0.01, s=o.s - 1)
    tight = replace(o, v_max=o.v_max + 0.01, v_min=o.v_min - 0.01, s=o.s + 1)
    model = feeder.monolithic()
    cost = [model.solve(x, 1e4).objective for x in (wide, o, tight)]
    assert cost[0] < cost[1] < cost[2]
