"""What every method may know of a series at noon of the day before, as a table of inputs for regressors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dispatch.forecast.calendar import country_of, public_holidays

if TYPE_CHECKING:
    from benchmarks.load_sets import LoadSet

LEVEL_H = (1, 3, 12, 24, 168)
WEEK, MONTH = 7, 4


def later(values: np.ndarray, days: int) -> np.ndarray:
    """Values of some days before; NaN where there is none."""
    moved = np.full_like(values, np.nan)
    moved[days:] = values[: len(values) - days]
    return moved


def last_known(values: np.ndarray) -> np.ndarray:
    """Value at the same time of the last day that is over at noon of the day before: mornings one day, else two."""
    noon = values.shape[1] // 2
    return np.concatenate([later(values, 1)[:, :noon], later(values, 2)[:, noon:]], axis=1)


def mean_of(stack: list[np.ndarray]) -> np.ndarray:
    """Mean of what is known, NaN where nothing is."""
    known = np.isfinite(stack)
    count = known.sum(axis=0)
    total = np.where(known, stack, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def before_noon(values: np.ndarray, hours: int) -> np.ndarray:
    """Mean of the last hours before noon of the day before, for each day."""
    days, steps = values.shape
    length = hours * steps // 24
    flat = np.concatenate([np.full(length + steps, np.nan), values.ravel()])
    known = np.isfinite(flat)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, flat, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    end = length + steps + (np.arange(days) - 1) * steps + steps // 2
    found = count[end] - count[end - length]
    return np.where(found > 0, (total[end] - total[end - length]) / np.maximum(found, 1), np.nan)


def usual(values: np.ndarray, off: np.ndarray, memory: float = 0.08) -> np.ndarray:
    """Exponentially weighted mean by time of day and kind of day, as known at noon of the day before."""
    days, steps = values.shape
    noon = steps // 2
    table, found = np.full((2, steps), np.nan), np.full(values.shape, np.nan)
    for d in range(days):
        for back, part in ((1, slice(0, noon)), (2, slice(noon, steps))):
            if d >= back:
                new, kind = values[d - back, part], int(off[d - back])
                old = table[kind, part]
                mixed = np.where(np.isnan(old), new, old + memory * (1 + kind) * (new - old))
                table[kind, part] = np.where(np.isnan(new), old, mixed)
        mine, other = table[int(off[d])], table[1 - int(off[d])]
        found[d] = np.where(np.isnan(mine), other, mine)
    return found


def inputs(given: LoadSet) -> dict[str, np.ndarray]:
    """Table of inputs (day, step, input), and the usual profile (day, step), known at noon of the day before."""
    values, shape, dates = given.load, given.load.shape, given.dates
    free = public_holidays(dates, country_of(given.zone), given.region)
    weekday = (dates.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    of_year = (dates - dates.astype("datetime64[Y]")).astype(int)
    summer = np.array(
        [
            (t.dst() or pd.Timedelta(0)).total_seconds() / 3600
            for t in pd.date_range(pd.Timestamp(given.first), periods=given.days, freq="D", tz="UTC").tz_convert(
                given.zone
            )
        ]
    )
    clock = (np.arange(given.steps) * 24 / given.steps + summer[:, None]) % 24

    def whole(by_day: np.ndarray) -> np.ndarray:
        return np.broadcast_to(by_day[:, None], shape)

    off = (weekday >= 5) | free
    profile, last = usual(values, off), last_known(values)
    columns = [clock, whole(weekday), whole(free), whole(off), whole(of_year), profile, last]
    columns += [later(values, k) for k in (2, 3, 7, 14)]
    columns.append(mean_of([later(values, WEEK * k) for k in range(1, MONTH + 1)]))
    columns.append(mean_of([later(last, k) for k in range(WEEK)]))
    columns += [whole(before_noon(values, h)) for h in LEVEL_H]
    columns += [whole(before_noon(values - profile, h)) for h in LEVEL_H]
    columns += [c - profile for c in columns[6:12]]
    for field in given.weather.values():
        columns += [whole(before_noon(field, h)) for h in (3, 24)]
        columns += [field, field - last_known(field)] if given.foreseen else []
    return {"inputs": np.stack(columns, axis=2).astype(float), "usual": profile}
