"""Load of meters from their history: the regressions of `kernels.load`, with quantiles."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dispatch.forecast.calendar import Clock, calendar_features, country_of
from dispatch.forecast.covariates import rows_of_hours, weather_features
from dispatch.forecast.quantiles import residual_quantiles
from kernels.load import forecast_loads
from kernels.load_regression import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispatch.forecast.covariates import Covariates, Rows

CHUNK = 32  # series that a thread takes at once: small enough to share out, large enough not to matter
OWN_HOURS = 2  # leads with a regression for each hour and all history; further ones have four a day and half a year
HALF_YEAR = 183  # [d]
LONGEST = 3 * 366  # rows of history that are used; with the default forgetting older ones weigh less than 0.5 %


@dataclass(frozen=True)
class LoadForecast:
    """Forecast of many series.

    Attributes
    ----------
    point : ndarray (series, time)
        Mixture of the experts; NaN for a series of which nothing is known. [unit of the history]
    quantiles : ndarray (series, quantile, time)
        Point plus quantiles of past errors of the same lead and time of day.
    days : ndarray (series,) of int
        Days of history with any value.
    """

    point: np.ndarray
    quantiles: np.ndarray
    days: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where the meters are: what the calendar needs.

    Attributes
    ----------
    zone : str
        IANA time zone.
    country, region : str
        ISO 3166 codes for public holidays; the country of the time zone where empty.
    """

    zone: str
    country: str = ""
    region: str = ""


@dataclass(frozen=True)
class _Part:
    """Steps of one row that are forecast; `columns` of the wanted ones are its entries `order` from `first` on."""

    lead: int
    first: int
    count: int
    columns: np.ndarray
    order: np.ndarray


