"""Weather of a typical year on the calendar days of a week."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

HOUR = np.timedelta64(3600, "s")
SERIES = {"ghi": "G(h)", "dni": "Gb(n)", "dhi": "Gd(h)", "temp_air": "T2m", "wind_speed": "WS10m"}
BEFORE = np.timedelta64(900, "s")
"""A row is about the satellite's instant, 0.18 h after its label; its hour begins so long before the label."""


def typical_weather(path: Path, first: np.datetime64, days: int) -> dict[str, np.ndarray]:
    """Columns of ``/weather`` for a span and the day before it, hourly.

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
        Of kind ``station``. An hour begins a quarter of an hour before its label, so that its middle lies within five
        minutes of the instant at which the satellite looked.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("time(UTC)"))
    names = lines[head].split(",")
    place = {line.split(" ")[0]: float(line.split(": ")[1]) for line in lines[:4]}
    rows = [line.split(",") for line in lines[head + 1 :] if line[:8].isdigit()]
    year = pd.DataFrame([row[1:] for row in rows], [row[0][4:] for row in rows], names[1:], float)
    label = first + HOUR * np.arange(-24, 24 * days + 1)
    week = year.loc[pd.DatetimeIndex(label).strftime("%m%d:%H%M")]
    return {
        "id": np.array([b"pvgis_tmy"]),
        "source": np.array([b"typical_year"]),
        "time": label - BEFORE,
        "longitude": np.array([place["Longitude"]]),
        "latitude": np.array([place["Latitude"]]),
        "altitude": np.array([place["Elevation"]]),
        **{name: np.maximum(week[column].to_numpy(), -90.0)[None] + 0.0 for name, column in SERIES.items()},
    }
