"""What the PV kernels take: systems, weather, and room for the sky over one place.

A system is what one pv of the case is: any number of inverters at one place, each with any number of planes. Planes,
inverters and systems are slices of flat arrays, in order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._vector import WIDE


class Systems(NamedTuple):
    """PV systems; the planes of inverter i are ``first_plane[i]`` to ``first_plane[i + 1]``, and likewise inverters.

    Attributes
    ----------
    first_inverter : ndarray (system + 1,) of int
        Where each system's inverters begin.
    weather : ndarray (system,) of int
        Row of the weather that it sees.
    first_plane : ndarray (inverter + 1,) of int
        Where each inverter's planes begin.
    pdc0 : ndarray (inverter,)
        DC power at which its AC limit is reached. [kW]
    eta_inv_nom : ndarray (inverter,)
        Nominal efficiency.
    tilt_sin, tilt_cos, azimuth_sin, azimuth_cos : ndarray (plane,)
        Of ``surface_tilt`` and ``surface_azimuth``.
    p_dc_nom : ndarray (plane,)
        Power of its modules at 1000 W m-2 and 25 degree_C, losses taken off. [kW]
    gamma_pdc : ndarray (plane,)
        Change of power with cell temperature. [K-1]
    u0, u1 : ndarray (plane,)
        Heat loss of the modules, without wind and for wind. [W m-2 K-1, W s m-3 K-1]
    """

    first_inverter: np.ndarray
    weather: np.ndarray
    first_plane: np.ndarray
    pdc0: np.ndarray
    eta_inv_nom: np.ndarray
    tilt_sin: np.ndarray
    tilt_cos: np.ndarray
    azimuth_sin: np.ndarray
    azimuth_cos: np.ndarray
    p_dc_nom: np.ndarray
    gamma_pdc: np.ndarray
    u0: np.ndarray
    u1: np.ndarray


class Weather(NamedTuple):
    """Weather, of any number of places, over the time of the sun.

    Attributes
    ----------
    ghi, dni, dhi : ndarray (row, time)
        Irradiance. Where `dni` or `dhi` is NaN, both come from `ghi` after Erbs; where `ghi` is NaN, it comes from
        the other two. [W m-2]
    temp_air, wind_speed : ndarray (row, time)
        [degree_C, m s-1]
    albedo : ndarray (row, time)
        Of the ground.
    """

    ghi: np.ndarray
    dni: np.ndarray
    dhi: np.ndarray
    temp_air: np.ndarray
    wind_speed: np.ndarray
    albedo: np.ndarray


class Sky(NamedTuple):
    """Scratch: the sun over one place, a number a step.

    Attributes
    ----------
    east, north, up : ndarray (step,)
        Unit vector to the sun without refraction; with it where angles are given.
    zenith, true_up : ndarray (step,)
        Where angles are given: where the sun appears [rad]; cosine of its zenith without refraction.
    awake : ndarray (step,)
        0 where it is dark, else 1.
    power : ndarray (step,)
        Of the system. [kW]
    """

    east: np.ndarray
    north: np.ndarray
    up: np.ndarray
    zenith: np.ndarray
    true_up: np.ndarray
    awake: np.ndarray
    power: np.ndarray


class View(NamedTuple):
    """Sun and light over one place in a vector of steps: what all planes there share.

    Attributes
    ----------
    east, north, up : vector
        Unit vector to where the sun appears.
    ghi, dni : vector
        [W m-2]
    dome, around, horizon : vector
        Diffuse light as `perez` gives it. [W m-2]
    temp_air, wind_speed, albedo : vector
        As of `Weather`.
    """

    east: np.ndarray
    north: np.ndarray
    up: np.ndarray
    ghi: np.ndarray
    dni: np.ndarray
    dome: np.ndarray
    around: np.ndarray
    horizon: np.ndarray
    temp_air: np.ndarray
    wind_speed: np.ndarray
    albedo: np.ndarray


def make_sky(steps: int) -> Sky:
    """Room for the sky of one place."""
    return Sky(*np.empty((len(Sky._fields), max(steps, WIDE))))
