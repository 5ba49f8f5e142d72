"""Shapes become series: against a loop written out, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.case.schema import build_case, columns
from dispatch.errors import InputError, Problem
from dispatch.forecast.profile import predict

if TYPE_CHECKING:
    import xarray as xr

START = np.datetime64("2024-03-30T12:00:00", "s")


def case_of(
    steps: int = 96, minutes: int = 30, loads: int = 5, pvs: int = 2, seed: int = 0, **changed: Any
) -> xr.DataTree:
    rng = np.random.default_rng(seed)
    time = START + np.arange(steps) * np.timedelta64(minutes * 60, "s")
    tables = {
        "bus": {"id": ["b"], "v_nom": [0.4]},
        "prosumer": {"id": ["p"]},
        "tariff": {"id": ["t", "u"], "price_import": [0.3, 0.2], "price_export": [0.08, 0.01]},
        "meter": {"id": ["m"], "bus": ["b"], "prosumer": ["p"], "tariff": ["t"]},
        "profile": {
            "id": ["one", "sun", "two"],
            "time": time,
            "p_pu": rng.random((3, steps)),
            "q_pu": rng.normal(size=(3, steps)),
        },
        "load": {
            "id": [f"l{i}" for i in range(loads)],
            "meter": ["m"] * loads,
            "p_nom": rng.random(loads) * 5,
            "q_nom": rng.random(loads),
            "profile": rng.choice(["", "one", "two"], loads),
            "profile_shift": rng.integers(-8, 9, loads) / 2,
        },
        "pv": {
            "id": [f"s{i}" for i in range(pvs)],
            "meter": ["m"] * pvs,
            "p_nom": rng.random(pvs) * 9,
            "profile": rng.choice(["", "sun"], pvs),
        },
    }
    return build_case({k: v for k, v in (tables | changed).items() if v is not None})


def naive_load(case: xr.DataTree, first: int, steps: int) -> np.ndarray:
    """One load and one step after the other."""
    load, library = columns(case, "load"), columns(case, "profile")
    count = len(library["time"])
    hours = (library["time"][1] - library["time"][0]) / np.timedelta64(1, "h")
    found = np.zeros((2, len(load["id"]), steps))
    for i, name in enumerate(load["profile"]):
        for t in range(steps):
            p = q = 1.0
            if name:
                at = (first + t - round(load["profile_shift"][i] / hours)) % count
                row = list(library["id"]).index(name)
                p, q = library["p_pu"][row, at], library["q_pu"][row, at]
            found[:, i, t] = load["p_nom"][i] * p, load["q_nom"][i] * q
    return found


@settings(deadline=None, max_examples=20)
@given(
    seed=st.integers(0, 10**6),
    minutes=st.sampled_from([15, 30]),
    first=st.integers(0, 40),
    steps=st.integers(1, 56),
    loads=st.integers(0, 6),
    pvs=st.integers(0, 3),
)
def test_equals_a_plain_loop(seed: int, minutes: int, first: int, steps: int, loads: int, pvs: int) -> None:
    case = case_of(96, minutes, loads, pvs, seed)
    time = columns(case, "profile")["time"]
    series = columns(predict(case, start=time[first], horizon_h=steps * minutes / 60), "forecast")
    p, q = naive_load(case, first, steps)
    np.testing.assert_allclose(series["p_load"], p, rtol=1e-6)
    np.testing.assert_allclose(series["q_load"], q, rtol=1e-6, atol=1e-12)
    pv, sun = columns(case, "pv"), columns(case, "profile")["p_pu"][1, first : first + steps]
    shape = np.where((pv["profile"] == b"sun")[:, None], sun[None], 1.0)
    np.testing.assert_allclose(series["p_available"], pv["p_nom"][:, None] * shape, rtol=1e-6)
    assert (series["time"] == time[first : first + steps]).all()
    assert series["p_load"].dtype == series["q_load"].dtype == series["p_available"].dtype == np.float32


def test_shape_moves_later_and_wraps() -> None:
    shape = np.arange(4.0)[None]
    time = START + np.arange(4) * np.timedelta64(3600, "s")
    load = {"id": ["l"], "meter": ["m"], "p_nom": [1.0], "profile": ["x"], "profile_shift": [1.0]}
    case = case_of(pv=None, load=load, profile={"id": ["x"], "time": time, "p_pu": shape})
    assert columns(predict(case, horizon_h=4), "forecast")["p_load"].tolist() == [[3.0, 0.0, 1.0, 2.0]]


def test_default_is_the_first_day_with_constant_prices() -> None:
    series = columns(predict(case_of()), "forecast")
    assert series["time"][0] == START
    assert len(series["time"]) == 48
    assert (series["price_import"] == [[0.3], [0.2]]).all()
    assert (series["price_export"] == [[0.08], [0.01]]).all()
    assert series["price_import"].shape == (2, 48)
    assert series["source"] == b"profile"


@pytest.mark.parametrize(
    "start",
    [
        "2024-03-30T13:00",
        "2024-03-30T15:00+02:00",
        datetime(2024, 3, 30, 13, tzinfo=UTC),
        datetime(2024, 3, 30, 12, tzinfo=timezone(timedelta(hours=-1))),
        np.datetime64("2024-03-30T13:00"),
    ],
)
def test_start_in_any_writing(start: Any) -> None:
    assert columns(predict(case_of(), start=start), "forecast")["time"][0] == START + np.timedelta64(3600, "s")


def test_prices_alone_in_forecast_are_kept() -> None:
    time = START + np.arange(90) * np.timedelta64(1800, "s")
    price = np.arange(180.0).reshape(2, 90) / 1000
    case = case_of(forecast={"time": time, "price_import": price})
    series = columns(predict(case, start=time[2], horizon_h=2), "forecast")
    assert (series["price_import"] == price[:, 2:6]).all()
    np.testing.assert_allclose(series["q_load"], naive_load(case, 2, 4)[1], rtol=1e-6)


def test_existing_forecast_is_cropped_without_profiles() -> None:
    time = START + np.arange(10) * np.timedelta64(900, "s")
    given_p = np.random.default_rng(1).random((5, 10)).astype(np.float32)
    table = {"time": time, "p_load": given_p, "p_available": given_p[:2], "source": "measurement"}
    series = columns(predict(case_of(forecast=table), start=time[3], horizon_h=1.25), "forecast")
    assert (series["p_load"] == given_p[:, 3:8]).all()
    assert (series["p_available"] == given_p[:2, 3:8]).all()
    assert (series["q_load"] == 0).all()
    assert series["source"] == b"measurement"


def test_given_case_is_not_changed() -> None:
    case = case_of()
    before = case.copy(deep=True)
    predict(case)
    assert case.identical(before)


def problem(case: xr.DataTree, **options: Any) -> Problem:
    with pytest.raises(InputError) as caught:
        predict(case, **options)
    return caught.value.problems[0]


def test_neither_profile_nor_forecast() -> None:
    assert problem(case_of(profile=None)).code == "no-series"


@pytest.mark.parametrize(("start", "horizon"), [("2024-03-30T11:30", 1), (None, 48.5), ("2024-04-01T11:30", 1)])
def test_span_not_covered_says_what_is(start: Any, horizon: float) -> None:
    found = problem(case_of(), start=start, horizon_h=horizon)
    assert found.code == "span"
    assert "2024-03-30T12:00:00 to 2024-04-01T12:00:00" in found.allowed


def test_last_step_is_covered() -> None:
    assert len(columns(predict(case_of(), horizon_h=48), "forecast")["time"]) == 96


@pytest.mark.parametrize("horizon", [0, -1, 0.3, float("nan"), float("inf")])
def test_horizon_of_whole_steps(horizon: float) -> None:
    assert problem(case_of(), horizon_h=horizon).code == "horizon"


@pytest.mark.parametrize("start", ["2024-03-30T12:10", "tomorrow-ish", "NaT"])
def test_start_on_a_left_edge(start: Any) -> None:
    assert problem(case_of(), start=start).code == "start"


def test_differing_steps_are_not_resampled() -> None:
    time = START + np.arange(90) * np.timedelta64(900, "s")
    assert problem(case_of(forecast={"time": time, "price_import": np.ones((2, 90))})).code == "time-step"


def test_gap_in_profiles() -> None:
    time = np.delete(START + np.arange(97) * np.timedelta64(1800, "s"), 50)
    case = case_of(profile={"id": ["one", "sun", "two"], "time": time, "p_pu": np.ones((3, 96))})
    assert problem(case).code == "time-gap"


def test_unknown_profile_is_named() -> None:
    load = {"id": ["l"], "meter": ["m"], "p_nom": [1.0], "profile": ["nobody"]}
    found = problem(case_of(load=load))
    assert (found.code, found.value, found.ids) == ("unknown-parent", "nobody", ("l",))


def test_negative_sun_is_refused() -> None:
    library = {"id": ["one", "sun", "two"], "time": START + np.arange(96) * np.timedelta64(1800, "s")}
    pv = {"id": ["s"], "meter": ["m"], "p_nom": [1.0], "profile": ["sun"]}
    case = case_of(pv=pv, profile={**library, "p_pu": np.full((3, 96), -0.1)})
    assert (found := problem(case)).code == "range"
    assert found.ids == ("s",)
