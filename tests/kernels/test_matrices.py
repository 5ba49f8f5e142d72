"""Sparse matrices on their way to a solver, against scipy and dense ones."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from kernels.matrices import connect, extremes_of_lines, extremes_of_numbers, keep_lines, keep_numbers, scale_lines


@pytest.fixture(params=range(40))
def matrix(request):
    rng = np.random.default_rng(request.param)
    rows, columns = rng.integers(1, 30, 2)
    found = sp.random(rows, columns, rng.uniform(0, 0.3), format="csc", random_state=request.param)
    found.data = rng.normal(size=found.nnz)
    return found


def room(matrix, lines):
    return np.empty(lines + 1, np.int32), np.empty(matrix.nnz, np.int32), np.empty(matrix.nnz)


def place_of(kept):
    return np.where(kept, np.cumsum(kept) - 1, -1)


def test_columns_that_are_kept_have_ascending_rows(matrix):
    kept = np.random.default_rng(matrix.nnz).random(matrix.shape[1]) < 0.6
    turned = matrix.copy()
    for j in range(matrix.shape[1]):  # entries of each column in the opposite order
        those = slice(matrix.indptr[j], matrix.indptr[j + 1])
        turned.indices[those], turned.data[those] = matrix.indices[those][::-1], matrix.data[those][::-1]
    start, number, value = room(matrix, kept.sum())
    count = keep_lines(turned.indptr, turned.indices, turned.data, place_of(kept), start, number, value)
    expected = matrix[:, np.nonzero(kept)[0]].sorted_indices()
    assert count == expected.nnz
    np.testing.assert_array_equal(start, expected.indptr)
    np.testing.assert_array_equal(number[:count], expected.indices)
    np.testing.assert_array_equal(value[:count], expected.data)


def test_columns_are_left_out_of_rows(matrix):
    kept = np.random.default_rng(matrix.nnz).random(matrix.shape[1]) < 0.6
    by_row = matrix.tocsr()
    start, number, value = room(matrix, matrix.shape[0])
    count = keep_numbers(by_row.indptr, by_row.indices, by_row.data, place_of(kept), start, number, value)
    found = sp.csr_matrix((value[:count], number[:count], start), (matrix.shape[0], int(kept.sum())))
    np.testing.assert_array_equal(found.toarray(), matrix.toarray()[:, kept])


def test_extremes_by_rows_and_by_columns(matrix):
    size = np.abs(matrix.toarray())
    largest, smallest = size.max(axis=1), np.where(size > 0, size, np.inf).min(axis=1)
    smallest[np.isinf(smallest)] = 0.0
    for find, first, stored in (
        (extremes_of_numbers, "indices", matrix),
        (extremes_of_lines, "indptr", matrix.tocsr()),
    ):
        found = np.full((2, matrix.shape[0]), np.nan)
        find(getattr(stored, first), stored.data, *found)
        np.testing.assert_array_equal(found, [largest, smallest])


def test_scaling(matrix):
    rng = np.random.default_rng(matrix.nnz)
    rows, columns = rng.random(matrix.shape[0]), rng.random(matrix.shape[1])
    expected = rows[:, None] * matrix.toarray() * columns
    scale_lines(matrix.indptr, matrix.indices, matrix.data, columns, rows)
    np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-15)


def test_what_entries_connect(matrix):
    rows, columns = matrix.shape
    above, label = np.empty((2, columns + rows), np.int32)
    count = connect(matrix.indptr, matrix.indices, columns, above, label)
    edges = sp.block_array([[sp.csr_matrix((columns, columns)), matrix.T], [matrix, sp.csr_matrix((rows, rows))]])
    expected, labels = connected_components(edges, directed=False)
    assert count == expected
    np.testing.assert_array_equal(label, labels)
