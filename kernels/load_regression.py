"""Recursive least squares with exponential forgetting, a regression for each hour of the day, shrunk to that of all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel, kernel
from kernels._vector import fill, load, root, store, total


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


@bare_kernel
def add_tile(x: np.ndarray, weight: np.ndarray, start: int, stop: int, square: np.ndarray, i: int, k: int) -> None:
    """Add samples to four rows from `i` on and eight columns from `k` on of one hour's sums of squares.

    The 32 sums stay in registers while the samples pass: a fifth of the time of reading and writing them.

    Parameters
    ----------
    x : ndarray (row, feature)
        Features of one step.
    weight : ndarray (row,)
        0 where there is no sample.
    start, stop : int
        Rows that are added.
    square : ndarray (feature, feature)
        Added to.
    i, k : int
        Where the tile begins.
    """
    s0, s1, s2, s3 = load(square[i], k), load(square[i + 1], k), load(square[i + 2], k), load(square[i + 3], k)
    t0, t1 = load(square[i], k + 4), load(square[i + 1], k + 4)
    t2, t3 = load(square[i + 2], k + 4), load(square[i + 3], k + 4)
    for r in range(start, stop):
        row, w = x[np.uint64(r)], fill(weight[np.uint64(r)])
        left, right = w * load(row, k), w * load(row, k + 4)
        a = fill(row[i])
        s0, t0 = s0 + a * left, t0 + a * right
        a = fill(row[i + 1])
        s1, t1 = s1 + a * left, t1 + a * right
        a = fill(row[i + 2])
        s2, t2 = s2 + a * left, t2 + a * right
        a = fill(row[i + 3])
        s3, t3 = s3 + a * left, t3 + a * right
    store(square[i], k, s0)
    store(square[i + 1], k, s1)
    store(square[i + 2], k, s2)
    store(square[i + 3], k, s3)
    store(square[i], k + 4, t0)
    store(square[i + 1], k + 4, t1)
    store(square[i + 2], k + 4, t2)
    store(square[i + 3], k + 4, t3)


@bare_kernel
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

    Parameters
    ----------
    features : ndarray (step, row, feature)
        A multiple of 8 features.
    target, weight : ndarray (step, row)
        Weight 0 where there is no sample.
    start, stop : int
        Rows that are added.
    hour : ndarray (step,) of int
        To which sums a step belongs.
    squares : ndarray (hour, feature, feature)
        Added to, lower triangles; what is above them is not meant.
    moments : ndarray (hour, feature)
        Added to.
    """
    steps, _, n = features.shape
    for j in range(steps):
        x, t, w = features[j], target[j], weight[j]
        square, moment = squares[hour[j]], moments[hour[j]]
        for i in range(0, n, 4):
            for k in range(0, i + 4, 8):
                add_tile(x, w, start, stop, square, i, k)
        for k in range(0, n, 8):
            left, right = load(moment, k), load(moment, k + 4)
            for q in range(start, stop):
                r = np.uint64(q)
                a = fill(w[r] * t[r])
                left, right = left + a * load(x[r], k), right + a * load(x[r], k + 4)
            store(moment, k, left)
            store(moment, k + 4, right)


@bare_kernel
def solve_ridges(squares: np.ndarray, ridge: float, out: np.ndarray) -> None:
    """Solve ``(squares + ridge I) x = out`` for four systems at once by Cholesky's method.

    Arrays are flat, the system last: addresses of three indices would take as long as the arithmetic.

    Parameters
    ----------
    squares : ndarray (feature * feature * 4,)
        Symmetric; only lower triangles are read. Their factors are written over them, on the diagonal their inverses.
    ridge : float
        Above 0.
    out : ndarray (feature * 4,)
        The right-hand sides; the solutions are written over them.
    """
    n = len(out) // 4
    one, pull = fill(1.0), fill(ridge)
    for k in range(n):
        inverse = one / root(load(squares, 4 * (k * n + k)) + pull)
        store(squares, 4 * (k * n + k), inverse)
        found = load(out, 4 * k) * inverse
        store(out, 4 * k, found)
        for i in range(k + 1, n):
            a, row = load(squares, 4 * (i * n + k)) * inverse, 4 * i * n
            store(squares, row + 4 * k, a)
            store(out, 4 * i, load(out, 4 * i) - a * found)
            for j in range(k + 1, i + 1):
                store(squares, row + 4 * j, load(squares, row + 4 * j) - a * load(squares, 4 * (j * n + k)))
    for k in range(n - 1, -1, -1):
        found = load(out, 4 * k) * load(squares, 4 * (k * n + k))
        store(out, 4 * k, found)
        for i in range(k):
            store(out, 4 * i, load(out, 4 * i) - load(squares, 4 * (k * n + i)) * found)


