"""Finite bounds of columns that have none of their own, so that a lower bound can be read off reduced costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

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
    by_row = sp.csr_matrix(program.matrix)
    used = np.unique(sp.csc_matrix(program.matrix[:, open_ended]).indices)
    part = sp.csr_matrix(by_row[used])
    row_lower, row_upper = program.row_lower[used], program.row_upper[used]
    for _ in range(len(used) + 1):
        before = np.isfinite(lower).sum() + np.isfinite(upper).sum()
        _tighten(part, row_lower, row_upper, lower, upper, open_ended)
        if np.isfinite(lower).sum() + np.isfinite(upper).sum() == before:
            break
    _relaxing(program, part, row_lower, row_upper, lower, upper, open_ended)
    return lower, upper


def _entries(part: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    return row, part.indices, part.data


def _activity(
    part: sp.csr_matrix, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each entry the least and greatest sum of the other entries of its row, and those of the entry itself."""
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
    return others[0], others[1], low, high


def _tighten(
    part: sp.csr_matrix,
    row_lower: np.ndarray,
    row_upper: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    open_ended: np.ndarray,
) -> None:
    """Give open-ended columns the bounds that one pass over their rows implies."""
    least, greatest, _, _ = _activity(part, lower, upper)
    row, column, value = _entries(part)
    most, fewest = (row_upper[row] - least) / value, (row_lower[row] - greatest) / value
    above, below = np.where(value > 0, most, fewest), np.where(value > 0, fewest, most)
    own = np.isin(column, open_ended)
    for bound, found, pick in ((upper, above, np.minimum), (lower, below, np.maximum)):
        good = own & np.isfinite(found) & ~np.isfinite(bound[column])
        pick.at(bound, column[good], found[good])


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
    least, greatest, _, _ = _activity(part, lower, upper)
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
