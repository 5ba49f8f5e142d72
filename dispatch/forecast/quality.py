"""Measured series as they really are: what is wrong with each, and what is left when that is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STUCK_H = 12.0  # one value over so many hours is a stuck meter, where the series otherwise moves
OUTAGE_H = 48.0  # zero over so many hours is an outage, where the series is otherwise hardly ever zero
FAR = 3.0  # a spike is so many times the usual range (0.5 to 99.5 %) away from it
NET = 0.02  # share of negative values from which a meter is taken to feed in at times
FAULTS = ("missing", "stuck", "outage", "spike", "flipped")


@dataclass(frozen=True)
class Quality:
    """Steps of each series with a fault; all but `missing` were taken out.

    Attributes
    ----------
    missing, stuck, outage, spike, flipped : ndarray (series,) of int
        Not given; one value for long; zero for long; far outside of the usual range; of the wrong sign.
    usable : ndarray (series,)
        Part of the steps that is left. [1]
    """

    missing: np.ndarray
    stuck: np.ndarray
    outage: np.ndarray
    spike: np.ndarray
    flipped: np.ndarray
    usable: np.ndarray

    def faults(self, series: int) -> dict[str, int]:
        """Faults of one series that occur, by name."""
        counts = {name: int(getattr(self, name)[series]) for name in FAULTS}
        return {name: count for name, count in counts.items() if count}


def clean(values: np.ndarray, step_h: float) -> tuple[np.ndarray, Quality]:
    """Take out what cannot be true; every series on its own.

    Parameters
    ----------
    values : ndarray (series, time)
        NaN, or any infinity, where not known.
    step_h : float
        Length of a step. [h]

    Returns
    -------
    cleaned : ndarray (series, time)
        NaN where there was a fault.
    quality : Quality
        What was found.
    """
    kept = np.where(np.isfinite(values), values, np.nan)
    counts = np.zeros((len(FAULTS), len(kept)), np.int64)
    for s, series in enumerate(kept):
        counts[0, s] = int(np.isnan(series).sum())
        for f, find in enumerate((_stuck, _outage, _spike, _flipped), start=1):
            bad = find(series, step_h) if np.isfinite(series).any() else np.zeros(len(series), bool)
            counts[f, s] = int(bad.sum())
            series[bad] = np.nan
    usable = np.isfinite(kept).mean(axis=1) if kept.size else np.zeros(len(kept))
    return kept, Quality(counts[0], counts[1], counts[2], counts[3], counts[4], usable)


def runs(same: np.ndarray) -> np.ndarray:
    """Length of the run of true values in which each value stands; 0 where it is false."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    length = np.zeros(len(same), np.int64)
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        length[first:after] = after - first
    return length


def _stuck(series: np.ndarray, step_h: float) -> np.ndarray:
    """One value, not zero, for long: unless that is what the series does most of the time."""
    equal = np.concatenate([[False], series[1:] == series[:-1]])
    begins = np.concatenate([equal[1:] & ~equal[:-1], [False]])
    bad = (runs(equal | begins) * step_h >= STUCK_H) & (series != 0)
    return np.asarray(bad & (bad.mean() < 0.5))


def _outage(series: np.ndarray, step_h: float) -> np.ndarray:
    zero = series == 0
    long = runs(zero) * step_h >= OUTAGE_H
    short = (zero & ~long).sum()
    return np.asarray(long & (short < 0.01 * np.isfinite(series).sum()) & (long.mean() < 0.5))


def _spike(series: np.ndarray, step_h: float) -> np.ndarray:
    del step_h
    low, high = np.nanquantile(series, [0.005, 0.995])
    room = FAR * (high - low)
    if room == 0:
        return np.zeros(len(series), bool)
    return np.asarray((series > high + room) | (series < low - room))


def _flipped(series: np.ndarray, step_h: float) -> np.ndarray:
    del step_h
    negative = series < 0
    share = negative.sum() / max(np.isfinite(series).sum(), 1)
    return np.asarray(negative & (share < NET))
