"""What a solver says of a program: an optimum, and the basis in which it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BASIC, AT_LOWER, AT_UPPER = 1, 0, 2
"""States of columns and rows in a `Basis`, as HiGHS numbers them; others (free, fixed) count as the lower."""
LADDER = ("hot", "cold", "interior point")
"""Ways to solve, tried in this order: from the last basis, from scratch, interior point with crossover."""
GROWN = ("hot, primal", *LADDER)
"""The same where columns are new in a basis that was optimal: it is still feasible, which suits the primal simplex."""


@dataclass(frozen=True)
class Outcome:
    """An optimum as HiGHS gives it, unscaled.

    Attributes
    ----------
    columns : ndarray (column,)
        Values of the columns that were passed first; those added with rows are left out.
    slacks : ndarray (added row,)
        Values of the elastic columns, one for each row that was added.
    row_prices : ndarray (row,)
        Change of the optimum per unit of each row's right-hand side, of the rows passed first.
    added_prices : ndarray (added row,)
        The same of the rows that were added: at most 0.
    objective : float
        Without the program's constant.
    method : str
        How it was found, in the words of `LADDER`.
    """

    columns: np.ndarray
    slacks: np.ndarray
    row_prices: np.ndarray
    added_prices: np.ndarray
    objective: float
    method: str


class Basis(NamedTuple):
    """States of columns and rows: `BASIC`, `AT_LOWER` or `AT_UPPER`, as int8.

    Attributes
    ----------
    columns, rows : ndarray
        Of those that were passed first.
    limits, slacks : ndarray
        Of the elastic rows that were added, and of their slacks.
    """

    columns: np.ndarray
    rows: np.ndarray
    limits: np.ndarray
    slacks: np.ndarray


def nearer(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """State of each value by the bound that is nearer; where there is none, or both are one, the lower."""
    return np.where(high - values < values - low, AT_UPPER, AT_LOWER).astype(np.int8)
