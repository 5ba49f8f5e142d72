from __future__ import annotations

import numpy as np
import pytest

from kernels._jit import bare_kernel
from kernels._vector import (
    every,
    fill,
    fill_wide,
    greatest,
    least,
    load,
    load_wide,
    root,
    select,
    store,
    total,
)  # fmt: skip


@bare_kernel
def arithmetic(a, b, out) -> float:
    x, y, number = load(a, 1), load(b, 2), fill(3.0)
    store(out, 0, x + y)
    store(out, 4, x - y)
    store(out, 8, x * y + number)
    store(out, 12, root(x) / y)
    sums = fill(0.0)
    for i in range(0, 8, 4):
        sums = sums + load(a, i) * load(b, i)
    return total(sums)


@pytest.mark.parametrize("function", [arithmetic, arithmetic.py_func])
def test_vectors_compute_like_arrays(function) -> None:
    rng = np.random.default_rng(0)
    a, b, out = rng.random(8), 1 + rng.random(8), np.full(18, np.nan)
    found = function(a, b, out)
    x, y = a[1:5], b[2:6]
    np.testing.assert_allclose(out[:16], np.concatenate([x + y, x - y, x * y + 3, np.sqrt(x) / y]), rtol=1e-15)
    assert np.isnan(out[16:]).all()
    assert found == pytest.approx(a @ b, rel=1e-15)


def test_unknown_gives_unknown() -> None:
    out = np.zeros(16)
    arithmetic(np.array([0.0, np.nan, -1.0, np.inf, 1.0, 1.0, 1.0, 1.0]), np.ones(8), out)
    np.testing.assert_array_equal(out[::4], [np.nan] * 4)
    np.testing.assert_array_equal(out[1::4], [0.0, -2.0, 2.0, np.nan])
    np.testing.assert_array_equal(out[2::4], [np.inf] * 4)


@bare_kernel
def choices(a, b, out) -> bool:
    x, y = load_wide(a, 0), load_wide(b, 0)
    store(out, 0, select(x > y, x, -1.0))
    store(out, 8, select((x >= 0.5) & (y < 0.5), y, fill_wide(7.0)))
    store(out, 16, greatest(x, 0.5))
    store(out, 24, least(x, y))
    store(out, 32, select(x != x, 1.0, 2.0 - x))  # noqa: PLR0124
    out[40] = greatest(least(a[0], 0.5), 0.25)
    out[41] = select(a[1] <= b[1], root(a[1]), 3.0)
    return every(x <= 1.0)


@pytest.mark.parametrize("function", [choices, choices.py_func])
def test_vectors_are_compared_like_arrays_and_unknown_stays_unknown(function) -> None:
    rng = np.random.default_rng(1)
    x, y, out = rng.random(8), rng.random(8), np.full(42, np.nan)
    assert function(x, y, out)
    np.testing.assert_array_equal(out[:8], [a if a > b else -1.0 for a, b in zip(x, y, strict=True)])
    np.testing.assert_array_equal(out[8:16], [b if a >= 0.5 > b else 7.0 for a, b in zip(x, y, strict=True)])
    np.testing.assert_array_equal(out[16:24], np.maximum(x, 0.5))
    np.testing.assert_array_equal(out[24:32], np.minimum(x, y))
    np.testing.assert_array_equal(out[32:40], 2.0 - x)
    assert out[40] == min(max(x[0], 0.25), 0.5)
    assert out[41] == (np.sqrt(x[1]) if x[1] <= y[1] else 3.0)
    x[3] = np.nan
    assert not function(x, y, out)
    np.testing.assert_array_equal(out[3:40:8], [-1.0, 7.0, np.nan, np.nan, 1.0])
