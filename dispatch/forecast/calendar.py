"""The calendar that people live by: local clock, kinds of day, public holidays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import holidays
import numpy as np
import pandas as pd

DAY = np.timedelta64(24 * 3600, "s")
COLUMNS = 7  # sine and cosine of the year, day off, Monday, Friday, Saturday, holiday


@dataclass(frozen=True)
class Clock:
    """Rows of 24 local hours that begin at the local time of issue.

    Attributes
    ----------
    zone : str
        IANA time zone.
    issue : datetime64
        First time that is not known any more, UTC.
    step : timedelta64
        Length of a step; a whole number of them is a day.
    """

    zone: str
    issue: np.datetime64
    step: np.timedelta64

    @property
    def steps(self) -> int:
        """Steps in a row."""
        return int(DAY // self.step)

    @property
    def first(self) -> np.datetime64:
        """Local time of issue, where row 0 begins; earlier rows are negative."""
        return np.datetime64(local_time(np.array([self.issue]), self.zone)[0])

    def places(self, time: np.ndarray) -> np.ndarray:
        """Row times `steps` plus step of each time.

        Where clocks go forward, places are left out; where they go back, places come twice.

        Parameters
        ----------
        time : ndarray (time,) of datetime64
            UTC.

        Returns
        -------
        ndarray (time,) of int
            Negative before the issue.
        """
        found: np.ndarray = (local_time(time, self.zone) - self.first) // self.step
        return found


def local_time(time: np.ndarray, zone: str) -> np.ndarray:
    """Give what clocks show, without the zone.

    Parameters
    ----------
    time : ndarray (time,) of datetime64
        UTC.
    zone : str
        IANA time zone.

    Returns
    -------
    ndarray (time,) of datetime64[s]
    """
    local = pd.DatetimeIndex(time.astype("datetime64[s]")).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return local.to_numpy().astype("datetime64[s]")


@cache
def country_of(zone: str) -> str:
    """ISO 3166 code of the country of a time zone; empty where none is known (as for UTC)."""
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == zone), "")


def public_holidays(dates: np.ndarray, country: str, region: str = "") -> np.ndarray:
    """Whether each date is a public holiday.

    Parameters
    ----------
    dates : ndarray (day,) of datetime64[D]
        Local dates.
    country : str
        ISO 3166 code such as ``DE``; empty, or one that is not known: no holidays.
    region : str
        Its subdivision, such as ``BW``; empty, or one that is not known: those of the whole country.

    Returns
    -------
    ndarray (day,) of bool
    """
    if not len(dates) or country not in holidays.list_supported_countries():
        return np.zeros(len(dates), bool)
    years = np.unique(dates.astype("datetime64[Y]").astype(int) + 1970).tolist()
    known = holidays.list_supported_countries()[country]
    days = holidays.country_holidays(country, subdiv=region if region in known else None, years=years)
    free = np.array(sorted(days), dtype="datetime64[D]")
    return np.isin(dates.astype("datetime64[D]"), free)


def calendar_features(clock: Clock, rows: int, last: int, country: str, region: str) -> tuple[np.ndarray, np.ndarray]:
    """Kind of day and calendar features of each step.

    Parameters
    ----------
    clock : Clock
        Of the forecast.
    rows : int
        How many there are.
    last : int
        Number of the last one, counted from the issue.
    country, region : str
        For `public_holidays`.

    Returns
    -------
    kind : ndarray (row, step) of int
        1 for Saturdays, Sundays and public holidays, else 0.
    calendar : ndarray (row, step, 7)
        Sine and cosine of the day of the year, day off, Monday, Friday, Saturday, holiday.
    """
    local = clock.first + (last - rows + 1) * DAY + np.arange(rows * clock.steps) * clock.step
    dates, which = np.unique(local.astype("datetime64[D]"), return_inverse=True)
    free = public_holidays(dates, country, region)
    weekday = (dates.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    angle = 2 * np.pi * (dates - dates.astype("datetime64[Y]")).astype(int) / 365.25
    off = (weekday >= 5) | free
    columns = [np.sin(angle), np.cos(angle), off, weekday == 0, weekday == 4, weekday == 5, free]
    table = np.stack([np.asarray(c, float) for c in columns], axis=1)
    return off.astype(np.int64)[which].reshape(rows, -1), table[which].reshape(rows, clock.steps, COLUMNS)
