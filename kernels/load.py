"""Load of many meters: four regressions each, mixed by how well they did lately."""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel, threaded_kernel
from kernels.load_features import OWN, fill_own, fill_shared, usual_profile
from kernels.load_regression import Settings, run_expert

EXPERTS = 4  # by least squares and robust, of the values and of their logarithms
DISCOUNT = 0.97  # weight of a day's error against that of the next when experts are weighted
SIZE_MEMORY = 0.1  # weight of a new day in the size that errors have lately
LEAST_SIZE = 0.01  # part of its mean below which that size is not taken


@threaded_kernel
def spread(values: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, standard deviation, lowest and highest of the known values; zeros where none is known."""
    count, total, lowest, highest = 0, 0.0, np.inf, -np.inf
    for row in values:
        for v in row:
            if np.isfinite(v):
                count += 1
                total += v
                lowest, highest = min(lowest, v), max(highest, v)
    if count == 0:
        return 0.0, 0.0, 0.0, 0.0
    mean, squares = total / count, 0.0
    for row in values:
        for v in row:
            if np.isfinite(v):
                squares += (v - mean) * (v - mean)
    return mean, np.sqrt(squares / count), lowest, highest


@threaded_kernel
def run_pair(
    values: np.ndarray,
    seen: tuple[float, float, float, float],
    kind: np.ndarray,
    hour: np.ndarray,
    first: int,
    lead: int,
    settings: Settings,
    features: np.ndarray,
    forecast: np.ndarray,
) -> None:
    """Forecast one series, as it is or its logarithm, by least squares and robustly.

    Parameters are those of `forecast_loads` for one series; the shared ones of `features` (used step, row, feature) are
    there, its own are written. `forecast` (2, row, used step) is written in the unit of `values`, kept within one
    standard deviation of what was ever seen; `seen` is what `spread` says of the values.
    """
    rows, used = len(values), len(hour)
    _, deviation, lowest, highest = seen
    scale = deviation if deviation > 0 else 1.0
    profile, target = np.empty(values.shape), np.empty((rows, used))
    usual_profile(values, kind, lead, settings.memory, profile)
    fill_own(values, profile, scale, lead, first, features)
    for r in range(rows):
        for i in range(used):
            target[r, i] = (values[r, first + i] - profile[r, first + i]) / scale
    for e in range(2):
        run_expert(features, target, hour, lead, e == 1, settings, forecast[e])
        for r in range(rows):
            for i in range(used):
                found = profile[r, first + i] + scale * forecast[e, r, i]
                forecast[e, r, i] = min(max(found, lowest - scale), highest + scale)


@kernel
def power(number: float, exponent: float) -> float:
    """Power of a number; by multiplication, which takes a tenth of the time, where the exponent is whole."""
    left, squared, found = int(exponent), number, 1.0
    if left != exponent or left < 0:
        return float(number**exponent)
    while left > 0:
        if left % 2:
            found *= squared
        squared *= squared
        left //= 2
    return found


@threaded_kernel
def mix(values: np.ndarray, forecast: np.ndarray, lead: int, sharpness: float, mixed: np.ndarray) -> None:
    """Weighted mean of the experts' forecasts, row after row, by their mean absolute errors so far.

    Parameters
    ----------
    values : ndarray (row, step)
        NaN where not known.
    forecast : ndarray (expert, row, step)
        NaN where an expert has none.
    lead : int
        Errors of row r are known for row r + lead.
    sharpness : float
        Power of the inverse error by which an expert is weighted. [1]
    mixed : ndarray (row, step)
        Written.
    """
    experts, rows, steps = forecast.shape
    error, weight = np.zeros(experts), np.ones(experts)
    for r in range(rows):
        for e in range(experts if r >= lead else 0):
            total = 0.0
            for j in range(steps):
                away = abs(values[r - lead, j] - forecast[e, r - lead, j])
                total += away if away < np.inf else 0.0
            error[e] = DISCOUNT * error[e] + total
        least = error[0]
        for e in range(1, experts):
            least = min(least, error[e])
        for e in range(experts):
            weight[e] = power(least / error[e], sharpness) if error[e] > least else 1.0
        for j in range(steps):
            total, count = 0.0, 0.0
            for e in range(experts):
                known = abs(forecast[e, r, j]) < np.inf
                total += weight[e] * forecast[e, r, j] if known else 0.0
                count += weight[e] if known else 0.0
            mixed[r, j] = total / count if count > 0 else np.nan


@threaded_kernel
def mean_size(residual: np.ndarray) -> float:
    """Mean absolute value of the known errors of a row; NaN where none is."""
    total, count = 0.0, 0
    for one in residual:
        if np.isfinite(one):
            total += abs(one)
            count += 1
    return total / count if count else np.nan


@threaded_kernel
def to_present_size(residual: np.ndarray) -> None:
    """State past errors as if made now: halfway, by the root, from the size they had lately then to that of now.

    Models learn and seasons differ, so that errors of some weeks ago are larger or smaller than those to come.

    Parameters
    ----------
    residual : ndarray (row, step)
        Changed in place; NaN where not known.

    References
    ----------
    .. [1] :doi:`10.1080/01621459.2017.1307116` (conformal intervals scaled by the local size of errors)
    """
    rows, steps = residual.shape
    size = np.full(rows, np.nan)
    for r in range(rows):
        size[r] = mean_size(residual[r])
    usual = mean_size(size)
    if not usual > 0:
        return
    lately, then = usual, np.empty(rows)
    for r in range(rows):
        then[r] = lately
        if np.isfinite(size[r]):
            lately += SIZE_MEMORY * (size[r] - lately)
    for r in range(rows):
        ratio = np.sqrt(max(lately, LEAST_SIZE * usual) / max(then[r], LEAST_SIZE * usual))
        for i in range(steps):
            residual[r, i] *= ratio


@threaded_kernel
def from_logarithms(forecast: np.ndarray, shift: float) -> None:
    """Bring experts of logarithms back, and let each repeat the first one where it has neither those nor regression.

    Parameters
    ----------
    forecast : ndarray (expert, row, used step)
        Changed in place; from the third on of the logarithms of values that were shifted.
    shift : float
        What was added to the values; NaN where there are no logarithms. [unit of values]
    """
    experts, rows, used = forecast.shape
    for e in range(1, experts):
        for r in range(rows):
            for i in range(used):
                found = forecast[e, r, i] if e == 1 else np.exp(forecast[e, r, i]) - shift
                forecast[e, r, i] = forecast[0, r, i] if np.isnan(found) else found


@threaded_kernel
def run_experts(
    values: np.ndarray,
    kind: np.ndarray,
    hour: np.ndarray,
    first: int,
    lead: int,
    settings: Settings,
    features: np.ndarray,
    forecast: np.ndarray,
) -> None:
    """Forecast one series by all experts; parameters are those of `run_pair`, `forecast` (expert, row, used step)."""
    seen = spread(values)
    run_pair(values, seen, kind, hour, first, lead, settings, features, forecast[:2])
    mean, _, lowest, _ = seen
    logarithms = lowest >= 0 and mean > 0
    if logarithms:
        logs = np.empty(values.shape)
        for r in range(len(values)):
            for j in range(values.shape[1]):
                logs[r, j] = np.log(values[r, j] + 0.1 * mean)
        run_pair(logs, spread(logs), kind, hour, first, lead, settings, features, forecast[2:])
    from_logarithms(forecast, 0.1 * mean if logarithms else np.nan)


@threaded_kernel
def forecast_loads(
    values: np.ndarray,
    kind: np.ndarray,
    hour: np.ndarray,
    first: int,
    lead: int,
    calendar: np.ndarray,
    weather: np.ndarray,
    station: np.ndarray,
    settings: Settings,
    point: np.ndarray,
    residual: np.ndarray,
) -> None:
    """Forecast the last row of each series, and tell how wrong earlier rows were when they were forecast alike.

    Parameters
    ----------
    values : ndarray (series, row, step)
        Rows of 24 hours that begin at the time of issue; the last `lead` rows are not known. NaN where there is none.
    kind : ndarray (row, step) of int
        0 for working days, 1 for days off.
    hour : ndarray (used step,) of int
        Regression to which each step that is forecast belongs, from 0 on.
    first : int
        The first step that is forecast.
    lead : int
        Rows from the last known row to the last one.
    calendar : ndarray (row, step, column)
        Features of all series.
    weather : ndarray (station, row, step, column)
        Features of all series of a station.
    station : ndarray (series,) of int
        -1 for none.
    settings : Settings
        How the regressions learn.
    point : ndarray (series, used step)
        Written; NaN for a series of which nothing is known. [unit of values]
    residual : ndarray (series, recent row, used step)
        Written: what came less what was forecast, in the last rows that are known, by `to_present_size`; NaN where
        either is missing.
    """
    rows, used, recent = values.shape[1], len(hour), residual.shape[1]
    forecast, mixed, own = np.empty((EXPERTS, rows, used)), np.empty((rows, used)), np.empty(values.shape[1:])
    nothing = np.zeros((rows, values.shape[2], weather.shape[3]))
    columns, last = OWN + 1 + calendar.shape[2] + weather.shape[3], -2
    features = np.empty((used, rows, (columns + 7) // 8 * 8))
    for s in range(len(values)):
        if station[s] != last:
            last = station[s]
            fill_shared(calendar, weather[last] if last >= 0 else nothing, first, features)
        for r in range(rows):
            for j in range(values.shape[2]):
                own[r, j] = values[s, r, j]
        known = own[:, first : first + used]
        run_experts(own, kind, hour, first, lead, settings, features, forecast)
        mix(known, forecast, lead, settings.sharpness, mixed)
        for i in range(used):
            point[s, i] = mixed[rows - 1, i]
        for r in range(recent):
            at = rows - lead - recent + r
            for i in range(used):
                residual[s, r, i] = known[at, i] - mixed[at, i] if at >= settings.start else np.nan
        to_present_size(residual[s])
