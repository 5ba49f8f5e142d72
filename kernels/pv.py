"""Power of PV systems from weather: sun, light on each plane, cells, inverters, all sites in one sweep."""

from __future__ import annotations

import math

import numpy as np

from kernels._jit import fused_kernel
from kernels._vector import WIDE, every, fill_wide, greatest, least, load_wide, root, select, store
from kernels.irradiance import RAD, erbs, haydavies, perez, physical
from kernels.pv_arrays import Sky, Systems, View, Weather
from kernels.refraction import lifted, refraction, zenith_of
from kernels.solar import DEG, Sites, Sun, sun_above

PEREZ, HAYDAVIES = range(2)
ETA_REF = 0.9637
"""Efficiency of the inverter that PVWatts was fitted to."""
DEEP = -0.0157
"""Sine of the elevation below which the sun gives no light even after refraction."""


@fused_kernel
def row_of(weather: Weather, w: int) -> Weather:
    """Weather of one place."""
    return Weather(
        weather.ghi[w], weather.dni[w], weather.dhi[w], weather.temp_air[w], weather.wind_speed[w], weather.albedo[w]
    )


@fused_kernel
def see_sun(sun: Sun, sites: Sites, weather: Weather, s: int, sky: Sky, t: int) -> None:
    """Write where the sun is from step `t` on, and whether that is night with all weather known: power is 0 then."""
    at = Sun(
        load_wide(sun.hour_sin, t), load_wide(sun.hour_cos, t), load_wide(sun.declination_sin, t),
        load_wide(sun.declination_cos, t), load_wide(sun.parallax, t), load_wide(sun.dni_extra, t),
    )  # fmt: skip
    east, north, up = sun_above(at, sites, s)
    store(sky.east, t, east)
    store(sky.north, t, north)
    store(sky.up, t, up)
    store(sky.awake, t, fill_wide(1.0))
    if not every(up >= DEEP):
        ghi, dni, dhi = load_wide(weather.ghi, t), load_wide(weather.dni, t), load_wide(weather.dhi, t)
        light = greatest(ghi, 0.0) + greatest(dni, 0.0) + greatest(dhi, 0.0)
        air = load_wide(weather.temp_air, t) + load_wide(weather.wind_speed, t) + load_wide(weather.albedo, t)
        dark = (up < DEEP) & (light <= 0.0) & (air < math.inf)  # NaN is never dark
        store(sky.awake, t, select(dark, 0.0, 1.0))


