from __future__ import annotations

import json

import numpy as np
import pytest

import dispatch
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.forecast.calendar import Clock, country_of, public_holidays
from dispatch.forecast.covariates import Covariates, rows_of_hours
from dispatch.forecast.history import forecast_loads_of
from dispatch.forecast.load import Place, forecast_history
from dispatch.forecast.quality import clean
from dispatch.forecast.standard import standard_load

HOUR = np.timedelta64(3600, "s")
LEVELS = np.array([0.1, 0.5, 0.9])
BERLIN = Place("Europe/Berlin")


def hours(start: str, count: int) -> np.ndarray:
    return np.datetime64(start, "s") + np.arange(count) * HOUR


def daily(time: np.ndarray, rng: np.random.Generator, series: int = 1) -> np.ndarray:
    hour = (time - time.astype("datetime64[D]")) / HOUR
    return 2 + np.sin(2 * np.pi * hour / 24) + 0.1 * rng.normal(size=(series, len(time)))


def town(history: dict, loads: int = 3, **extra):
    ids = [f"l{k}" for k in range(loads)]
    tables = {
        "bus": {"id": ["b"], "v_nom": [0.4]},
        "source": {"id": ["s"], "bus": ["b"]},
        "prosumer": {"id": ["h"], "energy_year": [20000.0]},
        "tariff": {"id": ["t"], "price_import": [0.3]},
        "meter": {"id": ["m"], "bus": ["b"], "prosumer": ["h"], "tariff": ["t"]},
        "load": {"id": ids, "meter": ["m"] * loads, "p_nom": np.arange(1.0, loads + 1)},
        "history": history,
    }
    return dispatch.build_case({**tables, **extra})


@pytest.mark.parametrize("covered", [True, False])
def test_scrambled_future_changes_nothing(covered) -> None:
    rng = np.random.default_rng(0)
    time, issue = hours("2023-01-01", 24 * 60), np.datetime64("2023-02-20T12:00", "s")
    wanted = hours("2023-02-21", 24)
    values, weather = daily(time, rng, 2), rng.normal(size=(1, 1, len(time)))
    if not covered:
        weather[..., time >= issue] = np.nan
    scrambled, other = values.copy(), weather.copy()
    scrambled[:, time >= issue] = rng.permutation(1e3 * rng.normal(size=scrambled[:, time >= issue].shape), axis=1)
    other[..., time >= wanted[-1] + HOUR] = 1e6

    def run(v, w):
        covariates = Covariates(w, time, np.zeros(2, int))
        return forecast_history(v, time, wanted, BERLIN, LEVELS, issue=issue, covariates=covariates)

    ours, theirs = run(values, weather), run(scrambled, other)
    assert ours.point.tobytes() == theirs.point.tobytes()
    assert ours.quantiles.tobytes() == theirs.quantiles.tobytes()
    assert np.isfinite(ours.point).all()


def test_same_bytes_for_any_number_of_threads_and_a_bad_series_harms_none() -> None:
    rng = np.random.default_rng(1)
    time = hours("2023-01-01", 24 * 40)
    values = daily(time, rng, 70)
    alone = forecast_history(values[:1], time, time[-24:] + 24 * HOUR, BERLIN, LEVELS, threads=1)
    values[5], values[6], values[7] = np.nan, 0.0, 1e30
    found = [forecast_history(values, time, time[-24:] + 24 * HOUR, BERLIN, LEVELS, threads=n) for n in (1, 2, 8)]
    assert len({f.quantiles.tobytes() for f in found}) == 1
    np.testing.assert_array_equal(found[0].point[0], alone.point[0])
    assert np.isnan(found[0].point[5]).all()
    np.testing.assert_allclose(found[0].point[6], 0, atol=1e-12)
    np.testing.assert_allclose(found[0].point[7], 1e30, rtol=1e-9)
    others = np.delete(found[0].point, [5, 6, 7], axis=0)
    hour = (time[-24:] - time[-24:].astype("datetime64[D]")) / HOUR
    assert np.abs(others - (2 + np.sin(2 * np.pi * hour / 24))).max() < 0.35


def test_quantiles_rise_and_hold_their_share() -> None:
    rng = np.random.default_rng(2)
    time = hours("2023-01-01", 24 * 120)
    values = daily(time, rng, 40)
    found = forecast_history(values[:, :-24], time[:-24], time[-24:], BERLIN, LEVELS)
    assert (np.diff(found.quantiles, axis=1) >= 0).all()
    inside = (values[:, -24:] >= found.quantiles[:, 0]) & (values[:, -24:] <= found.quantiles[:, 2])
    assert 0.74 < inside.mean() < 0.86


def test_days_of_23_and_25_hours_keep_local_time() -> None:
    clock = Clock("Europe/Berlin", np.datetime64("2023-10-28T22:00", "s"), HOUR)
    time = hours("2023-10-28T22:00", 25)
    assert clock.places(time).tolist() == [0, 1, 2, 2, *range(3, 24)]
    rows = rows_of_hours(time, clock, 0, 1).arrange(np.arange(25.0)[None])
    assert rows[0, 0, 2] == 2.5
    spring = Clock("Europe/Berlin", np.datetime64("2023-03-25T23:00", "s"), HOUR)
    assert spring.places(hours("2023-03-25T23:00", 23)).tolist() == [0, 1, *range(3, 24)]


def test_holidays_of_country_and_region() -> None:
    dates = np.array(["2024-01-06", "2024-10-03", "2024-10-04"], "datetime64[D]")
    assert public_holidays(dates, "DE").tolist() == [False, True, False]
    assert public_holidays(dates, "DE", "BW").tolist() == [True, True, False]
    assert public_holidays(dates, "").tolist() == [False] * 3
    assert [country_of(z) for z in ("Europe/Berlin", "America/Los_Angeles", "UTC")] == ["DE", "US", ""]


