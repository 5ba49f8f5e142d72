"""How air bends the light of the sun, and the angle from the zenith that this needs."""

from __future__ import annotations

import math

import numpy as np

from kernels._jit import fused_kernel
from kernels._vector import select

RAD = math.pi / 180.0
SIXTH, TWELFTH, TWENTIETH = 1.0 / 6.0, 1.0 / 12.0, 1.0 / 20.0
"""Factors of series: dividing by a constant takes ten times as long as multiplying."""
LOWEST = -0.26667 - 0.5667
"""Elevation down to which light is bent: the sun's radius and the bending at the horizon. [degree]"""
LOWEST_UP = math.sin(LOWEST * RAD)
"""Its sine."""
BENT = 10.3 * RAD
"""Numerator of the angle by which the bending is looked up, over degrees. [rad]"""
# fmt: off
ARC = np.array([
    1.5707963267976963, -1.00000000023571, 0.7853981473220094, -0.6666655927284268, 0.5890253762655239,
    -0.5330657749827585, 0.4889541359663462, -0.4478221586833502, 0.39729112322162147, -0.32411075370853265,
    0.2268828033899805, -0.12591289630484223, 0.05048891981524711, -0.012774587188464644, 0.0015149310553996054,
])
# fmt: on
"""Chebyshev fit of acos(u) / sqrt(1 - u^2) for u from -0.0158 to 1."""


@fused_kernel
def zenith_of(up: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Angle from the zenith whose cosine and sine are `up` and `flat`, up to 90.9 degree; within 4e-12. [rad].

    Over its sine it is a polynomial in its cosine: a quarter of the time of ``atan2``. Its terms are added in pairs, so
    that the processor need not wait for each before the next.
    """
    u, a = up, ARC
    u2 = u * u
    u4 = u2 * u2
    low = (a[0] + a[1] * u) + (a[2] + a[3] * u) * u2
    middle = (a[4] + a[5] * u) + (a[6] + a[7] * u) * u2
    high = (a[8] + a[9] * u) + (a[10] + a[11] * u) * u2
    highest = (a[12] + a[13] * u) + a[14] * u2
    zenith: np.ndarray = flat * ((low + middle * u4) + (high + highest * u4) * (u4 * u4))
    return zenith


@fused_kernel
def refraction(
    elevation: float | np.ndarray, up: float | np.ndarray, flat: float | np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray]:
    """How much the atmosphere lifts the sun, and how much its horizontal part shrinks.

    The published tangent of elevation + 10.3 / (elevation + 5.11) degree, by its theorem of addition: the second
    angle is below 0.045 rad, where the series are exact to 1e-11. Sine and cosine of that angle are multiplied by the
    fifth power of elevation + 5.11 degree, so that nothing is divided by it.

    Parameters
    ----------
    elevation : float or vector
        Without the atmosphere. [degree]
    up, flat : float or vector
        Its sine and cosine.
    factor : float
        Of the site. [degree]

    Returns
    -------
    float or vector, twice
        The lift [rad], 0 below the horizon; 1 / `flat`, or 0 in the zenith.
    """
    d, c = elevation + 5.11, BENT
    d2 = d * d
    d4 = d2 * d2
    cos = d * (d4 - (0.5 * c**2) * d2 + c**4 / 24.0)
    sin = c * d4 - (c**3 * SIXTH) * d2 + c**5 / 120.0
    under = up * cos + flat * sin
    wide = select(flat > 1e-9, flat, 1.0)
    inverse = 1.0 / (under * wide)
    lift = (RAD * factor) * (flat * cos - up * sin) * (inverse * wide)
    return select(up >= LOWEST_UP, lift, 0.0), select(flat > 1e-9, inverse * under, 0.0)


@fused_kernel
def lifted(up: np.ndarray, flat: np.ndarray, lift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of an elevation raised by at most 0.02 rad, by series exact to 1e-14."""
    y = lift * lift
    sin, cos = lift * (1.0 - SIXTH * y * (1.0 - TWENTIETH * y)), 1.0 - 0.5 * y * (1.0 - TWELFTH * y)
    return up * cos + flat * sin, flat * cos - up * sin
