"""Figures over time and prosumers: what is drawn and written equals what the arrays say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_result import make_result

from dispatch.report import charts
from dispatch.report.outcome import read_outcome
from dispatch.report.plot import FRAME, MOST_POINTS, columns_of, ribbon, scale_of, stairs, time_ticks
from dispatch.report.words import Clock

if TYPE_CHECKING:
    import xarray as xr


def levels(path: str, steps: int) -> list[float]:
    """Height of a step function's path in the middle of each step, read back by walking along it."""
    at: list[float] = [np.nan] * steps
    x = y = 0
    for command, numbers in re.findall(r"([MHV])([-\d ]+)", path):
        values = [int(v) for v in numbers.split()]
        if command == "M":
            x, y = values
        elif command == "V":
            (y,) = values
        else:
            for k in range(steps):
                if x <= (k + 0.5) * FRAME / steps < values[0]:
                    at[k] = y
            (x,) = values
    return at


@given(st.lists(st.one_of(st.integers(0, FRAME), st.just(None)), min_size=1, max_size=40))
@settings(deadline=None, max_examples=200)
def test_stairs_can_be_read_back(values: list[int | None]) -> None:
    heights = np.array([np.nan if v is None else v for v in values], float)
    np.testing.assert_array_equal(levels(stairs(heights), len(heights)), heights)


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=40), st.lists(st.integers(500, 1000), min_size=40, max_size=40)
)
@settings(deadline=None, max_examples=100)
def test_ribbon_goes_there_and_back(top: list[int], bottom: list[int]) -> None:
    high, low = np.array(top, float), np.array(bottom[: len(top)], float)
    path = ribbon(low, high)
    if (high == low).all():
        assert not path
        return
    assert path.count("M") == path.count("z") == 1
    numbers = [int(n) for n in re.findall(r"\d+", path.replace("M", " "))]
    assert max(numbers) <= FRAME
    np.testing.assert_array_equal(levels(path.split(f"H{FRAME}V")[0] + f"H{FRAME}", len(top)), high)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
@settings(deadline=None, max_examples=300)
def test_scale_holds_both_ends_with_few_round_marks(low: float, size: float) -> None:
    scale = scale_of(low, low + size)
    slack = 1e-6 * (scale.high - scale.low)
    assert scale.low <= low + slack
    assert scale.high >= low + size - slack
    assert 2 <= len(scale.ticks) <= 9
    labels = [t.label for t in scale.ticks]
    assert len(set(labels)) == len(labels)


def test_scale_labels_are_the_values_of_their_marks() -> None:
    for low, high in ((0, 1.37), (-8.2, 3), (0.88, 1.12), (0, 12_345), (-0.004, 0.001), (0, 2.4)):
        scale = scale_of(low, high)
        for tick in scale.ticks:
            value = float(tick.label.replace("\N{MINUS SIGN}", "-").replace(",", ""))
            assert value == pytest.approx(scale.high - tick.at * (scale.high - scale.low), abs=1e-9)


def test_hours_are_local_and_days_can_have_23_hours() -> None:
    start = np.datetime64("2016-03-26T23:00:00", "s")  # midnight in Berlin; clocks go forward at 01:00 UTC
    clock = Clock.of(start + np.arange(23 * 4) * np.timedelta64(15, "m"), 0.25, "Europe/Berlin")
    assert clock.span() == "Sun 27 Mar 2016"
    labels = {t.label: t.at for t in time_ticks(clock)}
    assert labels["00:00"] == 1.0  # the last one wins: midnight at the end
    assert labels["06:00"] == pytest.approx(5 / 23)
    assert clock.hour(4 * 2) == "03:00"


def test_a_week_is_marked_by_days() -> None:
    start = np.datetime64("2016-06-03T22:00:00", "s")
    clock = Clock.of(start + np.arange(7 * 96) * np.timedelta64(15, "m"), 0.25, "Europe/Berlin")
    assert [t.label for t in time_ticks(clock)][:3] == ["Sat 4", "Sun 5", "Mon 6"]
    assert len(time_ticks(clock)) <= 8


