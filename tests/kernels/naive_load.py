"""Slow readable twin of the load kernels: the same forecasts with numpy's own solver, one number at a time."""

from __future__ import annotations

import numpy as np


def profile(values, kind, lead, memory):
    usual, common, found = {}, {}, np.full(values.shape, np.nan)
    for r, j in np.ndindex(values.shape):
        if r >= lead and np.isfinite(values[r - lead, j]):
            new, k = values[r - lead, j], kind[r - lead, j]
            gain = memory * (2 if k else 1)
            usual[k, j] = new if (k, j) not in usual else (1 - gain) * usual[k, j] + gain * new
            common[j] = new if j not in common else (1 - gain) * common[j] + gain * new
        found[r, j] = usual.get((kind[r, j], j), common.get(j, np.nan))
    return found


def mean(values):
    known = [v for v in values if np.isfinite(v)]
    return sum(known) / len(known) if known else np.nan


def features(values, usual, scale, lead, calendar, weather):
    rows, steps = values.shape
    week = 7 * int(np.ceil(lead / 7))
    away = ((values - usual) / scale).ravel()
    table = []
    for r, j in np.ndindex(values.shape):

        def at(lag, r=r, j=j):
            return values[r - lag, j] if r >= lag else np.nan

        lags = [at(lead), at(week), mean([at(week + 7 * i) for i in range(4)]), mean([at(lead + i) for i in range(7)])]
        end = max(r - lead + 1, 0) * steps
        levels = [mean(away[max(end - round(h * steps / 24), 0) : end]) for h in (3, 12, 24, 168)]
        own = [(v - usual[r, j]) / scale for v in lags] + levels
        table.append([1.0, *np.nan_to_num(own), *calendar[r, j], *weather[r, j]])
    return np.array(table).reshape(rows, steps, -1)


def expert(x, target, hour, lead, robust, s):
    rows, steps, n = x.shape
    hours = max(hour) + 1
    forecast, weights = np.zeros((rows, steps)), None
    for r in range(s.start, rows):
        left = rows - 1 - r
        late = left <= s.recent + lead
        if not (robust or late):
            continue
        if left % (s.refresh if late else s.refresh_early) == 0:
            squares, moments = np.zeros((hours, n, n)), np.zeros((hours, n))
            for q, j in np.ndindex(max(r - lead + 1, 0), steps):
                if np.isfinite(target[q, j]):
                    w = s.forgetting ** (r - lead - q) * hours / steps
                    w /= max(abs(target[q, j] - forecast[q, j]), s.floor) if robust else 1
                    squares[hour[j]] += w * np.outer(x[q, j], x[q, j])
                    moments[hour[j]] += w * x[q, j] * target[q, j]
            # The sums are stated at the weight of the last known day, the ridges too.
            common = np.linalg.solve(squares.sum(0) + s.ridge * np.eye(n), moments.sum(0))
            weights = []
            for b in range(hours):
                a = squares[b] + s.neighbour * (squares[b - 1] + squares[(b + 1) % hours])
                m = moments[b] + s.neighbour * (moments[b - 1] + moments[(b + 1) % hours])
                weights.append(common + np.linalg.solve(a + s.ridge_hour * np.eye(n), m - a @ common))
        if weights is not None:
            forecast[r] = [weights[hour[j]] @ x[r, j] for j in range(steps)]
    return forecast


def pair(values, kind, hour, lead, calendar, weather, s):
    known = values[np.isfinite(values)]
    scale = (known.std() if len(known) else 0) or 1.0
    low, high = (known.min(), known.max()) if len(known) else (0, 0)
    usual = profile(values, kind, lead, s.memory)
    x = features(values, usual, scale, lead, calendar, weather)
    target = (values - usual) / scale
    found = [usual + scale * expert(x, target, hour, lead, robust, s) for robust in (False, True)]
    return [np.clip(f, low - scale, high + scale) for f in found]


def forecast_load(values, kind, hour, lead, calendar, weather, s, recent):
    """Point and residuals of one series, all steps of a row used."""
    experts = pair(values, kind, hour, lead, calendar, weather, s)
    known = values[np.isfinite(values)]
    if len(known) and known.min() >= 0 and known.mean() > 0:
        offset = 0.1 * known.mean()
        logs = pair(np.log(values + offset), kind, hour, lead, calendar, weather, s)
        experts += [np.exp(f) - offset for f in logs]
    else:
        experts += [experts[0], experts[0]]
    rows, steps = values.shape
    mixed, errors = np.full((rows, steps), np.nan), np.zeros(4)
    for r in range(rows):
        if r >= lead:
            away = [np.abs(values[r - lead] - f[r - lead]) for f in experts]
            errors = 0.97 * errors + [np.nansum(a) for a in away]
        weights = np.array([(errors.min() / e) ** s.sharpness if e > 0 else 1 for e in errors])
        mixed[r] = sum(w * f[r] for w, f in zip(weights, experts, strict=True)) / weights.sum()
    at = np.arange(rows - lead - recent, rows - lead)
    residual = values[at] - mixed[at]
    residual[at < s.start] = np.nan
    return mixed[-1], at_present_size(residual)


def at_present_size(residual):
    sizes = [mean(np.abs(row)) for row in residual]
    usual = mean(sizes)
    if not usual > 0:
        return residual
    lately, then = usual, []
    for size in sizes:
        then.append(max(lately, 0.01 * usual))
        lately = 0.9 * lately + 0.1 * size if np.isfinite(size) else lately
    return residual * np.sqrt(max(lately, 0.01 * usual) / np.array(then))[:, None]
