from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from small_town import STEPS, small_town

import dispatch
from dispatch.case.network import network_of
from dispatch.case.schema import columns
from dispatch.case.slices import cut_feeders
from dispatch.errors import InputError
from dispatch.model.linear import linear_flow
from dispatch.run.optimize import _unmet_text
from dispatch.run.rounds import Rounds
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages
from dispatch.solve.until import Until
from dispatch.verify.electric import check_physics


@pytest.fixture(scope="module")
def result():
    return dispatch.optimize(small_town())


def test_energy_balances_close_at_every_meter(result) -> None:
    s, forecast = columns(result, "schedule"), columns(result, "forecast")
    used = s["p_import"] - s["p_export"] + forecast["p_available"].astype(float) - s["p_curtailed"]
    used[::2] += s["p_discharge"] - s["p_charge"]
    np.testing.assert_allclose(used, forecast["p_load"].astype(float), atol=1e-9)


def test_stores_keep_their_books(result) -> None:
    s, before = columns(result, "schedule"), 4.0
    for t in range(STEPS):
        gained = 0.95 * s["p_charge"][:, t] - s["p_discharge"][:, t] / 0.95
        np.testing.assert_allclose(s["state_of_charge"][:, t], before + gained, atol=1e-9)
        before = s["state_of_charge"][:, t]
    assert (before >= 4.0 - 1e-9).all()
    assert not ((s["p_charge"] > 1e-9) & (s["p_discharge"] > 1e-9)).any()


def test_limits_bind_and_hold_in_ac(result) -> None:
    state, excess = check_physics(result)
    assert excess.holds()
    assert columns(result, "schedule")["loading_transformer_uncontrolled_pu"].max() > 1.2
    assert columns(result, "schedule")["v_uncontrolled_pu"].max() > 1.045
    np.testing.assert_allclose(columns(result, "schedule")["v_pu"], state.v_pu, atol=1e-6)


def test_linear_voltage_without_control_is_compared_with_ac(result) -> None:
    s, bus = columns(result, "schedule"), columns(result, "bus")["id"].tolist()
    p = np.zeros((len(bus), STEPS))
    for m, b in enumerate(columns(result, "meter")["bus"].tolist()):
        p[bus.index(b)] += s["p_export_uncontrolled"][m] - s["p_import_uncontrolled"][m]
    q = np.zeros_like(p)
    for m, b in enumerate(columns(result, "meter")["bus"].tolist()):  # load m stands behind meter m
        q[bus.index(b)] -= columns(result, "forecast")["q_load"][m]
    linear = np.sqrt(linear_flow(network_of(result), p, q).v_squared)
    expected = np.abs(linear - s["v_uncontrolled_pu"]).max()
    assert result["certificate"].attrs["v_error_uncontrolled_max_pu"] == pytest.approx(expected, rel=1e-3)
    assert expected > 1e-3


def test_limits_with_a_price_are_used_up(result) -> None:
    s, price = columns(result, "schedule"), columns(result, "price")
    priced = price["price_transformer"] > 1e-6
    assert priced.any()
    assert (s["loading_transformer_pu"][priced] > 1 - 2e-2).all()
    priced = price["price_v_max"] > 1e-3
    assert priced.any()
    assert (s["v_pu"][priced] > 1.045 - 2e-3).all()


def test_certificate_is_stored(result) -> None:
    found = columns(result, "certificate")
    assert found["status"].tolist() == [b"optimal", b"optimal"]
    for name in ("gap_relaxation", "residual_primal", "residual_dual", "gap"):
        assert (found[name] <= 1e-6).all(), name
    np.testing.assert_allclose(found["objective"], found["objective_relaxation"] + found["repair_cost"], rtol=1e-12)


def test_price_at_a_bus_is_what_energy_there_is_worth(result) -> None:
    """Where PV is curtailed, one more kW taken is worth what it costs: export price plus the limits' share is zero."""
    s, marginal = columns(result, "schedule"), columns(result, "price")["marginal_price"]
    bus = {name: k for k, name in enumerate(columns(result, "bus")["id"].tolist())}
    where = [bus[name] for name in columns(result, "meter")["bus"].tolist()]
    partly = (s["p_curtailed"] > 1e-3) & (s["p_export"] > 1e-3)
    assert partly.any()
    np.testing.assert_allclose(marginal[where][partly], -0.08, atol=1e-6)


@pytest.mark.parametrize(("costs_more", "kept"), [(0.0, True), (1.0, False)])
def test_all_rows_keep_a_schedule_that_holds_where_theirs_does_not(costs_more, kept, monkeypatch) -> None:
    case = cut_feeders(dispatch.predict(small_town(), horizon_h=STEPS))[0]
    with case.reading() as feeder_case:
        feeder = Rounds(feeder_case, Settings(), Until(1e-6), Stages())
        settled = feeder.settle(12)
        assert settled.holds
        solution = SimpleNamespace(objective=settled.solution.objective + costs_more)
        other = SimpleNamespace(holds=False, solution=solution)
        monkeypatch.setattr(feeder, "state", lambda _: other)
        monkeypatch.setattr(feeder, "_settle", lambda state, _: state)
        assert (feeder.state_all_rows(settled, 12) is settled) == kept


