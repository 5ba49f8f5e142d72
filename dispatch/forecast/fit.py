"""PV systems of which only the history is known: size, orientation and losses from measured power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.optimize import least_squares

from dispatch.case.units import conversion
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.forecast.sun_shape import misplaced
from kernels.pv import PEREZ, pv_power
from kernels.pv_arrays import Systems, Weather, make_sky
from kernels.solar import sites_at, sun_at
from kernels.spa import Sun

FITTED = ("p_dc_effective", "surface_tilt", "surface_azimuth", "gamma_pdc", "p_ac_nom")
LOSSES = 0.14
EFFICIENCY = 0.96
OUTAGE_LIGHT, OUTAGE_SHARE, CLEAR_LIGHT = 50.0, 0.1, 200.0
"""A step is an outage where there are 50 W m-2 or more and power is below a tenth of what is usual for that light,
which is the median of power over irradiance in steps of 200 W m-2 or more."""
LEAST_STEPS = 100
FOLDS = 4


@dataclass(frozen=True)
class Record:
    """A site's history as plain arrays, and where the sun stood in the middle of each step."""

    time: np.ndarray
    sun: Sun
    latitude: float
    longitude: float
    power: np.ndarray
    weather: Weather

    def at(self, chosen: np.ndarray) -> Record:
        """Part of it."""
        some = Weather(*(np.ascontiguousarray(a[:, chosen]) for a in self.weather))
        sun = Sun(*(a[chosen] for a in self.sun))
        return Record(self.time[chosen], sun, self.latitude, self.longitude, self.power[chosen], some)


def fit_pv(
    power: xr.DataArray,
    ghi: xr.DataArray,
    *,
    latitude: float,
    longitude: float,
    temp_air: xr.DataArray | None = None,
    wind_speed: xr.DataArray | None = None,
    p_dc_nom: float | None = None,
) -> xr.Dataset:
    """Find capacity, effective tilt and azimuth, and losses of a PV system from its own history.

    Bounded least squares over the same kernels that forecast, with a loss that grows linearly for large residuals.
    Steps without light or with a gap do not count, nor do outages: 50 W m-2 or more, but less than a tenth of the
    usual power for that light (the median of power over irradiance from 200 W m-2 on). Irradiance that was measured
    in the plane of the modules may be given as `ghi`; the effective tilt then comes out near 0.

    Parameters
    ----------
    power : DataArray (time)
        AC power with ``units`` (W, kW or MW), means of steps that begin at ``time``, UTC. [kW]
    ghi : DataArray (time)
        Irradiance with ``units``, on the same steps or more. [W m-2]
    latitude, longitude : float
        Of the site. [degree_north, degree_east]
    temp_air, wind_speed : DataArray (time), optional
        With ``units``. Without them 15 degree_C and 1 m s-1. [degree_C, m s-1]
    p_dc_nom : float, optional
        Installed power of the modules, to tell losses from size. Without it losses are taken to be 0.14. [kW]

    Returns
    -------
    Dataset
        ``p_dc_nom``, ``losses``, ``p_ac_nom``, ``surface_tilt``, ``surface_azimuth``, ``gamma_pdc`` (scalars, named as
        in the case), ``latitude``, ``longitude``; ``p_model`` and ``outage`` (time); ``p_model_out_of_sample`` (time),
        of which each quarter of the history was forecast by a fit to the other three; ``nrmse`` (of daylight steps
        without outages, per unit of the largest power) and ``correlation``, both in sample.

    Raises
    ------
    InputError
        If units are missing or wrong, or fewer than 100 steps have light and power.

    References
    ----------
    .. [1] B. Meng et al., "Data-driven inference of unknown tilt and azimuth of distributed PV systems", Solar Energy
       211 (2020) 418, :doi:`10.1016/j.solener.2020.09.077`
    """
    record = _record(power, ghi, latitude, longitude, temp_air, wind_speed)
    outage = outages(record.power, record.weather.ghi[0])
    use = _usable(record) & ~outage
    if use.sum() < LEAST_STEPS:
        hint = "Give a longer history, of a few weeks or more, with irradiance on the same times."
        allowed = f"at least {LEAST_STEPS}"
        raise InputError([Problem("short-history", "power", "time", (), 0, f"{use.sum()} steps", allowed, hint)])
    if not (record.power[use] > 0).any():
        hint = "Give the power that the system made, output positive, in kW."
        raise InputError([Problem("no-output", "power", "", (), int(use.sum()), "0 in all usable steps", hint=hint)])
    best = _solved(record.at(use))
    model = simulate(best, record)
    blind = np.full(len(model), np.nan)
    for part in np.array_split(np.arange(len(model)), FOLDS):
        others = use.copy()
        others[part] = False
        if others.sum() >= LEAST_STEPS:
            blind[part] = simulate(_solved(record.at(others)), record.at(part))
    return _labelled(best, record, model, blind, outage, use, p_dc_nom)


