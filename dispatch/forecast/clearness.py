"""Clearness of the sky read from a meter with PV behind it, where nobody measured the light."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from dispatch.forecast.day_blocks import blocks, usual

ROUNDS = 5
MOST = 1.05
"""Clearness at most: light between clouds."""
LOWEST = 0.1
"""Quantile over the days of a block: net load of the clear ones."""
SPREAD = 1.4
"""Deviation of use by day over that of use by night, both from day to day."""
FEWEST, TYPICAL = 5, 0.6
"""Whole days in a block below which its mean clearness is not measured, and what it is then."""


def clearness_by_days(net: np.ndarray, clear: np.ndarray, by_day: np.ndarray, steps: int) -> np.ndarray:
    """Find the clearness under which the clear days of each block have full output.

    How far the days of lowest net load are below the mean tells the mean clearness of a block, once the part is taken
    off that use alone would scatter, as it does by night. Use by time of day follows, and with it the clearness of each
    step.

    Parameters
    ----------
    net, clear : ndarray (time,)
        Net load, NaN where not known, and output under a clear sky. [kW]
    by_day : ndarray (time,) of bool
        Where the sun is up.
    steps : int
        Steps in a day.

    Returns
    -------
    ndarray (time,)
        From 0 to ``MOST``. [1]
    """
    known = by_day & np.isfinite(net)
    window = np.ones(max(steps // 4, 1) | 1)
    below = np.convolve(np.where(known, net, 0.0), window, "same")
    above = np.convolve(np.where(known, clear, 0.0), window, "same")
    use = []
    for part, light, low, high in zip(*(blocks(x, steps) for x in (net, clear, below, above)), strict=True):
        level = _mean_clearness(part, np.nan_to_num(light))
        use.append(np.tile(_mean(low) + level * _mean(high), len(part)))
    excess = np.concatenate(use)[: len(net)] - below
    return np.asarray(np.clip(np.where(above > 0, excess / np.maximum(above, 1e-9), 0.0), 0.0, MOST))


def _mean_clearness(net: np.ndarray, clear: np.ndarray) -> float:
    """Mean clearness of the days of a block (day, step)."""
    whole = np.isfinite(net).all(axis=1) & (clear.sum(axis=1) > 0)
    if whole.sum() < FEWEST:
        return TYPICAL
    net, clear = net[whole], clear[whole]
    day, full = clear > 0, float(np.median(clear.sum(axis=1)))
    sums = np.where(day, net, 0.0).sum(axis=1) / full
    night = np.where(day, 0.0, net).sum(axis=1) / np.maximum((~day).sum(axis=1), 1)
    scatter = SPREAD * float(np.std(night)) * float(day.sum(axis=1).mean()) / full
    dip = float(sums.mean() - np.quantile(sums, LOWEST))
    from_use = NormalDist().inv_cdf(1 - LOWEST) * scatter
    return float(max(1.0 - np.sqrt(max(dip**2 - from_use**2, 0.0)), 0.0))


def _mean(part: np.ndarray) -> np.ndarray:
    """Mean over the days of what is known."""
    known = np.isfinite(part)
    return np.asarray(np.where(known, part, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def clearness_by_use(net: np.ndarray, clear: np.ndarray, by_day: np.ndarray, steps: int) -> np.ndarray:
    """Find the clearness that makes the rest look like the usual use at that time of day, in rounds.

    Parameters and result as for `clearness_by_days`.
    """
    clearness = np.ones(len(net))
    width = max(steps // 8, 1) | 1
    for _ in range(ROUNDS):
        use = usual(net + clearness * clear, steps)
        wanted = np.where(by_day & np.isfinite(net), use - net, 0.0)
        weight = np.where(by_day & np.isfinite(net), clear, 0.0)
        kernel = np.ones(width)
        total, whole = np.convolve(wanted, kernel, "same"), np.convolve(weight, kernel, "same")
        clearness = np.clip(np.where(whole > 0, total / np.maximum(whole, 1e-9), 0.0), 0.0, 1.05)
    return clearness
