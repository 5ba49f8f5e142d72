"""Faults of measured series, taken out one series after another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel, kernel

MISSING, STUCK, OUTAGE, SPIKE, FLIPPED = range(5)


class Rules(NamedTuple):
    """What counts as a fault.

    Attributes
    ----------
    stuck, outage : int
        Steps for which one value, or zero, must stand.
    low, high : float
        Quantiles of the usual range. [1]
    far : float
        A spike is so many times that range away from it.
    net : float
        Share of negative values from which a meter is taken to feed in at times.
    """

    stuck: int
    outage: int
    low: float
    high: float
    far: float
    net: float


@bare_kernel
def part(values: np.ndarray, count: int, k: int) -> None:
    """Order the first `count` values so far that none before the k-th is above it and none behind it below.

    References
    ----------
    .. [1] C. A. R. Hoare, *Algorithm 65: FIND*, 1961, :doi:`10.1145/366622.366647`.
    """
    first, last = 0, count - 1
    while first < last:
        pivot, i, j = values[(first + last) // 2], first, last
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i, j = i + 1, j - 1
        if k <= j:
            last = j
        elif k >= i:
            first = i
        else:
            return


@bare_kernel
def usual_value(values: np.ndarray, count: int, level: float) -> float:
    """Quantile of the first `count` values, linear between order statistics; changes their order.

    References
    ----------
    .. [1] :doi:`10.1080/00031305.1996.10473566` (definition 7)
    """
    place = level * (count - 1)
    k = int(place)
    part(values, count, k)
    above = values[k] if place == k else np.inf
    for i in range(k + 1, count):
        above = min(above, values[i])
    return float(values[k] + (place - k) * (above - values[k]))


@bare_kernel
def mark_runs(series: np.ndarray, zero: bool, least: int, bad: np.ndarray) -> tuple[int, int]:
    """Mark runs of one value, zero or another, of at least so many steps; returns steps of these and of the rest."""
    long, short, first = 0, 0, 0
    for i in range(1, len(series) + 1):
        if i < len(series) and series[i] == series[first]:
            continue
        if (series[first] == 0.0) == zero and series[first] == series[first]:
            if i - first >= least and (zero or i - first > 1):
                long += i - first
                for k in range(first, i):
                    bad[k] = True
            else:
                short += i - first
        first = i
    return long, short


@bare_kernel
def take_out(series: np.ndarray, bad: np.ndarray, wanted: bool) -> int:
    """Take marked values out if that is wanted, and forget the marks; returns how many were taken."""
    count = 0
    for i in range(len(series)):
        if bad[i] and wanted:
            series[i] = np.nan
            count += 1
        bad[i] = False
    return count


@bare_kernel
def clean_series(series: np.ndarray, rules: Rules, bad: np.ndarray, left: np.ndarray, counts: np.ndarray) -> None:
    """Take out the faults of one series, in the order of their numbers; see `clean_all`."""
    known = 0
    for i in range(len(series)):
        if np.isfinite(series[i]):
            known += 1
        else:
            series[i] = np.nan
    counts[MISSING] = len(series) - known
    long, _ = mark_runs(series, False, rules.stuck, bad)
    counts[STUCK] = take_out(series, bad, long < 0.5 * len(series))
    known -= counts[STUCK]
    long, short = mark_runs(series, True, rules.outage, bad)
    counts[OUTAGE] = take_out(series, bad, short < 0.01 * known and long < 0.5 * len(series))
    known -= counts[OUTAGE]
    if known == 0:
        return
    k = 0
    for i in range(len(series)):
        if np.isfinite(series[i]):
            left[k] = series[i]
            k += 1
    low, high = usual_value(left, k, rules.low), usual_value(left, k, rules.high)
    room = rules.far * (high - low)
    for i in range(len(series)):
        bad[i] = room != 0.0 and (series[i] > high + room or series[i] < low - room)
    counts[SPIKE] = take_out(series, bad, True)
    known -= counts[SPIKE]
    negative = 0
    for i in range(len(series)):
        bad[i] = series[i] < 0.0
        negative += bad[i]
    counts[FLIPPED] = take_out(series, bad, negative < rules.net * max(known, 1))


@kernel
def clean_all(values: np.ndarray, rules: Rules, counts: np.ndarray) -> None:
    """Take out what cannot be true; every series on its own.

    Parameters
    ----------
    values : ndarray (series, time)
        NaN, or any infinity, where not known; NaN afterwards where there was a fault.
    rules : Rules
        What counts as one.
    counts : ndarray (series, fault) of int
        Written: steps with each fault.
    """
    bad, left = np.zeros(values.shape[1], np.bool_), np.empty(values.shape[1])
    for s in range(values.shape[0]):
        for fault in range(counts.shape[1]):
            counts[s, fault] = 0
        clean_series(values[s], rules, bad, left, counts[s])
