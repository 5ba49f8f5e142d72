"""CF times to datetimes of whole seconds in UTC."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np

SECONDS = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "h": 3600}
SECONDS |= {"day": 86400, "d": 86400}
CALENDARS = {"standard", "gregorian", "proleptic_gregorian"}
# datetime64[s] could hold more, but no tariff or grid is older or lasts longer.
YEARS = (1900, 2200)
PATTERN = re.compile(
    r"(\w+?)s? since (\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?)?\s*(.*)"
)
UTC = {"", "z", "utc", "gmt", "+00:00", "+0000", "+00", "-00:00"}


def decode_time(values: np.ndarray, units: str, calendar: str) -> np.ndarray | str:
    """Datetimes of a CF time variable.

    Parameters
    ----------
    values : ndarray
        As stored.
    units : str
        Such as ``"seconds since 1970-01-01"``.
    calendar : str
        As stored.

    Returns
    -------
    ndarray of datetime64[s] or str
        UTC; or, if that cannot be, what is wrong.
    """
    match = PATTERN.fullmatch(units.strip())
    if calendar.lower() not in CALENDARS:
        return f"in calendar {calendar!r}"
    if not match or match[1] not in SECONDS:
        return f"in {units!r}"
    if match[8].strip().lower() not in UTC:
        return f"not in UTC but {match[8].strip()!r}"
    try:
        year, month, day, hour, minute, second = (int(g or 0) for g in match.groups()[1:7])
        start = dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  (naive times are UTC here)
    except ValueError:
        return f"in {units!r}"
    offset = np.asarray(values * float(SECONDS[match[1]]) if values.dtype.kind == "f" else values.astype("f8"))
    return _absolute(values, SECONDS[match[1]], start, offset)


def _absolute(values: np.ndarray, unit: int, start: dt.datetime, offset: np.ndarray) -> np.ndarray | str:
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or (offset != np.round(offset)).any():
            return "not a whole number of seconds"
    else:
        offset = offset * unit
    low, high = (dt.datetime(y, 1, 1) for y in YEARS)  # noqa: DTZ001  (naive times are UTC here)
    if offset.size and (offset.min() < (low - start).total_seconds() or offset.max() > (high - start).total_seconds()):
        return f"outside the years {YEARS[0]} to {YEARS[1]}"
    return np.asarray(np.datetime64(start, "s") + offset.astype("i8").astype("timedelta64[s]"))