@bare_kernel
def sum_hours(squares: np.ndarray, moments: np.ndarray, whole: np.ndarray, common: np.ndarray) -> None:
    """Sum the squares and moments of all hours, and put the sums side by side four times, for `solve_ridges`."""
    hours, n = moments.shape
    for i in range(n):
        found = 0.0
        for b in range(hours):
            found += moments[b, i]
        store(common, 4 * i, fill(found))
        for k in range(i + 1):
            found = 0.0
            for b in range(hours):
                found += squares[np.uint64(b), np.uint64(i), np.uint64(k)]
            store(whole, 4 * (i * n + k), fill(found))


@bare_kernel
def gather_hours(squares: np.ndarray, moments: np.ndarray, neighbour: float, near: np.ndarray, own: np.ndarray) -> None:
    """Add to each hour's sums those of its neighbours, and put four hours side by side.

    Parameters
    ----------
    squares, moments, neighbour
        See `solve_hours`.
    near : ndarray (group, feature * feature * 4)
        Lower triangles are written.
    own : ndarray (group, feature * 4)
        Written.
    """
    hours, n = moments.shape
    for b in range(hours):
        before, after, lane = (b - 1) % hours, (b + 1) % hours, b % 4
        to, right = near[b // 4], own[b // 4]
        for i in range(n):
            right[4 * i + lane] = moments[b, i] + neighbour * (moments[before, i] + moments[after, i])
            here, one, other, at = squares[b, i], squares[before, i], squares[after, i], 4 * i * n + lane
            for q in range(i + 1):
                k = np.uint64(q)
                to[np.uint64(at + 4 * q)] = here[k] + neighbour * (one[k] + other[k])


@bare_kernel
def subtract_common(squares: np.ndarray, common: np.ndarray, out: np.ndarray) -> None:
    """Subtract ``squares @ common`` from the right-hand sides of four systems; arrays are those of `solve_ridges`."""
    n = len(out) // 4
    for i in range(n):
        rest = load(out, 4 * i)
        for k in range(i + 1):
            rest = rest - load(squares, 4 * (i * n + k)) * load(common, 4 * k)
        for k in range(i + 1, n):
            rest = rest - load(squares, 4 * (k * n + i)) * load(common, 4 * k)
        store(out, 4 * i, rest)


@kernel
def solve_hours(squares: np.ndarray, moments: np.ndarray, size: float, settings: Settings, weights: np.ndarray) -> None:
    """Coefficients of each hour: those of all hours, plus what its own samples and its neighbours' add.

    Parameters
    ----------
    squares : ndarray (hour, feature, feature)
        Sums of squares; only lower triangles are read.
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
    groups = (hours + 3) // 4
    near, own = np.zeros((groups, n * n * 4)), np.zeros((groups, n * 4))
    whole, common = np.empty(n * n * 4), np.empty(n * 4)
    sum_hours(squares, moments, whole, common)
    solve_ridges(whole, size * settings.ridge, common)
    gather_hours(squares, moments, settings.neighbour, near, own)
    for g in range(groups):
        subtract_common(near[g], common, own[g])
        solve_ridges(near[g], size * settings.ridge_hour, own[g])
    for b in range(hours):
        for i in range(n):
            weights[b, i] = common[4 * i] + own[b // 4, 4 * i + b % 4]


@bare_kernel
def apply(weights: np.ndarray, features: np.ndarray, hour: np.ndarray, r: int, forecast: np.ndarray) -> None:
    """Write what the coefficients of each step's hour make of its features in row `r`."""
    for j in range(len(forecast)):
        own, x, found = weights[hour[j]], features[j, r], fill(0.0)
        for k in range(0, weights.shape[1], 4):
            found = found + load(own, k) * load(x, k)
        forecast[j] = total(found)


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
    for r in range(rows):
        for j in range(steps):
            forecast[r, j] = 0.0
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
        apply(weights, features, hour, r, forecast[r])
