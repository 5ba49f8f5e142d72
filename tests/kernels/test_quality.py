from __future__ import annotations

import naive_quality
import numpy as np
import pytest

from kernels.quality import Rules, clean_all

RULES = Rules(stuck=4, outage=8, low=0.005, high=0.995, far=3.0, net=0.02)


def damaged(rng):
    """Series with faults of every kind, and some that only look like them."""
    steps = int(rng.integers(1, 400))
    series = np.round(rng.gamma(2, 1, (6, steps)), int(rng.integers(0, 3))) + 0.5
    for row in series:
        for value in (np.nan, np.inf, 0.0, row[0], 3.0):
            if rng.random() < 0.5:
                first = int(rng.integers(0, steps))
                row[first : first + int(rng.integers(1, 30))] = value
        if rng.random() < 0.5:
            row[rng.random(steps) < 0.01] *= rng.choice([-1.0, 200.0, -200.0])
    series[4] = rng.choice([0.0, 1.0, np.nan])
    series[5, ::2] = series[5, : 2 * len(series[5, ::2]) : 2]
    return series


def agree(clean, rng):
    given = damaged(rng)
    cleaned, counts = given.copy(), np.full((6, 5), -1)
    clean(cleaned, RULES, counts)
    for s, series in enumerate(given):
        expected, faults = naive_quality.clean(series, **RULES._asdict())
        assert counts[s].tolist() == faults
        np.testing.assert_array_equal(cleaned[s], expected)
    return counts


@pytest.mark.slow
def test_equals_its_slow_twin_on_a_thousand_series() -> None:
    rng, found = np.random.default_rng(4), np.zeros(5, int)
    for _ in range(200):
        found += (agree(clean_all, rng) > 0).sum(axis=0)
    assert (found > 20).all()


def test_uncompiled_equals_compiled() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        agree(getattr(clean_all, "py_func", clean_all), rng)


def test_two_values_in_turn_and_pairs_of_one_are_not_stuck() -> None:
    pairs = np.repeat(np.arange(40.0) % 7 + 1, 2)[None]  # as of a meter that is read every other step
    counts = np.zeros((1, 5), int)
    clean_all(pairs, RULES, counts)
    assert counts.tolist() == [[0, 0, 0, 0, 0]]
