"""Windows of time (local days, billing periods, the horizon) and the steps at which rows can be stated."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from dispatch.case.schema import protect


def _numbered(keys: np.ndarray) -> np.ndarray:
    """Count the windows from 0; a clock that is set back over midnight does not reopen a window."""
    return np.asarray(np.unique(np.maximum.accumulate(keys), return_inverse=True)[1])


def windows_of(time: np.ndarray, time_zone: str) -> dict[str, np.ndarray]:
    """Window number of each step, for each kind of window.

    Parameters
    ----------
    time : ndarray (step,) of datetime64
        Left edges. [UTC]
    time_zone : str
        IANA zone in which days and months are counted; a day can have 23 or 25 hours.

    Returns
    -------
    dict of str to ndarray (step,) of int
        ``"day"``, ``"billing_period"`` (calendar month) and ``"horizon"``; a window that is cut by an end of the
        horizon is a window like the others.
    """
    return dict(_windows_of(time.astype("datetime64[s]").tobytes(), time_zone))


@lru_cache(maxsize=8)
def _windows_of(seconds: bytes, time_zone: str) -> dict[str, np.ndarray]:
    """Count windows once for all feeders that share their time, whose arrays cannot be written to."""
    time = pd.DatetimeIndex(np.frombuffer(seconds, "datetime64[s]"))
    local = time.tz_localize("UTC").tz_convert(time_zone)
    year, month, day = (np.asarray(part, np.int64) for part in (local.year, local.month, local.day))
    found = {
        "day": _numbered((year * 12 + month) * 31 + day),
        "billing_period": _numbered(year * 12 + month),
        "horizon": np.zeros(len(time), np.int64),
    }
    protect(*found.values())
    return found


def when_of(windows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give the steps at which a row can be stated.

    Returns
    -------
    dict of str to ndarray of int
        ``"all"``; ``"end"``, the last step; ``"day_end"``, the last step of each local day, the last step of the
        horizon included even if the day goes on.
    """
    day = windows["day"]
    steps = np.arange(len(day))
    return {"all": steps, "end": steps[-1:], "day_end": np.nonzero(np.append(day[1:] != day[:-1], True))[0]}