def apply_fit(
    fit: xr.Dataset, ghi: xr.DataArray, *, temp_air: xr.DataArray | None = None, wind_speed: xr.DataArray | None = None
) -> xr.DataArray:
    """Power of a fitted system under other weather.

    Parameters
    ----------
    fit : Dataset
        From `fit_pv`.
    ghi, temp_air, wind_speed : DataArray (time)
        As for `fit_pv`: means of steps that begin at ``time``.

    Returns
    -------
    DataArray (time)
        ``p_available``; NaN where weather is missing. [kW]
    """
    none = xr.zeros_like(ghi).assign_attrs(units="kW")
    record = _record(none, ghi, float(fit["latitude"]), float(fit["longitude"]), temp_air, wind_speed)
    effective = float(fit["p_dc_nom"] * (1 - fit["losses"]))
    values = np.array([effective, *(float(fit[name]) for name in FITTED[1:])])
    return xr.DataArray(simulate(values, record), {"time": record.time}, ("time",), "p_available", {"units": "kW"})


def outages(power: np.ndarray, ghi: np.ndarray) -> np.ndarray:
    """Tell the steps in which a system was out by the stated rule.

    Parameters
    ----------
    power, ghi : ndarray (time,)
        [kW, W m-2]

    Returns
    -------
    ndarray (time,) of bool
    """
    clear = (ghi >= CLEAR_LIGHT) & np.isfinite(power)
    usual = float(np.median(power[clear] / ghi[clear])) if clear.any() else 0.0
    return np.asarray((ghi >= OUTAGE_LIGHT) & (power < OUTAGE_SHARE * usual * ghi))


def simulate(values: np.ndarray, record: Record) -> np.ndarray:
    """Power of one plane behind one inverter.

    Parameters
    ----------
    values : ndarray (parameter,)
        As named by `FITTED`.
    record : Record
        Its weather and place; its power is not looked at.

    Returns
    -------
    ndarray (time,)
        [kW]
    """
    effective, tilt, azimuth, gamma, limit = values[:, None]
    zero, edge = np.zeros(1, np.int64), np.array([0, 1])
    tilt, azimuth, one = np.radians(tilt), np.radians(azimuth), np.ones(1)
    turned = np.sin(tilt), np.cos(tilt), np.sin(azimuth), np.cos(azimuth)
    efficiency = EFFICIENCY * one
    system = Systems(edge, zero, edge, limit / efficiency, efficiency, *turned, effective, gamma, 25 * one, 6.84 * one)
    sites = sites_at(np.array([record.latitude]), np.array([record.longitude]))
    found = np.empty((1, len(record.time)))
    pv_power(record.sun, sites, record.weather, system, PEREZ, make_sky(len(record.time)), found)
    power: np.ndarray = found[0]
    return power


def _solved(record: Record) -> np.ndarray:
    """Best values, from two first guesses of the tilt."""
    peak = float(np.percentile(record.power, 99.9))
    south = 180.0 if record.latitude >= 0 else 0.0
    low = np.array([0.3 * peak, 0.0, south - 150.0, -0.006, 0.9 * peak])
    high = np.array([4.0 * peak, 90.0, south + 150.0, -0.002, 2.0 * peak])

    def residual(values: np.ndarray) -> np.ndarray:
        return np.asarray((simulate(values, record) - record.power) / peak)

    def solve(tilt: float) -> Any:
        first = [1.2 * peak, tilt, south, -0.004, 1.02 * peak]
        scale = [peak, 30.0, 60.0, 0.004, peak]
        return least_squares(residual, first, bounds=(low, high), x_scale=scale, loss="soft_l1", f_scale=0.05)

    best = min((solve(tilt) for tilt in (10.0, 40.0)), key=lambda found: float(found.cost))
    return np.asarray(best.x)


