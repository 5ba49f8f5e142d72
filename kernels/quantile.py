"""Quantiles of samples by group, for many series at once."""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel


@kernel
def sorted_quantile(ordered: np.ndarray, count: int, level: float) -> float:
    """Quantile of the first `count` values of a sorted array.

    Parameters
    ----------
    ordered : ndarray (value,)
        Ascending in its first `count` entries.
    count : int
        How many there are, at least 1.
    level : float
        In [0, 1].

    Returns
    -------
    float
        Between the order statistics at `level * (count + 1)`, so that a further value of the same kind falls below it
        with that probability; the lowest or highest value where `count` is too small for the level.

    References
    ----------
    .. [1] :doi:`10.1080/00031305.1996.10473566` (definition 6)
    """
    place = level * (count + 1) - 1.0
    if place <= 0.0:
        return float(ordered[0])
    if place >= count - 1.0:
        return float(ordered[count - 1])
    low = int(place)
    return float(ordered[low] + (place - low) * (ordered[low + 1] - ordered[low]))


@kernel
def grouped_quantiles(
    values: np.ndarray, order: np.ndarray, first: np.ndarray, levels: np.ndarray, least: int
) -> np.ndarray:
    """Quantiles of each group of each series; those of the whole series where a group has too few values.

    Parameters
    ----------
    values : ndarray (series, sample)
        NaN where there is none.
    order : ndarray (member,) of int
        Samples, group after group; one may belong to several.
    first : ndarray (group + 1,) of int
        Group g has the samples ``order[first[g]:first[g + 1]]``.
    levels : ndarray (quantile,)
        In [0, 1].
    least : int
        Fewest values from which a group has quantiles of its own.

    Returns
    -------
    ndarray (series, group, quantile)
        NaN for a series without any value.
    """
    groups = len(first) - 1
    found = np.full((len(values), groups, len(levels)), np.nan)
    whole, part = np.empty(values.shape[1]), np.empty(len(order))
    for s in range(len(values)):
        total = 0
        for i in range(values.shape[1]):
            if np.isfinite(values[s, i]):
                whole[total] = values[s, i]
                total += 1
        if total == 0:
            continue
        whole[:total].sort()
        for g in range(groups):
            count = 0
            for i in range(first[g], first[g + 1]):
                if np.isfinite(values[s, order[i]]):
                    part[count] = values[s, order[i]]
                    count += 1
            part[:count].sort()
            for q in range(len(levels)):
                if count < least:
                    found[s, g, q] = sorted_quantile(whole, total, levels[q])
                else:
                    found[s, g, q] = sorted_quantile(part, count, levels[q])
    return found
