"""Day-ahead loads by LightGBM, refitted weekly, with its defaults or the best of a grid.

The grid is judged on the last six weeks of the first half of the series, refitted every two weeks. Intervals are
LightGBM's own quantile regressions with the same settings, refitted every four weeks. Run by the Python of an
environment with lightgbm: ``python lightgbm_days.py QUESTION.npz ANSWER.json``.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

REFIT, REFIT_GRID, REFIT_QUANTILES, JUDGED = 7, 14, 28, 42  # days
LEAST = 8  # days before which inputs are not complete
SIZES = (
    {"num_leaves": 15, "learning_rate": 0.05, "n_estimators": 200, "min_child_samples": 40, "colsample_bytree": 0.6},
    {"num_leaves": 31, "learning_rate": 0.05, "n_estimators": 300, "min_child_samples": 40, "colsample_bytree": 0.6},
)
BAGGING = {"subsample": 0.8, "subsample_freq": 1}
GRID = [
    {"objective": objective, "deviation": deviation, **size, **BAGGING}
    for objective, deviation, size in itertools.product(("regression", "regression_l1"), (False, True), SIZES)
]
DEFAULT: dict[str, Any] = {"objective": "regression", "deviation": False}


class Series:
    """Inputs and values of one series, by day."""

    def __init__(self, d: dict[str, Any]) -> None:
        self.inputs, self.usual, self.values = d["inputs"], d["usual"], d["values"]
        self.noon = self.values.shape[1] // 2

    def forecast(self, settings: dict[str, Any], days: range, refit: int) -> np.ndarray:
        """Forecast days (day, step), each from what is known at noon of the day before."""
        given = {k: v for k, v in settings.items() if k != "deviation"}
        base = np.nan_to_num(self.usual) if settings["deviation"] else np.zeros_like(self.usual)
        found = np.empty((len(days), self.values.shape[1]))
        model = lightgbm.LGBMRegressor(n_jobs=1, verbose=-1, random_state=1, **given)
        for i, day in enumerate(days):
            if i % refit == 0:
                known = np.isfinite(self.values[:day])
                known[:LEAST], known[day - 1, self.noon :] = False, False
                model.fit(self.inputs[:day][known], (self.values - base)[:day][known])
            found[i] = model.predict(self.inputs[day]) + base[day]
        return found

    def error(self, settings: dict[str, Any], days: range) -> float:
        """Mean absolute error of the point forecast."""
        away = self.forecast(settings, days, REFIT_GRID) - self.values[days.start : days.stop]
        return float(np.nanmean(np.abs(away)))


def main(question: str, answer: str) -> None:
    """Choose settings where asked to, then forecast the scored days."""
    d: dict[str, Any] = dict(np.load(question, allow_pickle=False))
    begin, series = time.perf_counter(), Series(d)
    count, scored = len(series.values), range(int(d["first_scored"]), len(series.values))
    settings = DEFAULT
    if bool(d["tuned"]):
        half = count // 2
        judged = range(max(half - JUDGED, min(LEAST + REFIT_GRID, half - 1)), half)
        settings = min(GRID, key=lambda s: series.error(s, judged))
    point = series.forecast(settings, scored, REFIT)
    low, high = (
        series.forecast({**settings, "objective": "quantile", "alpha": float(level)}, scored, REFIT_QUANTILES)
        for level in (d["levels"][0], d["levels"][-1])
    )
    found = {
        "point": point.tolist(),
        "quantiles": np.sort([low, point, high], axis=0).tolist(),
        "seconds": time.perf_counter() - begin,
        "versions": {"lightgbm": metadata.version("lightgbm")},
        "note": ", ".join(f"{k} {v}" for k, v in settings.items()) if bool(d["tuned"]) else "",
    }
    Path(answer).write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
