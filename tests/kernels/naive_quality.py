"""Faults of one series, slowly and readably."""

from __future__ import annotations

from itertools import groupby

import numpy as np


def runs(series):
    """First step, length and value of each run of one value; a gap is a run by itself."""
    first, found = 0, []
    for value, same in groupby(series.tolist()):
        length = len(list(same))
        found.append((first, length, value))
        first += length
    return found


def clean(series, *, stuck, outage, low, high, far, net):
    """The series without its faults, and how many steps have each."""
    series = np.where(np.isfinite(series), series, np.nan)
    counts = [int(np.isnan(series).sum())]

    def take(bad):
        counts.append(len(bad))
        series[bad] = np.nan

    long = [range(f, f + n) for f, n, v in runs(series) if not np.isnan(v) and v != 0 and n >= stuck and n > 1]
    steps = [i for run in long for i in run]
    take(steps if len(steps) < 0.5 * len(series) else [])
    zeros = [(f, n) for f, n, v in runs(series) if v == 0]
    steps = [i for f, n in zeros if n >= outage for i in range(f, f + n)]
    short = sum(n for _, n in zeros if n < outage)
    take(steps if short < 0.01 * np.isfinite(series).sum() and len(steps) < 0.5 * len(series) else [])
    if not np.isfinite(series).any():
        return series, [*counts, 0, 0]
    least, most = np.nanquantile(series, [low, high])
    room = far * (most - least)
    take([i for i, v in enumerate(series) if room and (v > most + room or v < least - room)])
    negative = [i for i, v in enumerate(series) if v < 0]
    take(negative if len(negative) < net * max(np.isfinite(series).sum(), 1) else [])
    return series, counts
