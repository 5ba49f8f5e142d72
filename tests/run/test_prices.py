from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from small_town import STEPS, small_town

import dispatch
from dispatch.case.schema import columns
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.run.settings import Settings

LINEAR = Settings(rounds=1)  # no AC offsets: the program follows from the case alone


@pytest.fixture(scope="module", params=["monolithic", "decomposed"])
def result(request):
    return dispatch.optimize(small_town(), replace(LINEAR, method=request.param))


@pytest.fixture(scope="module")
def settled():
    return dispatch.optimize(small_town())


def optimum(case) -> float:
    return float(
        columns(dispatch.optimize(case, replace(LINEAR, method="monolithic")), "certificate")[
            "objective_relaxation"
        ].sum()
    )


def test_parts_of_every_meter_sum_to_its_price(settled) -> None:
    price, limits = columns(settled, "price"), set()
    for k, meter in enumerate(columns(settled, "meter")["id"].tolist()):
        parts = dispatch.price_parts(settled, meter.decode())
        np.testing.assert_allclose(parts.sum("part"), price["price_energy"][k], rtol=0, atol=1e-14)
        limits |= set(zip(parts["kind"].to_numpy()[1:], parts["limit"].to_numpy()[1:], strict=True))
        feeder = "a" if meter.startswith(b"meter-a") else "b"
        assert all(name.startswith(("t" + feeder, f"line-{feeder}", f"bus-{feeder}", f"{feeder}-"))
                   for name in parts["element"].to_numpy()[1:])  # fmt: skip
    assert {("transformer", "rating"), ("bus", "v_max")} <= limits


def test_tariff_is_the_price_that_the_meter_pays(result) -> None:
    s, p, f = (columns(result, name) for name in ("schedule", "price", "forecast"))
    buy, sell = np.broadcast_to(f["price_import"], s["p_import"].shape), np.full(s["p_import"].shape, 0.08)
    imports, exports = s["p_import"] > 1e-6, s["p_export"] > 1e-6
    np.testing.assert_allclose(p["price_tariff"][imports], buy[imports], atol=1e-6)
    np.testing.assert_allclose(p["price_tariff"][exports], sell[exports], atol=1e-6)
    between = ~imports & ~exports
    assert between.any()
    assert (p["price_tariff"][between] >= sell[between] - 1e-6).all()
    assert (p["price_tariff"][between] <= buy[between] + 1e-6).all()


def test_price_is_what_one_more_kw_costs(result) -> None:
    """The optimum is convex in demand: its slopes to both sides enclose the price."""
    price, base = columns(result, "price")["price_energy"], optimum(small_town())
    load = columns(result, "forecast")["p_load"].astype(float)
    for meter, step in ((0, 3), (3, 12), (6, 13), (7, 19)):
        for change in (0.05, -0.05):
            other = load.copy()
            other[meter, step] += change
            cost = optimum(small_town(forecast={"p_load": other})) - base
            assert cost >= change * price[meter, step] - 1e-6
            assert cost == pytest.approx(change * price[meter, step], abs=0.05 * 0.4)


@pytest.mark.parametrize("change", [1e-3, -1e-3])
def test_price_of_a_voltage_limit_is_per_pu_and_hour(result, change) -> None:
    """All upper limits moved together: the optimum moves by no less than prices say, and in their direction."""
    price = columns(result, "price")["price_v_max"]
    assert price.max() > 1
    saved = optimum(small_town()) - optimum(small_town(bus={"v_max_pu": 1.045 + change}))
    by_price = change * price.sum()
    assert saved <= by_price + abs(by_price) * 2e-3 + 1e-6  # the square of the voltage is limited: 2 v dv + dv^2
    assert saved == pytest.approx(by_price, rel=0.3)


def test_every_price_of_a_limit_is_at_least_zero(settled) -> None:
    price = columns(settled, "price")
    for name in ("price_v_max", "price_v_min", "price_line", "price_transformer", "saving_line", "saving_transformer"):
        assert (price[name] >= 0).all(), name
    for kind in ("line", "transformer"):
        assert (price[f"price_{kind}_reverse"] <= price[f"price_{kind}"]).all()


