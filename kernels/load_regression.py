"""Recursive least squares with exponential forgetting, a regression for each hour of the day, shrunk to that of all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import kernel


class Settings(NamedTuple):
    """How a load regression learns; the defaults are those that the measurements of docs/forecast.md chose.

    Attributes
    ----------
    memory : float
        Weight of a new day in the usual profile. [1]
    forgetting : float
        Weight of a day against that of the next. [1]
    ridge : float
        Pull of the regression of all hours to "as usual", in observed days at unit deviation. [1]
    ridge_hour : float
        Pull of an hour's regression to that of all hours. [1]
    neighbour : float
        Weight of the hours before and after. [1]
    floor : float
        Error, in deviations, below which the robust experts weigh samples no higher. [1]
    start : int
        Rows before which the forecast is the usual profile. [d]
    recent : int
        Last rows whose errors give weights and quantiles. [d]
    refresh, refresh_early : int
        Rows between two solutions, among the recent rows and before. [d]
    sharpness : float
        Power of the inverse mean error by which experts are weighted. [1]
    """

    memory: float = 0.08
    forgetting: float = 0.995
    ridge: float = 30.0
    ridge_hour: float = 30.0
    neighbour: float = 0.5
    floor: float = 0.2
    start: int = 14
    recent: int = 56
    refresh: int = 7
    refresh_early: int = 56
    sharpness: float = 8.0


@kernel
def learn_rows(
    features: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    hour: np.ndarray,
    squares: np.ndarray,
    moments: np.ndarray,
) -> None:
    """Add weighted samples to the sums of squares and to the moments of their hours.

    Whole rows of the squares, although a triangle would do: vectors of one length take two thirds of the time.

    Parameters
    ----------
    features : ndarray (row, step, feature)
        A multiple of 4 features takes the least time.
    target, weight : ndarray (row, step)
        Weight 0 where there is no sample.
    hour : ndarray (step,) of int
        To which sums a step belongs.
    squares : ndarray (hour, feature, feature)
        Added to.
    moments : ndarray (hour, feature)
        Added to.
    """
    rows, steps, n = features.shape
    for j in range(steps):
        b = hour[j]
        for r in range(rows):
            for i in range(n):
                scaled = weight[r, j] * features[r, j, i]
                moments[b, i] += scaled * target[r, j]
                for k in range(n):
                    squares[b, i, k] += scaled * features[r, j, k]


@kernel
def solve_ridge(squares: np.ndarray, moments: np.ndarray, ridge: float, factor: np.ndarray, out: np.ndarray) -> None:
    """Solve ``(squares + ridge I) out = moments`` by Cholesky's method.

    Parameters
    ----------
    squares : ndarray (feature, feature)
        Symmetric; only its lower triangle is read.
    moments : ndarray (feature,)
        Right-hand side.
    ridge : float
        Above 0.
    factor : ndarray (feature, feature)
        Room for the factor.
    out : ndarray (feature,)
        Written.
    """
    n = len(moments)
    for i in range(n):
        for k in range(i + 1):
            total = squares[i, k] + (ridge if i == k else 0.0)
            for m in range(k):
                total -= factor[i, m] * factor[k, m]
            factor[i, k] = np.sqrt(max(total, 1e-12)) if i == k else total / factor[k, k]
    for i in range(n):
        total = moments[i]
        for m in range(i):
            total -= factor[i, m] * out[m]
        out[i] = total / factor[i, i]
    for i in range(n - 1, -1, -1):
        total = out[i]
        for m in range(i + 1, n):
            total -= factor[m, i] * out[m]
        out[i] = total / factor[i, i]


@kernel
def solve_hours(squares: np.ndarray, moments: np.ndarray, size: float, settings: Settings, weights: np.ndarray) -> None:
    """Coefficients of each hour: those of all hours, plus what its own samples and its neighbours' add.

    Parameters
    ----------
    squares : ndarray (hour, feature, feature)
        Sums of squares, lower triangles.
    moments : ndarray (hour, feature)
        Sums of products with the target.
    size : float
        Weight of the last day in the sums; the ridges are stated for 1.
    settings : Settings
        Ridges and the weight of neighbours.
    weights : ndarray (hour, feature)
        Written.
    """
    hours, n = moments.shape
    near, beside, factor = np.zeros((n, n)), np.zeros(n), np.empty((n, n))
    common, own = np.empty(n), np.empty(n)
    for b in range(hours):
        near += squares[b]
        beside += moments[b]
    solve_ridge(near, beside, size * settings.ridge, factor, common)
    for b in range(hours):
        before, after = (b - 1) % hours, (b + 1) % hours
        for i in range(n):
            beside[i] = moments[b, i] + settings.neighbour * (moments[before, i] + moments[after, i])
            for k in range(i + 1):
                near[i, k] = squares[b, i, k] + settings.neighbour * (squares[before, i, k] + squares[after, i, k])
        for i in range(n):
            for k in range(n):
                beside[i] -= (near[i, k] if k <= i else near[k, i]) * common[k]
        solve_ridge(near, beside, size * settings.ridge_hour, factor, own)
        weights[b] = common + own


@kernel
def run_expert(
    features: np.ndarray,
    target: np.ndarray,
    hour: np.ndarray,
    lead: int,
    robust: bool,
    settings: Settings,
    forecast: np.ndarray,
) -> None:
    """Learn row after row and forecast each row from what was learnt `lead` rows before.

    Parameters
    ----------
    features : ndarray (row, step, feature)
        Known `lead` rows before.
    target : ndarray (row, step)
        Deviation from the usual profile; NaN where not known.
    hour : ndarray (step,) of int
        Regression to which a step belongs, from 0 on.
    lead : int
        Rows from the last known row to the one that is forecast.
    robust : bool
        Whether a sample weighs less the larger its error was when it was forecast: the forecast is then nearer to a
        median than to a mean.
    settings : Settings
        How it learns.
    forecast : ndarray (row, step)
        Written: deviation from the usual profile.

    References
    ----------
    .. [1] :doi:`10.1002/0470045345` (recursive least squares, information form)
    """
    rows, steps, n = features.shape
    hours = hour[-1] + 1
    squares, moments = np.zeros((hours, n, n)), np.zeros((hours, n))
    weights = np.zeros((hours, n))
    share, size, learnt = hours / steps, 1.0, 0
    known, weight = np.zeros((rows, steps)), np.zeros((rows, steps))
    forecast[:] = 0.0
    for r in range(rows):
        if r >= lead:
            size /= settings.forgetting  # new days weigh more, instead of old ones less: nothing is multiplied again
            for j in range(steps):
                if np.isfinite(target[r - lead, j]):
                    known[r - lead, j] = target[r - lead, j]
                    error = abs(known[r - lead, j] - forecast[r - lead, j])
                    weight[r - lead, j] = size * share / (max(error, settings.floor) if robust else 1.0)
        left = rows - 1 - r
        late = left <= settings.recent + lead
        if r < settings.start or not (robust or late):
            continue
        if left % (settings.refresh if late else settings.refresh_early) == 0:
            new = slice(learnt, max(r - lead + 1, learnt))
            learn_rows(features[new], known[new], weight[new], hour, squares, moments)
            learnt = new.stop
            solve_hours(squares, moments, size, settings, weights)
        for j in range(steps):
            total = 0.0
            for i in range(n):
                total += weights[hour[j], i] * features[r, j, i]
            forecast[r, j] = total
