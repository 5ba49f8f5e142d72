from __future__ import annotations

import numpy as np
import pytest

from kernels._jit import bare_kernel
from kernels._vector import fill, load, root, store, total


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
