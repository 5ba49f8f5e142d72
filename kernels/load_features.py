"""What is known of a meter when its load is forecast: the usual profile, and how the last days differ from it.

A row is 24 hours that begin at the time of day of issue, on the local clock. With a lead of k, row r is forecast from
rows up to r - k.
"""

from __future__ import annotations

import numpy as np

from kernels._jit import bare_kernel, kernel
from kernels._vector import LANES, fill, load, store

OWN = 8  # features of the series itself: four lags and means at the same time of day, four recent levels
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


@bare_kernel
def mean_of_lags(
    room: np.ndarray, first: int, every: int, count: int, usual: np.ndarray, scale: float, mean: np.ndarray
) -> None:
    """Mean of the known among rows ``first - i * every``, i below `count`, at each time of day, less what is usual.

    Parameters
    ----------
    room : ndarray (2, row, step)
        Values, 0 where not known; 1 where known, else 0. A multiple of 4 steps.
    first, every, count : int
        Which rows; those before row 0 are left out.
    usual : ndarray (step,)
        Subtracted.
    scale : float
        By which the difference is divided.
    mean : ndarray (step,)
        Written; NaN where nothing is known.
    """
    for j in range(0, len(mean), LANES):
        total, found = fill(0.0), fill(0.0)
        for i in range(min(count, first // every + 1)):
            r = np.uint64(first - i * every)
            total, found = total + load(room[0, r], j), found + load(room[1, r], j)
        store(mean, j, (total / found - load(usual, j)) / fill(scale))


@kernel
def recent_levels(values: np.ndarray, profile: np.ndarray, scale: float, lead: int, levels: np.ndarray) -> None:
    """Mean deviation from the profile over the last hours that are known for each row.

    Parameters
    ----------
    values, profile : ndarray (row, step)
        NaN where not known.
    scale : float
        By which deviations are divided; the unit of `values`.
    lead : int
        Rows from the last known row to the one that is forecast.
    levels : ndarray (row, level)
        Written: over 3, 12, 24 and 168 hours; 0 where nothing is known.
    """
    rows, steps = values.shape
    total, known = np.zeros(rows * steps + 1), np.zeros(rows * steps + 1)
    for r in range(rows):
        for j in range(steps):
            i, deviation = r * steps + j, (values[r, j] - profile[r, j]) / scale
            good = np.isfinite(deviation)
            total[i + 1] = total[i] + (deviation if good else 0.0)
            known[i + 1] = known[i] + (1.0 if good else 0.0)
    for r in range(rows):
        end = max(r - lead + 1, 0) * steps
        for i in range(len(LEVEL_H)):
            start = max(end - round(LEVEL_H[i] * (steps / 24.0)), 0)
            count = known[end] - known[start]
            levels[r, i] = (total[end] - total[start]) / count if count > 0 else 0.0


@bare_kernel
def fill_lags(
    profile: np.ndarray, scale: float, lead: int, room: np.ndarray, lags: np.ndarray, features: np.ndarray
) -> None:
    """Features 0 to 3: the last day, a week before, the mean of four weeks and of seven days, less the usual profile.

    Parameters
    ----------
    profile, scale, lead, features
        See `fill_own`; `profile` is of the steps of `room`.
    room : ndarray (2, row, step)
        As for `mean_of_lags`, from the first used step on.
    lags : ndarray (4, step)
        Room.
    """
    week = 7 * ((lead + 6) // 7)
    for r in range(len(profile)):
        mean_of_lags(room, r - lead, 1, 1, profile[r], scale, lags[0])
        mean_of_lags(room, r - week, 1, 1, profile[r], scale, lags[1])
        mean_of_lags(room, r - week, 7, 4, profile[r], scale, lags[2])
        mean_of_lags(room, r - lead, 1, 7, profile[r], scale, lags[3])
        for i in range(len(features)):
            x = features[i, r]
            for f in range(4):
                x[f] = lags[f, i] if abs(lags[f, i]) < np.inf else 0.0


@bare_kernel
def fill_levels(levels: np.ndarray, features: np.ndarray) -> None:
    """Features 4 to 7: the same at all steps of a row."""
    for i in range(len(features)):
        for r in range(len(levels)):
            store(features[i, r], 4, load(levels[r], 0))


@bare_kernel
def fill_shared(calendar: np.ndarray, weather: np.ndarray, first: int, features: np.ndarray) -> None:
    """Write the features that a series shares with others: a constant, then those of calendar and weather, then zeros.

    Parameters
    ----------
    calendar, weather : ndarray (row, step, column)
        Features of all series, and of those of a station.
    first : int
        Step to which entry 0 of `features` belongs.
    features : ndarray (used step, row, feature)
        Written from feature 8 on.
    """
    columns, further = calendar.shape[2], weather.shape[2]
    for i in range(len(features)):
        for r in range(features.shape[1]):
            x, here, there = features[i, r], calendar[r, first + i], weather[r, first + i]
            x[OWN] = 1.0
            for f in range(columns):
                x[OWN + 1 + f] = here[f]
            for f in range(further):
                x[OWN + 1 + columns + f] = there[f]
            for f in range(OWN + 1 + columns + further, len(x)):
                x[f] = 0.0


@kernel
def fill_own(
    values: np.ndarray, profile: np.ndarray, scale: float, lead: int, first: int, features: np.ndarray
) -> None:
    """Write the features of one series: lags and recent levels as deviations from the usual profile.

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
    features : ndarray (used step, row, feature)
        Its first 8 features are written; what is not known is 0, as if it were usual.
    """
    used, rows, _ = features.shape
    wide = (used + LANES - 1) // LANES * LANES
    levels, room, lags = np.empty((rows, len(LEVEL_H))), np.zeros((2, rows, wide)), np.empty((4, wide))
    usual = np.zeros((rows, wide))
    recent_levels(values, profile, scale, lead, levels)
    for r in range(rows):
        for i in range(used):
            known = np.isfinite(values[r, first + i])
            room[0, r, i], room[1, r, i] = values[r, first + i] if known else 0.0, 1.0 if known else 0.0
            usual[r, i] = profile[r, first + i]
    fill_lags(usual, scale, lead, room, lags, features)
    fill_levels(levels, features)
