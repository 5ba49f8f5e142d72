"""Situations and systems, and the same chain in pvlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pvlib

from kernels.pv_arrays import Systems, Weather

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("ghi", "dni", "dhi", "temp_air", "wind_speed", "albedo")


def random_systems(rng: np.random.Generator, count: int, inverters: int = 1, planes: int = 1) -> tuple[Systems, Any]:
    """Systems of equal build, and their planes' tilts and azimuths. [degree]."""
    i, k = count * inverters, count * inverters * planes
    tilt, azimuth = rng.uniform(0, 90, k), rng.uniform(0, 360, k)
    nominal = rng.uniform(1, 8, k)
    systems = Systems(
        first_inverter=np.arange(0, i + 1, inverters),
        weather=np.arange(count),
        first_plane=np.arange(0, k + 1, planes),
        pdc0=nominal.reshape(i, planes).sum(axis=1) * rng.uniform(0.6, 1.3, i),
        eta_inv_nom=rng.uniform(0.9, 0.99, i),
        tilt_sin=np.sin(np.radians(tilt)),
        tilt_cos=np.cos(np.radians(tilt)),
        azimuth_sin=np.sin(np.radians(azimuth)),
        azimuth_cos=np.cos(np.radians(azimuth)),
        p_dc_nom=nominal,
        gamma_pdc=rng.uniform(-0.005, -0.002, k),
        u0=rng.uniform(20, 30, k),
        u1=rng.uniform(0, 8, k),
    )
    return systems, (tilt, azimuth)


def random_weather(rng: np.random.Generator, zenith: np.ndarray, *, split: bool) -> Weather:
    """Clear to overcast; with `split`, beam and diffuse light are given."""
    up = np.maximum(np.cos(np.radians(zenith)), 0)
    shape, none = zenith.shape, np.full(zenith.shape, np.nan)
    dhi = 300 * up * rng.uniform(0, 1, shape) * (rng.random(shape) < 0.95)
    dni = 1000 * rng.uniform(0, 1, shape) * (up > 0) * (rng.random(shape) < 0.7)
    ghi = dhi + dni * up if split else 1250 * up * rng.uniform(0, 1, shape) ** 2
    air, wind, albedo = rng.uniform(-30, 45, shape), rng.uniform(0, 20, shape), rng.uniform(0, 0.9, shape)
    return Weather(ghi, dni if split else none, dhi if split else none, air, wind, albedo)


def chain(
    time: pd.DatetimeIndex, sun: dict[str, np.ndarray], weather: Weather, systems: Systems, planes: Any, model: str
) -> np.ndarray:
    """Power of the systems by pvlib, one after another. [kW]."""
    extra = pvlib.irradiance.get_extra_radiation(time).to_numpy()
    power = np.zeros((len(systems.weather), len(time)))
    for s in range(len(power)):
        see = {name: getattr(weather, name)[systems.weather[s]] for name in NAMES}
        z, apparent, azimuth = (sun[n][s] for n in ("zenith", "apparent_zenith", "azimuth"))
        if np.isnan(see["dni"]).all():
            both = pvlib.irradiance.erbs(see["ghi"], z, time)
            see |= {"dni": both["dni"].to_numpy(), "dhi": both["dhi"].to_numpy()}
        airmass = pvlib.atmosphere.get_relative_airmass(apparent)
        for i in range(systems.first_inverter[s], systems.first_inverter[s + 1]):
            pdc = []
            for k in range(systems.first_plane[i], systems.first_plane[i + 1]):
                with np.errstate(invalid="ignore", divide="ignore"):
                    poa = pvlib.irradiance.get_total_irradiance(
                        planes[0][k], planes[1][k], apparent, azimuth, see["dni"], see["ghi"], see["dhi"],
                        dni_extra=extra, airmass=airmass, albedo=see["albedo"], model=model,
                    )  # fmt: skip
                # pvlib's Perez has no value where there is no light at all
                none = (see["dhi"] == 0) & np.isnan(poa["poa_sky_diffuse"])
                poa["poa_diffuse"] = np.where(none, poa["poa_ground_diffuse"], poa["poa_diffuse"])
                poa["poa_global"] = np.where(none, poa["poa_direct"] + poa["poa_diffuse"], poa["poa_global"])
                aoi = pvlib.irradiance.aoi(planes[0][k], planes[1][k], apparent, azimuth)
                effective = poa["poa_direct"] * pvlib.iam.physical(aoi) + poa["poa_diffuse"]
                cell = pvlib.temperature.faiman(
                    poa["poa_global"], see["temp_air"], see["wind_speed"], systems.u0[k], systems.u1[k]
                )
                pdc.append(pvlib.pvsystem.pvwatts_dc(effective, cell, systems.p_dc_nom[k], systems.gamma_pdc[k]))
            power[s] += pvlib.inverter.pvwatts_multi(pdc, systems.pdc0[i], systems.eta_inv_nom[i])
    return power
