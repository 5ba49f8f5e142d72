"""Power of the case's PV systems from its weather."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

from dispatch.case.schema import Columns, columns, positions
from dispatch.errors import InputError, Problem
from dispatch.forecast.weather import Assignment, Share, assign, blend, covers, on_steps, require_places
from kernels.pv import HAYDAVIES, PEREZ, pv_power
from kernels.pv_arrays import Systems, make_sky
from kernels.solar import PRESSURE, Sites, sites_at, sun_at

if TYPE_CHECKING:
    from collections.abc import Iterator

Transposition = Literal["perez", "haydavies"]

CHUNK = 256
"""Systems whose weather is in memory at once."""


def modelled(case: xr.DataTree, first: np.datetime64, end: np.datetime64) -> np.ndarray:
    """Tell which pv the weather can forecast: those with planes, where `/weather` has irradiance over the whole span.

    Parameters
    ----------
    case : DataTree
        A valid case.
    first, end : datetime64
        Left edge of the first and right edge of the last step.

    Returns
    -------
    ndarray (pv,) of bool
    """
    pv, plane, inverter = (columns(case, kind) for kind in ("pv", "plane", "inverter"))
    if not len(plane["id"]) or not covers(columns(case, "station"), first, end):
        return np.zeros(len(pv["id"]), bool)
    used = positions(inverter["id"], plane["inverter"])
    return np.asarray(np.isin(pv["id"], inverter["pv"][used[used >= 0]]))


def pv_forecast(
    case: xr.DataTree,
    time: np.ndarray,
    step: np.timedelta64,
    *,
    model: Transposition = "perez",
    assignment: Assignment = "nearest",
    dtype: str = "float64",
) -> xr.DataArray:
    """Power that each pv with planes could inject, from the weather of the case.

    The sun stands where it is in the middle of each step; weather is the step's mean. A gap in the weather that a pv
    needs is NaN, never 0; the attribute ``gaps`` counts them.

    Parameters
    ----------
    case : DataTree
        A valid case with ``/weather``, pv, inverters and planes. Buses without a place take that of their only station.
    time : ndarray (time,) of datetime64
        Left edges, UTC.
    step : timedelta64
        Length of a step.
    model : {"perez", "haydavies"}
        Transposition of diffuse light.
    assignment : {"nearest", "inverse_distance"}
        Which stations a pv sees.
    dtype : {"float64", "float32"}
        Of the result.

    Returns
    -------
    DataArray (pv, time)
        ``p_available`` of the pv that have planes. [kW]

    Raises
    ------
    InputError
        If weather is missing for the span, or a place is not known.
    """
    table, pv = columns(case, "station"), columns(case, "pv")
    edges = time.astype("datetime64[s]")
    _require_cover(table, edges[0], edges[-1] + step)
    chosen = np.nonzero(modelled(case, edges[0], edges[-1] + step))[0]
    latitude, longitude = _places(case, table, chosen)
    share = assign(table, latitude, longitude, assignment)
    altitude = (table["altitude"][share.station] * share.weight).sum(axis=1)
    pressure = PRESSURE * (1 - 2.25577e-5 * altitude) ** 5.25588
    systems, sites = _systems(case, chosen), sites_at(latitude, longitude, altitude, pressure)
    power = np.empty((len(chosen), len(edges)), dtype)
    sun, sky, seen = sun_at(edges + step // 2), make_sky(len(edges)), on_steps(table, edges, step)
    for part, some, here in _chunks(systems, sites):
        there = Share(share.station[part], share.weight[part])
        weather = seen if share.station.shape[1] == 1 else blend(seen, there)
        at = there.station[:, 0] if share.station.shape[1] == 1 else np.arange(len(there.station))
        pv_power(sun, here, weather, some._replace(weather=at), _MODELS[model], sky, power[part])
    gaps = np.isnan(power)
    labels = {"units": "kW", "gaps": int(gaps.sum()), "pv_with_gaps": int(gaps.any(axis=1).sum())}
    return xr.DataArray(power, {"pv": pv["id"][chosen], "time": edges}, ("pv", "time"), "p_available", labels)


_MODELS = {"perez": PEREZ, "haydavies": HAYDAVIES}


def require_no_gaps(power: xr.DataArray) -> None:
    """Raise if a forecast has gaps: what is solved must be known.

    Raises
    ------
    InputError
        With the pv concerned and when the first gap is.
    """
    holes = np.isnan(power.to_numpy())
    if holes.any():
        who = power["pv"].to_numpy()[holes.any(axis=1)]
        first = power["time"].to_numpy()[np.argmax(holes.any(axis=0))]
        names = tuple(i.decode() for i in who[:3])
        value = f"without weather from {first.astype('datetime64[s]')} UTC ({int(holes.sum())} values)"
        hint = "Fill the gaps of /weather, choose another span, or remove the planes to use the profile."
        raise InputError([Problem("weather-gap", "/weather", "ghi", names, len(who), value, "values", hint)])


def _require_cover(table: Columns, first: np.datetime64, end: np.datetime64) -> None:
    if covers(table, first, end):
        return
    has = "time" in table and len(table["time"])
    value = f"{table['time'][0]} to {table['time'][-1] + table['time_step'][0]} UTC" if has else "missing"
    hint = "Add weather with irradiance: dispatch import weather FILE --format epw --into CASE.nc -o CASE.nc"
    problem = Problem("weather-span", "/weather", "time", (), 0, value, f"all of {first} to {end} UTC", hint)
    raise InputError([problem])


def _places(case: xr.DataTree, table: Columns, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude of pv: of their bus, else of the only station there is."""
    require_places(table)
    pv, meter, bus = (columns(case, kind) for kind in ("pv", "meter", "bus"))
    at = positions(bus["id"], meter["bus"][positions(meter["id"], pv["meter"][chosen])])
    latitude, longitude = bus["latitude"][at], bus["longitude"][at]
    lost = ~(np.isfinite(latitude) & np.isfinite(longitude))
    if lost.any() and len(table["id"]) > 1:
        names = tuple(i.decode() for i in np.unique(bus["id"][at[lost]])[:3])
        hint = "Give the buses' latitude and longitude, or keep one station only."
        count = len(np.unique(at[lost]))
        raise InputError([Problem("no-place", "/electric/bus", "latitude", names, count, "NaN", "a place", hint)])
    return np.where(lost, table["latitude"][0], latitude), np.where(lost, table["longitude"][0], longitude)


