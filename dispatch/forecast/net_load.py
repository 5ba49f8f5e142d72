"""Meters that show import less export: which have PV behind them, how much, and what their people use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from dispatch.case.units import conversion
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.forecast.clearness import clearness_by_days, clearness_by_use
from dispatch.forecast.day_blocks import by_block, usual
from dispatch.forecast.sun_shape import clear_sky, misplaced, sun_shapes

LOW, HIGH = 0.1, 0.9  # quantiles over the days of a block: net load at strong sun, and the strong sun
TOP = 0.999  # of output, the capacity
DARK = 0.01  # part of the largest shape below which it counts as night
QUIET = 0.2  # quantile over the night's steps of the lowest net load: before dawn, not in the evening
LEAST_DAYS = 14
FEW = 0.2
"""Use in quiet hours over capacity, above which days tell use rather than light: homes 0.17 at most, a substation 0.25
at least."""
LEAST_EXPLAINED, LEAST_SIZE = 0.25, 0.5
"""A meter has PV where the sun's shape explains so much of the dips of its lowest net load by day, and where their
largest is so much of the standard deviation of its net load. Set on 220 homes with PV and 172 series without
(docs/forecast.md): the least with PV had 0.29 and 0.68, the most without 0.83 and 0.32."""
DAY = np.timedelta64(24 * 3600, "s")


@dataclass(frozen=True)
class Finding:
    """What one meter shows.

    Attributes
    ----------
    prosumer : bool
        Whether there is PV behind it.
    p_nom : float
        Its largest output (99.9th percentile); 0 without. [kW]
    explained : float
        Part of the dips by day that the sun's shape explains, at most 1.
    size : float
        Largest dip over the standard deviation of the net load.
    orientation : int
        Of the best shape.
    per_shape : float
        Output where the shape is 1, if light was measured; else 0. [kW]
    """

    prosumer: bool
    p_nom: float
    explained: float
    size: float
    orientation: int
    per_shape: float = 0.0


def separate_pv(
    p_net: xr.DataArray, *, latitude: float, longitude: float, ghi: xr.DataArray | None = None
) -> xr.Dataset:
    """Tell PV from use in meters that show import less export.

    A meter has PV where its lowest net load over the days of some weeks dips by day in the shape of the sun. Capacity
    is the 99.9th percentile of output: of export, with the use of quiet nights added. Without irradiance the shape is
    that of a clear sky, and clouds are read from the meter.

    Parameters
    ----------
    p_net : DataArray (meter, time)
        Import less export with ``units`` (W, kW or MW), means of equal steps that begin at ``time``, UTC; gaps are NaN.
    latitude, longitude : float
        Of the place. [degree_north, degree_east]
    ghi : DataArray (time), optional
        Measured global irradiance with ``units``, on the same steps. [W m-2]

    Returns
    -------
    Dataset
        ``prosumer`` (meter) of bool; ``p_nom`` (meter), 0 without PV [kW]; ``explained`` (meter); ``p_available`` and
        ``p_load`` (meter, time), whose difference is the net load [kW].

    Raises
    ------
    InputError
        If units are missing or wrong, steps are unequal or no part of a day, or there are less than 14 days.
    """
    raise_if_any(misplaced(latitude, longitude))
    time, step = _axis(p_net)
    net = _converted(p_net.transpose("meter", "time"), "p_net", "kW")
    light = clear_sky(time, step, latitude, longitude)
    if ghi is not None:
        light = _converted(ghi.reindex(time=p_net["time"]), "ghi", "W m-2")
    shapes = sun_shapes(time, step, latitude, longitude, light)
    found = [find_pv(series, shapes, int(DAY // step), measured=ghi is not None) for series in net]
    available = np.array(
        [
            output(series, shapes[f.orientation], f, int(DAY // step), measured=ghi is not None)
            for series, f in zip(net, found, strict=True)
        ]
    ).reshape(net.shape)
    kw = {"units": "kW"}
    return xr.Dataset(
        {
            "prosumer": ("meter", np.array([f.prosumer for f in found], bool)),
            "p_nom": ("meter", np.array([f.p_nom for f in found], float), kw),
            "explained": ("meter", np.array([f.explained for f in found], float), {"units": "1"}),
            "p_available": (("meter", "time"), available, kw),
            "p_load": (("meter", "time"), net + available, kw),
        },
        {name: p_net[name] for name in ("meter", "time") if name in p_net.coords},
    )


def find_pv(net: np.ndarray, shapes: np.ndarray, steps: int, *, measured: bool) -> Finding:
    """Look for PV in one series.

    Parameters
    ----------
    net : ndarray (time,)
        NaN where not known. [kW]
    shapes : ndarray (orientation, time)
        From `sun_shapes`.
    steps : int
        Steps in a day.
    measured : bool
        Whether the shapes are of measured light, clouds included.
    """
    low, sun = by_block(net, steps, LOW), [by_block(x, steps, HIGH) for x in shapes]
    best, spread = Finding(False, 0.0, 0.0, 0.0, 0), float(np.nanstd(net)) if np.isfinite(net).any() else 0.0
    base = np.nan
    for o, x in enumerate(sun):
        most = np.nanmax(x, initial=0.0)
        night = x < DARK * most
        dip = _quiet(low, night)[:, None] - low
        day = ~night & np.isfinite(dip) & np.isfinite(x)
        if not day.any() or spread == 0:
            continue
        slope = (dip * x)[day].sum() / (x * x)[day].sum()
        explained = 1 - ((dip - slope * x)[day] ** 2).sum() / max((dip[day] ** 2).sum(), 1e-30)
        if slope > 0 and explained > best.explained:
            best = Finding(False, slope * most, float(explained), float(slope * most / spread), o)
            base = _quiet_use(net, shapes[o])
    if best.explained < LEAST_EXPLAINED or best.size < LEAST_SIZE:
        return Finding(False, 0.0, best.explained, best.size, best.orientation)
    capacity = max(float(np.nanquantile(-net, TOP)) + base, best.p_nom * LEAST_EXPLAINED)
    orientation, per_shape = _by_light(net, shapes, steps) if measured else (best.orientation, 0.0)
    return Finding(True, capacity, best.explained, best.size, orientation, per_shape)


def output(net: np.ndarray, shape: np.ndarray, found: Finding, steps: int, *, measured: bool) -> np.ndarray:
    """Power of the PV behind a meter, at least what it exports by day.

    Parameters
    ----------
    net, steps, measured
        As for `find_pv`.
    shape : ndarray (time,)
        Of the orientation that was found.
    found : Finding
        Of this meter.

    Returns
    -------
    ndarray (time,)
        NaN where the meter or the light is not known. [kW]
    """
    if not found.prosumer:
        return np.asarray(np.where(np.isfinite(net), 0.0, np.nan))
    by_day = shape > 0
    if measured and found.per_shape > 0:
        guess = np.minimum(found.per_shape * shape, found.p_nom)
    else:
        clear = shape * found.p_nom / np.nanquantile(shape, TOP)
        guess = clear if measured else clear * _clearness(net, clear, by_day, steps, found.p_nom)
    return np.asarray(np.where(by_day, np.clip(guess, np.maximum(-net, 0.0), None), 0.0) + 0.0 * net)


def _clearness(net: np.ndarray, clear: np.ndarray, by_day: np.ndarray, steps: int, p_nom: float) -> np.ndarray:
    """Read clearness from the meter: by days where PV is large against use, else by the usual use."""
    small = _quiet_use(net, clear / p_nom) < FEW * p_nom
    return (clearness_by_days if small else clearness_by_use)(net, clear, by_day, steps)


def _by_light(net: np.ndarray, shapes: np.ndarray, steps: int) -> tuple[int, float]:
    """Find what explains most of net load by least squares, both less their usual values by time of day.

    Returns the orientation and how much net load falls where its shape rises by 1. [kW]
    """
    best, slope, most = 0, 0.0, 0.0
    away = net - usual(net, steps)
    for o, shape in enumerate(shapes):
        x = shape - usual(shape, steps)
        known = np.isfinite(away) & np.isfinite(x) & (shape > DARK)
        common, square = min(float((x[known] * away[known]).sum()), 0.0), max(float((x[known] ** 2).sum()), 1e-12)
        if common**2 / square > most:
            best, slope, most = o, -common / square, common**2 / square
    return best, slope


def _quiet(low: np.ndarray, night: np.ndarray) -> np.ndarray:
    """Lowest net load of each block in quiet hours of the night; of all hours where there is no night."""
    if not night.any(axis=1).all():
        return np.asarray(np.nanquantile(low, QUIET, axis=1))
    return np.asarray(np.nanquantile(np.where(night, low, np.nan), QUIET, axis=1))


def _quiet_use(net: np.ndarray, shape: np.ndarray) -> float:
    """Use in quiet hours of the night. [kW]."""
    night = net[(shape < DARK) & np.isfinite(net)]
    return float(np.quantile(night, LOW)) if len(night) else 0.0


def _axis(p_net: xr.DataArray) -> tuple[np.ndarray, np.timedelta64]:
    time = p_net["time"].to_numpy().astype("datetime64[s]")
    steps = np.unique(np.diff(time))
    problem: dict[str, Any] = {"value": "unequal, or no whole part of a day"}
    if len(steps) == 1 and steps[0] > np.timedelta64(0, "s") and not DAY % steps[0]:
        if len(time) * steps[0] >= LEAST_DAYS * DAY:
            return time, np.timedelta64(steps[0])
        problem = {"value": f"{len(time) * steps[0] / DAY:.1f} days", "allowed": f"at least {LEAST_DAYS} days"}
    hint = "Give two weeks or more in steps such as 15, 30 or 60 min, gaps as NaN."
    raise InputError([Problem("time-step", "p_net", "time", hint=hint, **problem)])


def _converted(array: xr.DataArray, name: str, unit: str) -> np.ndarray:
    """Values in a unit; raises where that is not possible."""
    given = str(array.attrs.get("units", ""))
    convert = conversion(given, unit)
    if convert is None:
        hint = f"Set .attrs['units'] to what the numbers are; it must convert to {unit}."
        raise InputError([Problem("unit", name, "units", (), 0, repr(given), unit, hint)])
    return np.asarray(convert.apply(array.to_numpy().astype(float)))
