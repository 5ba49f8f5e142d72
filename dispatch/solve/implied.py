"""Finite bounds of columns that have none of their own, so that a lower bound can be read off reduced costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from kernels.implied import imply_bounds

if TYPE_CHECKING:
    from dispatch.model.program import Program


def finite_bounds(program: Program) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of all columns within which an optimum lies.

    First, what rows imply together with the bounds of their other columns, repeated while it helps. Then, for a
    column that costs something and only ever relaxes rows (such as `shortfall` and `p_peak`): no optimum takes more of
    it than its rows can need at worst.

    Parameters
    ----------
    program : Program
        Any.

    Returns
    -------
    lower, upper : ndarray (column,)
        Infinite where nothing finite is implied.
    """
    lower, upper = program.lower.copy(), program.upper.copy()
    open_ended = np.nonzero(~(np.isfinite(lower) & np.isfinite(upper)))[0]
    if not len(open_ended):
        return lower, upper
    used = np.unique(sp.csc_matrix(program.matrix[:, open_ended]).indices)
    part = sp.csr_matrix(sp.csr_matrix(program.matrix)[used])
    row_lower, row_upper = program.row_lower[used], program.row_upper[used]
    by_column, bounds, among = sp.csc_matrix(part), np.stack([lower, upper]), np.zeros(len(lower), np.bool_)
    among[open_ended] = True
    sides = np.stack([row_lower, row_upper])
    imply_bounds(part.indptr, part.indices, part.data, (by_column.indptr, by_column.indices), sides, bounds, among)
    lower, upper = bounds
    _relaxing(program, part, row_lower, row_upper, lower, upper, open_ended)
    return lower, upper


def _entries(part: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    return row, part.indices, part.data


def _activity(part: sp.csr_matrix, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each entry the least and greatest sum of the other entries of its row."""
    row, column, value = _entries(part)
    low = np.where(value > 0, value * lower[column], value * upper[column])
    high = np.where(value > 0, value * upper[column], value * lower[column])
    others = []
    for own in (low, high):
        finite = np.isfinite(own)
        total = np.bincount(row, np.where(finite, own, 0.0), part.shape[0])
        endless = np.bincount(row, ~finite, part.shape[0])
        rest = total[row] - np.where(finite, own, 0.0)
        others.append(np.where(endless[row] - ~finite > 0, np.nan, rest))
    return others[0], others[1]


def _relaxing(
    program: Program,
    part: sp.csr_matrix,
    row_lower: np.ndarray,
    row_upper: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    open_ended: np.ndarray,
) -> None:
    """Bound columns that cost something and whose increase can only help rows."""
    least, greatest = _activity(part, lower, upper)
    row, column, value = _entries(part)
    helps = np.where(value > 0, np.isinf(row_upper[row]), np.isinf(row_lower[row]))
    needed = np.where(value > 0, (row_lower[row] - least) / value, (row_upper[row] - greatest) / value)
    harmful = np.zeros(len(upper), bool)
    harmful[column[~helps | ~np.isfinite(needed)]] = True
    no_row = np.ones(len(upper), bool)
    no_row[column] = False
    most = lower.copy()
    np.maximum.at(most, column, np.where(np.isfinite(needed), needed, -np.inf))
    injects = np.diff(sp.csc_matrix(program.injection).indptr) > 0
    can = open_ended[np.isposinf(upper[open_ended])]
    can = can[(program.cost[can] >= 0) & ~harmful[can] & ~injects[can] & np.isfinite(lower[can])]
    upper[can] = np.where(no_row[can], lower[can], most[can])