def _systems(case: xr.DataTree, chosen: np.ndarray) -> Systems:
    """Planes and inverters of the chosen pv, in order."""
    pv, inverter, plane = (columns(case, kind) for kind in ("pv", "inverter", "plane"))
    owner = positions(pv["id"][chosen], inverter["pv"])
    of_inverter = positions(inverter["id"], plane["inverter"])
    order_i = np.argsort(owner, kind="stable")[np.count_nonzero(owner < 0) :]
    rank = np.full(len(owner), -1)
    rank[order_i] = np.arange(len(order_i))
    of_rank = np.where(of_inverter >= 0, rank[of_inverter], -1)
    k = np.argsort(of_rank, kind="stable")[np.count_nonzero(of_rank < 0) :]
    tilt, azimuth = np.radians(plane["surface_tilt"][k]), np.radians(plane["surface_azimuth"][k])
    efficiency = inverter["efficiency"][order_i]
    return Systems(
        first_inverter=np.searchsorted(owner[order_i], np.arange(len(chosen) + 1)),
        weather=np.zeros(len(chosen), np.int64),
        first_plane=np.searchsorted(of_rank[k], np.arange(len(order_i) + 1)),
        pdc0=inverter["p_ac_nom"][order_i] / efficiency,
        eta_inv_nom=efficiency,
        tilt_sin=np.sin(tilt),
        tilt_cos=np.cos(tilt),
        azimuth_sin=np.sin(azimuth),
        azimuth_cos=np.cos(azimuth),
        p_dc_nom=plane["p_dc_nom"][k] * (1 - plane["losses"][k]),
        gamma_pdc=plane["gamma_pdc"][k],
        u0=plane["u0"][k],
        u1=plane["u1"][k],
    )


def _chunks(systems: Systems, sites: Sites) -> Iterator[tuple[slice, Systems, Sites]]:
    """Consecutive systems, so many at a time."""
    for first in range(0, len(systems.weather), CHUNK):
        part = slice(first, first + CHUNK)
        edges = systems.first_inverter[first : first + CHUNK + 1]
        yield part, systems._replace(first_inverter=edges), Sites(*(a[part] for a in sites))
