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
def sum_of_lags(
    filled: np.ndarray, known: np.ndarray, first: int, every: int, count: int, total: np.ndarray, found: np.ndarray
) -> None:
    """Sum and number of the known among rows ``first - i * every``, i below `count`, at each time of day.

    Parameters
    ----------
    filled, known : ndarray (row, step)
        Values, 0 where not known; 1 where known, else 0.
    first, every, count : int
        Which rows; those before row 0 are left out.
    total : ndarray (step,)
        Written: sum of the known.
    found : ndarray (step,)
        Written: how many are known.
    """
    total[:], found[:] = 0.0, 0.0
    for i in range(count):
        r = first - i * every
        if r < 0:
            break
        values, there = filled[r], known[r]
        for j in range(len(total)):
            total[j] += values[j]
            found[j] += there[j]


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
def fill_lags(
    values: np.ndarray, profile: np.ndarray, scale: float, lead: int, first: int, features: np.ndarray
) -> None:
    """Features 1 to 4: the last day, a week before, the mean of four weeks and of seven days, less the usual profile.

    Parameters
    ----------
    values, profile, scale, lead, first, features
        See `fill_features`.
    """
    used, rows, _ = features.shape
    week = 7 * ((lead + 6) // 7)
    filled, known = np.zeros((rows, used)), np.zeros((rows, used))
    for r in range(rows):
        for i in range(used):
            if np.isfinite(values[r, first + i]):
                filled[r, i], known[r, i] = values[r, first + i], 1.0
    total, found = np.empty(used), np.empty(used)
    starts, steps, counts = (lead, week, week, lead), (1, 1, 7, 1), (1, 1, 4, 7)
    for r in range(rows):
        for f in range(4):
            sum_of_lags(filled, known, r - starts[f], steps[f], counts[f], total, found)
            for i in range(used):
                deviation = (total[i] / found[i] - profile[r, first + i]) / scale
                features[i, r, 1 + f] = deviation if np.isfinite(deviation) else 0.0


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
    features : ndarray (used step, row, feature)
        Written; what is not known is 0, as if it were usual.
    """
    used, rows, _ = features.shape
    levels = np.empty((rows, len(LEVEL_H)))
    recent_levels((values - profile) / scale, lead, values.shape[1] / 24.0, levels)
    features[:] = 0.0
    fill_lags(values, profile, scale, lead, first, features)
    own = OWN + calendar.shape[2]
    for r in range(rows):
        for i in range(used):
            x, j = features[i, r], first + i
            x[0] = 1.0
            for f in range(len(LEVEL_H)):
                x[5 + f] = levels[r, f]
            for f in range(calendar.shape[2]):
                x[OWN + f] = calendar[r, j, f]
            for f in range(weather.shape[2]):
                x[own + f] = weather[r, j, f]
