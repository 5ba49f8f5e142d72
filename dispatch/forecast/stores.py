"""What cars and tanks are asked for: driving by the clock, heat by the air, and how well a heat pump makes it.

Heat follows heating degree days as Eurostat counts them: 18 degree C less the daily mean, on days whose mean is at most
15 degree C. The efficiency of an air-source heat pump falls with the difference between its sink, the radiators or the
hot water, and the air [1]_.

References
----------
.. [1] O. Ruhnau, L. Hirth, A. Praktiknjo, *Time series of heat demand and heat pump efficiency for energy system
   modeling*, 2019, :doi:`10.1038/s41597-019-0199-y`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from dispatch.case.schema import Columns, columns
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    import xarray as xr

INDOOR, HEATING_LIMIT = 18.0, 15.0  # degree C
DAY_H, HOT_WATER_FROM, HOT_WATER_TO = 24.0, 6.0, 22.0  # h
RADIATORS_AT_0, HOT_WATER = 40.0, 50.0  # degree C; radiators are a kelvin cooler for each kelvin above 0
LEAST_LIFT, CORRECTION = 15.0, 0.85  # K; measured over rated performance
CURVE = (6.08, -0.09, 0.0005)  # performance by lift: constant, per K, per K2


def store_series(case: xr.DataTree, time: np.ndarray, step_h: float) -> Columns:
    """Series of cars and tanks on a time axis, from the table of stores and the air temperature.

    Parameters
    ----------
    case : DataTree
        With stores, and with ``/weather`` where a tank has `heat_loss`; the first station counts.
    time : ndarray (time,) of datetime64
        Left edges. [UTC]
    step_h : float
        Length of a step. [h]

    Returns
    -------
    dict of str to ndarray (store, time)
        ``p_max_pu``, ``p_withdrawn``, ``state_of_charge_least`` and ``coefficient_of_performance``, NaN where they do
        not concern a store; empty if the case has neither cars nor tanks.

    Raises
    ------
    InputError
        If a tank heats a building and there is no air temperature for the times.
    """
    store = columns(case, "store")
    car, tank = (np.nonzero(store["kind"] == kind)[0] for kind in (b"car", b"tank"))
    if not len(car) and not len(tank):
        return {}
    names = ("p_max_pu", "p_withdrawn", "state_of_charge_least", "coefficient_of_performance")
    found = {name: np.full((len(store["id"]), len(time)), np.nan, np.float32) for name in names}
    clock = _clock(time, str(case.attrs["time_zone"]))
    if len(car):
        rows = {name: values[car] for name, values in store.items()}
        for name, values in zip(names, _driving(rows, clock, step_h), strict=False):
            found[name][car] = values
    if len(tank):
        air = _air(case, time, store["id"][tank[store["heat_loss"][tank] > 0]])
        loss, water = store["heat_loss"][tank, None], store["p_hot_water"][tank, None]
        space = loss * (0.0 if air is None else np.where(air[1] <= HEATING_LIMIT, INDOOR - air[1], 0.0))
        taken = water * _part_of_step(clock, HOT_WATER_FROM, HOT_WATER_TO, step_h)
        found["p_withdrawn"][tank] = space + taken * DAY_H / (HOT_WATER_TO - HOT_WATER_FROM)
        if air is not None:
            found["coefficient_of_performance"][tank] = performance(air[0], space, water)
    return found


def performance(temp_air: np.ndarray, space: np.ndarray, water: np.ndarray) -> np.ndarray:
    """Coefficient of performance of an air-source heat pump for radiators and hot water.

    Parameters
    ----------
    temp_air : ndarray (time,)
        [degree_C]
    space, water : ndarray (store, time or 1)
        Heat for radiators and for hot water, by which the two are weighted. [kW]

    Returns
    -------
    ndarray (store, time)
        [1]
    """
    lifts = RADIATORS_AT_0 - 2 * temp_air, HOT_WATER - temp_air
    of_space, of_water = (np.polynomial.polynomial.polyval(np.maximum(lift, LEAST_LIFT), CURVE) for lift in lifts)
    heat = space + water
    share = np.divide(water, heat, out=np.ones(np.broadcast_shapes(heat.shape, temp_air.shape)), where=heat > 0)
    return np.asarray(CORRECTION / (share / of_water + (1 - share) / of_space))


def _clock(time: np.ndarray, time_zone: str) -> np.ndarray:
    """Local time of day of each left edge, in hours."""
    local = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(ZoneInfo(time_zone))
    return np.asarray(local.hour + local.minute / 60 + local.second / 3600, float)


def _part_of_step(clock: np.ndarray, start: np.ndarray | float, stop: np.ndarray | float, step_h: float) -> np.ndarray:
    """Part of each step that lies between two times of day, the second perhaps on the next day."""
    length, since = np.mod(np.subtract(stop, start), DAY_H), np.mod(clock - start, DAY_H)
    begun = np.clip(length - since, 0.0, step_h)
    ahead = np.clip(since + step_h - DAY_H, 0.0, np.minimum(length, step_h))
    return np.asarray((begun + ahead) / step_h)


def _driving(car: Columns, clock: np.ndarray, step_h: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each car is plugged in, what it drives on, and its least content before it leaves."""
    leaves, returns = car["leaves_at"][:, None], car["returns_at"][:, None]
    ever = np.isfinite(leaves) & np.isfinite(returns)
    away = np.where(ever, _part_of_step(clock, leaves, returns, step_h), 0.0)
    following = np.where(ever, _part_of_step(np.mod(clock + step_h, DAY_H), leaves, returns, step_h), 0.0)
    hours = np.where(ever, np.mod(returns - leaves, DAY_H), 0.0)
    power = np.divide(car["energy_trip"][:, None], hours, out=np.zeros_like(hours), where=hours > 0)
    departs = (following > 0) & (away == 0)
    return 1.0 * (away == 0), power * away, np.where(departs, car["state_of_charge_leave"][:, None], 0.0)


def _air(case: xr.DataTree, time: np.ndarray, heated: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Air temperature at each time and its mean over the last 24 hours; None where it is not known and not needed."""
    weather = columns(case, "station")
    given = weather.get("temp_air", np.zeros((0, 0)))
    seconds = weather.get("time", np.zeros(0, "M8[s]")).astype("M8[s]").astype(np.int64)
    wanted = time.astype("M8[s]").astype(np.int64)
    known = given.size > 0 and bool(np.isfinite(given[0]).all())
    step = seconds[1] - seconds[0] if len(seconds) > 1 else 3600
    if not known or wanted[0] < seconds[0] or wanted[-1] >= seconds[-1] + step:
        if not len(heated):
            return None
        covered = f"{weather['time'][0]} to {weather['time'][-1]} UTC" if known else "nothing"
        hint = "Heat follows the air temperature: add /weather for the span, or give p_withdrawn in /forecast."
        ids = tuple(i.decode(errors="replace") for i in heated[:3])
        value, allowed = f"covers {covered}", f"{time[0]} to {time[-1]} UTC"
        raise InputError([Problem("no-temperature", "/weather", "temp_air", ids, len(heated), value, allowed, hint)])
    temp = given[0].astype(float)
    total = np.concatenate([[0.0], np.cumsum(np.diff(seconds) * (temp[1:] + temp[:-1]) / 2)])
    begin = np.maximum(wanted - int(3600 * DAY_H), seconds[0])
    span = wanted - begin
    now = np.interp(wanted, seconds, temp)
    whole = np.interp(wanted, seconds, total) - np.interp(begin, seconds, total)
    return now, np.where(span > 0, whole / np.maximum(span, 1), now)