def test_long_series_keep_their_extremes_and_means() -> None:
    values = np.random.default_rng(0).normal(size=(2, 5000))
    assert columns_of(values).shape == (2, MOST_POINTS)
    assert columns_of(values, np.fmax).max() == values.max()
    even = np.ones((1, 5000)) * 3
    np.testing.assert_allclose(columns_of(even), 3)


def test_energies_in_the_legend_equal_sums_over_elements() -> None:
    result = make_result(feeders=4, buses=40)
    schedule, forecast = result["schedule"], result["forecast"]
    outcome = read_outcome(result)
    figure = charts.energy_figure(outcome, Clock.of(outcome.time, outcome.dt, outcome.time_zone))
    shown = {p.name: float(re.sub(r"[^\d.]", "", p.amount)) for p in figure.parts}
    hours = 0.25
    net = (schedule["p_import"].sum("meter") - schedule["p_export"].sum("meter")).values
    expected = {
        "PV used": float((forecast["p_available"] - schedule["p_curtailed"]).sum()) * hours,
        "PV curtailed": float(schedule["p_curtailed"].sum()) * hours,
        "from batteries and cars": float(schedule["p_discharge"].sum()) * hours,
        "into batteries, cars, heat pumps": float(schedule["p_charge"].sum()) * hours,
        "used in houses": float(forecast["p_load"].sum()) * hours,
        "from the grid above": sum(n for n in net if n > 0) * hours,
        "to the grid above": -sum(n for n in net if n < 0) * hours,
    }
    assert {p.amount[-3:] for p in figure.parts} == {"kWh"}
    assert shown == pytest.approx(expected, abs=0.051)


def test_what_comes_equals_what_goes() -> None:
    day = charts.day_of_town(read_outcome(make_result(feeders=2, buses=30)))
    np.testing.assert_allclose(
        day.pv_used + day.discharge + day.taken, day.load + day.charge + day.given, rtol=1e-5, atol=1e-4
    )


def test_voltage_band_is_drawn_at_its_values(result: xr.DataTree) -> None:
    outcome = read_outcome(result)
    figure = charts.voltage_figures(outcome, Clock.of(outcome.time, outcome.dt, outcome.time_zone))[0]
    v = result["schedule"]["v_pu"].values
    edge = next(s.path for s in figure.plot.shapes if s.style == "line-after-edge")
    middle = next(s.path for s in figure.plot.shapes if s.style == "line-after")
    top, bottom = 1.1, 0.9  # the scale ends at the limits, since all voltages lie between them
    for path, values in ((edge, v.max(axis=0)), (middle, np.median(v, axis=0))):
        drawn = top - np.array(levels(path, v.shape[1])) / FRAME * (top - bottom)
        np.testing.assert_allclose(drawn, values, atol=1.1e-4)


def test_savings_count_every_prosumer_once() -> None:
    saved = np.concatenate([np.random.default_rng(1).normal(1, 1, 400), [50.0, np.nan, 0.0, 0.001, -0.004]])
    figure = charts.savings_figure("s", "Saved", saved, "CHF")
    highest = float(figure.plot.up[-1].label)
    heights = [int(y) for s in figure.plot.shapes for y in re.findall(r"M\d+ 1000V(\d+)", s.path)]
    counted = sum((FRAME - y) / FRAME * highest for y in heights)
    gains, losses = [s for s in saved if s > 0.005], [-s for s in saved if s < -0.005]
    assert counted == pytest.approx(len(gains) + len(losses), abs=len(heights) * highest / FRAME)
    assert [p.amount for p in figure.parts] == [
        f"{len(gains)} of 404, together {sum(gains):.2f} CHF",
        f"{len(losses)} of 404, together {sum(losses):.2f} CHF",
        str(404 - len(gains) - len(losses)),
    ]


def test_savings_of_nobody_are_a_figure() -> None:
    for saved in (np.zeros(3), np.full(3, np.nan), np.zeros(0)):
        assert charts.savings_figure("s", "Saved", saved, "CHF").plot.shapes == ()
