"""Limits of several feeders and of what they share: sweeps and rows agree with each feeder's own, and with sums."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import STEPS, TIME, tiny_case

from dispatch.case.network import network_of
from dispatch.case.shared_limits import SharedLimit
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.limits.combined import CombinedLimits
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.limits.shared import BUDGET, SHARED, SharedLimits
from dispatch.solve.protocols import KEY
from dispatch.solve.shared_rows import shared_rows

SCALE = np.array([1.0, 0.25, 0.5])
ADDED, PENALTY = np.arange(12.0), 10_000.0
BUDGET_KG, INTENSITY = 6.0, 0.4


@pytest.fixture(scope="module")
def parts() -> list:
    """Limits of three feeders of different sizes."""
    found = []
    for houses in (1, 3, 2):
        case = tiny_case(houses=houses)
        inputs = make_inputs(case)
        found.append(limits_of(compile_program(inputs), network_of(case), inputs))
    return found


@pytest.fixture(scope="module")
def limits(parts: list) -> CombinedLimits:
    given = [
        SharedLimit("all", p_export_max=5.0, p_import_max=7.0),
        SharedLimit("carbon", emission_max=BUDGET_KG, intensity=(INTENSITY,)),
    ]
    rows = shared_rows(given, ["a", "b", "c"], TIME, 1.0, np.zeros((3, STEPS)))
    steps = [np.arange(STEPS)] * 3
    return CombinedLimits(parts, SCALE, SharedLimits(rows, ADDED, PENALTY, steps))


def test_rows_say_what_sweeps_say(parts: list, limits: CombinedLimits) -> None:
    draw = np.random.default_rng(1)
    for size in (1.0, 30.0, 300.0):
        x = draw.normal(size=limits.ports) * size
        x = np.where(_is_q(parts), 0.0, x)
        keys, amounts = limits.exceeded(x)
        assert np.array_equal(keys, np.sort(keys))
        rows = limits.rows(keys)
        np.testing.assert_allclose(rows.matrix @ x - rows.bound, amounts, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(rows.rating, limits.rating_of(keys))
        named = limits.violated(x, 1e-9, 10**6, np.zeros(0, KEY))
        assert set(named.tolist()) <= set(keys.tolist())
        assert bool(len(named)) == bool(len(keys))
        assert not np.isin(named, limits.violated(x, 1e-9, 10**6, named)).any()


def test_shared_rows_are_sums_over_feeders(parts: list, limits: CombinedLimits) -> None:
    x = np.random.default_rng(2).normal(size=limits.ports)
    taken = _taken(parts, x)
    keys = np.zeros(8, KEY)
    keys["kind"], keys["element"], keys["step"] = SHARED, np.arange(8), np.tile(np.arange(STEPS), 2)
    rows = limits.rows(keys)
    np.testing.assert_allclose(rows.matrix @ x, np.concatenate([taken, -taken]), atol=1e-12)
    np.testing.assert_allclose(rows.bound, np.repeat([7.0, 5.0], STEPS) - ADDED[:8])
    np.testing.assert_array_equal(limits.bound(keys), rows.bound)


def test_a_budget_is_over_the_steps_in_which_something_is_taken(parts: list, limits: CombinedLimits) -> None:
    draw, seen = np.random.default_rng(3), set()
    for _ in range(20):
        x = draw.normal(size=limits.ports) * 3
        used = INTENSITY * np.maximum(_taken(parts, x) + ADDED[8:], 0.0).sum()
        keys, amounts = limits.exceeded(x)
        own = keys["kind"] == BUDGET
        assert own.sum() == (used > BUDGET_KG)
        np.testing.assert_allclose(amounts[own], np.full(own.sum(), used - BUDGET_KG))
        seen |= set(keys[own].tolist())
        for name in seen:  # a set of other steps asks for no more than the budget
            row = limits.rows(np.array([name], KEY))
            assert (row.matrix @ x - row.bound)[0] <= used - BUDGET_KG + 1e-9
    assert len(seen) > 2
    keys, price = np.array(sorted(seen), KEY), np.arange(1.0, len(seen) + 1)
    found = limits.shared.prices(keys, price)
    assert found.budgets.tolist() == [price.sum()]
    assert found.rows[:8].tolist() == [0.0] * 8
    assert (found.rows <= price.sum() * INTENSITY + 1e-12).all()


def test_limits_of_feeders_keep_their_bounds_and_cost_their_own_penalty(parts: list, limits: CombinedLimits) -> None:
    x = np.full(limits.ports, 200.0)
    keys, _ = limits.exceeded(x)
    first = 0
    for k, part in enumerate(parts):
        own, amount = part.exceeded(x[: part.ports])
        mine = keys[(keys["kind"] < SHARED) & (keys["element"] >= first) & (keys["element"] < first + 2)]
        buses = mine[mine["kind"] < 2]
        named = own[own["kind"] < 2]
        assert len(buses) == len(named) > 0
        np.testing.assert_allclose(limits.rating_of(buses), part.rating_of(named) / SCALE[k])
        np.testing.assert_array_equal(limits.bound(buses), part.bound(named))
        assert (amount > 0).all()
        first += part.network.buses


def _taken(parts: list, x: np.ndarray) -> np.ndarray:
    taken, first = np.zeros(STEPS), 0
    for part in parts:
        taken -= x[first : first + part.ports // 2].reshape(-1, STEPS).sum(axis=0)
        first += part.ports
    return taken


def _is_q(parts: list) -> np.ndarray:
    return np.concatenate([np.repeat([False, True], part.ports // 2) for part in parts])