def _usable(record: Record) -> np.ndarray:
    known = np.isfinite(record.power) & np.isfinite(record.weather.ghi[0]) & np.isfinite(record.weather.temp_air[0])
    return np.asarray(known & np.isfinite(record.weather.wind_speed[0]) & (record.weather.ghi[0] > 0))


def _record(
    power: xr.DataArray,
    ghi: xr.DataArray,
    latitude: float,
    longitude: float,
    temp_air: xr.DataArray | None,
    wind_speed: xr.DataArray | None,
) -> Record:
    """Plain arrays on the times of the power, in our units."""
    problems: list[Problem] = []
    time = power["time"].to_numpy().astype("datetime64[s]")
    problems += misplaced(latitude, longitude)
    if len(time) < 2 or (np.diff(time) <= np.timedelta64(0, "s")).any():
        problems.append(Problem("time-order", "power", "time", hint="Give two steps or more, in order, each once."))
    wanted: dict[str, tuple[xr.DataArray | None, str, float]]
    wanted = {"power": (power, "kW", 0.0), "ghi": (ghi, "W m-2", 0.0)}
    wanted |= {"temp_air": (temp_air, "degree_C", 15.0), "wind_speed": (wind_speed, "m s-1", 1.0)}
    found = {}
    for name, (array, unit, filler) in wanted.items():
        found[name] = np.full(len(time), filler) if array is None else _values(name, array, unit, power, problems)
    raise_if_any(problems)
    step = np.sort(np.diff(time))[(len(time) - 1) // 2]
    none, ground = np.full((1, len(time)), np.nan), np.full((1, len(time)), 0.2)
    light, air, wind = (found[n][None] for n in ("ghi", "temp_air", "wind_speed"))
    sun = sun_at(time + step // 2)
    return Record(time, sun, latitude, longitude, found["power"], Weather(light, none, none, air, wind, ground))


def _values(name: str, array: xr.DataArray, unit: str, power: xr.DataArray, problems: list[Problem]) -> np.ndarray:
    """Values of a series on the times of the power, converted; adds a problem where the unit does not fit."""
    given = str(array.attrs.get("units", ""))
    convert = conversion(given, unit)
    if convert is None:
        hint = f"Set .attrs['units'] to what the numbers are; it must convert to {unit}."
        problems.append(Problem("unit", name, "units", (), 0, repr(given), unit, hint))
        return np.full(power.sizes["time"], np.nan)
    placed = array if array is power else array.reindex(time=power["time"])
    return np.asarray(convert.apply(placed.to_numpy()))


def _labelled(
    values: np.ndarray,
    record: Record,
    model: np.ndarray,
    blind: np.ndarray,
    outage: np.ndarray,
    use: np.ndarray,
    p_dc_nom: float | None,
) -> xr.Dataset:
    effective = float(values[0])
    installed = effective / (1 - LOSSES) if p_dc_nom is None else p_dc_nom
    error = (model - record.power)[use]
    data = xr.Dataset(
        {
            "p_dc_nom": ((), installed, {"units": "kW"}),
            "losses": ((), 1 - effective / installed, {"units": "1"}),
            "p_ac_nom": ((), values[4], {"units": "kW"}),
            "surface_tilt": ((), values[1], {"units": "degree"}),
            "surface_azimuth": ((), values[2] % 360.0, {"units": "degree"}),
            "gamma_pdc": ((), values[3], {"units": "K-1"}),
            "latitude": ((), record.latitude, {"units": "degree_north"}),
            "longitude": ((), record.longitude, {"units": "degree_east"}),
            "nrmse": ((), float(np.sqrt(np.mean(error**2)) / record.power[use].max()), {"units": "1"}),
            "correlation": ((), float(np.corrcoef(model[use], record.power[use])[0, 1]), {"units": "1"}),
            "p_model": ("time", model, {"units": "kW"}),
            "p_model_out_of_sample": ("time", blind, {"units": "kW"}),
            "outage": ("time", outage),
        },
        coords={"time": record.time},
    )
    return data.assign_attrs(steps_used=int(use.sum()), outages=int(outage.sum()))
