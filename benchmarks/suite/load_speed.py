"""Fit and forecast of many loads with quantiles: a year of hourly history, 96 steps."""

from __future__ import annotations

import os
import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.studies import Study, labels
from dispatch.forecast.load import Place, forecast_history

if TYPE_CHECKING:
    from collections.abc import Iterator

SERIES, SMALL, AHEAD = 10_000, 8, 96
HOUR = np.timedelta64(3600, "s")
LEVELS = np.array([0.1, 0.5, 0.9])


def histories(count: int, days: int, *, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Make loads with a daily shape and things that are switched on, and their times."""
    rng = np.random.default_rng(seed)
    when = np.datetime64("2023-01-01", "s") + np.arange(24 * days) * HOUR
    shape = 1 + 0.5 * np.sin(2 * np.pi * (np.arange(len(when)) % 24) / 24)
    values = np.empty((count, len(when)))
    for row in values:
        row[:] = shape * rng.gamma(2, 0.5, len(when))
    return values, when


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """One row: seconds of wall clock and processor, and the peak of memory of this process."""
    values, when = histories(SMALL if small else SERIES, 30 if small else 365)
    wanted, place = when[-1] + np.arange(1, AHEAD + 1) * HOUR, Place("Europe/Berlin")
    forecast_history(values[:2], when, wanted, place, LEVELS)  # compiled, or read from the cache
    begin, begin_cpu = time.perf_counter(), time.process_time()
    found = forecast_history(values, when, wanted, place, LEVELS)
    seconds, cpu_s = time.perf_counter() - begin, time.process_time() - begin_cpu
    failure = "" if np.isfinite(found.quantiles).all() else "a forecast is missing"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row = {"series": len(values), "days": len(when) // 24, "steps": AHEAD, "threads": os.cpu_count()}
    figures = {"seconds": seconds, "cpu_s": cpu_s, "peak_gib": peak, "failure": failure}
    yield {**row, **figures, **labels()}


COLUMNS = ("series", "days", "steps", "threads", "seconds", "cpu_s", "peak_gib", "failure")
STUDY = Study("load-speed", "fit and 96-step forecast of many loads with a year of hourly history", COLUMNS, measure)
