"""Where the sun is: what depends on time alone once for all places, then the place.

The solar position algorithm (SPA) in two parts. `sun_at` makes what all sites share; `sun_above` turns it to one site
by dot products, which is exact: parallax is a small shift of the unit vector to the sun, and neither hour angle nor
right ascension of the site is ever formed.

References
----------
.. [1] I. Reda, A. Andreas, "Solar position algorithm for solar radiation applications", Solar Energy 76 (2004) 577,
   :doi:`10.1016/j.solener.2003.12.003`
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel, fused_kernel
from kernels.refraction import refraction
from kernels.spa_terms import DISTANCE, LATITUDE, LONGITUDE, NUTATION

RAD, DEG = math.pi / 180.0, 180.0 / math.pi
DELTA_T = 67.0
"""Terrestrial minus universal time, as pvlib has it by default. [s]"""
PRESSURE, TEMPERATURE = 101325.0, 12.0
"""Air at sea level, for the bending of light. [Pa, degree_C]"""
SOLAR_CONSTANT = 1366.1
"""[W m-2]"""


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


class Sites(NamedTuple):
    """What depends on the place alone.

    Attributes
    ----------
    latitude_sin, latitude_cos, longitude_sin, longitude_cos : ndarray (site,)
        Of its geographic coordinates.
    north, up : ndarray (site,)
        The site seen from the earth's centre, in its own directions. [equatorial radii]
    refraction : ndarray (site,)
        Factor of the bending of light. [degree]
    """

    latitude_sin: np.ndarray
    latitude_cos: np.ndarray
    longitude_sin: np.ndarray
    longitude_cos: np.ndarray
    north: np.ndarray
    up: np.ndarray
    refraction: np.ndarray


def sun_at(time: np.ndarray, delta_t: float = DELTA_T) -> Sun:
    """Compute what depends on time alone.

    Parameters
    ----------
    time : ndarray (time,) of datetime64
        UTC.
    delta_t : float
        Terrestrial minus universal time. Ten seconds move the sun by 1e-4 degree. [s]

    Returns
    -------
    Sun
    """
    seconds = time.astype("datetime64[ns]").astype(np.int64) * 1e-9
    sun = Sun(*np.empty((6, len(time))))
    place_sun(seconds, delta_t, sun)
    sun.dni_extra[:] = extra_radiation(time)
    return sun


def extra_radiation(time: np.ndarray) -> np.ndarray:
    """Irradiance outside the atmosphere, after Spencer.

    Parameters
    ----------
    time : ndarray of datetime64
        UTC; only the day counts.

    Returns
    -------
    ndarray
        [W m-2]

    References
    ----------
    .. [1] J. W. Spencer, "Fourier series representation of the position of the sun", Search 2 (1971) 172;
       reviewed in M. Reno et al., SAND2012-2389, :doi:`10.2172/1039404`
    """
    days = time.astype("datetime64[D]")
    angle = 2.0 * np.pi / 365.0 * (days - days.astype("datetime64[Y]")).astype(np.float64)
    wave = 1.00011 + 0.034221 * np.cos(angle) + 0.00128 * np.sin(angle)
    return np.asarray(SOLAR_CONSTANT * (wave + 0.000719 * np.cos(2.0 * angle) + 7.7e-05 * np.sin(2.0 * angle)))


def sites_at(
    latitude: np.ndarray,
    longitude: np.ndarray,
    altitude: float | np.ndarray = 0.0,
    pressure: float | np.ndarray = PRESSURE,
    temperature: float | np.ndarray = TEMPERATURE,
) -> Sites:
    """Compute what depends on the place alone.

    Parameters
    ----------
    latitude, longitude : ndarray (site,)
        [degree_north, degree_east]
    altitude : float or ndarray (site,)
        [m]
    pressure, temperature : float or ndarray (site,)
        Yearly means, for the bending of light. [Pa, degree_C]

    Returns
    -------
    Sites
    """
    sin, cos = np.sin(latitude * RAD), np.cos(latitude * RAD)
    reduced, height = np.arctan2(0.99664719 * sin, cos), np.asarray(altitude) / 6378140.0
    x, y = np.cos(reduced) + height * cos, 0.99664719 * np.sin(reduced) + height * sin
    bending = np.asarray(pressure) / 101000.0 * 283.0 / (273.0 + np.asarray(temperature)) * 1.02 / 60.0
    arrays = sin, cos, np.sin(longitude * RAD), np.cos(longitude * RAD), y * cos - x * sin, x * cos + y * sin
    return Sites(*(np.array(a) for a in np.broadcast_arrays(*arrays, bending)))


@bare_kernel
def periodic(terms: np.ndarray, millennia: float) -> float:
    """Sum a table of periodic terms."""
    total = 0.0
    for k in range(len(terms)):
        total += terms[k, 1] * millennia ** int(terms[k, 0]) * math.cos(terms[k, 2] + terms[k, 3] * millennia)
    return total * 1e-8


@bare_kernel
def nutation(centuries: float) -> tuple[float, float]:
    """Nutation in longitude and in obliquity. [rad]."""
    t = centuries
    moon_sun = 297.85036 + t * (445267.111480 + t * (-0.0019142 + t / 189474.0))
    sun = 357.52772 + t * (35999.050340 + t * (-0.0001603 - t / 300000.0))
    moon = 134.96298 + t * (477198.867398 + t * (0.0086972 + t / 56250.0))
    argument = 93.27191 + t * (483202.017538 + t * (-0.0036825 + t / 327270.0))
    node = 125.04452 + t * (-1934.136261 + t * (0.0020708 + t / 450000.0))
    longitude = obliquity = 0.0
    for k in range(len(NUTATION)):
        x = NUTATION[k, 0] * moon_sun + NUTATION[k, 1] * sun + NUTATION[k, 2] * moon
        x = RAD * (x + NUTATION[k, 3] * argument + NUTATION[k, 4] * node)
        longitude += (NUTATION[k, 5] + NUTATION[k, 6] * t) * math.sin(x)
        obliquity += (NUTATION[k, 7] + NUTATION[k, 8] * t) * math.cos(x)
    return longitude * RAD / 36e6, obliquity * RAD / 36e6


@bare_kernel
def mean_obliquity(millennia: float) -> float:
    """Mean obliquity of the ecliptic. [rad]."""
    u = millennia / 10.0
    far = u * (-249.67 + u * (-39.05 + u * (7.12 + u * (27.87 + u * (5.79 + u * 2.45)))))
    return RAD / 3600.0 * (84381.448 + u * (-4680.93 + u * (-1.55 + u * (1999.25 + u * (-51.38 + far)))))


@bare_kernel
def place_sun(seconds: np.ndarray, delta_t: float, sun: Sun) -> None:
    """Write hour angle at Greenwich, declination and parallax.

    Parameters
    ----------
    seconds : ndarray (time,)
        Since 1970, UTC. [s]
    delta_t : float
        Terrestrial minus universal time. [s]
    sun : Sun
        Written, but for ``dni_extra``.
    """
    for t in range(len(seconds)):
        day = seconds[t] / 86400.0 - 10957.5  # since noon of 2000-01-01
        century = day / 36525.0
        ephemeris = (day + delta_t / 86400.0) / 36525.0
        millennium = ephemeris / 10.0
        distance = periodic(DISTANCE, millennium)
        psi, bent = nutation(ephemeris)
        tilt = mean_obliquity(millennium) + bent
        longitude = periodic(LONGITUDE, millennium) + math.pi + psi - RAD * 20.4898 / (3600.0 * distance)
        latitude = -periodic(LATITUDE, millennium)
        sidereal = 280.46061837 + 360.98564736629 * day + century * century * (0.000387933 - century / 38710000.0)
        sidereal = RAD * (sidereal % 360.0) + psi * math.cos(tilt)
        east = math.cos(longitude) * math.cos(latitude)
        flat = math.sin(longitude) * math.cos(latitude)
        high = math.sin(latitude)
        x, y, z = east, flat * math.cos(tilt) - high * math.sin(tilt), flat * math.sin(tilt) + high * math.cos(tilt)
        radius = math.sqrt(x * x + y * y)
        s, c = math.sin(sidereal), math.cos(sidereal)
        sun.hour_sin[t] = (s * x - c * y) / radius
        sun.hour_cos[t] = (c * x + s * y) / radius
        sun.declination_sin[t], sun.declination_cos[t] = z, radius
        sun.parallax[t] = math.sin(RAD * 8.794 / (3600.0 * distance))


@fused_kernel
def sun_above(at: Sun, sites: Sites, s: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the unit vector from a site to the sun, without the atmosphere.

    Parameters
    ----------
    at : Sun
        Of one instant, or of a vector of instants.
    sites : Sites
    s : int
        The site.

    Returns
    -------
    float or vector, three times
        East, north, up.
    """
    a, b = sites.longitude_sin[s], sites.longitude_cos[s]
    hour_sin = at.hour_sin * b + at.hour_cos * a
    hour_cos = at.hour_cos * b - at.hour_sin * a
    flat, high = at.declination_cos * hour_cos, at.declination_sin
    east = at.declination_cos * hour_sin
    north = high * sites.latitude_cos[s] - flat * sites.latitude_sin[s] - at.parallax * sites.north[s]
    up = high * sites.latitude_sin[s] + flat * sites.latitude_cos[s] - at.parallax * sites.up[s]
    excess = east * east + north * north + up * up - 1.0  # below 1e-4: the third term of the root is 3e-13
    scale = 1.0 + excess * (0.375 * excess - 0.5)
    return east * (0.0 - scale), north * scale, up * scale


@bare_kernel
def solar_position(
    sun: Sun, sites: Sites, zenith: np.ndarray, apparent_zenith: np.ndarray, azimuth: np.ndarray
) -> None:
    """Write the sun's angles at all sites and times.

    Parameters
    ----------
    sun : Sun
        From `sun_at`.
    sites : Sites
        From `sites_at`.
    zenith, apparent_zenith, azimuth : ndarray (site, time)
        Written; `apparent_zenith` is after refraction, `azimuth` clockwise from north. [degree]
    """
    for s in range(len(sites.up)):
        for t in range(len(sun.parallax)):
            at = Sun(
                sun.hour_sin[t], sun.hour_cos[t], sun.declination_sin[t], sun.declination_cos[t], sun.parallax[t],
                sun.dni_extra[t],
            )  # fmt: skip
            east, north, up = sun_above(at, sites, s)
            flat = math.sqrt(east * east + north * north)
            elevation = math.atan2(up, flat) * DEG
            lift, _ = refraction(elevation, up, flat, sites.refraction[s])
            zenith[s, t] = 90.0 - elevation
            apparent_zenith[s, t] = 90.0 - elevation - lift * DEG
            azimuth[s, t] = math.atan2(east, north) * DEG % 360.0
