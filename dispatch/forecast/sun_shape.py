"""What a kilowatt of PV would give at a place, on a few orientations: the shapes that are looked for in net load."""

from __future__ import annotations

import numpy as np

from dispatch.errors import Problem
from kernels.pv import PEREZ, pv_power
from kernels.pv_arrays import Systems, Weather, make_sky
from kernels.solar import sites_at, solar_position, sun_at

SOUTH, SIDES = ((0.0, 180.0), (10.0, 180.0), (25.0, 180.0), (40.0, 180.0)), ((25.0, 120.0), (25.0, 240.0))
ORIENTATIONS = (*SOUTH, *SIDES, (30.0, 90.0), (30.0, 270.0))
"""Tilt, and azimuth on the northern half of the earth. [degree]"""
LOSSES, EFFICIENCY, GAMMA = 0.14, 0.96, -0.004
FAIMAN = (25.0, 6.84)


def misplaced(latitude: float, longitude: float) -> list[Problem]:
    """Say where a place is none."""
    if abs(latitude) <= 90 and abs(longitude) <= 360:
        return []
    hint = "Give degrees, north and east positive."
    return [Problem("range", "site", "latitude", (), 0, f"{latitude:g}, {longitude:g}", hint=hint)]


def clear_sky(time: np.ndarray, step: np.timedelta64, latitude: float, longitude: float) -> np.ndarray:
    """Global irradiance under a clear sky, after Haurwitz.

    Parameters
    ----------
    time : ndarray (time,) of datetime64
        Left edges, UTC.
    step : timedelta64
        Length of a step.
    latitude, longitude : float
        [degree_north, degree_east]

    Returns
    -------
    ndarray (time,)
        Mean of each step, from six instants. [W m-2]

    References
    ----------
    .. [1] B. Haurwitz, Journal of Meteorology 2 (1945) 154, :doi:`10.1175/1520-0469(1945)002<0154:IIRTCA>2.0.CO;2`
    """
    count, total = 6, np.zeros(len(time))
    zenith, apparent, azimuth = np.empty((3, 1, len(time)))
    place = sites_at(np.array([latitude]), np.array([longitude]))
    for k in range(count):
        solar_position(sun_at(time + (2 * k + 1) * step // (2 * count)), place, zenith, apparent, azimuth)
        high = np.maximum(np.cos(np.radians(apparent[0])), 0.0)
        with np.errstate(divide="ignore"):
            total += np.where(high > 0, 1098.0 * high * np.exp(-0.059 / high), 0.0)
    return total / count


def sun_shapes(
    time: np.ndarray, step: np.timedelta64, latitude: float, longitude: float, ghi: np.ndarray
) -> np.ndarray:
    """AC power of one kilowatt of modules on each of a few orientations.

    Parameters
    ----------
    time, step, latitude, longitude
        As for `clear_sky`.
    ghi : ndarray (time,)
        Irradiance, measured or clear. [W m-2]

    Returns
    -------
    ndarray (orientation, time)
        NaN where irradiance is not known. [1]
    """
    count = len(ORIENTATIONS)
    tilt, azimuth = np.radians(np.array(ORIENTATIONS)).T
    azimuth = azimuth if latitude >= 0 else np.pi - azimuth
    one, each, none = np.ones(count), np.arange(count + 1), np.full((1, len(time)), np.nan)
    turned = np.sin(tilt), np.cos(tilt), np.sin(azimuth), np.cos(azimuth)
    thermal = GAMMA * one, FAIMAN[0] * one, FAIMAN[1] * one
    zero = np.zeros(count, np.int64)
    systems = Systems(each, zero, each, 10.0 * one, EFFICIENCY * one, *turned, (1 - LOSSES) * one, *thermal)
    calm = np.ones((1, len(time)))
    weather = Weather(ghi[None].astype(float), none, none, 20.0 * calm, calm, 0.2 * calm)
    place = sites_at(np.full(count, latitude), np.full(count, longitude))
    power = np.empty((count, len(time)))
    pv_power(sun_at(time + step // 2), place, weather, systems, PEREZ, make_sky(len(time)), power)
    return power
