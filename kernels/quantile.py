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
def merge(left: np.ndarray, right: np.ndarray, merged: np.ndarray) -> None:
    """Merge two ascending arrays into a third of their common length."""
    i, k = 0, 0
    for m in range(len(left) + len(right)):
        if k >= len(right) or (i < len(left) and left[i] <= right[k]):
            merged[m] = left[i]
            i += 1
        else:
            merged[m] = right[k]
            k += 1


@kernel
def copy(values: np.ndarray, to: np.ndarray, count: int) -> None:
    """Copy the first so many values."""
    for i in range(count):
        to[i] = values[i]


@kernel
def merge_groups(
    ordered: np.ndarray, first: np.ndarray, count: np.ndarray, room: np.ndarray, merged: np.ndarray
) -> None:
    """Merge the sorted groups of `sort_groups` into one, neighbours first, then theirs.

    Parameters
    ----------
    ordered, first, count
        See `sort_groups`.
    room, merged : ndarray (sample,)
        Room, and what is written: ascending.
    """
    groups = len(count)
    ends = np.zeros(groups + 1, np.int64)
    for g in range(groups):
        copy(ordered[first[g] :], merged[ends[g] :], count[g])
        ends[g + 1] = ends[g] + count[g]
    wide = 1
    while wide < groups:
        for g in range(0, groups, 2 * wide):
            low, middle, high = ends[g], ends[min(g + wide, groups)], ends[min(g + 2 * wide, groups)]
            copy(merged[low:], room, high - low)
            merge(room[: middle - low], room[middle - low : high - low], merged[low:high])
        wide *= 2


@kernel
def sort_groups(
    values: np.ndarray, order: np.ndarray, first: np.ndarray, ordered: np.ndarray, count: np.ndarray
) -> int:
    """Sort the known values of each group of one series; returns how many there are in all.

    Parameters
    ----------
    values : ndarray (sample,)
        NaN where there is none.
    order, first
        See `grouped_quantiles`.
    ordered : ndarray (sample,)
        Written: from ``first[g]`` on the values of group g, ascending.
    count : ndarray (group,) of int
        Written: how many are known.
    """
    total = 0
    for g in range(len(count)):
        n = 0
        for i in range(first[g], first[g + 1]):
            value = values[order[i]]
            if np.isfinite(value):
                k = first[g] + n  # insertion: groups have tens of values
                while k > first[g] and ordered[k - 1] > value:
                    ordered[k] = ordered[k - 1]
                    k -= 1
                ordered[k] = value
                n += 1
        count[g] = n
        total += n
    return total


@kernel
def grouped_quantiles(
    values: np.ndarray, order: np.ndarray, first: np.ndarray, beside: int, levels: np.ndarray, least: int
) -> np.ndarray:
    """Quantiles of each group of each series; those of the whole series where a group has too few values.

    Each group is sorted once, then merged with those beside it: a tenth of the time of sorting every union.

    Parameters
    ----------
    values : ndarray (series, sample)
        NaN where there is none.
    order : ndarray (sample,) of int
        Samples, group after group.
    first : ndarray (group + 1,) of int
        Group g has the samples ``order[first[g]:first[g + 1]]``.
    beside : int
        A group also takes the samples of the groups so many before and after it; 0: its own alone.
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
    size = len(order)
    ordered, pair, part, whole = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    count = np.zeros(groups, np.int64)
    for s in range(len(values)):
        total, ready = sort_groups(values[s], order, first, ordered, count), False
        for g in range(groups):
            n = count[g]
            copy(ordered[first[g] :], part, n)
            for k in (g - beside, g + beside):
                if beside > 0 and 0 <= k < groups:
                    copy(part, pair, n)
                    merge(pair[:n], ordered[first[k] : first[k] + count[k]], part[: n + count[k]])
                    n += count[k]
            if n < least and total > 0 and not ready:
                merge_groups(ordered, first, count, pair, whole)
                ready = True
            for q in range(len(levels)):
                if n >= least:
                    found[s, g, q] = sorted_quantile(part, n, levels[q])
                elif total > 0:
                    found[s, g, q] = sorted_quantile(whole, total, levels[q])
    return found
