"""Bounds that rows imply for columns that have none of their own."""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel


@kernel
def span(value: float, lower: float, upper: float) -> tuple[float, float]:
    """Least and greatest of a coefficient times a column."""
    if value > 0.0:
        return value * lower, value * upper
    return value * upper, value * lower


@kernel
def imply_of_row(
    row: int,
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    sides: np.ndarray,
    bounds: np.ndarray,
    open_ended: np.ndarray,
    found: np.ndarray,
) -> None:
    """Give the open-ended columns of a row the bounds that it implies with those of its other columns."""
    least, greatest, endless_down, endless_up = 0.0, 0.0, 0, 0
    for k in range(indptr[row], indptr[row + 1]):
        low, high = span(data[k], bounds[0, indices[k]], bounds[1, indices[k]])
        if np.isfinite(low):
            least += low
        else:
            endless_down += 1
        if np.isfinite(high):
            greatest += high
        else:
            endless_up += 1
    for k in range(indptr[row], indptr[row + 1]):
        column, value = indices[k], data[k]
        if not open_ended[column]:
            continue
        low, high = span(value, bounds[0, column], bounds[1, column])
        down, up = endless_down - (not np.isfinite(low)), endless_up - (not np.isfinite(high))
        most = (sides[1, row] - (least - (low if np.isfinite(low) else 0.0))) / value if down == 0 else np.inf
        fewest = (sides[0, row] - (greatest - (high if np.isfinite(high) else 0.0))) / value if up == 0 else np.inf
        above, below = (most, fewest) if value > 0.0 else (fewest, most)
        if np.isfinite(above) and not np.isfinite(bounds[1, column]):
            found[1, column] = min(found[1, column], above)
        if np.isfinite(below) and not np.isfinite(bounds[0, column]):
            found[0, column] = max(found[0, column], below)


@kernel
def imply_bounds(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    of_column: tuple[np.ndarray, np.ndarray],
    sides: np.ndarray,
    bounds: np.ndarray,
    open_ended: np.ndarray,
) -> None:
    """Give open-ended columns the tightest bounds that rows imply, then those that these imply, while any are found.

    A bound is kept once it is finite. After the first pass only rows of columns that got a bound are read again: chains
    of contents, step after step, take one pass a step.

    Parameters
    ----------
    indptr, indices, data : ndarray
        The rows, compressed.
    of_column : ndarray, ndarray
        The rows of each column, compressed.
    sides : ndarray (2, row)
        Lower and upper sides of the rows.
    bounds : ndarray (2, column)
        Lower and upper bounds of the columns; finite ones are written.
    open_ended : ndarray (column,) of bool
        Columns that may get bounds.
    """
    rows, first, used = len(indptr) - 1, of_column[0], of_column[1]
    found = bounds.copy()
    waiting, now = np.ones(rows, np.bool_), np.arange(rows)
    columns = np.nonzero(open_ended)[0]
    while len(now):
        for row in now:
            waiting[row] = False
            imply_of_row(row, indptr, indices, data, sides, bounds, open_ended, found)
        count, after = 0, np.empty(rows, np.int64)
        for column in columns:
            if bounds[0, column] == found[0, column] and bounds[1, column] == found[1, column]:
                continue
            bounds[0, column], bounds[1, column] = found[0, column], found[1, column]
            for k in range(first[column], first[column + 1]):
                if not waiting[used[k]]:
                    waiting[used[k]] = True
                    after[count] = used[k]
                    count += 1
        now = after[:count]
