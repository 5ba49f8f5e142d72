from __future__ import annotations

import numpy as np
import pytest

from benchmarks.load_inputs import inputs
from benchmarks.load_sets import LoadSet
from benchmarks.scores import LEVELS, coverage, mean_absolute_error, pinball, root_mean_square_error
from benchmarks.suite import load_skill

CAME = np.array([1.0, 2.0, np.nan, 4.0])


def with_weather(rng: np.random.Generator, *, foreseen: bool) -> LoadSet:
    load, field = rng.normal(size=(2, 40, 24))
    return LoadSet(
        "x", "kW", load, np.datetime64("2023-03-01", "s"), "Europe/Berlin", 1.0, "", {"ghi": field}, foreseen
    )


def scrambled(given: LoadSet, day: int, rng: np.random.Generator) -> LoadSet:
    """Everything from noon before a day on is another, but weather that was foreseen for that day."""
    load, field = given.load.copy(), given.weather["ghi"].copy()
    load.reshape(-1)[day * 24 - 12 :] = rng.normal(size=(40 - day) * 24 + 12) * 100
    known = (day + 1) * 24 if given.foreseen else day * 24 - 12
    field.reshape(-1)[known:] = 1e6
    weather = {"ghi": field}
    return LoadSet("x", "kW", load, given.first, given.zone, 1.0, "", weather, given.foreseen)


@pytest.mark.parametrize("foreseen", [True, False])
def test_no_method_sees_what_comes_after_noon(foreseen: bool) -> None:
    rng, day = np.random.default_rng(0), 30
    given = with_weather(rng, foreseen=foreseen)
    other = scrambled(given, day, rng)
    for name, table in inputs(given).items():
        np.testing.assert_array_equal(table[: day + 1], inputs(other)[name][: day + 1])
    days = range(day, day + 1)
    for method in (load_skill.ours, *[lambda g, d, n=n: load_skill.naive(g, d, n) for n in load_skill.NAIVE]):
        for ours, theirs in zip(method(given, days), method(other, days), strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert np.isfinite(ours).all()


def test_yesterdays_afternoon_is_that_of_the_day_before() -> None:
    load = np.arange(96.0).reshape(4, 24)
    found = load_skill.NAIVE["same time yesterday"](load)
    assert found[3, :12].tolist() == load[2, :12].tolist()
    assert found[3, 12:].tolist() == load[1, 12:].tolist()


def test_scores_by_hand() -> None:
    point = np.array([1.5, 2.0, 9.0, 3.0])
    assert mean_absolute_error(CAME, point) == pytest.approx(0.5)
    assert root_mean_square_error(CAME, point) == pytest.approx(np.sqrt(1.25 / 3))
    assert coverage(CAME, np.array([0.0, 2.0, 0.0, 4.1]), np.array([1.0, 3.0, 9.0, 5.0])) == pytest.approx(2 / 3)
    low = 0.1 * 1 + 0.1 * 1 + 0.9 * 1  # 10 % quantiles 0, 1, 5 against 1, 2, 4
    assert pinball(CAME, np.array([[0.0, 1.0, 0.0, 5.0]]), LEVELS[:1]) == pytest.approx(low / 3)


def test_a_missing_forecast_is_no_good_one() -> None:
    assert mean_absolute_error(CAME, np.full(4, np.nan)) == np.inf
    assert mean_absolute_error(CAME, np.array([1.0, 2.0, np.nan, 4.0])) == 0


def test_small_study_has_the_promised_columns() -> None:
    rows = list(load_skill.measure(True))
    assert {r["method"] for r in rows} == {load_skill.OURS, *load_skill.NAIVE}
    for row in rows:
        assert {"series", "method", "mae", "rmse", "pinball", "coverage_80", "versions", "commit"} <= row.keys()


def test_absent_data_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("benchmarks.load_sets.FOLDER", tmp_path / "nothing")
    (row,) = load_skill.measure(False)
    assert "../shared/data/load_pv" in row["failure"]
