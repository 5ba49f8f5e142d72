"""Local days, months and their ends."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dispatch.model.windows import when_of, windows_of


def hours(start: str, count: int, minutes: int = 60) -> np.ndarray:
    return np.datetime64(start, "s") + np.arange(count) * np.timedelta64(60 * minutes, "s")


def local(time: np.ndarray, zone: str) -> list[dt.datetime]:
    return [t.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)) for t in time.tolist()]


@pytest.mark.parametrize(
    ("start", "zone", "lengths"),
    [
        ("2024-03-30T23:00", "Europe/Berlin", [23, 24, 1]),
        ("2024-10-26T22:00", "Europe/Berlin", [25, 23]),
        ("2024-06-29T22:00", "Europe/Berlin", [24, 24]),
        ("2024-06-30T00:00", "UTC", [24, 24]),
        ("2024-06-29T18:30", "Asia/Kolkata", [24, 24]),
    ],
)
def test_days_have_the_hours_of_the_local_clock(start: str, zone: str, lengths: list[int]) -> None:
    windows = windows_of(hours(start, 48), zone)
    assert np.bincount(windows["day"]).tolist() == lengths
    assert when_of(windows)["day_end"].tolist() == (np.cumsum(lengths) - 1).tolist()


def test_billing_periods_are_calendar_months_of_the_local_clock() -> None:
    time = hours("2023-12-31T20:00", 24 * 33)
    period = windows_of(time, "Europe/Berlin")["billing_period"]
    months = [(t.year, t.month) for t in local(time, "Europe/Berlin")]
    names = list(dict.fromkeys(months))
    assert names == [(2023, 12), (2024, 1), (2024, 2)]
    assert period.tolist() == [names.index(m) for m in months]
    assert period[2] == 0
    assert period[3] == 1


def test_the_same_day_of_two_months_is_two_days() -> None:
    windows = windows_of(hours("2024-01-31T12:00", 3, minutes=60 * 24 * 29), "UTC")
    assert windows["day"].tolist() == [0, 1, 2]
    assert windows["horizon"].tolist() == [0, 0, 0]


def test_a_clock_set_back_over_midnight_does_not_reopen_a_day() -> None:
    # Newfoundland went back at 00:01 of 5 November 2006 to 23:01 of the day before.
    windows = windows_of(hours("2006-11-05T02:00", 6, minutes=15), "America/St_Johns")
    assert (np.diff(windows["day"]) >= 0).all()


def test_ends() -> None:
    when = when_of(windows_of(hours("2024-06-30T20:00", 6), "Europe/Berlin"))
    assert when["all"].tolist() == [0, 1, 2, 3, 4, 5]
    assert when["end"].tolist() == [5]
    assert when["day_end"].tolist() == [1, 5]
