"""Measured series as they really are: what is wrong with each, and what is left when that is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernels.quality import Rules, clean_all

STUCK_H = 12.0  # one value over so many hours is a stuck meter, where the series otherwise moves
OUTAGE_H = 48.0  # zero over so many hours is an outage, where the series is otherwise hardly ever zero
USUAL = 0.005, 0.995  # quantiles of the usual range
FAR = 3.0  # a spike is so many times the usual range away from it
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
    kept = np.array(values, np.float64, order="C")
    counts = np.zeros((len(kept), len(FAULTS)), np.int64)
    stuck, outage = (max(int(np.ceil(hours / step_h)), 1) for hours in (STUCK_H, OUTAGE_H))
    clean_all(kept, Rules(stuck, outage, *USUAL, FAR, NET), counts)
    usable = np.isfinite(kept).mean(axis=1) if kept.size else np.zeros(len(kept))
    missing, stuck_for, out, spikes, flipped = counts.T.copy()
    return kept, Quality(missing, stuck_for, out, spikes, flipped, usable)
