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
    start: int,
    stop: int,
    hour: np.ndarray,
    squares: np.ndarray,
    moments: np.ndarray,
) -> None:
    """Add weighted samples to the sums of squares and to the moments of their hours.

    Four samples at a time, so that the sums are read and written once for four products; whole rows of the squares,
    although a triangle would do, because vectors of one length take two thirds of the time.

    Parameters
    ----------
    features : ndarray (step, row, feature)
        A multiple of 4 features takes the least time.
    target, weight : ndarray (step, row)
        Weight 0 where there is no sample.
    start, stop : int
        Rows that are added.
    hour : ndarray (step,) of int
        To which sums a step belongs.
    squares : ndarray (hour, feature, feature)
        Added to.
    moments : ndarray (hour, feature)
        Added to.
    """
    steps, _, n = features.shape
    whole = start + (stop - start) // 4 * 4
    for j in range(steps):
        x, t, w = features[j], target[j], weight[j]
        square, moment = squares[hour[j]], moments[hour[j]]
        for r in range(start, whole, 4):
            x0, x1, x2, x3 = x[r], x[r + 1], x[r + 2], x[r + 3]
            for i in range(n):
                a0, a1, a2, a3 = w[r] * x0[i], w[r + 1] * x1[i], w[r + 2] * x2[i], w[r + 3] * x3[i]
                moment[i] += a0 * t[r] + a1 * t[r + 1] + a2 * t[r + 2] + a3 * t[r + 3]
                row = square[i]
                for k in range(n):
                    row[k] += a0 * x0[k] + a1 * x1[k] + a2 * x2[k] + a3 * x3[k]
        for r in range(whole, stop):
            for i in range(n):
                a = w[r] * x[r, i]
                moment[i] += a * t[r]
                for k in range(n):
                    square[i, k] += a * x[r, k]


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
def factorise_ridges(squares: np.ndarray, ridge: float, factor: np.ndarray) -> None:
    """Cholesky factors of many systems; on the diagonal stand inverses, to multiply by.

    Parameters
    ----------
    squares : ndarray (feature, feature, system)
        Symmetric; only lower triangles are read.
    ridge : float
        Added on the diagonals; above 0.
    factor : ndarray (feature, feature, system)
        Its lower triangles are written.
    """
    n, _, count = squares.shape
    for i in range(n):
        for k in range(i + 1):
            for b in range(count):
                factor[i, k, b] = squares[i, k, b] + (ridge if i == k else 0.0)
            for m in range(k):
                for b in range(count):
                    factor[i, k, b] -= factor[i, m, b] * factor[k, m, b]
            if i == k:
                for b in range(count):
                    factor[i, i, b] = 1.0 / np.sqrt(max(factor[i, i, b], 1e-12))
            else:
                for b in range(count):
                    factor[i, k, b] *= factor[k, k, b]


@kernel
def solve_ridges(squares: np.ndarray, ridge: float, factor: np.ndarray, out: np.ndarray) -> None:
    """Solve many systems of one size at once, like `solve_ridge`; the last index of every array is the system.

    Side by side, they fill the vectors of the processor: a third of the time of one after the other.

    Parameters
    ----------
    squares, ridge, factor
        See `factorise_ridges`.
    out : ndarray (feature, system)
        The right-hand sides; the solutions are written over them.
    """
    n, count = out.shape
    factorise_ridges(squares, ridge, factor)
    for i in range(n):
        for m in range(i):
            for b in range(count):
                out[i, b] -= factor[i, m, b] * out[m, b]
        for b in range(count):
            out[i, b] *= factor[i, i, b]
    for i in range(n - 1, -1, -1):
        for m in range(i + 1, n):
            for b in range(count):
                out[i, b] -= factor[m, i, b] * out[m, b]
        for b in range(count):
            out[i, b] *= factor[i, i, b]


@kernel
def solve_hours(squares: np.ndarray, moments: np.ndarray, size: float, settings: Settings, weights: np.ndarray) -> None:
    """Coefficients of each hour: those of all hours, plus what its own samples and its neighbours' add.

    Parameters
    ----------
    squares : ndarray (hour, feature, feature)
        Sums of squares.
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
    whole, beside, factor = np.zeros((n, n)), np.zeros(n), np.empty((n, n))
    near, own, room, common = np.empty((n, n, hours)), np.empty((n, hours)), np.empty((n, n, hours)), np.empty(n)
    for b in range(hours):
        whole += squares[b]
        beside += moments[b]
    solve_ridge(whole, beside, size * settings.ridge, factor, common)
    for b in range(hours):
        here, before, after = squares[b], squares[(b - 1) % hours], squares[(b + 1) % hours]
        for i in range(n):
            around = moments[(b - 1) % hours, i] + moments[(b + 1) % hours, i]
            total = moments[b, i] + settings.neighbour * around
            for k in range(n):
                value = here[i, k] + settings.neighbour * (before[i, k] + after[i, k])
                total -= value * common[k]
                near[i, k, b] = value
            own[i, b] = total
    solve_ridges(near, size * settings.ridge_hour, room, own)
    for b in range(hours):
        for i in range(n):
            weights[b, i] = common[i] + own[i, b]


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
    features : ndarray (step, row, feature)
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
    steps, rows, n = features.shape
    hours = hour[-1] + 1
    squares, moments = np.zeros((hours, n, n)), np.zeros((hours, n))
    weights = np.zeros((hours, n))
    share, size, learnt = hours / steps, 1.0, 0
    known, weight = np.zeros((steps, rows)), np.zeros((steps, rows))
    forecast[:] = 0.0
    for r in range(rows):
        last = r - lead
        if last >= 0:
            size /= settings.forgetting  # new days weigh more, instead of old ones less: nothing is multiplied again
            for j in range(steps):
                if np.isfinite(target[last, j]):
                    known[j, last] = target[last, j]
                    error = abs(target[last, j] - forecast[last, j])
                    weight[j, last] = size * share / (max(error, settings.floor) if robust else 1.0)
        left = rows - 1 - r
        late = left <= settings.recent + lead
        if r < settings.start or not (robust or late):
            continue
        if left % (settings.refresh if late else settings.refresh_early) == 0:
            learn_rows(features, known, weight, learnt, max(last + 1, learnt), hour, squares, moments)
            learnt = max(last + 1, learnt)
            solve_hours(squares, moments, size, settings, weights)
        for j in range(steps):
            total = 0.0
            for i in range(n):
                total += weights[hour[j], i] * features[j, r, i]
            forecast[r, j] = total
