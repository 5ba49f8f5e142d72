from __future__ import annotations

import numpy as np
import pytest
from test_history import BERLIN, LEVELS, daily, hours, town

import dispatch
from dispatch.forecast.cold_start import yearly_use
from dispatch.forecast.history import forecast_loads_of
from dispatch.forecast.load_weather import load_covariates
from dispatch.forecast.standard import standard_load

YEAR = {"prosumer": {"id": ["h"], "energy_year": [3000.0]}}


def constant(days: int, power: float) -> dict:
    time = hours("2023-01-01", 24 * 30)
    p = np.full((1, len(time)), np.nan)
    p[0, (30 - days) * 24 :] = power * (1 + 1e-3 * np.sin(np.arange(days * 24)))  # not stuck
    return {"id": ["x"], "load": ["l0"], "time": time, "p": p}


def test_a_meter_without_a_day_takes_the_standard_household_of_its_yearly_use() -> None:
    case = town(constant(0, 1.0), loads=1, **YEAR)
    wanted = hours("2023-01-31", 48)
    found = forecast_loads_of(case, wanted, LEVELS)
    np.testing.assert_allclose(found.p_load[0], 3000 * standard_load(wanted, BERLIN.zone, "DE"), rtol=1e-12)
    forecast = dispatch.predict(case, start="2023-01-31")["forecast"]
    assert (forecast["p_load"].to_numpy()[0] < 1).all()
    assert np.isnan(forecast["p_load_quantile"].to_numpy()[0]).all()


def test_what_is_measured_takes_over_day_by_day() -> None:
    wanted = hours("2023-01-31", 24)
    means = [
        forecast_loads_of(town(constant(days, 2.0), loads=1, **YEAR), wanted, LEVELS).p_load[0].mean()
        for days in (0, 3, 7, 11, 14, 21)
    ]
    assert (np.diff(means) >= -0.05).all()
    assert means[0] == pytest.approx(3000 / 8760 * 1.15, rel=0.1)  # January
    assert means[-1] == pytest.approx(2.0, rel=0.02)
    assert means[0] + 0.3 < means[2] < means[-1] - 0.1


def test_yearly_use_is_shared_by_size_and_unknown_without_a_statement() -> None:
    case = town(constant(5, 1.0), loads=3, **YEAR)
    np.testing.assert_allclose(yearly_use(case), [500, 1000, 1500])
    assert np.isnan(yearly_use(town(constant(5, 1.0), loads=2, prosumer={"id": ["h"]}))).all()


def weather(source: str, time: np.ndarray, temperature: np.ndarray) -> dict:
    return {"id": ["w"], "source": [source], "time": time, "temp_air": temperature[None]}


@pytest.mark.parametrize("source", ["forecast", "measurement", "reanalysis", "unknown"])
def test_only_a_forecast_is_known_after_the_issue(source: str) -> None:
    rng = np.random.default_rng(0)
    time, issue = hours("2023-01-01", 24 * 40), np.datetime64("2023-02-06T12:00", "s")
    case = town(constant(30, 1.0), loads=1, station=weather(source, time, rng.normal(size=len(time))))
    past, wanted = time[time < issue], hours("2023-02-07", 24)
    found = load_covariates(case, np.array([b"b"]), past, wanted, issue)
    later = found.values[0, 0, found.time >= issue]
    assert np.isfinite(later).any() == (source == "forecast")
    assert np.isfinite(found.values[0, 0, found.time < issue]).all()
    assert found.station.tolist() == [0]


def test_a_typical_year_says_nothing_and_temperature_helps_where_load_follows_it() -> None:
    rng = np.random.default_rng(1)
    time = hours("2023-01-01", 24 * 90)
    temperature = 5 * np.repeat(rng.normal(size=90), 24)
    p = 2 + daily(time, rng)[0] - 0.25 * temperature
    history = {"id": ["x"], "load": ["l0"], "time": time, "p": p[None]}
    wanted, issue = time[-24:], time[-36]

    def error(**stations: dict) -> float:
        found = forecast_loads_of(town(history, loads=1, **YEAR, **stations), wanted, LEVELS, issue=issue)
        return float(np.abs(found.p_load[0] - p[-24:]).mean())

    without = error()
    assert error(station=weather("typical_year", time, temperature)) == without
    assert error(station=weather("forecast", time, temperature)) < 0.5 * without