@fused_kernel
def complete_light(
    weather: Weather, t: int, up: np.ndarray, dni_extra: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make what is missing of global, beam and diffuse irradiance from the others; `up` without refraction."""
    ghi, dni, dhi = load_wide(weather.ghi, t), load_wide(weather.dni, t), load_wide(weather.dhi, t)
    beam, diffuse = erbs(ghi, up, dni_extra)
    both = dni + dhi
    split = both != both  # noqa: PLR0124  (NaN)
    made = dni * greatest(up, 0.0) + dhi
    return select(ghi != ghi, made, ghi), select(split, beam, dni), select(split, diffuse, dhi)  # noqa: PLR0124


@fused_kernel
def lift_sun(
    east: np.ndarray, north: np.ndarray, up: np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Move the sun to where it appears: east, north, up and the zenith. [rad]."""
    flat = root(east * east + north * north)
    zenith = zenith_of(up, flat)
    lift, per_flat = refraction(90.0 - zenith * DEG, up, flat, factor)
    high, wide = lifted(up, flat, lift)
    wider = wide * per_flat
    return east * wider, north * wider, high, zenith - lift


@fused_kernel
def view(
    weather: Weather,
    t: int,
    light: tuple[np.ndarray, np.ndarray, np.ndarray],
    dni_extra: np.ndarray,
    sun: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    model: int,
) -> View:
    """Gather what all planes share: light, and the sun where it appears."""
    ghi, dni, dhi = light
    east, north, up, zenith = sun
    if model == HAYDAVIES:
        dome, around, horizon = haydavies(dhi, dni, dni_extra, up)
    else:
        risen = select(up >= 0.0, 1.0, 0.0)
        dome, around, horizon = perez(dhi, dni, dni_extra, least(zenith, 0.5 * math.pi), greatest(up, 0.0))
        dome, around, horizon = risen * dome, risen * around, risen * horizon
    return View(
        east, north, up, ghi, dni, dome, around, horizon,
        load_wide(weather.temp_air, t), load_wide(weather.wind_speed, t), load_wide(weather.albedo, t),
    )  # fmt: skip


@fused_kernel
def plane_power(systems: Systems, k: int, see: View) -> np.ndarray:
    """DC power of one plane: transposition, incidence losses, cell temperature (Faiman), PVWatts.

    References
    ----------
    .. [1] D. Faiman, "Assessing the outdoor operating temperature of photovoltaic modules", Progress in Photovoltaics
       16 (2008) 307, :doi:`10.1002/pip.813`
    .. [2] A. Dobos, "PVWatts version 5 manual", NREL/TP-6A20-62641 (2014), :doi:`10.2172/1158421`
    """
    sin_tilt, cos_tilt = systems.tilt_sin[k], systems.tilt_cos[k]
    east, north = sin_tilt * systems.azimuth_sin[k], sin_tilt * systems.azimuth_cos[k]
    rating, gamma = systems.p_dc_nom[k] * 0.001, systems.gamma_pdc[k]
    cos_aoi = least(greatest(cos_tilt * see.up + east * see.east + north * see.north, 0.0), 1.0)
    diffuse = greatest(see.dome * (1.0 + cos_tilt) + see.around * cos_aoi + see.horizon * sin_tilt, 0.0)  # NaN stays
    diffuse = diffuse + see.ghi * see.albedo * ((1.0 - cos_tilt) * 0.5)
    direct = greatest(see.dni * cos_aoi, 0.0)
    modifier, per_cooling = physical(cos_aoi, systems.u0[k] + systems.u1[k] * see.wind_speed)
    temp_cell = see.temp_air + (direct + diffuse) * per_cooling
    effective = direct * modifier + diffuse
    power: np.ndarray = effective * (rating * (1.0 - 25.0 * gamma) + (rating * gamma) * temp_cell)
    return power


@fused_kernel
def ac_power(load: np.ndarray, pdc0: float, eta_inv_nom: float) -> np.ndarray:
    """Power of an inverter at a part of its DC limit after PVWatts: part-load efficiency, and its AC limit.

    References
    ----------
    .. [1] A. Dobos, "PVWatts version 5 manual", NREL/TP-6A20-62641 (2014), :doi:`10.2172/1158421`
    """
    # Efficiency times power, multiplied out: no division by a load of 0.
    power = (eta_inv_nom * (1.0 / ETA_REF) * pdc0) * (load * (0.9858 - 0.0162 * load) - 0.0059)
    return least(greatest(power, 0.0), eta_inv_nom * pdc0)  # NaN stays


@fused_kernel
def system_power(systems: Systems, s: int, see: View) -> np.ndarray:
    """Power of all inverters of a system. [kW]."""
    power = fill_wide(0.0)
    for v in range(systems.first_inverter[s], systems.first_inverter[s + 1]):
        pdc = fill_wide(0.0)
        for k in range(systems.first_plane[v], systems.first_plane[v + 1]):
            pdc = pdc + plane_power(systems, k, see)
        power = power + ac_power(pdc * (1.0 / systems.pdc0[v]), systems.pdc0[v], systems.eta_inv_nom[v])
    return power


@fused_kernel
def power_by_sun(
    sun: Sun, sites: Sites, weather: Weather, systems: Systems, s: int, model: int, sky: Sky, t: int
) -> None:
    """Write the power of one system in a vector of steps."""
    east, north, up = load_wide(sky.east, t), load_wide(sky.north, t), load_wide(sky.up, t)
    extra = load_wide(sun.dni_extra, t)
    light = complete_light(weather, t, up, extra)
    see = view(weather, t, light, extra, lift_sun(east, north, up, sites.refraction[s]), model)
    store(sky.power, t, select(load_wide(sky.awake, t) > 0.0, system_power(systems, s, see), 0.0))


@fused_kernel
def sweep_by_sun(
    sun: Sun, sites: Sites, weather: Weather, systems: Systems, model: int, sky: Sky, power: np.ndarray
) -> None:
    """Write the power of all systems; at least ``WIDE`` steps."""
    steps = len(sun.parallax)
    last = steps - WIDE  # the vector of the last steps overlaps the one before
    for s in range(len(systems.weather)):
        here = row_of(weather, systems.weather[s])
        for t in range(0, steps, WIDE):
            see_sun(sun, sites, here, s, sky, min(t, last))
        b = 0
        while b < steps:
            a = b
            while a < steps and sky.awake[a] == 0.0:
                sky.power[a] = 0.0
                a += 1
            b = a
            while b < steps and sky.awake[b] != 0.0:
                b += 1
            for t in range(a, b, WIDE):
                power_by_sun(sun, sites, here, systems, s, model, sky, max(min(t, b - WIDE), 0))
        for t in range(steps):
            power[s, t] = sky.power[t]


@fused_kernel
def place_angles(zenith: np.ndarray, apparent: np.ndarray, azimuth: np.ndarray, s: int, sky: Sky) -> None:
    """Write the sun of one system where its angles are given."""
    for t in range(zenith.shape[1]):
        z, a = apparent[s, t] * RAD, azimuth[s, t] * RAD
        sky.true_up[t] = math.cos(zenith[s, t] * RAD)
        sky.east[t], sky.north[t] = math.sin(z) * math.sin(a), math.sin(z) * math.cos(a)
        sky.up[t], sky.zenith[t] = math.cos(z), z


@fused_kernel
def sweep_by_angles(
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
    """Write the power of all systems; at least ``WIDE`` steps."""
    steps = len(dni_extra)
    for s in range(len(systems.weather)):
        here = row_of(weather, systems.weather[s])
        place_angles(zenith, apparent_zenith, azimuth, s, sky)
        for begin in range(0, steps, WIDE):
            t = min(begin, steps - WIDE)
            extra = load_wide(dni_extra, t)
            light = complete_light(here, t, load_wide(sky.true_up, t), extra)
            at = load_wide(sky.east, t), load_wide(sky.north, t), load_wide(sky.up, t), load_wide(sky.zenith, t)
            store(sky.power, t, system_power(systems, s, view(here, t, light, extra, at, model)))
        for t in range(steps):
            power[s, t] = sky.power[t]


def pv_power(
    sun: Sun, sites: Sites, weather: Weather, systems: Systems, model: int, sky: Sky, power: np.ndarray
) -> None:
    """Write the power of PV systems over time.

    Eight steps at once go through the whole chain in registers; steps of night are passed over.

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
    wide, (sun, weather) = _widened(power), (Sun(*map(_widened, sun)), Weather(*map(_widened, weather)))
    sweep_by_sun(sun, sites, weather, systems, model, sky, wide)
    if wide is not power:
        power[:] = wide[:, :steps]


def _widened(values: np.ndarray) -> np.ndarray:
    """Give the same values, contiguous and in at least a vector of steps."""
    missing = WIDE - values.shape[-1]
    if missing > 0:
        return np.concatenate([values, np.repeat(values[..., -1:], missing, axis=-1)], axis=-1)
    return np.ascontiguousarray(values)


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
    wide, weather = _widened(power), Weather(*map(_widened, weather))
    angles = _widened(zenith), _widened(apparent_zenith), _widened(azimuth)
    sweep_by_angles(*angles, _widened(dni_extra), weather, systems, model, sky, wide)
    if wide is not power:
        power[:] = wide[:, :steps]
