"""What the solar position algorithm (SPA) makes of time alone, a vector of instants at once.

References
----------
.. [1] I. Reda, A. Andreas, "Solar position algorithm for solar radiation applications", Solar Energy 76 (2004) 577,
   :doi:`10.1016/j.solener.2003.12.003`
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernels._jit import fused_kernel
from kernels._vector import WIDE, load_wide, root, store
from kernels.spa_terms import DISTANCE, LATITUDE, LONGITUDE, NUTATION

RAD = math.pi / 180.0
NOON_2000 = 946728000.0
"""Noon of 2000-01-01, from which days are counted. [s since 1970]"""
ROUNDING = 6755399441055744.0
"""1.5 times 2^52: a number added to it is rounded to a whole one."""
TURN, TURN_REST = 6.283185307179586, 2.4492935982947064e-16
"""A full turn in two numbers. [rad]"""
# fmt: off
COSINE = np.array([
    0.9999999999999964, -0.49999999999990546, 0.04166666666631508, -0.0013888888884063708, 2.4801586972084384e-05,
    -2.755730642589586e-07, 2.0876455835716506e-09, -1.1466367163996423e-11, 4.7409460555138975e-14,
    -1.3725837314542187e-16,
])
# fmt: on
"""Chebyshev fit of the cosine as a function of the square of the angle, up to half a turn."""


class Sun(NamedTuple):
    """What depends on time alone.

    Attributes
    ----------
    hour_sin, hour_cos : ndarray (time,)
        Of the sun's hour angle at Greenwich.
    declination_sin, declination_cos : ndarray (time,)
        Of its geocentric declination.
    parallax : ndarray (time,)
        Sine of its equatorial horizontal parallax.
    dni_extra : ndarray (time,)
        Irradiance outside the atmosphere. [W m-2]
    """

    hour_sin: np.ndarray
    hour_cos: np.ndarray
    declination_sin: np.ndarray
    declination_cos: np.ndarray
    parallax: np.ndarray
    dni_extra: np.ndarray


@fused_kernel
def cosine(angle: np.ndarray) -> np.ndarray:
    """Cosine of an angle up to 1e6 rad, within 1e-10; a tenth of the time of the library's, in vectors."""
    turns = (angle * (0.5 / math.pi) + ROUNDING) - ROUNDING
    rest = (angle - turns * TURN) - turns * TURN_REST
    w, c = rest * rest, COSINE
    w2 = w * w
    w4 = w2 * w2
    low = (c[0] + c[1] * w) + (c[2] + c[3] * w) * w2
    high = (c[4] + c[5] * w) + (c[6] + c[7] * w) * w2
    value: np.ndarray = low + (high + (c[8] + c[9] * w) * w4) * w4
    return value


@fused_kernel
def periodic(terms: np.ndarray, millennia: np.ndarray) -> np.ndarray:
    """Sum a table of periodic terms, in order of rising powers of time."""
    total, power = 0.0 * millennia, int(terms[len(terms) - 1, 0])
    for k in range(len(terms) - 1, -1, -1):
        while power > terms[k, 0]:
            total = total * millennia
            power -= 1
        total = total + terms[k, 1] * cosine(terms[k, 2] + terms[k, 3] * millennia)
    return total * 1e-8


@fused_kernel
def nutation(centuries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nutation in longitude and in obliquity. [rad]."""
    t = centuries
    moon_sun = 297.85036 + t * (445267.111480 + t * (-0.0019142 + t * (1.0 / 189474.0)))
    sun = 357.52772 + t * (35999.050340 + t * (-0.0001603 - t * (1.0 / 300000.0)))
    moon = 134.96298 + t * (477198.867398 + t * (0.0086972 + t * (1.0 / 56250.0)))
    argument = 93.27191 + t * (483202.017538 + t * (-0.0036825 + t * (1.0 / 327270.0)))
    node = 125.04452 + t * (-1934.136261 + t * (0.0020708 + t * (1.0 / 450000.0)))
    longitude = obliquity = 0.0 * t
    for k in range(len(NUTATION)):
        x = NUTATION[k, 0] * moon_sun + NUTATION[k, 1] * sun + NUTATION[k, 2] * moon
        x = RAD * (x + NUTATION[k, 3] * argument + NUTATION[k, 4] * node)
        longitude = longitude + (NUTATION[k, 5] + NUTATION[k, 6] * t) * cosine(x - 0.5 * math.pi)
        obliquity = obliquity + (NUTATION[k, 7] + NUTATION[k, 8] * t) * cosine(x)
    return longitude * (RAD / 36e6), obliquity * (RAD / 36e6)


@fused_kernel
def mean_obliquity(millennia: np.ndarray) -> np.ndarray:
    """Mean obliquity of the ecliptic. [rad]."""
    u = millennia * 0.1
    far = u * (-249.67 + u * (-39.05 + u * (7.12 + u * (27.87 + u * (5.79 + u * 2.45)))))
    return RAD / 3600.0 * (84381.448 + u * (-4680.93 + u * (-1.55 + u * (1999.25 + u * (-51.38 + far)))))


@fused_kernel
def place_sun(seconds: np.ndarray, delta_t: float, sun: Sun) -> None:
    """Write hour angle at Greenwich, declination and parallax.

    Parameters
    ----------
    seconds : ndarray (time,)
        Since 1970, UTC, at least ``WIDE`` of them. [s]
    delta_t : float
        Terrestrial minus universal time. [s]
    sun : Sun
        Written, but for ``dni_extra``.
    """
    quarter = 0.5 * math.pi
    for begin in range(0, len(seconds), WIDE):
        t = min(begin, len(seconds) - WIDE)
        day = (load_wide(seconds, t) - NOON_2000) / 86400.0
        century = day * (1.0 / 36525.0)
        ephemeris = (day + delta_t / 86400.0) * (1.0 / 36525.0)
        millennium = ephemeris * 0.1
        distance = periodic(DISTANCE, millennium)
        psi, bent = nutation(ephemeris)
        tilt = mean_obliquity(millennium) + bent
        longitude = periodic(LONGITUDE, millennium) + math.pi + psi - RAD * 20.4898 / (3600.0 * distance)
        latitude = periodic(LATITUDE, millennium)
        rest = day - ((day + ROUNDING) - ROUNDING)  # whole days are whole turns
        sidereal = (
            280.46061837 + 0.98564736629 * day + 360.0 * rest + century * century * (0.000387933 - century / 38710000.0)
        )
        sidereal = RAD * sidereal + psi * cosine(tilt)
        near, high = cosine(latitude), 0.0 - cosine(latitude - quarter)
        east, flat = cosine(longitude) * near, cosine(longitude - quarter) * near
        tilted, upright = cosine(tilt - quarter), cosine(tilt)
        y, z = flat * upright - high * tilted, flat * tilted + high * upright
        radius = root(east * east + y * y)
        s, c = cosine(sidereal - quarter), cosine(sidereal)
        store(sun.hour_sin, t, (s * east - c * y) / radius)
        store(sun.hour_cos, t, (c * east + s * y) / radius)
        store(sun.declination_sin, t, z)
        store(sun.declination_cos, t, radius)
        store(sun.parallax, t, (RAD * 8.794 / 3600.0) / distance)
