"""Power of PV systems from weather: sun, light on each plane, cells, inverters, all sites in one sweep.

A system is what one pv of the case is: any number of inverters at one place, each with any number of planes. Planes,
inverters and systems are slices of flat arrays, in order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernels._jit import fused_kernel
from kernels.irradiance import RAD, erbs, haydavies, perez, physical, relative_airmass
from kernels.solar import DEG, Sites, Sun, lifted, refraction, sun_above, zenith_of

PEREZ, HAYDAVIES = range(2)
ETA_REF = 0.9637
"""Efficiency of the inverter that PVWatts was fitted to."""
DEEP = -0.0157
"""Sine of the elevation below which the sun gives no light even after refraction."""


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
    """Sun and light at one place: what all planes there share; a column a step.

    Attributes
    ----------
    east, north, cos_zenith : ndarray (column,)
        Unit vector to the sun; first without, then with refraction.
    zenith : ndarray (column,)
        Where it appears. [rad]
    ghi, dni, dhi : ndarray (column,)
        [W m-2]
    brightness : ndarray (column,)
        Of the sky after Perez.
    risen : ndarray (column,)
        1 where the sun appears above the horizon, else 0; before that, 0 where it is dark.
    pdc, power : ndarray (column,)
        Of the inverter at hand, and of the system. [kW]
    """

    east: np.ndarray
    north: np.ndarray
    cos_zenith: np.ndarray
    zenith: np.ndarray
    ghi: np.ndarray
    dni: np.ndarray
    dhi: np.ndarray
    brightness: np.ndarray
    risen: np.ndarray
    pdc: np.ndarray
    power: np.ndarray


def make_sky(steps: int) -> Sky:
    """Room for the sky of one place."""
    return Sky(*np.empty((len(Sky._fields), steps)))


@fused_kernel
def see_sun(sun: Sun, sites: Sites, weather: Weather, s: int, w: int, sky: Sky) -> None:
    """Write where the sun is in each step, and whether that is night with all weather known: power is 0 then."""
    for t in range(len(sun.parallax)):
        east, north, up = sun_above(sun, sites, s, t)
        sky.east[t], sky.north[t], sky.cos_zenith[t] = east, north, up
        light = max(weather.ghi[w, t], 0.0) + max(weather.dni[w, t], 0.0) + max(weather.dhi[w, t], 0.0)
        air = weather.temp_air[w, t] + weather.wind_speed[w, t] + weather.albedo[w, t]
        sky.risen[t] = 0.0 if up < DEEP and light <= 0.0 and air < math.inf else 1.0  # NaN is never dark


@fused_kernel
def complete_light(weather: Weather, w: int, dni_extra: np.ndarray, sky: Sky, a: int, b: int) -> None:
    """Make what is missing of global, beam and diffuse irradiance from the others; `cos_zenith` without refraction."""
    for i in range(b - a):
        j = np.uint64(a + i)
        ghi, dni, dhi, up = weather.ghi[w, j], weather.dni[w, j], weather.dhi[w, j], sky.cos_zenith[j]
        beam, diffuse = erbs(ghi, up, dni_extra[j])
        split = math.isnan(dni + dhi)
        sky.ghi[j] = dni * max(up, 0.0) + dhi if math.isnan(ghi) else ghi
        sky.dni[j] = beam if split else dni
        sky.dhi[j] = diffuse if split else dhi


@fused_kernel
def lift_sun(sky: Sky, a: int, b: int, factor: float) -> None:
    """Move the sun to where it appears."""
    for i in range(b - a):
        j = np.uint64(a + i)
        east, north, up = sky.east[j], sky.north[j], sky.cos_zenith[j]
        flat = math.sqrt(east * east + north * north)
        zenith = zenith_of(up)
        lift = refraction(90.0 - zenith * DEG, up, flat, factor)
        high, wide = lifted(up, flat, lift)
        wider = wide / max(flat, 1e-9)
        sky.east[j], sky.north[j] = east * wider, north * wider
        sky.cos_zenith[j], sky.zenith[j] = high, zenith - lift


@fused_kernel
def brighten(dni_extra: np.ndarray, sky: Sky, a: int, b: int) -> None:
    """Write the brightness of the sky and whether the sun has risen."""
    for i in range(b - a):
        j = np.uint64(a + i)
        zenith = sky.zenith[j] * DEG
        airmass = relative_airmass(sky.cos_zenith[j], min(zenith, 90.0))
        sky.brightness[j] = sky.dhi[j] * airmass / dni_extra[j]
        sky.risen[j] = 1.0 if zenith <= 90.0 else 0.0


@fused_kernel
def add_plane(
    systems: Systems, k: int, weather: Weather, w: int, dni_extra: np.ndarray, sky: Sky, a: int, b: int, model: int
) -> None:
    """Add the DC power of one plane: transposition, incidence losses, cell temperature (Faiman), PVWatts.

    References
    ----------
    .. [1] D. Faiman, "Assessing the outdoor operating temperature of photovoltaic modules", Progress in Photovoltaics
       16 (2008) 307, :doi:`10.1002/pip.813`
    .. [2] A. Dobos, "PVWatts version 5 manual", NREL/TP-6A20-62641 (2014), :doi:`10.2172/1158421`
    """
    sin_tilt, cos_tilt, u0, u1 = systems.tilt_sin[k], systems.tilt_cos[k], systems.u0[k], systems.u1[k]
    east, north = sin_tilt * systems.azimuth_sin[k], sin_tilt * systems.azimuth_cos[k]
    rating, gamma = systems.p_dc_nom[k] * 0.001, systems.gamma_pdc[k]
    for i in range(b - a):
        j = np.uint64(a + i)
        dhi, dni, high, zenith = sky.dhi[j], sky.dni[j], sky.cos_zenith[j], sky.zenith[j]
        cos_aoi = min(max(cos_tilt * high + east * sky.east[j] + north * sky.north[j], 0.0), 1.0)
        if model == HAYDAVIES:
            diffuse = haydavies(dhi, dni, dni_extra[j], high, cos_aoi, cos_tilt)
        else:
            diffuse = sky.risen[j] * perez(dhi, dni, sky.brightness[j], zenith, high, cos_aoi, sin_tilt, cos_tilt)
        diffuse += sky.ghi[j] * weather.albedo[w, j] * ((1.0 - cos_tilt) * 0.5)
        direct = max(dni * cos_aoi, 0.0)
        temp_cell = weather.temp_air[w, j] + (direct + diffuse) / (u0 + u1 * weather.wind_speed[w, j])
        effective = direct * physical(cos_aoi) + diffuse
        sky.pdc[j] += effective * rating * (1.0 + gamma * (temp_cell - 25.0))


@fused_kernel
def ac_power(load: float, pdc0: float, eta_inv_nom: float) -> float:
    """Power of an inverter at a part of its DC limit after PVWatts: part-load efficiency, and its AC limit.

    References
    ----------
    .. [1] A. Dobos, "PVWatts version 5 manual", NREL/TP-6A20-62641 (2014), :doi:`10.2172/1158421`
    """
    # Efficiency times power, multiplied out: no division by a load of 0.
    power = eta_inv_nom * (1.0 / ETA_REF) * pdc0 * (load * (0.9858 - 0.0162 * load) - 0.0059)
    power = max(power, 0.0)  # NaN stays
    return min(power, eta_inv_nom * pdc0)


@fused_kernel
def system_power(
    systems: Systems,
    s: int,
    weather: Weather,
    w: int,
    dni_extra: np.ndarray,
    sky: Sky,
    a: int,
    b: int,
    model: int,
    power: np.ndarray,
) -> None:
    """Write the power of all inverters of a system from step `a` to before `b`."""
    for i in range(b - a):
        j = np.uint64(a + i)
        sky.power[j] = 0.0
    for v in range(systems.first_inverter[s], systems.first_inverter[s + 1]):
        for i in range(b - a):
            j = np.uint64(a + i)
            sky.pdc[j] = 0.0
        for k in range(systems.first_plane[v], systems.first_plane[v + 1]):
            add_plane(systems, k, weather, w, dni_extra, sky, a, b, model)
        pdc0, efficiency = systems.pdc0[v], systems.eta_inv_nom[v]
        per_pdc0 = 1.0 / pdc0
        for i in range(b - a):
            j = np.uint64(a + i)
            sky.power[j] += ac_power(sky.pdc[j] * per_pdc0, pdc0, efficiency)
    for i in range(b - a):
        j = np.uint64(a + i)
        power[s, j] = sky.power[j]


@fused_kernel
def pv_power(
    sun: Sun, sites: Sites, weather: Weather, systems: Systems, model: int, sky: Sky, power: np.ndarray
) -> None:
    """Write the power of PV systems over time.

    Each day of a system passes through in stages, each a loop over its steps without branches, so that the compiler
    makes vectors of it: a third of the time of one loop with everything in it.

    Parameters
    ----------
    sun : Sun
        At the middle of each step.
    sites : Sites
        Place of each system.
    weather : Weather
        A gap in what is needed is a gap in the power.
    systems : Systems
        All of them.
    model : int
        ``PEREZ`` or ``HAYDAVIES``.
    sky : Sky
        Scratch, from `make_sky`.
    power : ndarray (system, time), float64 or float32
        Written. [kW]
    """
    steps = len(sun.parallax)
    for s in range(len(systems.weather)):
        w = systems.weather[s]
        see_sun(sun, sites, weather, s, w, sky)
        b = 0
        while b < steps:
            a = b
            while a < steps and sky.risen[a] == 0.0:
                power[s, a] = 0.0
                a += 1
            b = a
            while b < steps and sky.risen[b] != 0.0:
                b += 1
            complete_light(weather, w, sun.dni_extra, sky, a, b)
            lift_sun(sky, a, b, sites.refraction[s])
            brighten(sun.dni_extra, sky, a, b)
            system_power(systems, s, weather, w, sun.dni_extra, sky, a, b, model, power)


@fused_kernel
def place_angles(
    zenith: np.ndarray,
    apparent: np.ndarray,
    azimuth: np.ndarray,
    dni_extra: np.ndarray,
    weather: Weather,
    s: int,
    w: int,
    sky: Sky,
) -> None:
    """Write light and sun of one system where its angles are given; every step is a column."""
    steps = len(dni_extra)
    for t in range(steps):
        sky.cos_zenith[t] = math.cos(zenith[s, t] * RAD)
    complete_light(weather, w, dni_extra, sky, 0, steps)
    for t in range(steps):
        z, a = apparent[s, t] * RAD, azimuth[s, t] * RAD
        sky.east[t], sky.north[t] = math.sin(z) * math.sin(a), math.sin(z) * math.cos(a)
        sky.cos_zenith[t], sky.zenith[t] = math.cos(z), z


@fused_kernel
def pv_power_at(
    zenith: np.ndarray,
    apparent_zenith: np.ndarray,
    azimuth: np.ndarray,
    dni_extra: np.ndarray,
    weather: Weather,
    systems: Systems,
    model: int,
    sky: Sky,
    power: np.ndarray,
) -> None:
    """Write the power of PV systems where the sun's angles are given; otherwise as `pv_power`.

    Parameters
    ----------
    zenith, apparent_zenith, azimuth : ndarray (system, time)
        Of the sun; the first without refraction. [degree]
    dni_extra : ndarray (time,)
        Irradiance outside the atmosphere. [W m-2]
    weather, systems, model, sky, power
        As for `pv_power`.
    """
    steps = len(dni_extra)
    for s in range(len(systems.weather)):
        w = systems.weather[s]
        place_angles(zenith, apparent_zenith, azimuth, dni_extra, weather, s, w, sky)
        brighten(dni_extra, sky, 0, steps)
        system_power(systems, s, weather, w, dni_extra, sky, 0, steps, model, power)