def test_faults_are_found_and_taken_out() -> None:
    rng = np.random.default_rng(3)
    time = hours("2023-01-01", 24 * 60)
    values = daily(time, rng, 6)
    values[0, 100:130] = np.nan
    values[1, 200:240] = 1.234
    values[2, 300:380] = 0.0
    values[3, 400] = 500.0
    values[4, 500:503] *= -1
    cleaned, quality = clean(values, 1.0)
    assert [quality.faults(s) for s in range(6)] == [
        {"missing": 30}, {"stuck": 40}, {"outage": 80}, {"spike": 1}, {"flipped": 3}, {},
    ]  # fmt: skip
    np.testing.assert_array_equal(cleaned[5], values[5])
    assert np.isnan(cleaned[3, 400])
    assert quality.usable[2] == pytest.approx(1 - 80 / 1440)


def test_standard_household_uses_one_kilowatt_hour_a_year() -> None:
    power = standard_load(hours("2022-12-31T23:00", 8760), "Europe/Berlin", "DE")
    assert power.sum() == pytest.approx(1, abs=0.01)
    assert power.min() > 0


def test_predict_takes_history_and_leaves_other_loads() -> None:
    rng = np.random.default_rng(4)
    time = hours("2023-01-01", 24 * 40)
    case = town({"id": ["x"], "load": ["l1"], "time": time, "p": daily(time, rng)})
    found = dispatch.predict(case, quantiles=[0.05, 0.95])
    assert dispatch.check_case(found) == []
    forecast = found["forecast"]
    assert forecast["source"].item() == b"model"
    assert forecast["time"].to_numpy()[0] == time[-1] + HOUR
    p = forecast["p_load"].to_numpy()
    assert (p[0] == 1).all()
    assert (p[2] == 3).all()
    assert 0.5 < p[1].std() < 0.9
    assert forecast["quantile"].to_numpy().tolist() == [0.05, 0.95]
    low, high = forecast["p_load_quantile"].to_numpy().transpose(1, 0, 2)
    assert np.isnan(low[0]).all()
    assert (low[1] < p[1]).mean() > 0.9
    assert (high[1] > p[1]).mean() > 0.9


def test_meter_is_shared_by_its_loads_and_steps_are_averaged() -> None:
    rng = np.random.default_rng(5)
    time = np.datetime64("2023-01-01", "s") + np.arange(4 * 24 * 40) * (HOUR // 4)
    case = town({"id": ["x"], "meter": ["m"], "time": time, "p": daily(time, rng)}, loads=2)
    found = forecast_loads_of(case, hours("2023-02-10", 24), LEVELS)
    np.testing.assert_allclose(found.p_load[1], 2 * found.p_load[0])
    fine = forecast_loads_of(case, np.datetime64("2023-02-10", "s") + np.arange(96) * (HOUR // 4), LEVELS)
    np.testing.assert_allclose(fine.p_load.reshape(2, 24, 4).mean(axis=2), found.p_load)


def test_wrong_histories_are_named_together() -> None:
    time = hours("2023-01-01", 24 * 20)
    table = {"id": ["a", "b", "c", "d"], "load": ["l0", "l0", "l9", "l1"], "time": time}
    case = town({**table, "p": np.full((4, len(time)), 2300.0)})
    with pytest.raises(InputError) as caught:
        forecast_loads_of(case, hours("2023-02-10", 24), LEVELS)
    assert {p.code for p in caught.value.problems} == {"unknown-parent", "duplicate", "unit"}


def test_a_few_days_lean_on_the_standard_household() -> None:
    time = hours("2023-01-01", 24 * 3)
    history = {"id": ["x"], "load": ["l0"], "time": time, "p": np.full((1, len(time)), 0.5)}
    case = town(history, loads=1, prosumer={"id": ["h"], "energy_year": [0.5 * 8760]})
    p = forecast_loads_of(case, hours("2023-01-04", 24), LEVELS).p_load[0]
    assert p[19] > p[4] + 0.2
    assert p.mean() == pytest.approx(0.5, abs=0.1)


def test_command_writes_case_figure_and_json(tmp_path, capsys) -> None:
    rng = np.random.default_rng(6)
    time = hours("2023-01-01", 24 * 30)
    values = daily(time, rng)
    values[0, 100] = np.nan
    case = town({"id": ["x"], "load": ["l1"], "time": time, "p": values})
    dispatch.save_case(case, tmp_path / "case.nc")
    options = ["--from", "2023-01-30", "--figure", str(tmp_path / "f.svg"), "--json"]
    assert main(["forecast", str(tmp_path / "case.nc"), "-o", str(tmp_path / "out.nc"), *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["source"], said["loads_from_history"], said["faults"]) == ("model", 1, {"x": {"missing": 1}})
    drawn = (tmp_path / "f.svg").read_text()
    assert drawn.count("<circle") == 24
    assert "30 Jan 2023" in drawn
    assert 'text-anchor="end">0.0<' in drawn or 'text-anchor="end">0<' in drawn
    forecast = dispatch.load_case(tmp_path / "out.nc")["forecast"]
    later = dispatch.predict(case, start="2023-01-30")["forecast"]
    np.testing.assert_array_equal(forecast["p_load"], later["p_load"])
    assert main(["forecast", str(tmp_path / "case.nc"), "-o", str(tmp_path / "o.nc"), "--quantiles", "10"]) == 1
