"""Placing blocks of coefficients into a sparse matrix that is stored by columns.

A block has an entry for each of its elements and steps: row ``row_of[element] + row_step[step]``, column
``column_of[element] + column_step[step]``, value ``values[element, step]``, where `values` can have one row for all
elements or one column for all steps. Counting first and filling then needs no list of coordinates and no sort: the
runs of a block are contiguous, so it is about as fast as the memory.
"""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel


@kernel
def count_block(counts: np.ndarray, column_of: np.ndarray, column_step: np.ndarray, values: np.ndarray) -> None:
    """Count the nonzero entries of a block in each column.

    Parameters
    ----------
    counts : ndarray (column + 1,) of int
        Changed in place; the count of column ``j`` stands at ``j + 1``.
    column_of : ndarray (element,) of int
        First column of each element.
    column_step : ndarray (step,) of int
        Added to it.
    values : ndarray (element or 1, step or 1)
        Coefficients.
    """
    by_element, by_step = values.shape[0] > 1, values.shape[1] > 1
    for e in range(len(column_of)):
        row = values[e if by_element else 0]
        first = column_of[e] + 1
        for k in range(len(column_step)):
            if row[k if by_step else 0] != 0.0:
                counts[first + column_step[k]] += 1


@kernel
def fill_block(
    next_entry: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    row_of: np.ndarray,
    row_step: np.ndarray,
    column_of: np.ndarray,
    column_step: np.ndarray,
    values: np.ndarray,
) -> None:
    """Write the nonzero entries of a block.

    Parameters
    ----------
    next_entry : ndarray (column,) of int
        Where the next entry of each column goes; changed in place.
    indices, data : ndarray (entry,)
        Row numbers and values; written.
    row_of, column_of : ndarray (element,) of int
        First row and column of each element.
    row_step, column_step : ndarray (step,) of int
        Added to them.
    values : ndarray (element or 1, step or 1)
        Coefficients.
    """
    by_element, by_step = values.shape[0] > 1, values.shape[1] > 1
    for e in range(len(column_of)):
        row = values[e if by_element else 0]
        for k in range(len(column_step)):
            value = row[k if by_step else 0]
            if value != 0.0:
                column = column_of[e] + column_step[k]
                at = next_entry[column]
                indices[at] = row_of[e] + row_step[k]
                data[at] = value
                next_entry[column] = at + 1


@kernel
def merge_entries(start: np.ndarray, indices: np.ndarray, data: np.ndarray) -> int:
    """Sort each column's entries by row, add up those of the same row, and drop sums that are zero.

    Columns are short and nearly sorted, for which insertion is the fastest sort.

    Parameters
    ----------
    start : ndarray (column + 1,) of int
        Where each column's entries start; changed in place.
    indices, data : ndarray (entry,)
        Row numbers and values; changed in place.

    Returns
    -------
    int
        How many entries are left, from the front.
    """
    written = 0
    begin = start[0]
    for column in range(len(start) - 1):
        end = start[column + 1]
        for i in range(begin + 1, end):
            row, value = indices[i], data[i]
            j = i
            while j > begin and indices[j - 1] > row:
                indices[j], data[j] = indices[j - 1], data[j - 1]
                j -= 1
            indices[j], data[j] = row, value
        start[column] = written
        i = begin
        while i < end:
            row, value = indices[i], data[i]
            i += 1
            while i < end and indices[i] == row:
                value += data[i]
                i += 1
            if value != 0.0:
                indices[written], data[written] = row, value
                written += 1
        begin = end
    start[-1] = written
    return written


def add_to_rows(target: np.ndarray, target_row: np.ndarray, values: np.ndarray, sign: float = 1.0) -> None:
    """Add each element's values to the row of `target` that it belongs to.

    Parameters
    ----------
    target : ndarray (row, step)
        Changed in place.
    target_row : ndarray (element,) of int
        Row of each element; rows may repeat.
    values : ndarray (element or 1, step or 1)
        What is added.
    sign : float
        1, or -1 to take it away.
    """
    _add_to_rows(target, np.array(target_row, np.int64), values, sign)  # one kind of numbers: one version to compile


@kernel
def _add_to_rows(target: np.ndarray, target_row: np.ndarray, values: np.ndarray, sign: float) -> None:
    by_element, by_step = values.shape[0] > 1, values.shape[1] > 1
    for e in range(len(target_row)):
        row = values[e if by_element else 0]
        for k in range(target.shape[1]):
            target[target_row[e], k] += sign * row[k if by_step else 0]


@kernel
def add_to_columns(target: np.ndarray, column_of: np.ndarray, column_step: np.ndarray, values: np.ndarray) -> None:
    """Add a block's values to the numbers of its columns; columns may repeat.

    Parameters
    ----------
    target : ndarray (column,)
        Changed in place.
    column_of, column_step : ndarray of int
        First column of each element, and what each step adds to it.
    values : ndarray (element or 1, step or 1)
        What is added.
    """
    by_element, by_step = values.shape[0] > 1, values.shape[1] > 1
    for e in range(len(column_of)):
        row = values[e if by_element else 0]
        for k in range(len(column_step)):
            target[column_of[e] + column_step[k]] += row[k if by_step else 0]
