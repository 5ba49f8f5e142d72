"""Points in time as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from datetime import datetime


def instant(value: str | datetime | np.datetime64, group: str = "/forecast") -> np.datetime64:
    """Read a point in time.

    Parameters
    ----------
    value : str, datetime or datetime64
        UTC unless it carries an offset.
    group : str
        Group that it is meant for, for the message.

    Returns
    -------
    datetime64
        Naive UTC, whole seconds.

    Raises
    ------
    InputError
        If it is no point in time.
    """
    try:
        stamp: Any = pd.Timestamp(value)
    except (ValueError, TypeError):
        stamp = pd.NaT
    if stamp is pd.NaT:
        hint = "Write it as 2016-06-12T22:00 (UTC) or 2016-06-13T00:00+02:00."
        raise InputError([Problem("start", group, "time", value=repr(value), allowed="a time", hint=hint)])
    naive = stamp.tz_convert("UTC").tz_localize(None) if stamp.tzinfo else stamp
    found: np.datetime64 = np.datetime64(naive.to_pydatetime(), "s")
    return found
