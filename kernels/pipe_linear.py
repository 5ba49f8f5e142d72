"""Pipes about a state: drops of squared pressure with their slopes, and what pipes hold at a pressure."""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel
from kernels.pipe import Pipes, drop_slope, squared_drop

BAR_NORMAL, KELVIN_NORMAL = 1.01325, 273.15


def make_pipes(
    inner_diameter: np.ndarray,
    length: np.ndarray,
    roughness: np.ndarray,
    friction_factor: np.ndarray,
    loss_coefficient: np.ndarray,
    gas: dict[str, float],
) -> Pipes:
    """Coefficients of each pipe for flows in normal cubic metres per hour and pressures in bar.

    Parameters
    ----------
    inner_diameter, length : ndarray (pipe,)
        [m]
    roughness : ndarray (pipe,)
        [mm]
    friction_factor, loss_coefficient : ndarray (pipe,)
        The first NaN where the law holds. [1]
    gas : dict of str to float
        ``temperature`` (degree Celsius), ``density_normal`` (kg m-3), ``viscosity`` (Pa s).

    Returns
    -------
    Pipes
    """
    area = np.pi / 4 * inner_diameter**2
    kelvin, density = gas["temperature"] + KELVIN_NORMAL, gas["density_normal"]
    scale = BAR_NORMAL * density * kelvin / (1e5 * KELVIN_NORMAL * (area * 3600) ** 2)
    return Pipes(
        scale * length / inner_diameter,
        scale * loss_coefficient,
        density / 3600 * inner_diameter / (gas["viscosity"] * area),
        1e-3 * roughness / inner_diameter,
        np.asarray(friction_factor, np.float64),
    )


@kernel
def drops(flow: np.ndarray, pipes: Pipes, law: int) -> tuple[np.ndarray, np.ndarray]:
    """Drop of squared pressure of every pipe in every step at a compressibility factor of 1, and its slope.

    Parameters
    ----------
    flow : ndarray (pipe, step)
        [m3 h-1]
    pipes : Pipes
        As many.
    law : int
        See `kernels.pipe.friction_factor`.

    Returns
    -------
    drop, slope : ndarray (pipe, step)
        [bar2, bar2 h m-3]
    """
    drop, slope = np.empty(flow.shape), np.empty(flow.shape)
    for k in range(flow.shape[0]):
        for t in range(flow.shape[1]):
            drop[k, t] = squared_drop(flow[k, t], k, pipes, law)
            slope[k, t] = drop_slope(flow[k, t], k, pipes, law)
    return drop, slope


def flows_of_drop(drop: np.ndarray, most: np.ndarray, pipes: Pipes, law: int) -> np.ndarray:
    """Flow at which each pipe drops its squared pressure by so much, at a compressibility factor of 1.

    Parameters
    ----------
    drop : ndarray (pipe,)
        At least 0. [bar2]
    most : ndarray (pipe,)
        Largest flow. [m3 h-1]
    pipes, law
        As for `drops`.

    Returns
    -------
    ndarray (pipe,)
        By bisection, to 1e-12 of the largest. [m3 h-1]
    """
    low, high = np.zeros_like(most), most.astype(np.float64)
    for _ in range(40):
        middle = (low + high) / 2
        over = drops(middle[:, None], pipes, law)[0][:, 0] > drop
        low, high = np.where(over, low, middle), np.where(over, middle, high)
    return np.asarray(np.where(drops(most[:, None], pipes, law)[0][:, 0] <= drop, most, low))


def packed(pressure: np.ndarray, factor: float, slope: float) -> np.ndarray:
    """Gas in a cubic metre at a pressure and normal temperature, in normal cubic metres times the normal pressure.

    Parameters
    ----------
    pressure : ndarray
        Absolute. [bar]
    factor, slope : float
        Compressibility factor at pressure 0, and its change by pressure. [1, bar-1]

    Returns
    -------
    ndarray
        ``p / K``. [bar]
    """
    return np.asarray(pressure / (factor + slope * pressure))


def packed_slope(pressure: np.ndarray, factor: float, slope: float) -> np.ndarray:
    """Change of `packed` by pressure.

    Parameters
    ----------
    pressure, factor, slope
        As for `packed`.

    Returns
    -------
    ndarray
        [1]
    """
    return np.asarray(factor / (factor + slope * pressure) ** 2)