def test_no_parts_of_an_unknown_meter_or_of_a_case(settled) -> None:
    with pytest.raises(InputError, match="meter-a1"):
        dispatch.price_parts(settled, "meter-a11")
    with pytest.raises(InputError, match="dispatch run"):
        dispatch.price_parts(small_town(), "meter-a1")


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_estimate_bounds_the_saving_of_the_program_solved_anew(method) -> None:
    """The same case with a wider transformer, compiled and solved from the start, saves what the ranking says."""
    ratings = np.repeat([60.0, 14.0], 4)  # the transformer binds in feeder a, a line in feeder b
    case = small_town(s_nom=20.0, line={"s_nom": ratings})
    result = dispatch.optimize(case, replace(LINEAR, method=method))
    ranking = dispatch.rank_reinforcements(result, top=8)
    estimate, saving = ranking["estimate"].to_numpy(), ranking["saving"].to_numpy()
    assert {"line", "transformer"} == set(ranking["kind"].to_numpy())
    solved = ~np.isnan(saving)
    assert (saving[solved] <= estimate[solved] + 1e-6).all()
    assert (np.diff(saving[solved]) <= 0).all()
    trafos, lines = columns(case, "transformer")["id"].tolist(), columns(case, "line")["id"].tolist()
    base = optimum(case)
    for kind, name, saved in zip(*(ranking[n].to_numpy()[:3] for n in ("kind", "element", "saving")), strict=True):
        wider = {"s_nom": 20.0, "line": {"s_nom": ratings.copy()}}
        if kind == "line":
            wider["line"]["s_nom"][lines.index(name)] *= 1.1
        else:
            wider["transformer"] = {"s_nom": np.where(np.array(trafos) == name, 22.0, 20.0)}
            wider["transformer"] |= {n: np.where(np.array(trafos) == name, 1.1, 1.0) * v
                                     for n, v in (("r_pu", 0.015), ("x_pu", 0.04))}  # fmt: skip
        assert saved == pytest.approx(base - optimum(small_town(**wider)), abs=1e-5)
    assert saving[0] > 0.1


def test_ranking_holds_with_offsets_workers_and_relaxed_limits() -> None:
    heavy = small_town(pv_kw=0.01, forecast={"p_load": np.full((8, STEPS), 9.0)})
    for case in (small_town(), heavy):
        result = dispatch.optimize(case)
        ranking = dispatch.rank_reinforcements(result, top=2)
        saving, estimate = (ranking[n].to_numpy() for n in ("saving", "estimate"))
        solved = ~np.isnan(saving)
        assert (saving[solved] <= estimate[solved] * (1 + 1e-6) + 1e-6).all()
        assert saving[0] > 0


def test_command_prints_the_ranking(settled, tmp_path, capsys) -> None:
    dispatch.save_case(settled, tmp_path / "s.nc")
    assert main(["reinforce", str(tmp_path / "s.nc"), "--json", "--workers", "1"]) == 0
    told = json.loads(capsys.readouterr().out)
    first = told["reinforcements"][0]
    assert (first["kind"], first["element"], first["feeder"]) == ("transformer", "ta", "feeder-a")
    assert 0 < first["saving"] <= first["estimate"]
    assert main(["reinforce", str(tmp_path / "s.nc"), "--workers", "1"]) == 0
    assert "transformer ta" in capsys.readouterr().out
    dispatch.save_case(small_town(), tmp_path / "case.nc")
    assert main(["reinforce", str(tmp_path / "case.nc")]) == 1
    assert "dispatch run" in capsys.readouterr().err


def test_no_price_no_reinforcement(tmp_path, capsys) -> None:
    wide = dispatch.optimize(small_town(s_nom=400.0, bus={"v_max_pu": 1.3}, line={"s_nom": 400.0}))
    assert dispatch.rank_reinforcements(wide).sizes["rank"] == 0
    dispatch.save_case(wide, tmp_path / "s.nc")
    assert main(["reinforce", str(tmp_path / "s.nc")]) == 0
    assert "would save anything" in capsys.readouterr().out
