"""The closed loop: what a schedule is worth when load and PV come otherwise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_town import SUN, USE, small_town

from dispatch.case.netcdf import save_case
from dispatch.case.schema import build_case, columns
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.forecast.measured import measured, same_time_before
from dispatch.forecast.profile import predict
from dispatch.forecast.pv_series import series_of_pv
from dispatch.model.baseline import prosumer_cost
from dispatch.report.backtest import backtest_object, backtest_text
from dispatch.run.backtest import STRATEGIES, backtest
from dispatch.run.follow import follow
from dispatch.run.optimize import optimize

DAYS = 21
START = np.datetime64("2026-05-31T22:00", "s")  # midnight in Berlin
HOUR = np.timedelta64(3600, "s")


def with_history(seed=0, spoil=None, **changed):
    """Three weeks in which use goes up and down, and some days are cloudy."""
    rng, n = np.random.default_rng(seed), 8
    use = np.tile(USE, DAYS) * rng.uniform(0.7, 1.3, (n, DAYS * 24)) * (1 + np.arange(n)[:, None] / 10)
    clouds = np.repeat(rng.uniform(0.3, 1.0, DAYS), 24)
    clouds[7 * 24 : 15 * 24] = 1.0  # a sunny week, and what it lets be expected
    sun = 12.0 * np.tile(SUN, DAYS) * clouds * (1 - np.arange(n)[:, None] / 40)
    names = [f"{f}{h}" for f in "ab" for h in range(4)]
    history = {
        "id": [f"{kind}-of-{m}" for kind in ("use", "sun") for m in names],
        "load": [*(f"load-{m}" for m in names), *[""] * n],
        "pv": [*[""] * n, *(f"pv-{m}" for m in names)],
        "time": START + np.arange(DAYS * 24) * HOUR,
        "p": np.concatenate([use, sun]),
    }
    if spoil is not None:
        spoil(history)
    case = small_town(**changed)
    tables = {kind: columns(case, kind) for kind in ("bus", "source", "transformer", "line", "prosumer", "tariff")}
    tables |= {kind: columns(case, kind) for kind in ("meter", "load", "pv", "store")}
    return build_case({**tables, "history": history}, title="Measured town")


@pytest.fixture(scope="module")
def table():
    return backtest(with_history(), days=2)


def test_longer_steps_are_held_and_shorter_ones_averaged():
    hourly = with_history()
    own = columns(hourly, "history")["p"][:8, 24:48].astype(float)
    day = START + 24 * HOUR
    quarters = measured(hourly, day + np.arange(96) * (HOUR // 4))["p_load"]
    np.testing.assert_array_equal(quarters, np.repeat(own, 4, axis=1))
    halves = measured(hourly, day + np.arange(12) * (2 * HOUR))["p_load"]
    np.testing.assert_allclose(halves, own.reshape(8, 12, 2).mean(axis=2), rtol=1e-12)
    with pytest.raises(InputError, match="history-gap"):
        measured(hourly, START + (DAYS * 24 - 1) * HOUR + np.arange(2) * HOUR)


def test_perfect_knowledge_costs_least_within_the_limits(table):
    total = table.sum("day")
    assert list(table["strategy"].values) == list(STRATEGIES)
    assert float(total["limit_hours"].sel(strategy="perfect")) == 0
    assert float(total["limit_hours"].sel(strategy="uncontrolled")) > 0
    assert (table["regret"].sel(strategy="perfect") == 0).all()
    assert np.isfinite(table["cost"]).all()
    assert table["day"].dt.strftime("%m-%d").values.tolist() == ["06-19", "06-20"]


def test_what_is_told(table):
    told = json.loads(json.dumps(backtest_object(table), allow_nan=False))
    assert told["cost_forecast"] == pytest.approx(float(table["cost"].sel(strategy="forecast").sum()))
    assert told["regret_uncontrolled"] == pytest.approx(told["cost_uncontrolled"] - told["cost_perfect"])
    assert told["days"] == ["2026-06-19", "2026-06-20"]
    assert len(told["by_day"]) == 8
    assert told["violations_uncontrolled"] == told["limit_hours_uncontrolled"]  # hourly steps
    text = backtest_text(table)
    assert f"{told['cost_yesterday']:.2f}" in text
    assert "perfect knowledge" in text


def test_the_command_prints_one_object(tmp_path, capsys):
    case = with_history()
    save_case(case, tmp_path / "measured.nc")
    assert main(["backtest", str(tmp_path / "measured.nc"), "--days", "1", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["cost_perfect"] < json.loads(out)["cost_forecast"] + 1e3
    assert "day 1 of 1, forecast" in err
    assert main(["backtest", str(tmp_path / "measured.nc"), "--days", "99"]) == 1
    assert "Ask for fewer days" in capsys.readouterr().err


def test_schedules_know_nothing_after_their_issue():
    """Noon of the day before is all that a forecast sees: scrambling everything later changes nothing."""
    start = START + 18 * 24 * HOUR
    issue = start - 12 * HOUR

    def scramble(history):
        late = history["time"] >= issue
        rng = np.random.default_rng(9)
        history["p"][:, late] = rng.uniform(0, 50, (16, late.sum()))

    both = [
        predict(case, start=start, horizon_h=24, known_until=issue)
        for case in (with_history(), with_history(spoil=scramble))
    ]
    for name in ("p_load", "q_load", "p_available"):
        first, second = (columns(case, "forecast")[name] for case in both)
        np.testing.assert_array_equal(first, second)
    assert columns(both[0], "forecast")["source"] == b"model"
    time = columns(both[0], "forecast")["time"]
    naive = [same_time_before(case, time, issue) for case in (with_history(), with_history(spoil=scramble))]
    np.testing.assert_array_equal(naive[0]["p_load"], naive[1]["p_load"])


def test_yesterday_is_the_day_before_where_that_is_not_over():
    case = with_history()
    start = START + 10 * 24 * HOUR
    time = start + np.arange(24) * HOUR
    found = same_time_before(case, time, start - 12 * HOUR)["p_load"]
    history = columns(case, "history")["p"][:8]
    at = 10 * 24
    np.testing.assert_array_equal(found[:, :12], history[:, at - 24 : at - 12])
    np.testing.assert_array_equal(found[:, 12:], history[:, at - 36 : at - 24])


def test_a_schedule_applied_to_what_it_expected_is_itself():
    case = predict(with_history(), start=START + 14 * 24 * HOUR, horizon_h=24)
    result = optimize(case)
    after, schedule = follow(result, result), columns(result, "schedule")
    np.testing.assert_allclose(after.p_export, schedule["p_export"], atol=1e-6)
    np.testing.assert_allclose(after.p_import, schedule["p_import"], atol=1e-6)
    np.testing.assert_allclose(after.cost, schedule["cost"], atol=1e-6)


def test_curtailment_holds_what_was_planned_and_the_rest_flows():
    case = predict(with_history(), start=START + 14 * 24 * HOUR, horizon_h=24)
    result = optimize(case)
    more = case.copy()
    forecast = case["/forecast"].to_dataset()
    more["/forecast"] = type(case)(forecast.assign(p_available=forecast["p_available"] * 1.5))
    schedule = columns(result, "schedule")
    after = follow(result, more)
    given = after.p_export - after.p_import
    planned = schedule["p_export"] - schedule["p_import"]
    cut = schedule["p_curtailed"] > 1e-6
    assert cut.any()
    np.testing.assert_allclose(given[cut], planned[cut], atol=1e-6)
    extra = 0.5 * forecast["p_available"].to_numpy()
    alone = np.ones(cut.shape, bool)
    alone[::2] = False  # batteries follow their meters
    np.testing.assert_allclose((given - planned)[~cut & alone], extra[~cut & alone], atol=1e-5)
    bill = prosumer_cost(more, after.p_import, after.p_export, *np.zeros((2, 4, 24)))
    np.testing.assert_allclose(after.cost[1::2], bill[1::2])
    assert (after.cost[::2] >= bill[::2] - 1e-9).all()  # wear of the batteries


def test_green_stores_take_no_more_than_there_really_is():
    green = {"green_only": True}
    case = predict(with_history(meter=green), start=START + 14 * 24 * HOUR, horizon_h=24)
    result = optimize(case)
    dark = case.copy()
    forecast = case["/forecast"].to_dataset()
    dark["/forecast"] = type(case)(forecast.assign(p_available=forecast["p_available"] * 0.2))
    after, store = follow(result, dark), columns(case, "store")
    surplus = np.maximum(forecast["p_available"] * 0.2 - forecast["p_load"].to_numpy(), 0).to_numpy()
    assert (after.p_import * after.p_export == 0).all()
    assert (after.p_export <= surplus + 1e-6).all()
    assert (after.state_of_charge >= 0).all()
    assert (after.state_of_charge <= store["energy_nom"][:, None] + 1e-9).all()


def test_gaps_and_short_histories_are_refused_in_words():
    def gap(history):
        history["p"][3, -5] = np.nan

    with pytest.raises(InputError, match=r"missing of load between .* at 'load-a3'"):
        backtest(with_history(spoil=gap), days=1)
    with pytest.raises(InputError, match="whole days"):
        backtest(with_history(), days=40)
    with pytest.raises(InputError, match="/history"):
        backtest(small_town(), days=1)


def test_a_short_history_of_pv_is_left_to_the_profile():
    case, otherwise = with_history(), np.full((8, 24), 3.0)
    time = columns(case, "history")["time"]
    for days, learnt in ((6, False), (8, True)):
        issue = time[0] + np.timedelta64(days, "D")
        found = series_of_pv(case, otherwise, issue + np.arange(24) * HOUR, HOUR, np.array([0.1, 0.9]), issue)
        assert (found.p_available != otherwise).any() == learnt
        assert found.by_history.all() == np.isfinite(found.quantiles).any() == learnt
    assert set(measured(case, time[:3])) == {"p_load", "p_available"}


def test_caution_costs_something_and_breaks_fewer_limits():
    seen = []
    table = backtest(with_history(), days=2, limits_at=0.9, told=lambda text, part: seen.append((text, part)))
    total = table.sum("day")
    plain, cautious = (total.sel(strategy=name) for name in ("forecast", "cautious"))
    assert float(cautious["cost"]) > float(plain["cost"])
    assert float(cautious["violations"]) <= float(plain["violations"])
    most = table["loading_max_pu"].max("day")
    assert float(most.sel(strategy="cautious")) < float(most.sel(strategy="forecast"))
    assert seen[0] == ("day 1 of 2, perfect", 0.0)
    assert len(seen) == 10
    text = backtest_text(table)
    assert "forecast, limits at 0.9" in text
    assert "fewer violations" in text
    assert backtest_object(table)["limits_at"] == 0.9
