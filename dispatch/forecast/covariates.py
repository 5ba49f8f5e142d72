"""Weather as features of the load regressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatch.forecast.calendar import Clock

COVERED = 0.9  # part of the wanted steps that a series must cover to count as a forecast of them


@dataclass(frozen=True)
class Covariates:
    """Weather of stations, and which station each series of load takes.

    Attributes
    ----------
    values : ndarray (variable, station, time)
        Such as air temperature; NaN where not known. What it holds after the issue is taken as a forecast.
    time : ndarray (time,) of datetime64
        Left edges, UTC, in the steps of the load.
    station : ndarray (series,) of int
        -1 for none.
    """

    values: np.ndarray
    time: np.ndarray
    station: np.ndarray


@dataclass(frozen=True)
class Rows:
    """Which time belongs where in rows of 24 local hours.

    Attributes
    ----------
    steps : int
        Of a row.
    source : ndarray (place,) of int
        Time of each place, row after row; -1 where there is none.
    place, other : ndarray (pair,) of int
        Places to which two times belong, and the second of them.
    """

    steps: int
    source: np.ndarray
    place: np.ndarray
    other: np.ndarray

    def arrange(self, values: np.ndarray) -> np.ndarray:
        """Put series (series, time) into rows (series, row, step).

        NaN where nothing belongs; the mean of both where an hour comes twice.
        """
        rows = np.full((len(values), len(self.source)), np.nan)
        filled = self.source >= 0
        if filled.all():
            np.take(values, self.source, axis=1, out=rows, mode="clip")
        else:
            rows[:, filled] = values[:, self.source[filled]]
        if len(self.place):
            pair = np.stack([rows[:, self.place], values[:, self.other]])
            known = np.isfinite(pair)
            total, count = np.where(known, pair, 0.0).sum(axis=0), known.sum(axis=0)
            rows[:, self.place] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return rows.reshape(len(values), -1, self.steps)


def rows_of_hours(time: np.ndarray, clock: Clock, before: int, after: int) -> Rows:
    """Find where times belong.

    Parameters
    ----------
    time : ndarray (time,) of datetime64
        UTC.
    clock : Clock
        Where rows begin.
    before, after : int
        Rows before the issue, and from it on.

    Returns
    -------
    Rows
    """
    size = (before + after) * clock.steps
    place = clock.places(time) + before * clock.steps
    inside = np.nonzero((place >= 0) & (place < size))[0]
    found, first = np.unique(place[inside], return_index=True)
    source = np.full(size, -1)
    source[found] = inside[first]
    again = inside[np.setdiff1d(np.arange(len(inside)), first)]
    return Rows(clock.steps, source, place[again], again)


def weather_features(covariates: Covariates | None, clock: Clock, before: int, lead: int, used: slice) -> np.ndarray:
    """Features of each station, as known `lead` rows before, in standard deviations.

    Of each variable: the mean of the last 24 known hours, that less the mean of a week; and, where the steps that are
    forecast are covered, the value itself, and it less that of the last known day and less the mean of a week at that
    time of day.

    Parameters
    ----------
    covariates : Covariates or None
        None: no features.
    clock : Clock
        Where rows begin.
    before, lead : int
        Rows before the issue, and to the row that is forecast.
    used : slice
        Steps that are forecast.

    Returns
    -------
    ndarray (station, row, step, column)
        0 where not known.
    """
    if covariates is None:
        return np.zeros((1, before + lead, clock.steps, 0))
    columns, places = [], rows_of_hours(covariates.time, clock, before, lead)
    for variable in covariates.values:
        rows = places.arrange(variable)
        known = rows[:, :before][np.isfinite(rows[:, :before])]
        if len(known):
            rows = (rows - known.mean()) / (known.std() or 1.0)
        daily = _mean(rows, axis=2)[:, :, None] + np.zeros(clock.steps)
        week = _mean(np.stack([_later(daily, lead + k) for k in range(1, 8)]), axis=0)
        columns += [_later(daily, lead), _later(daily, lead) - week]
        covered = np.isfinite(rows[:, -1, used]).mean() if rows.size else 0.0
        if covered >= COVERED:
            usual = _mean(np.stack([_later(rows, lead + k) for k in range(7)]), axis=0)
            columns += [rows, rows - _later(rows, lead), rows - usual]
    return np.ascontiguousarray(np.nan_to_num(np.stack(columns, axis=3), nan=0.0))


def _later(rows: np.ndarray, count: int) -> np.ndarray:
    moved = np.full_like(rows, np.nan)
    moved[:, count:] = rows[:, : max(rows.shape[1] - count, 0)]
    return moved


def _mean(rows: np.ndarray, axis: int) -> np.ndarray:
    known = np.isfinite(rows)
    count = known.sum(axis=axis)
    total = np.where(known, rows, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
