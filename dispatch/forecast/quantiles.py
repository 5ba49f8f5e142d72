"""Quantiles of a forecast, from what it got wrong before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.errors import Problem, raise_if_any
from kernels.quantile import grouped_quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

QUANTILES = (0.1, 0.5, 0.9)
LEAST = 20  # values from which a group has quantiles of its own; 80 % intervals of fewer miss by several per cent


def checked_quantiles(quantiles: Sequence[float]) -> np.ndarray:
    """Ascending quantiles, or an error that names those that are none.

    Parameters
    ----------
    quantiles : sequence of float
        Each between 0 and 1.

    Returns
    -------
    ndarray (quantile,)
        Sorted, each once. [1]

    Raises
    ------
    InputError
        If the list is empty, or holds anything but numbers above 0 and below 1.
    """
    levels = np.unique(np.asarray(quantiles, dtype=float).ravel())
    bad = levels[~((levels > 0) & (levels < 1))]
    if len(bad) or not len(levels):
        value = ", ".join(f"{v:g}" for v in bad[:3]) or "an empty list"
        hint = "Give fractions, such as 0.1 0.5 0.9 (not 10 50 90)."
        raise_if_any([Problem("quantiles", "/forecast", "quantile", (), 0, value, "above 0 and below 1", hint)])
    return levels


def residual_quantiles(
    residual: np.ndarray,
    group: np.ndarray,
    quantiles: Sequence[float] | np.ndarray,
    *,
    least: int = LEAST,
    beside: int = 0,
) -> np.ndarray:
    """Quantiles of past errors by group of samples, such as the time of day.

    Parameters
    ----------
    residual : ndarray (series, sample)
        What came less what was forecast, out of sample; NaN where it is not known.
    group : ndarray (sample,) of int
        Group of each sample, from 0 on.
    quantiles : sequence of float
        In (0, 1).
    least : int
        Fewest values from which a group has quantiles of its own; below, those of the whole series stand in.
    beside : int
        A group also takes the samples of the groups so many before and after it; 0: its own alone.

    Returns
    -------
    ndarray (series, group, quantile)
        To be added to the forecast; NaN for a series without any residual.
    """
    groups = int(group.max()) + 1 if len(group) else 0
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], np.arange(groups + 1))
    levels, values = np.asarray(quantiles, dtype=float), np.ascontiguousarray(residual, dtype=float)
    found: np.ndarray = grouped_quantiles(values, order, first, beside, levels, least)
    return found