@dataclass(frozen=True)
class _Task:
    """What is alike for all series of a part."""

    part: _Part
    kind: np.ndarray
    calendar: np.ndarray
    hour: np.ndarray
    weather: np.ndarray
    settings: Settings
    levels: np.ndarray

    def run(self, known: np.ndarray, station: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Point and quantiles of a chunk of series, whose rows end at the issue."""
        part, count = self.part, len(known)
        known = known[:, max(known.shape[1] + part.lead - len(self.kind), 0) :]
        unknown = np.full((count, part.lead, known.shape[2]), np.nan)
        values = np.concatenate([known, unknown], axis=1)
        point = np.empty((count, part.count))
        residual = np.empty((count, min(self.settings.recent, known.shape[1]), part.count))
        given = (values, self.kind, self.hour, part.first, part.lead, self.calendar, self.weather, station)
        forecast_loads(*given, self.settings, point, residual)
        group = np.tile(np.arange(part.count), residual.shape[1])
        hour = max(known.shape[2] // 24, 1)
        beside = residual_quantiles(residual.reshape(count, -1), group, self.levels, beside=hour)
        quantiles = point[:, None, :] + np.nan_to_num(beside, nan=0.0).transpose(0, 2, 1)
        positive = (np.nan_to_num(known, nan=0.0) >= 0).all(axis=(1, 2))
        return point, np.where(positive[:, None, None], np.maximum(quantiles, 0.0), quantiles)


def forecast_history(
    values: np.ndarray,
    time: np.ndarray,
    wanted: np.ndarray,
    place: Place,
    levels: np.ndarray,
    *,
    issue: np.datetime64 | None = None,
    covariates: Covariates | None = None,
    settings: Settings | None = None,
    threads: int | None = None,
    done: Callable[[float], None] | None = None,
) -> LoadForecast:
    """Forecast series from what is known of them before the issue.

    Parameters
    ----------
    values : ndarray (series, time)
        History; NaN where not known. What is at or after the issue is not looked at.
    time : ndarray (time,) of datetime64
        Left edges, UTC, in equal steps of which a whole number is a day.
    wanted : ndarray (wanted time,) of datetime64
        Left edges of the steps that are forecast, in the same steps, none before the issue.
    place : Place
        For clock and holidays.
    levels : ndarray (quantile,)
        Ascending, in (0, 1).
    issue : datetime64, optional
        From when on nothing is known, UTC; default: the first wanted time.
    covariates : Covariates, optional
        Weather of stations.
    settings : Settings, optional
        How the regressions learn.
    threads : int, optional
        Default: one a core. The result does not depend on it.
    done : callable, optional
        Told the part of the work that is done, in [0, 1], from time to time.

    Returns
    -------
    LoadForecast
    """
    step = (time[1] - time[0]).astype("timedelta64[s]") if len(time) > 1 else np.timedelta64(3600, "s")
    clock = Clock(place.zone, np.datetime64(wanted[0] if issue is None else issue).astype("datetime64[s]"), step)
    past = _Past(values, time, clock)
    station = np.full(len(values), -1) if covariates is None else covariates.station
    given = (clock, past.rows, place, covariates, settings or Settings(), levels)
    tasks = [_task(part, *given) for part in (_parts(clock, wanted) if past.rows else [])]
    found = LoadForecast(
        np.full((len(values), len(wanted)), np.nan),
        np.full((len(values), len(levels), len(wanted)), np.nan),
        np.zeros(len(values), np.int64),
    )

    def work(chunk: slice) -> None:
        """Forecast some series; every thread writes its own."""
        known = past.arranged(chunk)
        found.days[chunk] = np.isfinite(known).any(axis=2).sum(axis=1)
        for task in tasks:
            point, quantiles = task.run(known, station[chunk])
            found.point[chunk, task.part.columns] = point[:, task.part.order]
            found.quantiles[chunk, :, task.part.columns] = quantiles[:, :, task.part.order]

    chunks = [slice(i, min(i + CHUNK, len(values))) for i in range(0, len(values), CHUNK)]
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for n, _ in enumerate(pool.map(work, chunks), start=1):
            if done is not None:
                done(n / len(chunks))
    return found


@dataclass(frozen=True)
class _Past:
    """What is known before the issue; series are arranged in rows when their turn comes, for the sake of memory."""

    values: np.ndarray
    time: np.ndarray
    clock: Clock

    @property
    def known(self) -> int:
        """How many times are before the issue; by local time alone, some later ones in autumn would be, too."""
        return int((self.time < self.clock.issue).sum())

    @property
    def rows(self) -> int:
        """How many rows of 24 hours there are, the first perhaps in part."""
        earliest = int(self.clock.places(self.time[:1])[0]) if self.known else 0
        return min(-(earliest // self.clock.steps), LONGEST)

    @cached_property
    def _places(self) -> Rows:
        return rows_of_hours(self.time[: self.known], self.clock, self.rows, 0)

    def arranged(self, chunk: slice) -> np.ndarray:
        """Rows of some series (series, row, step)."""
        return self._places.arrange(self.values[chunk])


def _parts(clock: Clock, wanted: np.ndarray) -> list[_Part]:
    """Wanted steps by the row to which they belong."""
    row, step = np.divmod(clock.places(wanted), clock.steps)
    parts = []
    for r in np.unique(row):
        columns = np.nonzero(row == r)[0]
        first, last = int(step[columns].min()), int(step[columns].max())
        parts.append(_Part(int(r) + 1, first, last - first + 1, columns, step[columns] - first))
    return parts


def _task(
    part: _Part,
    clock: Clock,
    rows: int,
    place: Place,
    covariates: Covariates | None,
    settings: Settings,
    levels: np.ndarray,
) -> _Task:
    own = part.lead <= OWN_HOURS
    rows = rows if own else min(rows, HALF_YEAR)
    country = place.country or country_of(place.zone)
    kind, calendar = calendar_features(clock, rows + part.lead, part.lead - 1, country, place.region)
    per_hour = max(clock.steps * (1 if own else 6) // 24, 1)
    used = slice(part.first, part.first + part.count)
    weather = weather_features(covariates, clock, rows, part.lead, used)
    return _Task(part, kind, calendar, np.arange(part.count) // per_hour, weather, settings, levels)
