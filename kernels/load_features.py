"""What is known of a meter when its load is forecast: the usual profile, and how the last days differ from it.

A row is 24 hours that begin at the time of day of issue, on the local clock. With a lead of k, row r is forecast from
rows up to r - k.
"""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel

OWN = 9  # features of the series itself: one, four lags and means at the same time of day, four recent levels
LEVEL_H = (3, 12, 24, 168)  # recent hours whose mean deviation from the profile is a feature


@kernel
def usual_profile(values: np.ndarray, kind: np.ndarray, lead: int, memory: float, profile: np.ndarray) -> None:
    """Exponentially weighted mean by time of day and kind of day, as known `lead` rows before.

    Parameters
    ----------
    values : ndarray (row, step)
        NaN where not known.
    kind : ndarray (row, step) of int
        0 for working days, 1 for days off.
    lead : int
        Rows from the last known row to the one that is forecast.
    memory : float
        Weight of a new working day; days off, which are fewer, weigh twice that. [1]
    profile : ndarray (row, step)
        Written; NaN where nothing is known yet.
    """
    rows, steps = values.shape
    usual, common = np.full((2, steps), np.nan), np.full(steps, np.nan)
    for r in range(rows):
        for j in range(steps):
            if r >= lead and np.isfinite(values[r - lead, j]):
                known, k = values[r - lead, j], kind[r - lead, j]
                gain = memory * (1 + k)
                usual[k, j] = known if np.isnan(usual[k, j]) else usual[k, j] + gain * (known - usual[k, j])
                common[j] = known if np.isnan(common[j]) else common[j] + gain * (known - common[j])
            here = usual[kind[r, j], j]
            profile[r, j] = common[j] if np.isnan(here) else here


@kernel
def mean_of_lags(values: np.ndarray, j: int, first: int, every: int, count: int) -> float:
    """Mean of the known among ``values[first - i * every, j]`` for i below `count`; NaN where none is known."""
    total, known = 0.0, 0
    for i in range(count):
        r = first - i * every
        if 0 <= r < len(values) and np.isfinite(values[r, j]):
            total += values[r, j]
            known += 1
    return total / known if known else np.nan


@kernel
def recent_levels(deviation: np.ndarray, lead: int, per_hour: float, levels: np.ndarray) -> None:
    """Mean deviation from the profile over the last hours that are known for each row.

    Parameters
    ----------
    deviation : ndarray (row, step)
        Values less profile; NaN where not known.
    lead : int
        Rows from the last known row to the one that is forecast.
    per_hour : float
        Steps in an hour. [h-1]
    levels : ndarray (row, level)
        Written: over 3, 12, 24 and 168 hours; 0 where nothing is known.
    """
    rows, steps = deviation.shape
    flat = deviation.ravel()
    total, known = np.zeros(len(flat) + 1), np.zeros(len(flat) + 1)
    for i in range(len(flat)):
        good = np.isfinite(flat[i])
        total[i + 1] = total[i] + (flat[i] if good else 0.0)
        known[i + 1] = known[i] + (1.0 if good else 0.0)
    for r in range(rows):
        end = max(r - lead + 1, 0) * steps
        for i in range(len(LEVEL_H)):
            start = max(end - round(LEVEL_H[i] * per_hour), 0)
            count = known[end] - known[start]
            levels[r, i] = (total[end] - total[start]) / count if count > 0 else 0.0


@kernel
def fill_features(
    values: np.ndarray,
    profile: np.ndarray,
    scale: float,
    lead: int,
    first: int,
    calendar: np.ndarray,
    weather: np.ndarray,
    features: np.ndarray,
) -> None:
    """Features of the steps from `first` on, as deviations from the usual profile.

    Parameters
    ----------
    values, profile : ndarray (row, step)
        Known values and usual profile.
    scale : float
        By which deviations are divided; the unit of `values`.
    lead : int
        Rows from the last known row to the one that is forecast.
    first : int
        Step to which entry 0 of `features` belongs.
    calendar, weather : ndarray (row, step, column)
        Further features, of all series and of this one's station.
    features : ndarray (row, used step, feature)
        Written; what is not known is 0, as if it were usual.
    """
    rows, used, _ = features.shape
    week = 7 * ((lead + 6) // 7)
    levels = np.empty((rows, len(LEVEL_H)))
    recent_levels((values - profile) / scale, lead, values.shape[1] / 24.0, levels)
    fixed, own = calendar.shape[2], OWN + calendar.shape[2]
    for r in range(rows):
        for i in range(used):
            j, x = first + i, features[r, i]
            x[:] = 0.0
            x[0] = 1.0
            x[1] = mean_of_lags(values, j, r - lead, 1, 1)
            x[2] = mean_of_lags(values, j, r - week, 1, 1)
            x[3] = mean_of_lags(values, j, r - week, 7, 4)
            x[4] = mean_of_lags(values, j, r - lead, 1, 7)
            for f in range(1, 5):
                x[f] = (x[f] - profile[r, j]) / scale
                x[f] = x[f] if np.isfinite(x[f]) else 0.0
            for f in range(len(LEVEL_H)):
                x[5 + f] = levels[r, f]
            for f in range(fixed):
                x[OWN + f] = calendar[r, j, f]
            for f in range(weather.shape[2]):
                x[own + f] = weather[r, j, f]
