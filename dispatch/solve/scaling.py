"""Scaling by powers of two, exact both ways, so that nothing falls below what HiGHS drops."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from dispatch.errors import SolverError
from kernels.matrices import extremes_of_lines, extremes_of_numbers

SMALLEST = 1e-9
"""HiGHS drops matrix entries up to this size."""
LARGEST = 1e15
"""HiGHS refuses matrix entries from this size."""
COMFORTABLE = 1e-7
"""Rows alone are scaled while every entry stays above this."""
INFINITE = 1e20
"""HiGHS treats bounds from this size as infinite."""


def power_of_two(size: np.ndarray) -> np.ndarray:
    """Find the power of two that brings each size nearest to 1; 1 where the size is 0.

    Parameters
    ----------
    size : ndarray
        Not negative.

    Returns
    -------
    ndarray
    """
    return np.asarray(np.exp2(-np.round(np.log2(np.where(size > 0, size, 1.0)))))


def row_scale(matrix: sp.csr_matrix | sp.csc_matrix) -> np.ndarray:
    """Find a power of two for each row that brings its largest coefficient to about 1.

    A row whose smallest coefficient would come near what HiGHS drops is brought up further.

    Parameters
    ----------
    matrix : csr_matrix or csc_matrix (row, column)
        Rows to scale.

    Returns
    -------
    ndarray (row,)
    """
    return _scale(*extremes(matrix))


def _scale(largest: np.ndarray, smallest: np.ndarray) -> np.ndarray:
    """Powers of two for rows with these extremes."""
    scale = power_of_two(largest)
    short = COMFORTABLE / np.where(smallest > 0, smallest * scale, COMFORTABLE)
    return scale * np.where(short > 1, np.exp2(np.ceil(np.log2(np.minimum(short, 2.0**12)))), 1.0)


def row_and_column_scale(matrix: sp.csc_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Find powers of two for rows, and for columns too where rows alone leave entries too small.

    Parameters
    ----------
    matrix : csc_matrix (row, column)
        Program to scale.

    Returns
    -------
    rows : ndarray (row,)
        Factors of the rows.
    columns : ndarray (column,)
        Factors of the columns: a value is its scaled value times its factor.
    """
    rows, columns = np.ones(matrix.shape[0]), np.ones(matrix.shape[1])
    largest, smallest = extremes(matrix)
    if (smallest[largest > 0] >= COMFORTABLE * largest[largest > 0]).all():
        return _scale(largest, smallest), columns
    size = sp.csr_matrix(abs(matrix))
    for _ in range(6):
        low, high = extremes(_scaled(size, rows, columns))[::-1]
        rows = rows * power_of_two(np.sqrt(low * high))
        low, high = extremes(sp.csr_matrix(_scaled(size, rows, columns).T))[::-1]
        columns = columns * power_of_two(np.sqrt(low * high))
    return rows * row_scale(_scaled(size, rows, columns)), columns


def _scaled(matrix: sp.csr_matrix, rows: np.ndarray, columns: np.ndarray) -> sp.csr_matrix:
    return sp.csr_matrix(sp.diags(rows) @ matrix @ sp.diags(columns))


def require_span(matrix: sp.csr_matrix | sp.csc_matrix) -> None:
    """Refuse entries that HiGHS would drop or not take.

    Parameters
    ----------
    matrix : sparse matrix
        As it goes to the solver.

    Raises
    ------
    SolverError
        With the first such entry and its place.
    """
    size = np.abs(matrix.data)
    bad = (size <= SMALLEST) | ~(size < LARGEST)
    if bad.any():
        entry = matrix.tocoo()
        first = int(np.argmax(bad))
        raise SolverError(
            f"{int(bad.sum())} coefficients lie outside ({SMALLEST:g}, {LARGEST:g}) after scaling, the first is"
            f" {entry.data[first]:g} in row {entry.row[first]}, column {entry.col[first]}. Lines of nearly no impedance"
            " beside very long ones do this: merge their buses."
        )


def extremes(matrix: sp.csr_matrix | sp.csc_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Find the largest and the smallest magnitude of each row; 0 in empty rows.

    Parameters
    ----------
    matrix : csr_matrix or csc_matrix (row, column)
        Any.

    Returns
    -------
    ndarray (row,), ndarray (row,)
    """
    largest, smallest = np.empty((2, matrix.shape[0]))
    if matrix.format == "csc":
        extremes_of_numbers(matrix.indices, matrix.data, largest, smallest)
    else:
        extremes_of_lines(matrix.indptr, matrix.data, largest, smallest)
    return largest, smallest
