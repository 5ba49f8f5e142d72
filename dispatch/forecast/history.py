"""Loads of a case from its ``/history``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, positions
from dispatch.errors import Problem, raise_if_any
from dispatch.forecast.calendar import DAY
from dispatch.forecast.cold_start import with_standard, yearly_use
from dispatch.forecast.load import Place, forecast_history
from dispatch.forecast.load_weather import load_covariates
from dispatch.forecast.meter_use import use_behind_meters
from dispatch.forecast.profile_history import of_profiles
from dispatch.forecast.quality import Quality, clean

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from dispatch.case.schema import Columns

EVEN = np.round(np.arange(0.05, 1, 0.1), 2)  # quantiles whose mean is the expected value
IN_WATTS = (300.0, 3000.0)  # yearly use over that of the prosumer, if the history is in W instead of kW


@dataclass(frozen=True)
class HistoryForecast:
    """What the history says of the loads.

    Attributes
    ----------
    p_load : ndarray (load, time)
        NaN for loads without history. [kW]
    quantiles : ndarray (load, quantile, time)
        [kW]
    quality : Quality
        Of each series of the history.
    ids : ndarray (series,) of bytes
        Of the history.
    days : ndarray (series,) of int
        Days with any usable value before the issue.
    """

    p_load: np.ndarray
    quantiles: np.ndarray
    quality: Quality
    ids: np.ndarray
    days: np.ndarray


def history_step(table: Columns) -> np.timedelta64:
    """Length of a step of ``/history``, which must be a whole part of a day."""
    step = table["time_step"][0] if len(table["time"]) < 2 else table["time"][1] - table["time"][0]
    step = step.astype("timedelta64[s]")
    if DAY % step:
        hint = "Give the history in steps of which a whole number is a day, such as 15, 30 or 60 min."
        value = f"in steps of {step / np.timedelta64(1, 'm'):g} min"
        raise_if_any(
            [Problem("time-step", "/history", "time", value=value, allowed="a whole part of a day", hint=hint)]
        )
    return np.timedelta64(step)


def forecast_loads_of(
    case: xr.DataTree,
    time: np.ndarray,
    levels: np.ndarray,
    *,
    issue: np.datetime64 | None = None,
    done: Callable[[float], None] | None = None,
) -> HistoryForecast:
    """Forecast every load that has a history.

    Parameters
    ----------
    case : DataTree
        With ``/history``.
    time : ndarray (time,) of datetime64
        Left edges of the steps that are forecast, UTC, in equal steps.
    levels : ndarray (quantile,)
        Ascending, in (0, 1).
    issue : datetime64, optional
        From when on nothing is known; default: the first of `time`.
    done : callable, optional
        Told the part of the work that is done, in [0, 1].

    Returns
    -------
    HistoryForecast

    Raises
    ------
    InputError
        If a series belongs to no load, or seems to be in W.
    """
    table, loads = columns(case, "history"), columns(case, "load")
    share = _shares(table, loads)
    raise_if_any(_problems(case, table, loads, share))
    table, share = _with_profiles(table, loads, share)
    step, past = history_step(table), table["time"].astype("datetime64[s]")
    start = np.datetime64(time[0] if issue is None else issue).astype("datetime64[s]")
    first = past[0] + (time[0].astype("datetime64[s]") - past[0]) // step * step
    length = time[1] - time[0] if len(time) > 1 else step
    wanted = np.arange(first, time[-1].astype("datetime64[s]") + length, step)
    before, start = past < start, min(start, first)
    cleaned, quality = clean(table["p"][:, before].astype(float), step / np.timedelta64(1, "h"))
    cleaned = use_behind_meters(case, table, cleaned, past[before])
    place = Place(*(str(case.attrs.get(name, "")) for name in ("time_zone", "country", "region")))
    weather = load_covariates(case, _buses(case, table, loads, share), past[before], wanted, start)
    found = forecast_history(cleaned, past[before], wanted, place, levels, issue=start, covariates=weather, done=done)
    series = np.concatenate([found.point[:, None], found.quantiles], axis=1)
    year = _sum_by_series(yearly_use(case), table, share)
    series = with_standard(series, found.days, cleaned, past[before], wanted, place, year)
    resampled = _resampled(series, wanted, step, time)
    whole = np.full((len(loads["id"]), *resampled.shape[1:]), np.nan)
    whole[share.load] = 0.0
    np.add.at(whole, share.load, share.part[:, None, None] * resampled[share.series])
    return HistoryForecast(whole[:, 0], whole[:, 1:], quality, table["id"], found.days)


def _sum_by_series(year: np.ndarray, table: Columns, share: _Shares) -> np.ndarray:
    """Yearly use of the loads of each series; NaN for one that is shared per unit of ``p_nom``. [kW h]."""
    total = np.bincount(share.series, year[share.load], len(table["id"]))
    counted = np.bincount(share.series, minlength=len(table["id"])) > 0
    return np.asarray(np.where(counted & (table["profile"] == b""), total, np.nan))


def _buses(case: xr.DataTree, table: Columns, loads: Columns, share: _Shares) -> np.ndarray:
    """Bus of each series: that of the first of its loads; empty for a series of no load."""
    meters, found = columns(case, "meter"), np.full(len(table["id"]), b"", columns(case, "bus")["id"].dtype)
    found[share.series[::-1]] = meters["bus"][positions(meters["id"], loads["meter"][share.load[::-1]])]
    return found


def series_of_loads(
    case: xr.DataTree,
    otherwise: np.ndarray,
    time: np.ndarray,
    levels: np.ndarray,
    issue: np.datetime64,
    done: Callable[[float], None] | None = None,
) -> Columns:
    """Series of ``/forecast`` of all loads: from the history where there is one.

    Parameters
    ----------
    case : DataTree
        With ``/history``.
    otherwise : ndarray (load, time)
        Power of loads without history. [kW]
    time : ndarray (time,) of datetime64
        Left edges of the steps that are forecast, UTC.
    levels : ndarray (quantile,)
        Ascending, in (0, 1).
    issue : datetime64
        From when on nothing is known.
    done : callable, optional
        Told the part of the work that is done, in [0, 1].

    Returns
    -------
    dict of str to ndarray (load, time)
        ``p_load``: the mean of ten quantiles, since costs follow sums and the point of the regressions is nearer to the
        median, below what homes use on average; and of (load, quantile, time) ``p_load_quantile``, NaN where there is
        no history. [kW]
    """
    every = np.union1d(levels, EVEN)
    found = forecast_loads_of(case, time, every, issue=issue, done=done)
    expected = found.quantiles[:, np.searchsorted(every, EVEN)].mean(axis=1)
    expected = np.where(np.isfinite(expected), expected, found.p_load)
    known = np.isfinite(expected).all(axis=1, keepdims=True)
    wanted = found.quantiles[:, np.searchsorted(every, levels)]
    measured = np.isfinite(wanted).all(axis=(1, 2), keepdims=True)
    series = {"p_load": np.where(known, expected, otherwise)}
    series["p_load_quantile"] = np.where(measured, wanted, np.nan)
    return {name: values.astype(np.float32) for name, values in series.items()}


@dataclass(frozen=True)
class _Shares:
    """Which part of which series goes to which load, pair by pair."""

    load: np.ndarray
    series: np.ndarray
    part: np.ndarray


def _shares(table: Columns, loads: Columns) -> _Shares:
    """Pair series and loads; a load's own history beats that of its meter, which its loads share by p_nom."""
    at = positions(loads["id"], table["load"])
    own = np.nonzero(at >= 0)[0]
    free = ~np.isin(np.arange(len(loads["id"])), at[own])
    metered = np.nonzero((table["load"] == b"") & (table["meter"] != b""))[0]
    behind = positions(table["meter"][metered], loads["meter"])
    pairs = np.nonzero(free & (behind >= 0))[0]
    of = metered[behind[pairs]] if len(pairs) else np.zeros(0, np.int64)
    total = np.bincount(of, loads["p_nom"][pairs], len(table["id"]))[of]
    count = np.bincount(of, minlength=len(table["id"]))[of]
    part = np.where(total > 0, loads["p_nom"][pairs] / np.where(total > 0, total, 1), 1 / np.maximum(count, 1))
    return _Shares(
        np.concatenate([at[own], pairs]), np.concatenate([own, of]), np.concatenate([np.ones(len(own)), part])
    )


