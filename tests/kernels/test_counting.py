"""Kernels that count before they add up, against NumPy, on a thousand generated inputs each."""

from __future__ import annotations

import numpy as np
import pytest

from kernels import entries, network_limits, ports, proof, store

CASES = 1000


def sprinkled(rng, shape, *values):
    """Numbers among which some are special."""
    found = rng.normal(0, 1, shape)
    for value in values:
        found[rng.random(shape) < 0.05] = value
    return found


def compiled_and_plain(kernel, *arguments):
    return kernel(*arguments), kernel.py_func(*arguments)


def of_limits(value, most, least, rating_most, rating_least, tolerance):
    """How many are above and below, and by how much in all, in units of the ratings."""
    above, below = value - most, least - value
    counts = tuple(int((a > tolerance * r[:, None]).sum()) for a, r in ((above, rating_most), (below, rating_least)))
    sums = [np.where(a > 0, a / r[:, None], 0.0).sum() for a, r in ((above, rating_most), (below, rating_least))]
    return counts, float(sum(sums))


def test_limits_beyond_and_relaxed():
    rng = np.random.default_rng(3)
    for _ in range(CASES):
        shape = (int(rng.integers(0, 6)), int(rng.integers(1, 9)))
        v, up, down = 1 + 0.1 * sprinkled(rng, shape, np.nan), *(0.02 * rng.normal(0, 1, (2, *shape)))
        v_max, v_min = rng.uniform(1.0, 1.2, shape[0]), rng.uniform(0.8, 1.0, shape[0])
        tolerance = float(rng.choice([0.0, 1e-10, 0.05]))
        counts, total = of_limits(v, v_max[:, None] - up, v_min[:, None] - down, v_max, v_min, tolerance)
        given = (v, up, v_max, down, v_min)
        for found in compiled_and_plain(network_limits.voltages_beyond, *given, tolerance):
            assert tuple(found) == counts
        for found in compiled_and_plain(network_limits.relaxed_voltages, *given):
            assert found == pytest.approx(total, rel=1e-9, abs=1e-12)

        p, forward, reverse = sprinkled(rng, shape, 0.0), *np.abs(sprinkled(rng, (2, *shape), 0.0, np.nan))
        rating = rng.uniform(0.5, 2.0, shape[0])
        counts, total = of_limits(p, forward, -reverse, rating, rating, tolerance)
        for found in compiled_and_plain(network_limits.flows_beyond, p, forward, reverse, rating, tolerance):
            assert tuple(found) == counts
        for found in compiled_and_plain(network_limits.relaxed_flows, p, forward, reverse, rating):
            assert found == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_values_inside_their_bounds():
    rng = np.random.default_rng(4)
    seen = set()
    for _ in range(CASES):
        n = int(rng.integers(0, 12))
        value = sprinkled(rng, n, *((np.nan,) if rng.random() < 0.2 else ()))
        lower = np.where(rng.random(n) < 0.3, -np.inf, np.minimum(value, 0) - rng.choice([0, 0, -1e-3], n))
        upper = np.where(rng.random(n) < 0.3, np.inf, np.maximum(value, 0) + rng.choice([0, 0, -1e-3], n))
        with np.errstate(invalid="ignore"):
            sides = (lower - value) / (1 + np.abs(lower)), (value - upper) / (1 + np.abs(upper))
        beyond = np.fmax(*sides)  # an infinite bound makes NaN of its side
        beyond[np.isnan(value)] = np.nan
        worst = np.nan if np.isnan(value).any() else float(np.nanmax(beyond, initial=0.0))
        assert proof.worst_outside(value, lower, upper) == pytest.approx(worst, rel=1e-9, nan_ok=True)
        for tolerance in (0.0, 1e-6, 1e-2):
            expected = bool(worst <= tolerance)
            assert proof.all_inside(value, lower, upper, tolerance) == expected
            seen.add(expected)
    assert seen == {True, False}


@pytest.mark.parametrize("special", [None, np.nan, np.inf, -np.inf])
def test_finite_values_and_those_of_nobody(special):
    rng = np.random.default_rng(5)
    for _ in range(CASES // 4):
        values = sprinkled(rng, (int(rng.integers(1, 6)), int(rng.integers(1, 9))), 0.0)
        values[rng.random(len(values)) < 0.3] = 0.0
        own = rng.random(len(values)) < 0.5
        others = np.abs(values[~own]).max(initial=0.0)
        assert proof.largest_of_others(values, own) == others
        if special is not None:
            values[rng.integers(len(values)), -1] = special
        assert proof.all_finite(values.ravel()) == (special is None)


def test_values_that_never_change():
    rng = np.random.default_rng(6)
    seen = set()
    for _ in range(CASES):
        values = np.repeat(rng.normal(0, 1, (int(rng.integers(0, 5)), 1)), int(rng.integers(1, 9)), axis=1)
        if values.size and rng.random() < 0.5:
            values[rng.integers(values.shape[0]), rng.integers(values.shape[1])] = rng.choice([0.5, np.nan])
        expected = bool((values == values[:, :1]).all())
        assert store.never_changes(values) == expected
        seen.add(expected)
    assert seen == {True, False}


def test_costs_of_plans():
    rng = np.random.default_rng(8)
    for _ in range(CASES):
        count, steps = (int(n) for n in rng.integers(1, 7, 2))
        one = np.zeros((count, steps))
        cost, flow = rng.normal(0, 1, (2, entries.FLOWS, count, steps))
        shortfall, bus = np.abs(rng.normal(0, 1, one.shape)), rng.integers(0, 5, count)
        price, lacking = rng.normal(0, 1, (5, steps)), float(rng.uniform(0, 9))
        idle = np.ones(count)
        members = entries.Members(cost, cost, one, one, one, one, one, idle, idle, idle, lacking)
        found = np.empty(count)
        ports.add_costs(members, flow, shortfall, price, bus, np.empty(steps), found)
        given = flow[entries.EXPORT] - flow[entries.IMPORT]
        expected = (cost * flow).sum(axis=(0, 2)) + (lacking * shortfall + price[bus] * given).sum(axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
