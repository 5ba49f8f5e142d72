"""Day-ahead loads by statsforecast (MSTL or AutoETS), every third day, with its defaults or the best of a grid.

Each forecast is fitted anew to the last weeks before noon of the day before; gaps are filled with the week before. The
grid is judged on every sixth day of the last eight weeks of the first half of the series. Run by the Python of an
environment with statsforecast: ``python statsforecast_days.py QUESTION.npz ANSWER.json``.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from statsforecast.models import MSTL, AutoETS, AutoTheta

EVERY, EVERY_GRID, JUDGED = 3, 6, 56  # days
WEEK = 7
HOURLY = 24  # most steps a day at which AutoETS takes seconds, not minutes


def models(steps: int) -> list[tuple[str, int, Any]]:
    """Name, days of history, model; the default first."""
    season = [steps, WEEK * steps]
    found = [
        ("MSTL, 28 days", 28, MSTL(season)),
        ("MSTL, 56 days", 56, MSTL(season)),
        ("MSTL with AutoTheta, 28 days", 28, MSTL(season, trend_forecaster=AutoTheta(season_length=1))),
    ]
    return [*found, ("AutoETS, 28 days", 28, AutoETS(season_length=steps))] if steps <= HOURLY else found


def filled(values: np.ndarray, steps: int) -> np.ndarray:
    """Gaps take the value of the week before, else the mean."""
    found = values.copy()
    for i in np.flatnonzero(np.isnan(found)):
        found[i] = found[i - WEEK * steps] if i >= WEEK * steps else np.nan
    return np.asarray(np.where(np.isnan(found), np.nanmean(values), found))


def forecast(values: np.ndarray, day: int, history: int, model: Any) -> np.ndarray:
    """Point, 10 % and 90 % (3, step) of a day, from what is known at noon of the day before."""
    steps = values.shape[1]
    end = day * steps - steps // 2
    known = filled(values.ravel()[max(end - (history + WEEK) * steps, 0) : end], steps)[-history * steps :]
    found = model.forecast(y=known, h=steps + steps // 2, level=[80])
    return np.stack([found[name][-steps:] for name in ("mean", "lo-80", "hi-80")])


def main(question: str, answer: str) -> None:
    """Choose a model where asked to, then forecast every third of the scored days."""
    warnings.simplefilter("ignore")
    d: dict[str, Any] = dict(np.load(question, allow_pickle=False))
    begin, values = time.perf_counter(), d["values"]
    count, steps = values.shape
    choices = models(steps)
    name, history, model = choices[0]
    if bool(d["tuned"]):
        half = count // 2
        judged = range(max(half - JUDGED, WEEK + 28 + 1), half, EVERY_GRID)

        def error(choice: tuple[str, int, Any]) -> float:
            away = [np.abs(forecast(values, day, *choice[1:])[0] - values[day]) for day in judged]
            return float(np.nanmean(away))

        name, history, model = min(choices, key=error)
    found = np.full((3, count - int(d["first_scored"]), steps), np.nan)
    for i in range(0, found.shape[1], EVERY):
        found[:, i] = forecast(values, int(d["first_scored"]) + i, history, model)
    point, low, high = found
    report = {
        "point": point.tolist(),
        "quantiles": [low.tolist(), point.tolist(), high.tolist()],
        "seconds": time.perf_counter() - begin,
        "versions": {"statsforecast": metadata.version("statsforecast")},
        "note": f"{name}; every third day",
    }
    Path(answer).write_text(json.dumps(report), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
