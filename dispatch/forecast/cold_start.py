"""Loads of which little or nothing was measured: a standard household of their yearly use, until their meter knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, positions
from dispatch.forecast.calendar import country_of
from dispatch.forecast.standard import standard_load

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.forecast.load import Place

ENOUGH = 14  # days of history from which the model stands alone; fewer share the forecast with the standard load


def yearly_use(case: xr.DataTree) -> np.ndarray:
    """Electricity that each load uses in a year: what its prosumer states, shared by ``p_nom`` among its loads.

    Parameters
    ----------
    case : DataTree
        A valid case.

    Returns
    -------
    ndarray (load,)
        NaN where no ``energy_year`` is stated. [kW h]
    """
    loads, meters, prosumers = (columns(case, kind) for kind in ("load", "meter", "prosumer"))
    count = len(prosumers["id"])
    if not (count and len(meters["id"]) and len(loads["id"])):
        return np.full(len(loads["id"]), np.nan)
    owner = positions(prosumers["id"], meters["prosumer"])[positions(meters["id"], loads["meter"])]
    size = np.maximum(loads["p_nom"].astype(float), 0.0)
    known = owner >= 0
    total, number = (np.bincount(owner[known], w, count) for w in (size[known], np.ones(known.sum())))
    part = np.where(total[owner] > 0, size / np.where(total[owner] > 0, total[owner], 1.0), 1 / number[owner].clip(1))
    return np.asarray(np.where(known, prosumers["energy_year"][owner] * part, np.nan))


def with_standard(
    series: np.ndarray,
    days: np.ndarray,
    known: np.ndarray,
    past: np.ndarray,
    wanted: np.ndarray,
    place: Place,
    year: np.ndarray,
) -> np.ndarray:
    """Share the forecast of series with few days with a standard household.

    It uses what the series states for a year, and with every day more of what was measured; without a statement what
    was measured alone. The part of the model grows alike, up to all of it after 14 days.

    Parameters
    ----------
    series : ndarray (series, 1 + quantile, wanted)
        Point and quantiles of the model; changed in place. A series without any day gets a point only. [kW]
    days : ndarray (series,) of int
        Days of history with any value.
    known : ndarray (series, time)
        History, NaN where not known. [kW]
    past, wanted : ndarray of datetime64
        Left edges of history and forecast, UTC.
    place : Place
        For clock and holidays.
    year : ndarray (series,)
        Yearly use; NaN where it is not stated. [kW h]

    Returns
    -------
    ndarray
        `series`.
    """
    few = np.nonzero((days < ENOUGH) & ((days > 0) | np.isfinite(year)))[0]
    if not len(few):
        return series
    country = place.country or country_of(place.zone)
    before = standard_load(past, place.zone, country, place.region)
    after = standard_load(wanted, place.zone, country, place.region)
    for s in few:
        seen, weight = np.isfinite(known[s]), days[s] / ENOUGH
        measured = known[s, seen].mean() / before[seen].mean() if seen.any() else np.nan
        scale = weight * measured + (1 - weight) * year[s] if days[s] and np.isfinite(year[s]) else measured
        standard = after * (scale if days[s] else year[s])
        if days[s]:
            mixed = weight * series[s] + (1 - weight) * standard
            series[s] = np.where(np.isfinite(series[s]), mixed, standard)
        else:
            series[s, 0] = standard
    return series
