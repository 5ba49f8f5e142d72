"""Air temperature of a typical year on the calendar days of a week."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path


def air_temperature(path: Path, first: np.datetime64, days: int) -> dict[str, np.ndarray]:
    """Columns of ``/weather`` for a span, hourly.

    Parameters
    ----------
    path : Path
        PVGIS typical year (CSV): a head with the place, then hourly rows in UTC of the years that make it up.
    first : datetime64
        First left edge, UTC; the year does not matter.
    days : int
        Length. [d]

    Returns
    -------
    dict of str to ndarray
        ``id``, ``time``, ``longitude``, ``latitude`` and ``temp_air``.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("time(UTC)"))
    place = {line.split(" ")[0]: float(line.split(": ")[1]) for line in lines[:2]}
    rows = [line.split(",")[:2] for line in lines[head + 1 :] if line[:8].isdigit()]
    year = pd.Series({stamp[4:]: float(value) for stamp, value in rows})
    time = first + np.timedelta64(3600, "s") * np.arange(24 * days)
    return {
        "id": np.array([b"pvgis_tmy"]),
        "time": time,
        "longitude": np.array([place["Longitude"]]),
        "latitude": np.array([place["Latitude"]]),
        "temp_air": year.loc[pd.DatetimeIndex(time).strftime("%m%d:%H%M")].to_numpy()[None],
    }