def test_all_rows_give_the_same_optimum(result) -> None:
    other = dispatch.optimize(small_town(), Settings(all_rows=True))
    for name in ("objective_relaxation", "lower_bound"):
        mine, theirs = columns(result, "certificate")[name], columns(other, "certificate")[name]
        np.testing.assert_allclose(theirs, mine, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_both_ways_are_certified_and_named(method) -> None:
    found = dispatch.optimize(small_town(), Settings(method=method))["certificate"]
    assert found.attrs["method"] == method
    assert found["status"].to_numpy().tolist() == [b"optimal", b"optimal"]
    assert (found["gap_relaxation"] <= 1e-6).all()
    by_program, entries = (found[name].to_numpy() for name in ("meters_by_program", "entries"))
    whole = 4 * STEPS
    assert (by_program > 0).all() == (method == "monolithic")
    assert ((entries == whole) if method == "monolithic" else (entries < whole)).all()


def test_saves_against_no_control_when_no_limit_binds() -> None:
    wide = dispatch.optimize(small_town(s_nom=400.0, bus={"v_max_pu": 1.3}))
    s = columns(wide, "schedule")
    assert s["cost"].sum() < s["cost_uncontrolled"].sum() < s["cost_no_battery"].sum() + 1e-9
    assert not columns(wide, "price")["marginal_price"].any()


def test_what_cannot_be_held_is_reported_with_its_proof() -> None:
    heavy = small_town(pv_kw=0.01, forecast={"p_load": np.full((8, STEPS), 9.0)})
    result = dispatch.optimize(heavy)
    found = columns(result, "certificate")
    assert found["status"].tolist() == [b"limits_unmet", b"limits_unmet"]
    unmet = json.loads(result["certificate"].attrs["unmet"])
    worst = next(u for u in unmet if u["element"] == "ta")
    assert worst["kind"] == "transformer"
    assert worst["amount"] == pytest.approx(worst["least_relaxation"], rel=0.01)
    assert worst["amount"] > 36 - 25


def test_invalid_case_is_refused_whole() -> None:
    with pytest.raises(InputError) as caught:
        dispatch.optimize(small_town(store={"energy_nom": -1.0}, meter={"bus": "nowhere"}))
    assert {p.variable for p in caught.value.problems} >= {"energy_nom", "bus"}


def test_forecast_shorter_than_a_day_is_solved_whole() -> None:
    case = small_town()
    case["forecast"] = case["forecast"].isel(time=slice(8, 14))
    result = dispatch.optimize(case)
    assert result["schedule"].sizes["time"] == 6


def test_single_step_keeps_its_length() -> None:
    case = small_town()
    case["forecast"] = case["forecast"].isel(time=slice(12, 13))
    bounds = case["forecast"]["time_bounds"].to_numpy()
    bounds[:, 1] = bounds[:, 0] + np.timedelta64(900, "s")
    result = dispatch.optimize(case)
    found = result["schedule"]["time_bounds"].to_numpy()
    assert (found[:, 1] - found[:, 0] == np.timedelta64(900, "s")).all()
    bought = columns(result, "schedule")["p_import"] * columns(result, "forecast")["price_import"]
    sold = columns(result, "schedule")["p_export"] * 0.08
    worn = 0.02 * (columns(result, "schedule")["p_charge"] + columns(result, "schedule")["p_discharge"]).sum()
    cost = columns(result, "schedule")["cost"].sum()
    assert cost == pytest.approx(0.25 * ((bought - sold).sum() + worn))


def test_linear_voltage_below_zero_is_told_without_a_warning() -> None:
    result = dispatch.optimize(small_town(forecast={"p_load": np.full((8, STEPS), 1500.0)}))
    assert columns(result, "certificate")["status"].tolist() == [b"limits_unmet", b"limits_unmet"]
    assert (columns(result, "schedule")["v_linear_pu"] == 0).any()


def test_waste_that_relieves_a_limit_is_not_delivered_as_a_broken_limit() -> None:
    """Without curtailment the program would burn energy in the batteries; held to one way, they still do their best."""
    result = dispatch.optimize(small_town(pv={"curtailable": False}, store={"energy_nom": 20.0, "p_nom": 10.0}))
    s, found = columns(result, "schedule"), columns(result, "certificate")
    assert np.minimum(s["p_charge"], s["p_discharge"]).max() <= 1e-9
    assert (found["repair_cost"] > 1.0).any()
    assert (found["gap_relaxation"] <= 1e-6).all()
    assert (found["objective"] >= found["lower_bound"] - 1e-6).all()
    unmet = json.loads(result["certificate"].attrs["unmet"])
    assert unmet
    assert all(u["least_relaxation"] is not None for u in unmet), "some limit was given up on instead of relaxed"
    limits = {(u["kind"], u["element"]) for u in unmet}
    over = s["loading_transformer_pu"].max(axis=1) > 1.005
    assert {("transformer", name) for name, o in zip(("ta", "tb"), over, strict=True) if o} <= limits


def test_text_of_very_many_unmet_limits_fits_a_file() -> None:
    entry = {"kind": "bus", "element": "b", "text": "x" * 300}
    assert json.loads(_unmet_text([entry] * 3)) == [entry] * 3
    text = _unmet_text([entry] * 5000)
    assert len(text) < 64_000
    found = json.loads(text)
    assert found[-1]["count"] + len(found) - 1 == 5000
