from __future__ import annotations

import numpy as np
import pytest

from dispatch.errors import InputError
from dispatch.forecast.quantiles import checked_quantiles, residual_quantiles
from kernels.quantile import grouped_quantiles, sorted_quantile


def naive_quantiles(values, group, levels, least, beside=0):
    rows = []
    for series in values:
        whole = [v for v in series if np.isfinite(v)]
        row = []
        for g in range(max(group) + 1):
            near = {g, g - beside, g + beside}
            part = [v for v, k in zip(series, group, strict=True) if k in near and np.isfinite(v)]
            used = part if len(part) >= least else whole
            row.append(np.quantile(used, levels, method="weibull") if used else np.full(len(levels), np.nan))
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("compiled", [True, False])
def test_equals_slow_twin_on_a_thousand_groups(compiled: bool) -> None:
    rng = np.random.default_rng(3)
    function = grouped_quantiles if compiled else grouped_quantiles.py_func
    for _ in range(250):
        samples, groups = int(rng.integers(1, 40)), int(rng.integers(1, 5))
        values = rng.normal(size=(int(rng.integers(1, 4)), samples)).round(1)
        values[rng.random(values.shape) < rng.choice([0, 0.3, 1], p=[0.5, 0.4, 0.1])] = np.nan
        group = np.sort(np.append(rng.integers(0, groups, samples - 1), groups - 1))
        rng.shuffle(group)
        levels, least = np.sort(rng.uniform(0.01, 0.99, 3)), int(rng.integers(1, 8))
        order = np.argsort(group, kind="stable")
        first = np.searchsorted(group[order], np.arange(groups + 1))
        beside = int(rng.integers(0, 3))
        expected = naive_quantiles(values, group, levels, least, beside)
        np.testing.assert_allclose(function(values, order, first, beside, levels, least), expected, atol=1e-12)
        found = residual_quantiles(values, group, levels, least=least, beside=beside)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_ends_of_the_sample_bound_the_quantiles() -> None:
    ordered = np.array([1.0, 2.0, 3.0])
    for function in (sorted_quantile, sorted_quantile.py_func):
        assert [function(ordered, 3, q) for q in (0.01, 0.25, 0.5, 0.75, 0.99)] == [1, 1, 2, 3, 3]


@pytest.mark.parametrize("given", [[], [10, 50, 90], [0.5, 1.0], [float("nan")]])
def test_quantiles_that_are_none_are_refused(given) -> None:
    with pytest.raises(InputError, match=r"0\.1 0\.5 0\.9"):
        checked_quantiles(given)


def test_quantiles_are_sorted_and_named_once() -> None:
    assert checked_quantiles([0.9, 0.1, 0.5, 0.1]).tolist() == [0.1, 0.5, 0.9]
