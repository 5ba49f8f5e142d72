"""Measured loads on which load forecasts are scored: read from ``../shared/data``, laid out in days."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parents[1].parent / "shared" / "data" / "load_pv"
LONGEST = 182  # days that are scored at most: the last 26 weeks
DAY = np.timedelta64(24 * 3600, "s")
HOMES = range(1, 10)


class DataMissingError(Exception):
    """The folder of measured series is not there."""

    def __init__(self) -> None:
        super().__init__(
            "the measured series are not part of the repository; they are read from ../shared/data/load_pv beside the "
            "checkout (Devon: Western Power Distribution; OpenSTEF; CityLearn 2022; ETTh1)"
        )


@dataclass(frozen=True)
class LoadSet:
    """A measured series in whole days of a fixed clock.

    Attributes
    ----------
    name, unit : str
        For the table.
    load : ndarray (day, step)
        NaN where nothing was measured.
    first : datetime64
        Left edge of the first step, UTC.
    zone, region : str
        Time zone, and subdivision of its country for holidays.
    offset_h : float
        Fixed clock less UTC. [h]
    weather : dict of str to ndarray (day, step)
        Weather, by name.
    foreseen : bool
        Whether `weather` is a forecast that was there the day before; else it is known up to the issue alone.
    """

    name: str
    unit: str
    load: np.ndarray
    first: np.datetime64
    zone: str
    offset_h: float
    region: str = ""
    weather: dict[str, np.ndarray] = field(default_factory=dict)
    foreseen: bool = False

    @property
    def days(self) -> int:
        """How many there are."""
        return len(self.load)

    @property
    def steps(self) -> int:
        """Steps in a day."""
        return int(self.load.shape[1])

    @property
    def step(self) -> np.timedelta64:
        """Length of a step."""
        return np.timedelta64(DAY // self.steps)

    @property
    def time(self) -> np.ndarray:
        """Left edge of every step, UTC."""
        return np.asarray(self.first + np.arange(self.load.size) * self.step)

    @property
    def scored(self) -> range:
        """Days that are scored: the last 26 weeks, at most the second half of a short series."""
        return range(self.days - min(LONGEST, self.days // 2), self.days)

    @property
    def dates(self) -> np.ndarray:
        """Day of each row on the fixed clock (day,) of datetime64[D]."""
        start = self.first + np.timedelta64(int(self.offset_h * 3600), "s")
        return np.asarray(start.astype("datetime64[D]") + np.arange(self.days))


def load_sets() -> list[LoadSet]:
    """Read all sets; raises `DataMissingError` where they are absent."""
    if not FOLDER.exists():
        raise DataMissingError
    return [_devon(), _openstef("287"), _openstef("307"), *_homes(), _etth1()]


def set_readers() -> dict[str, Callable[[], list[LoadSet]]]:
    """Readers by source, for tests that need one only."""
    return {"devon": lambda: [_devon()], "openstef": lambda: [_openstef("287")], "homes": _homes}


def in_days(series: pd.Series, step: str, offset_h: float) -> tuple[np.ndarray, np.datetime64]:
    """Whole days (day, step) of a fixed clock, and the left edge of the first step in UTC; naive times are UTC."""
    index = pd.DatetimeIndex(series.index)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    shift = pd.Timedelta(hours=offset_h)
    moved = pd.Series(series.to_numpy(float), index + shift)
    moved = moved[~moved.index.duplicated()]
    begin, end = moved.index[0].normalize(), moved.index[-1].normalize() + pd.Timedelta(days=1)
    full = moved.reindex(pd.date_range(begin, end, freq=step, inclusive="left"))
    per_day = int(pd.Timedelta(days=1) / pd.Timedelta(step))
    return full.to_numpy().reshape(-1, per_day), (begin - shift).to_datetime64().astype("datetime64[s]")


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name, index_col=0, parse_dates=True)


def _devon() -> LoadSet:
    demand = _read("wpd_devon/demand_train_set3.csv.gz").demand_MW
    values, first = in_days(demand, "30min", 0)
    around = _read("wpd_devon/weather_train_set3.csv.gz")
    full = pd.date_range(pd.Timestamp(first), periods=values.size, freq="30min")
    found = {}
    for name, part in (("temp_air", "temp"), ("ghi", "solar")):
        mean = around.filter(like=part).mean(axis=1).resample("30min").interpolate()
        found[name] = mean.reindex(full).to_numpy().reshape(values.shape)
    return LoadSet("Devon substation", "MW", values, first, "Europe/London", 0.0, "ENG", found)


def _openstef(point: str) -> LoadSet:
    table = _read(f"openstef_nl/get_model_input_pid_{point}.csv.gz")
    values, first = in_days(table["load"], "15min", 1)
    names = {"temp_air": "temp", "ghi": "radiation", "wind_speed": "windspeed_100m"}
    found = {name: in_days(table[column], "15min", 1)[0] for name, column in names.items()}
    return LoadSet(f"OpenSTEF {point}", "MW", values, first, "Europe/Amsterdam", 1.0, "", found, foreseen=True)


def _homes() -> list[LoadSet]:
    sets = []
    for number in HOMES:
        table = pd.read_csv(FOLDER / f"citylearn2022/Building_{number}.csv.gz")
        table.index = pd.date_range("2016-07-31 23:00", periods=len(table), freq="h", tz="Etc/GMT+8")
        values, first = in_days(table["non_shiftable_load"], "1h", -8)
        sets.append(LoadSet(f"home {number}", "kW", values, first, "America/Los_Angeles", -8.0, "CA"))
    total = np.sum([s.load for s in sets], axis=0)
    return [*sets, LoadSet("nine homes", "kW", total, sets[0].first, sets[0].zone, -8.0, "CA")]


def _etth1() -> LoadSet:
    table = _read("ett/ETTh1.csv.gz")
    table.index = pd.DatetimeIndex(table.index).tz_localize("Etc/GMT-8")
    values, first = in_days(table.HUFL, "1h", 8)
    return LoadSet("ETTh1 HUFL", "-", values, first, "Asia/Shanghai", 8.0)
