"""Weather where and when it is needed: of which stations a site sees what, on the steps of a forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dispatch.errors import Problem, raise_if_any
from kernels.pv_arrays import Weather
from kernels.solar import sites_at, solar_position, sun_at

if TYPE_CHECKING:
    from dispatch.case.schema import Columns

Assignment = Literal["nearest", "inverse_distance"]

STANDARD = {"temp_air": 20.0, "wind_speed": 1.0, "albedo": 0.2}
"""What stands in for a series that a station does not have at all."""
SUBSTEPS = 12
"""Instants at which the sun's mean height over a step of weather is taken."""
EARTH_KM = 6371.0


@dataclass(frozen=True)
class Share:
    """Which stations a site sees, and how much of each.

    Attributes
    ----------
    station : ndarray (site, seen) of int
        Position of each station.
    weight : ndarray (site, seen)
        Its share; adds up to 1 over `seen`.
    """

    station: np.ndarray
    weight: np.ndarray


def distances(table: Columns, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Great-circle distances between sites and stations.

    Parameters
    ----------
    table : Columns
        Of kind ``station``.
    latitude, longitude : ndarray (site,)
        [degree_north, degree_east]

    Returns
    -------
    ndarray (site, station)
        [km]
    """
    a, b = np.radians(latitude)[:, None], np.radians(table["latitude"])[None, :]
    turn = np.radians(table["longitude"][None, :] - longitude[:, None])
    chord = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(turn / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0))))


def assign(table: Columns, latitude: np.ndarray, longitude: np.ndarray, how: Assignment, most: int = 4) -> Share:
    """Choose the stations that each site sees.

    Parameters
    ----------
    table : Columns
        Of kind ``station``.
    latitude, longitude : ndarray (site,)
        [degree_north, degree_east]
    how : {"nearest", "inverse_distance"}
        The nearest station alone, or the nearest few weighted by one over the square of their distance.
    most : int
        Stations at most, by inverse distance.

    Returns
    -------
    Share
    """
    if len(table["id"]) == 1:
        return Share(np.zeros((len(latitude), 1), np.int64), np.ones((len(latitude), 1)))
    far = distances(table, latitude, longitude)
    seen = 1 if how == "nearest" else min(most, far.shape[1])
    order = np.argsort(far, axis=1, kind="stable")[:, :seen]
    weight = 1.0 / np.maximum(np.take_along_axis(far, order, axis=1), 0.01) ** 2
    return Share(order, weight / weight.sum(axis=1, keepdims=True))


def covers(table: Columns, first: np.datetime64, end: np.datetime64) -> bool:
    """Whether there is irradiance of some station over a whole span.

    Parameters
    ----------
    table : Columns
        Of kind ``station``.
    first, end : datetime64
        Left edge of the first and right edge of the last step.
    """
    if "time" not in table or not len(table["time"]):
        return False
    time = table["time"].astype("datetime64[s]")
    light = [name for name in ("ghi", "dni") if name in table and np.isfinite(table[name]).any()]
    return bool(light) and bool(time[0] <= first) and bool(end <= time[-1] + table["time_step"][0])


def on_steps(table: Columns, time: np.ndarray, step: np.timedelta64) -> Weather:
    """Weather of all stations on the steps of a forecast.

    Finer weather is averaged over each step. Coarser weather is taken apart so that its means stay what they are:
    global and diffuse light in proportion to the sun's height within the coarse step, all else held.

    Parameters
    ----------
    table : Columns
        Of kind ``station``, on equal steps that cover the span.
    time : ndarray (time,) of datetime64[s]
        Left edges.
    step : timedelta64
        Their distance.

    Returns
    -------
    Weather
        (station, time); a gap that touches a step is a gap of that step.
    """
    edges, own = table["time"].astype("datetime64[s]"), table["time_step"][0].astype("timedelta64[s]")
    begin = (time - edges[0]) / own  # in coarse steps
    end = begin + step / own
    found = {name: _averaged(table, name, begin, end, len(time)) for name in Weather._fields}
    if own > step:
        shape = _shape(table, edges, own, time, step)
        found |= {name: found[name] * shape for name in ("ghi", "dhi")}
    return Weather(**found)


def _averaged(table: Columns, name: str, begin: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Mean of a series between fractional positions, station by station; standard values where there is no series."""
    stations = len(table["id"])
    filler = np.full((stations, steps), STANDARD.get(name, np.nan))
    if name not in table:
        return filler
    values = table[name].astype(np.float64)
    total = np.concatenate([np.zeros((stations, 1)), np.cumsum(np.nan_to_num(values), axis=1)], axis=1)
    known = np.concatenate([np.zeros((stations, 1)), np.cumsum(np.isfinite(values), axis=1)], axis=1)

    def between(sums: np.ndarray) -> np.ndarray:
        at = np.arange(sums.shape[1])
        return np.stack([np.interp(end, at, row) - np.interp(begin, at, row) for row in sums])

    mean = between(total) / (end - begin)
    mean[between(known) < (end - begin) * (1 - 1e-9)] = np.nan
    none = np.isnan(values).all(axis=1)
    mean[none] = filler[none]
    return np.asarray(mean)


def _shape(
    table: Columns, edges: np.ndarray, own: np.timedelta64, time: np.ndarray, step: np.timedelta64
) -> np.ndarray:
    """Height of the sun in each step over its mean in the coarse step around it. (station, time)."""
    high = _height(table, edges, own)
    middle = time + step // 2
    coarse = np.clip(((middle - edges[0]) // own).astype(np.int64), 0, len(edges) - 1)
    return np.asarray(_height(table, time, step) / np.maximum(high, 1e-3)[:, coarse])


def _height(table: Columns, time: np.ndarray, step: np.timedelta64) -> np.ndarray:
    """Mean of the sine of the sun's elevation over steps, at least 0. (station, time)."""
    at = np.arange(SUBSTEPS) * 2 + 1
    instants = (time[:, None] + step * at // (2 * SUBSTEPS)).ravel()
    place = table["latitude"], table["longitude"]
    zenith, apparent, azimuth = np.empty((3, len(place[0]), len(instants)))
    solar_position(sun_at(instants), sites_at(*place), zenith, apparent, azimuth)
    up = np.maximum(np.cos(np.radians(zenith)), 0.0)
    return np.asarray(up.reshape(len(place[0]), len(time), SUBSTEPS).mean(axis=2))


def blend(weather: Weather, share: Share) -> Weather:
    """Weather of sites from that of the stations they see.

    A station with a gap leaves its share to the others that a site sees; where none knows, the gap stays.

    Parameters
    ----------
    weather : Weather
        (station, time).
    share : Share
        Of each site.

    Returns
    -------
    Weather
        (site, time)
    """

    def mixed(values: np.ndarray) -> np.ndarray:
        seen = values[share.station]
        weight = np.where(np.isfinite(seen), share.weight[:, :, None], 0.0)
        total = weight.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(total > 0, (np.nan_to_num(seen) * weight).sum(axis=1) / total, np.nan))

    return Weather(*(mixed(values) for values in weather))


def require_places(table: Columns) -> None:
    """Raise if a station that is needed has no place.

    Raises
    ------
    InputError
        With the stations' ids.
    """
    lost = ~(np.isfinite(table["latitude"]) & np.isfinite(table["longitude"]))
    if lost.any():
        names = tuple(i.decode() for i in table["id"][lost][:3])
        hint = "Give latitude and longitude: the sun's position follows from them."
        raise_if_any([Problem("no-place", "/weather", "latitude", names, int(lost.sum()), "NaN", "a place", hint)])
