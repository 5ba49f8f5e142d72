"""How good forecasts were: scores over the values that came, gaps left out."""

from __future__ import annotations

import numpy as np

LEVELS = (0.1, 0.5, 0.9)


def mean_absolute_error(came: np.ndarray, point: np.ndarray) -> float:
    """MAE, in the unit of the values; NaN where nothing came."""
    return float(np.abs(_both(came, point)).mean())


def root_mean_square_error(came: np.ndarray, point: np.ndarray) -> float:
    """RMSE, in the unit of the values; NaN where nothing came."""
    return float(np.sqrt((_both(came, point) ** 2).mean()))


def pinball(came: np.ndarray, quantiles: np.ndarray, levels: tuple[float, ...] = LEVELS) -> float:
    """Mean pinball loss over all quantiles, in the unit of the values.

    Parameters
    ----------
    came : ndarray
        What came; NaN where it is not known.
    quantiles : ndarray (quantile, ...)
        Forecast quantiles.
    levels : tuple of float
        Their levels.

    References
    ----------
    .. [1] :doi:`10.1198/016214506000001437`
    """
    losses = []
    for level, quantile in zip(levels, quantiles, strict=True):
        above = _both(came, quantile)
        losses.append(np.maximum(level * above, (level - 1) * above).mean())
    return float(np.mean(losses))


def coverage(came: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Share of values between two quantiles, ends included."""
    known = np.isfinite(came) & np.isfinite(low) & np.isfinite(high)
    return float(((came >= low) & (came <= high))[known].mean())


def scores(came: np.ndarray, point: np.ndarray, quantiles: np.ndarray) -> dict[str, float]:
    """Give all scores of a forecast with the quantiles 10, 50 and 90 %."""
    return {
        "mae": mean_absolute_error(came, point),
        "rmse": root_mean_square_error(came, point),
        "pinball": pinball(came, quantiles),
        "coverage_80": coverage(came, quantiles[0], quantiles[-1]),
    }


def _both(came: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Differences where both are known; where a forecast is missing although something came, an infinite one."""
    known = np.isfinite(came)
    return np.asarray(np.where(np.isfinite(forecast), came - forecast, np.inf)[known])
