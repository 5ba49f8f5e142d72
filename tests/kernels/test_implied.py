"""Bounds that rows imply, against a twin that reads every row in every pass."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from kernels.implied import imply_bounds


def naive(dense, sides, bounds, open_ended):
    """Tighten until nothing changes; an entry's bound is what its row leaves for it at worst."""
    while True:
        found = bounds.copy()
        for row, (low, high) in zip(dense, sides.T, strict=True):
            used = np.nonzero(row)[0]
            for j in used[open_ended[used]]:
                others = [sorted(row[k] * bounds[:, k]) for k in used if k != j]
                least, greatest = (sum(o[side] for o in others) for side in (0, 1))
                ends = ((low - greatest) / row[j], (high - least) / row[j])[:: int(np.sign(row[j]))]
                if not np.isfinite(bounds[0, j]) and np.isfinite(ends[0]):
                    found[0, j] = max(found[0, j], ends[0])
                if not np.isfinite(bounds[1, j]) and np.isfinite(ends[1]):
                    found[1, j] = min(found[1, j], ends[1])
        if np.array_equal(found, bounds):
            return found
        bounds = found


def test_equals_its_twin_on_a_thousand_programs():
    rng = np.random.default_rng(5)
    bounded = 0
    for _ in range(1000):
        rows, columns = rng.integers(1, 7, 2)
        dense = np.where(rng.random((rows, columns)) < 0.5, rng.choice([-2.0, -1.0, 0.5, 1.0], (rows, columns)), 0.0)
        point = rng.integers(-3, 4, columns).astype(float)
        room = np.array([[-1.0], [1.0]])
        sides = dense @ point + room * rng.integers(0, 4, (2, rows))
        bounds = point + room * rng.integers(0, 4, (2, columns))
        for side, end in enumerate((-np.inf, np.inf)):
            sides[side, rng.random(rows) < 0.3] = end
            bounds[side, rng.random(columns) < 0.5] = end
        open_ended = ~np.isfinite(bounds).all(axis=0)
        expected = naive(dense, sides, bounds, open_ended)
        assert ((expected[0] <= point) & (point <= expected[1])).all()
        bounded += np.isfinite(expected).sum() > np.isfinite(bounds).sum()
        by_row, by_column = sp.csr_matrix(dense), sp.csc_matrix(dense)
        for kernel in (imply_bounds, imply_bounds.py_func):
            found = bounds.copy()
            of_column = (by_column.indptr, by_column.indices)
            kernel(by_row.indptr, by_row.indices, by_row.data, of_column, sides, found, open_ended)
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert bounded > 300