def _with_profiles(table: Columns, loads: Columns, share: _Shares) -> tuple[Columns, _Shares]:
    """Add what profiles tell of loads that neither they themselves nor their meters tell of."""
    bare = ~np.isin(np.arange(len(loads["id"])), share.load)
    table, load, row = of_profiles(table, loads, bare)
    own = (share.load, load), (share.series, row), (share.part, loads["p_nom"][load])
    return table, _Shares(*(np.concatenate(both) for both in own))


def _problems(case: xr.DataTree, table: Columns, loads: Columns, share: _Shares) -> list[Problem]:
    """Name series of nothing, loads with two series, and series that seem to be in W."""
    problems = []

    def add(code: str, variable: str, bad: np.ndarray, value: str, hint: str) -> None:
        if bad.any():
            ids = tuple(i.decode() for i in table["id"][bad][:3])
            problems.append(Problem(code, "/history", variable, ids, int(bad.sum()), value, hint=hint))

    named = np.bincount(share.series, minlength=len(table["id"]))
    nothing = (named == 0) & (table["load"] != b"")
    add("unknown-parent", "load", nothing, "no load of the case", "Give the id of a load, or leave the series out.")
    often = np.bincount(share.load, minlength=len(loads["id"])) > 1
    twice = np.isin(np.arange(len(table["id"])), share.series[often[share.load]])
    add("duplicate", "load", twice, "one of several of the same load", "Keep one series a load.")
    prosumers, meters = columns(case, "prosumer"), columns(case, "meter")
    if len(prosumers["id"]) and len(meters["id"]) and len(table["id"]):
        of_meter = positions(prosumers["id"], meters["prosumer"])[positions(meters["id"], loads["meter"])]
        year = np.where(of_meter >= 0, prosumers["energy_year"][of_meter], np.nan)
        stated = np.full(len(table["id"]), np.nan)
        alone = named[share.series] == 1
        stated[share.series[alone]] = year[share.load[alone]]
        with np.errstate(invalid="ignore", divide="ignore"):
            known = np.isfinite(table["p"])
            mean = np.where(known, table["p"], 0).sum(axis=1) / known.sum(axis=1)
            ratio = mean * 8760 / stated
        hint = "Give p in kW, or state its unit (units = 'W') in the file."
        add(
            "unit", "p", (ratio > IN_WATTS[0]) & (ratio < IN_WATTS[1]), "a thousand times energy_year: W, not kW?", hint
        )
    return problems


def _resampled(series: np.ndarray, wanted: np.ndarray, step: np.timedelta64, time: np.ndarray) -> np.ndarray:
    """From the steps of the history to those of the forecast: finer ones are averaged, coarser ones held."""
    length = time[1] - time[0] if len(time) > 1 else step
    if length <= step:
        return np.asarray(series[:, :, (time - wanted[0]) // step])
    edges = np.searchsorted(wanted, time)
    count = np.diff(np.append(edges, len(wanted)))
    return np.asarray(np.add.reduceat(series, edges, axis=2) / count)
