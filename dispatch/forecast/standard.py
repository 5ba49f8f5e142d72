"""A standard household, for meters of which little or nothing was measured."""

from __future__ import annotations

import numpy as np

from dispatch.forecast.calendar import local_time, public_holidays

# Own shape, drawn after what standard load profiles have in common: a night valley, a rise at seven, a bump at noon,
# a peak at seven in the evening; later and fuller mornings on days off. Mean power of each local hour, any unit.
WORKDAY = (5.2, 4.3, 3.9, 3.8, 3.9, 4.9, 8.2, 10.3, 10.2, 9.8, 9.6, 10.3, 11.5, 10.4, 9.2, 8.9, 9.6, 12.0, 15.1, 16.4,
           15.3, 12.8, 10.2, 7.4)  # fmt: skip
DAY_OFF = (6.3, 5.0, 4.2, 3.9, 3.9, 4.1, 5.2, 8.0, 11.2, 13.0, 13.3, 14.0, 14.8, 12.8, 11.0, 10.2, 10.6, 12.6, 15.0,
           15.8, 14.5, 12.2, 9.9, 7.5)  # fmt: skip
SEASON = 0.17  # swing of the year, highest in mid January
HOURS_YEAR = 8760.0


def standard_load(time: np.ndarray, zone: str, country: str, region: str = "") -> np.ndarray:
    """Power of a household that uses one kilowatt hour a year.

    Parameters
    ----------
    time : ndarray (time,) of datetime64
        Left edges, UTC.
    zone, country, region : str
        For clock and holidays.

    Returns
    -------
    ndarray (time,)
        [kW]
    """
    local = local_time(time, zone)
    dates = local.astype("datetime64[D]")
    off = ((dates.astype(int) + 3) % 7 >= 5) | public_holidays(dates, country, region)
    hour = (local - dates) / np.timedelta64(1, "h")
    middle = np.arange(-1, 25) + 0.5
    shapes = [np.interp(hour + 0.25, middle, (s[-1], *s, s[0])) for s in (WORKDAY, DAY_OFF)]
    day = (dates - dates.astype("datetime64[Y]")).astype(int)
    season = 1 + SEASON * np.cos(2 * np.pi * (day - 15) / 365.25)
    mean = (5 * np.mean(WORKDAY) + 2 * np.mean(DAY_OFF)) / 7
    return np.asarray(np.where(off, shapes[1], shapes[0]) * season / (mean * HOURS_YEAR))
