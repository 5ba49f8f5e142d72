"""How good day-ahead load forecasts are, from noon of the day before, on measured series, beside other methods."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.load_inputs import inputs, last_known, later
from benchmarks.load_sets import DataMissingError, LoadSet, load_sets
from benchmarks.registry import Peer
from benchmarks.scores import LEVELS, scores
from benchmarks.studies import Study, answer, labels
from dispatch.forecast.calendar import DAY
from dispatch.forecast.covariates import Covariates
from dispatch.forecast.load import Place, forecast_history
from dispatch.forecast.quantiles import residual_quantiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS = "dispatch"
NAIVE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "same time yesterday": last_known,
    "same time last week": partial(later, days=7),
}
RECENT = 56  # days whose errors give the naive methods their quantiles
PEERS = (
    Peer("statsforecast", ("statsforecast",), "statsforecast_days.py"),
    Peer("lightgbm", ("lightgbm", "scikit-learn"), "lightgbm_days.py"),
)
HALF_DAY = np.timedelta64(12 * 3600, "s")

Forecast = tuple[np.ndarray, np.ndarray]  # point (day, step), quantiles (quantile, day, step)


def ours(given: LoadSet, days: range) -> Forecast:
    """Forecast each day by the public function, from noon of the day before."""
    time, steps, place = given.time, given.steps, Place(given.zone, "", given.region)
    values = given.load.reshape(1, -1)
    weather = np.array([field.reshape(1, -1) for field in given.weather.values()])
    point, quantiles = np.empty((len(days), steps)), np.empty((len(LEVELS), len(days), steps))
    for i, day in enumerate(days):
        wanted = time[day * steps : (day + 1) * steps]
        issue = wanted[0] - HALF_DAY
        covariates = None
        if len(weather):
            known = weather if given.foreseen else np.where(time < issue, weather, np.nan)
            covariates = Covariates(known, time, np.zeros(1, int))
        found = forecast_history(
            values, time, wanted, place, np.array(LEVELS), issue=issue, covariates=covariates, threads=1
        )
        point[i], quantiles[:, i] = found.point[0], found.quantiles[0]
    return point, quantiles


def naive(given: LoadSet, days: range, name: str) -> Forecast:
    """Repeat what was; quantiles are those of its errors in the last 56 days, by time of day and the hours beside."""
    values, steps = given.load, given.steps
    repeated = NAIVE[name](values)
    away, group = values - repeated, np.tile(np.arange(steps), RECENT)
    point, quantiles = repeated[days.start : days.stop], np.empty((len(LEVELS), len(days), steps))
    for i, day in enumerate(days):
        pool = away[max(day - 1 - RECENT, 0) : day - 1]  # the errors of whole days before the issue
        pool = np.concatenate([np.full((RECENT - len(pool), steps), np.nan), pool])
        beside = residual_quantiles(pool.reshape(1, -1), group, np.array(LEVELS), beside=steps // 24)
        quantiles[:, i] = point[i] + beside[0].T
    return point, quantiles


def asked(peer: Peer, given: LoadSet, days: range, *, tuned: bool) -> dict[str, Any]:
    """Let a peer forecast the same days from the same inputs."""
    arrays = {"values": given.load, "first_scored": np.array(days.start), "tuned": np.array(tuned)}
    if peer.name == "lightgbm":
        arrays |= inputs(given) | {"levels": np.array(LEVELS)}
    return answer(peer, arrays)


def rows_of(given: LoadSet, days: range, peers: tuple[Peer, ...]) -> Iterator[dict[str, Any]]:
    """Score every method on one set."""
    came = given.load[days.start : days.stop]
    own = ours(given, days)
    yield {"series": given.name, "unit": given.unit, "method": OURS, "days": len(days), **scores(came, *own)}
    for name in NAIVE:
        found = scores(came, *naive(given, days, name))
        yield {"series": given.name, "unit": given.unit, "method": name, "days": len(days), **found}
    for peer in peers:
        for tuned in (False, True):
            method = f"{peer.name}, {'best of grid' if tuned else 'defaults'}"
            head = {"series": given.name, "unit": given.unit, "method": method}
            reply = asked(peer, given, days, tuned=tuned)
            if "failure" in reply:
                yield {**head, "failure": reply["failure"]}
                continue
            point, quantiles = np.array(reply["point"], float), np.array(reply["quantiles"], float)
            there = np.isfinite(point).all(axis=1)
            found = scores(came[there], point[there], quantiles[:, there])
            same_days = scores(came[there], own[0][there], own[1][:, there])["mae"]
            ratio = {"ratio_mae": same_days / found["mae"]}
            yield {**head, "days": int(there.sum()), **found, **ratio, "note": reply["note"], **_used(reply)}


def _used(reply: dict[str, Any]) -> dict[str, Any]:
    return {"peer_versions": reply["versions"], "seconds": round(reply["seconds"], 1)}


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """Give the rows of all sets; small: two months of a made series, without peers."""
    tail = labels()
    if small:
        yield from ({**row, **tail} for row in rows_of(made(), range(60, 62), ()))
        return
    try:
        sets = load_sets()
    except DataMissingError as error:
        yield {"series": "-", "method": "-", "failure": str(error), **tail}
        return
    found = []
    for given in sets:
        for row in rows_of(given, given.scored, PEERS):
            found.append(row)
            yield {**row, **tail}
    yield from ({**row, **tail} for row in overall(found))


def overall(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Geometric mean over all sets of our MAE over that of each method, on the same days."""
    own = {row["series"]: row["mae"] for row in found if row["method"] == OURS}
    for method in dict.fromkeys(row["method"] for row in found if row["method"] != OURS):
        rows = [row for row in found if row["method"] == method and "mae" in row]
        ratios = [row.get("ratio_mae", own[row["series"]] / row["mae"]) for row in rows]
        if ratios:
            note = f"highest {max(ratios):.3f}, over {len(ratios)} sets"
            mean = float(np.exp(np.mean(np.log(ratios))))
            yield {"series": "geometric mean", "method": method, "ratio_mae": mean, "note": note}


def made() -> LoadSet:
    """Two months of one house, made up."""
    rng, days = np.random.default_rng(4), 62
    clock = np.arange(24)
    values = 1 + 0.5 * np.sin(2 * np.pi * clock / 24) + 0.2 * rng.normal(size=(days, 24))
    first = np.datetime64("2023-01-01", "s") - DAY // 24
    return LoadSet("made", "kW", values, first, "Europe/Berlin", 1.0)


COLUMNS = ("series", "method", "mae", "rmse", "pinball", "coverage_80", "ratio_mae", "days", "note", "failure")
STUDY = Study("load-skill", "day-ahead load forecasts on measured series", COLUMNS, measure, PEERS)
