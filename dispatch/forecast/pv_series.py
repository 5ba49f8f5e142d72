"""Power of all pv of a case: from weather, from what they gave before, or from profiles; with quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import Columns, columns
from dispatch.forecast.history import history_step
from dispatch.forecast.load import Place, forecast_history
from dispatch.forecast.measured import rows_of
from dispatch.forecast.pv import modelled, pv_forecast, require_no_gaps
from dispatch.forecast.pv_quantiles import around, slots

if TYPE_CHECKING:
    import xarray as xr

LEAST_DAYS = 7
"""Days of history from which a pv without weather is forecast from it; below, its profile says more."""
ERRORS_DAYS = 30
"""Errors of the weather's power of so many days before the issue make its quantiles."""
DAY = np.timedelta64(24 * 3600, "s")


@dataclass(frozen=True)
class PvSeries:
    """What is expected of all pv.

    Attributes
    ----------
    p_available : ndarray (pv, time)
        [kW]
    quantiles : ndarray (pv, quantile, time)
        NaN where no errors of the past are known. [kW]
    by_weather, by_history : ndarray (pv,) of bool
        From what each was made; neither: its profile.
    """

    p_available: np.ndarray
    quantiles: np.ndarray
    by_weather: np.ndarray
    by_history: np.ndarray


def series_of_pv(
    case: xr.DataTree,
    otherwise: np.ndarray,
    time: np.ndarray,
    step: np.timedelta64,
    levels: np.ndarray,
    issue: np.datetime64,
) -> PvSeries:
    """Forecast every pv as well as the case allows.

    With planes and irradiance over the whole span, a pv takes its power from the weather; its quantiles are those of
    the errors of the last 30 days before the issue, if it was measured. One without weather is forecast from its own
    history in the same steps, quantiles included.

    Parameters
    ----------
    case : DataTree
        A valid case.
    otherwise : ndarray (pv, time)
        Power of pv with neither. [kW]
    time : ndarray (time,) of datetime64
        Left edges of the steps that are wanted, UTC.
    step : timedelta64
        Their length.
    levels : ndarray (quantile,)
        Ascending, in (0, 1).
    issue : datetime64
        From when on nothing is known, UTC.

    Returns
    -------
    PvSeries

    Raises
    ------
    InputError
        If the weather has gaps, or a place is not known.
    """
    table, series = columns(case, "history"), otherwise.copy()
    quantiles = np.full((len(series), len(levels), len(time)), np.nan, np.float32)
    by_weather, learnt = modelled(case, time[0], time[-1] + step), np.zeros(len(series), bool)
    rows = rows_of(case, "pv") if "time" in table else np.full(len(series), -1)
    own = _learnable(table, rows, by_weather, step, issue) if (rows >= 0).any() else np.zeros(0, int)
    if len(own):
        past, place = table["time"].astype("datetime64[s]"), Place(str(case.attrs["time_zone"]))
        found = forecast_history(table["p"][rows[own]].astype(float), past, time, place, levels, issue=issue)
        series[own], quantiles[own] = np.maximum(found.point, 0.0), np.maximum(found.quantiles, 0.0)
        learnt[own] = True
    if by_weather.any():
        power = pv_forecast(case, time, step, dtype="float32")
        require_no_gaps(power)
        series[by_weather] = power
        quantiles[by_weather] = _by_errors(case, power.to_numpy(), rows[by_weather], time, levels, issue)
    return PvSeries(series, quantiles, by_weather, learnt)


def _learnable(
    table: Columns, rows: np.ndarray, by_weather: np.ndarray, step: np.timedelta64, issue: np.datetime64
) -> np.ndarray:
    """Find the pv without weather whose history is long enough and in the steps that are wanted."""
    own = history_step(table)
    if step != own:
        return np.zeros(0, int)
    filled = np.isfinite(table["p"][:, table["time"] < issue]).sum(axis=1) * (own / DAY)
    return np.asarray(np.nonzero((rows >= 0) & ~by_weather & (np.append(filled, 0)[rows] >= LEAST_DAYS))[0])


def _by_errors(
    case: xr.DataTree,
    power: np.ndarray,
    rows: np.ndarray,
    time: np.ndarray,
    levels: np.ndarray,
    issue: np.datetime64,
) -> np.ndarray:
    """Quantiles around the power of the weather, of pv that were measured. (pv, quantile, time)."""
    found = np.full((len(power), len(levels), len(time)), np.nan, np.float32)
    own = np.nonzero(rows >= 0)[0]
    table = columns(case, "history")
    if not len(own):
        return found
    step, station = history_step(table), columns(case, "station")
    first, end = max(issue - ERRORS_DAYS * DAY, station["time"][0]), station["time"][-1] + station["time_step"][0]
    past = table["time"].astype("datetime64[s]")
    past = past[(past >= first) & (past + step <= min(issue, end))]
    if not len(past):
        return found
    at = np.searchsorted(table["time"], past)
    expected = pv_forecast(case, past, step).to_numpy()
    came = table["p"][rows[own]][:, at].astype(float)
    step_s = int(step / np.timedelta64(1, "s"))
    hour = max(3600 // step_s, 1)
    found[own] = around(
        power[own].astype(float), slots(time, step_s), expected[own], came, slots(past, step_s), levels, beside=hour
    )
    return found
