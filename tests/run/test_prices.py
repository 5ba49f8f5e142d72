from __future__ import annotations

import json
import pickle
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


@pytest.fixture(scope="module")
def optima():
    """Optimum of each feeder of a changed town; each change is solved once."""
    known: dict[bytes, np.ndarray] = {}

    def solve(**changed):
        key = pickle.dumps(changed)
        if key not in known:
            result = dispatch.optimize(small_town(**changed), replace(LINEAR, method="monolithic"))
            known[key] = columns(result, "certificate")["objective_relaxation"].astype(float)
        return known[key]

    return solve


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


def ring() -> dict[str, list]:
    """Lines of the town whose feeder a ends at its transformer again; the tie binds and the whole ring moves it."""
    line = columns(small_town(), "line")
    tie = {"id": b"tie", "bus_from": b"bus-a3", "bus_to": b"a-low", "r": 0.05, "x": 0.02, "s_nom": 9.0}
    rows = {name: [*line[name].tolist(), value] for name, value in tie.items()}
    return {name: [v.decode() if isinstance(v, bytes) else v for v in values] for name, values in rows.items()}


def test_parts_sum_to_the_price_around_a_loop(optima) -> None:
    result = dispatch.optimize(small_town(line=ring()), LINEAR)
    price, touched = columns(result, "price")["price_energy"], set()
    for k, meter in enumerate(columns(result, "meter")["id"].tolist()):
        parts = dispatch.price_parts(result, meter.decode())
        np.testing.assert_allclose(parts.sum("part"), price[k], rtol=0, atol=1e-14)
        if "tie" in parts["element"].to_numpy():
            touched.add(meter)
    assert touched == {b"meter-a0", b"meter-a1", b"meter-a2", b"meter-a3"}
    load = columns(result, "forecast")["p_load"].astype(float)
    load[[1, 5], 12] += 0.05
    cost = optima(line=ring(), forecast={"p_load": load}) - columns(result, "certificate")["objective_relaxation"]
    assert cost == pytest.approx(0.05 * price[[1, 5], 12], abs=2e-4)


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


def test_price_is_what_one_more_kw_costs(result, optima) -> None:
    """The optimum is convex in demand: its slopes to both sides enclose the price. Feeders do not know each other."""
    price = columns(result, "price")["price_energy"]
    load = columns(result, "forecast")["p_load"].astype(float)
    for places in (((0, 3), (6, 13)), ((3, 12), (7, 19))):  # one of feeder a, one of feeder b
        for change in (0.05, -0.05):
            other = load.copy()
            for place in places:
                other[place] += change
            cost = optima(forecast={"p_load": other}) - optima()
            by_price = change * np.array([price[place] for place in places])
            assert (cost >= by_price - 1e-6).all()
            assert cost == pytest.approx(by_price, abs=0.05 * 0.4)


@pytest.mark.parametrize("change", [1e-3, -1e-3])
def test_price_of_a_voltage_limit_is_per_pu_and_hour(result, optima, change) -> None:
    """All upper limits moved together: the optimum moves by no less than prices say, and in their direction."""
    price = columns(result, "price")["price_v_max"]
    assert price.max() > 1
    saved = (optima() - optima(bus={"v_max_pu": 1.045 + change})).sum()
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
def test_estimate_bounds_the_saving_of_the_program_solved_anew(method, optima) -> None:
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
    base = optima(s_nom=20.0, line={"s_nom": ratings})
    for kind, name, saved in zip(*(ranking[n].to_numpy()[:3] for n in ("kind", "element", "saving")), strict=True):
        wider = {"s_nom": 20.0, "line": {"s_nom": ratings.copy()}}
        if kind == "line":
            wider["line"]["s_nom"][lines.index(name)] *= 1.1
        else:
            wider["transformer"] = {"s_nom": np.where(np.array(trafos) == name, 22.0, 20.0)}
            wider["transformer"] |= {n: np.where(np.array(trafos) == name, 1.1, 1.0) * v
                                     for n, v in (("r_pu", 0.015), ("x_pu", 0.04))}  # fmt: skip
        assert saved == pytest.approx((base - optima(**wider)).sum(), abs=1e-5)
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
