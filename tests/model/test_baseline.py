from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.case.schema import build_case
from dispatch.model.baseline import no_battery, prosumer_cost, self_use

NAN = np.nan
HALF_PAST_ELEVEN = np.datetime64("2026-06-30T21:30", "s")  # UTC; 23:30 in Berlin


def tables(**changed: Any) -> dict[str, dict[str, Any]]:
    """Return one house with PV, a load and a battery, over four half hours around the end of June in Berlin."""
    usual: dict[str, dict[str, Any]] = {
        "bus": {"id": ["b"], "v_nom": [0.4]},
        "prosumer": {"id": ["x"]},
        "tariff": {
            "id": ["h0"],
            "price_import": [0.3],
            "price_export": [0.08],
            "network_fee": [0.05],
            "price_peak": [2.0],
        },
        "meter": {"id": ["m"], "bus": ["b"], "prosumer": ["x"], "tariff": ["h0"]},
        "load": {"id": ["d"], "meter": ["m"], "p_nom": [1.0]},
        "pv": {"id": ["p"], "meter": ["m"], "p_nom": [9.0]},
        "store": {
            "id": ["s"],
            "meter": ["m"],
            "energy_nom": [4.0],
            "p_nom": [3.0],
            "efficiency_charge": [0.8],
            "efficiency_discharge": [0.5],
            "wear_cost": [0.1],
            "state_of_charge_initial": [2.0],
        },
        "forecast": {
            "time": HALF_PAST_ELEVEN + np.arange(4) * np.timedelta64(1800, "s"),
            "p_load": [[1.0, 2.0, 6.0, 3.0]],
            "p_available": [[3.0, 9.0, 0.0, 0.0]],
            "price_import": [[0.3, 0.2, 0.3, 0.4]],
        },
    }
    for kind, columns in changed.items():
        usual[kind] = {**usual[kind], **columns}
    return usual


def test_by_hand() -> None:
    found = self_use(build_case(tables()))
    # Surplus 2, 7, -6, -3 kW. Content: 2 + 0.5 · 0.8 · 2 = 2.8; room for 1.2 / 0.4 = 3 kW, so full; 3 kW take
    # 3 kWh of content, then 1 kWh gives 1 kW.
    np.testing.assert_allclose(found.p_charge, [[2, 3, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(found.p_discharge, [[0, 0, 3, 1]], atol=1e-12)
    np.testing.assert_allclose(found.state_of_charge, [[2.8, 4, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(found.p_export, [[0, 4, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(found.p_import, [[0, 0, 3, 2]], atol=1e-12)
    # June has one step, July three; import costs 0.05 more than its price; 2 kWh are missing at the end, which at the
    # lowest price, 0.25, and 80 % would cost 0.625.
    bill = 0.5 * (3 * 0.35 + 2 * 0.45 - 4 * 0.08) + 2.0 * (0 + 3) + 0.5 * 0.1 * (5 + 4)
    assert found.cost == pytest.approx([bill + 2 / 0.8 * 0.25])
    spent = prosumer_cost(build_case(tables()), found.p_import, found.p_export, found.p_charge, found.p_discharge)
    assert spent == pytest.approx([bill])


def test_without_batteries() -> None:
    found = no_battery(build_case(tables()))
    np.testing.assert_allclose(found.p_export, [[2, 7, 0, 0]])
    np.testing.assert_allclose(found.p_import, [[0, 0, 6, 3]])
    assert not found.p_charge.any()
    assert not found.state_of_charge.any()
    assert found.cost == pytest.approx([0.5 * (6 * 0.35 + 3 * 0.45 - 9 * 0.08) + 2 * 6])


def test_peak_is_charged_in_each_local_month() -> None:
    case = build_case(tables(forecast={"p_load": [[5.0, 2.0, 6.0, 3.0]], "p_available": [[0.0, 0.0, 0.0, 0.0]]}))
    p = np.array([[5.0, 2.0, 6.0, 3.0]])
    idle = np.zeros((1, 4))
    energy = 0.5 * (5 * 0.35 + 2 * 0.25 + 6 * 0.35 + 3 * 0.45)
    assert prosumer_cost(case, p, idle, idle, idle) == pytest.approx([energy + 2 * (5 + 6)])


def test_tariff_prices_where_the_forecast_has_none() -> None:
    changed = tables()
    del changed["forecast"]["price_import"]
    idle = np.zeros((1, 4))
    cost = prosumer_cost(build_case(changed), np.array([[1.0, 0, 0, 0]]), idle, idle, idle)
    assert cost == pytest.approx([0.5 * 0.35 + 2.0])


@pytest.mark.parametrize(("final", "settled"), [(0.0, 0.0), (4.0, 4 / 0.8 * 0.25), (NAN, 2 / 0.8 * 0.25)])
def test_last_content_is_settled_at_the_lowest_price(final: float, settled: float) -> None:
    case = build_case(tables(store={"state_of_charge_final": [final]}))
    found = self_use(case)
    spent = prosumer_cost(case, found.p_import, found.p_export, found.p_charge, found.p_discharge)
    np.testing.assert_allclose(found.cost - spent, settled, atol=1e-12)


def test_content_left_over_is_sold_at_the_lowest_export_price() -> None:
    sunny = {"p_available": [[9.0, 9.0, 9.0, 9.0]], "price_export": [[0.08, 0.06, 0.07, 0.09]]}
    case = build_case(tables(forecast=sunny))
    found = self_use(case)
    np.testing.assert_allclose(found.state_of_charge[0, -1], 4.0)
    spent = prosumer_cost(case, found.p_import, found.p_export, found.p_charge, found.p_discharge)
    np.testing.assert_allclose(found.cost - spent, -2 * 0.5 * 0.06, atol=1e-12)


def test_price_below_zero_does_not_reward_an_empty_battery() -> None:
    case = build_case(tables(forecast={"price_import": [[-0.3, -0.2, 0.3, 0.4]]}))
    found = self_use(case)
    spent = prosumer_cost(case, found.p_import, found.p_export, found.p_charge, found.p_discharge)
    np.testing.assert_array_equal(found.cost, spent)


def test_case_without_prosumers_costs_nothing() -> None:
    case = build_case({"bus": {"id": ["b"], "v_nom": [0.4]}, "forecast": {"time": tables()["forecast"]["time"]}})
    for found in (self_use(case), no_battery(case)):
        assert found.cost.shape == (0,)
        assert found.p_import.shape == found.p_charge.shape == (0, 4)


@st.composite
def towns(draw: Any) -> dict[str, dict[str, Any]]:
    """Draw up to four meters of two prosumers, with any number of loads, pv and stores in mixed order."""
    meters, steps = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    names = [f"m{i}" for i in range(meters)]
    number = st.floats(0, 8)

    def some(prefix: str, most: int) -> tuple[list[str], list[str]]:
        at = draw(st.lists(st.sampled_from(names), min_size=1, max_size=most))
        return [f"{prefix}{i}" for i in range(len(at))], at

    (load, load_at), (pv, pv_at), (store, store_at) = some("d", 4), some("p", 4), some("s", 5)
    energy = [draw(st.floats(0.5, 10)) for _ in store]
    series = st.lists(number, min_size=steps, max_size=steps)
    price = st.lists(st.floats(-0.2, 0.5), min_size=steps, max_size=steps)
    share = st.floats(0, 1)
    return {
        "bus": {"id": ["b"], "v_nom": [0.4]},
        "prosumer": {"id": ["x", "y"]},
        "tariff": {"id": ["h0", "h1"], "price_import": [0.3] * 2, "network_fee": [0.1, 0.0], "price_peak": [0.0, 3.0]},
        "meter": {
            "id": names,
            "bus": ["b"] * meters,
            "prosumer": [draw(st.sampled_from(["x", "y"])) for _ in names],
            "tariff": [draw(st.sampled_from(["h0", "h1"])) for _ in names],
            "green_only": [draw(st.booleans()) for _ in names],
        },
        "load": {"id": load, "meter": load_at, "p_nom": [1.0] * len(load)},
        "pv": {"id": pv, "meter": pv_at, "p_nom": [1.0] * len(pv)},
        "store": {
            "id": store,
            "meter": store_at,
            "energy_nom": energy,
            "p_nom": [draw(st.floats(0, 6)) for _ in store],
            "efficiency_charge": [draw(st.floats(0.5, 1)) for _ in store],
            "efficiency_discharge": [draw(st.floats(0.5, 1)) for _ in store],
            "standing_loss": [draw(st.sampled_from([0.0, 0.02])) for _ in store],
            "wear_cost": [draw(st.floats(0, 0.1)) for _ in store],
            "state_of_charge_initial": [draw(st.just(NAN) | share.map(lambda u, e=e: u * e)) for e in energy],
        },
        "forecast": {
            "time": HALF_PAST_ELEVEN + np.arange(steps) * np.timedelta64(draw(st.sampled_from([900, 3600])), "s"),
            "p_load": [draw(series) for _ in load],
            "p_available": [draw(series) for _ in pv],
            "price_import": [draw(price), draw(price)],
            "price_export": [draw(price), draw(price)],
        },
    }


def naive(town: dict[str, dict[str, Any]], dt: float) -> dict[str, Any]:
    """Do the same house by house, step by step."""
    meter, store, forecast, tariff = (town[k] for k in ("meter", "store", "forecast", "tariff"))
    steps = len(forecast["time"])
    content = [
        e / 2 if np.isnan(s) else s for e, s in zip(store["energy_nom"], store["state_of_charge_initial"], strict=True)
    ]
    charge, discharge, held = (np.zeros((len(store["id"]), steps)) for _ in range(3))
    p_import, p_export = (np.zeros((len(meter["id"]), steps)) for _ in range(2))
    cost = dict.fromkeys(town["prosumer"]["id"], 0.0)
    for i, name in enumerate(meter["id"]):
        k = tariff["id"].index(meter["tariff"][i])
        peaks: dict[str, float] = {}
        for t in range(steps):
            left = sum(
                float(np.float32(s[t]))
                for s, at in zip(forecast["p_available"], town["pv"]["meter"], strict=True)
                if at == name
            )
            left -= sum(
                float(np.float32(s[t]))
                for s, at in zip(forecast["p_load"], town["load"]["meter"], strict=True)
                if at == name
            )
            for j in [j for j, at in enumerate(store["meter"]) if at == name]:
                content[j] *= (1 - store["standing_loss"][j]) ** dt
                good, bad = store["efficiency_charge"][j], store["efficiency_discharge"][j]
                if left > 0:
                    charge[j, t] = min(left, store["p_nom"][j], (store["energy_nom"][j] - content[j]) / dt / good)
                else:
                    discharge[j, t] = min(-left, store["p_nom"][j], content[j] / dt * bad)
                content[j] += dt * (good * charge[j, t] - discharge[j, t] / bad)
                held[j, t] = content[j]
                left += discharge[j, t] - charge[j, t]
                cost[meter["prosumer"][i]] += dt * store["wear_cost"][j] * (charge[j, t] + discharge[j, t])
            p_import[i, t], p_export[i, t] = max(-left, 0), max(left, 0)
            month = "June" if t * dt < 0.5 else "July"
            peaks[month] = max(peaks.get(month, 0), p_import[i, t])
            price = forecast["price_import"][k][t] + tariff["network_fee"][k]
            cost[meter["prosumer"][i]] += dt * (
                price * p_import[i, t] - forecast["price_export"][k][t] * p_export[i, t]
            )
        cost[meter["prosumer"][i]] += tariff["price_peak"][k] * sum(peaks.values())
    return {
        "p_import": p_import,
        "p_export": p_export,
        "p_charge": charge,
        "p_discharge": discharge,
        "state_of_charge": held,
        "cost": np.array(list(cost.values())),
    }


@settings(deadline=None, max_examples=120)
@given(towns())
def test_agrees_with_slow_twin_and_keeps_every_limit(town: dict[str, dict[str, Any]]) -> None:
    case = build_case(town)
    bounds = case["/forecast"]["time_bounds"].to_numpy()[0]
    dt = float((bounds[1] - bounds[0]) / np.timedelta64(3600, "s"))
    found, expected = self_use(case), naive(town, dt)
    spent = prosumer_cost(case, found.p_import, found.p_export, found.p_charge, found.p_discharge)
    for name, value in expected.items():
        ours = spent if name == "cost" else getattr(found, name)
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, value, rtol=0, atol=1e-9)
    store = town["store"]
    column = {k: np.array(v, float)[:, None] for k, v in store.items() if k not in {"id", "meter"}}
    initial = np.where(
        np.isnan(column["state_of_charge_initial"]), column["energy_nom"] / 2, column["state_of_charge_initial"]
    )
    before = np.concatenate([initial, found.state_of_charge[:, :-1]], axis=1)
    gained = column["efficiency_charge"] * found.p_charge - found.p_discharge / column["efficiency_discharge"]
    kept = (1 - column["standing_loss"]) ** dt * before
    np.testing.assert_allclose(found.state_of_charge, kept + dt * gained, rtol=0, atol=1e-9)
    assert (found.state_of_charge >= 0).all()
    assert (found.state_of_charge <= column["energy_nom"]).all()
    for power in (found.p_charge, found.p_discharge):
        assert ((power >= 0) & (power <= column["p_nom"])).all()
    assert not ((found.p_charge > 0) & (found.p_discharge > 0)).any()
    bare = no_battery(case)
    # A battery moves no house past what it exchanges without one, and never turns its direction.
    assert (found.p_import <= bare.p_import + 1e-9).all()
    assert (found.p_export <= bare.p_export + 1e-9).all()


def flexible_tables() -> dict[str, dict[str, Any]]:
    """Return the house of `tables` with a car and a tank besides its battery, all at one meter."""
    return tables(
        store={
            "id": ["s", "car", "tank"],
            "meter": ["m"] * 3,
            "kind": ["battery", "car", "tank"],
            "energy_nom": [4.0, 20.0, 10.0],
            "p_nom": [3.0, 4.0, 1.0],
            "efficiency_charge": [0.8, 0.5, 1.0],
            "efficiency_discharge": [0.5, 0.5, 0.5],
            "wear_cost": [0.1, 0.1, 0.0],
            "state_of_charge_initial": [2.0, 20.0, 10.0],
        },
        forecast={
            "p_max_pu": [[NAN] * 4, [1.0, 0.0, 1.0, 1.0], [1.0] * 4],
            "p_withdrawn": [[NAN] * 4, [0.0, 4.0, 0.0, 0.0], [2.0, 2.0, 6.0, 2.0]],
            "coefficient_of_performance": [[NAN] * 4, [1.0] * 4, [2.0, 2.0, 4.0, 4.0]],
        },
    )


def test_cars_and_tanks_are_kept_full_before_the_battery_follows() -> None:
    found = self_use(build_case(flexible_tables()))
    # The car is full, away, then wants 2 kWh at 50 %: 4 kW twice half an hour. The tank: 2 kW of heat at a performance
    # of 2 take 1 kW each half hour; 6 kW at 4 would take 1.5 kW but it has 1, so that it lacks 1 kWh until the last.
    np.testing.assert_allclose(found.p_charge[1:], [[0, 0, 4, 4], [1, 1, 1, 1]], atol=1e-12)
    np.testing.assert_allclose(found.state_of_charge[1:], [[20, 18, 19, 20], [10, 10, 9, 10]], atol=1e-12)
    # What is left: 2 - 1, 7 - 1, -6 - 5, -3 - 5 kW.
    np.testing.assert_allclose(found.p_charge[0], [1, 3, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.p_discharge[0], [0, 0, 3, 0.6], atol=1e-12)
    np.testing.assert_allclose(found.p_import, [[0, 0, 8, 7.4]], atol=1e-12)
    none = no_battery(build_case(flexible_tables()))
    np.testing.assert_allclose(none.p_import, [[0, 0, 11, 8]], atol=1e-12)
    np.testing.assert_allclose(none.p_export, [[1, 6, 0, 0]], atol=1e-12)
    assert not none.p_charge[0].any()


def test_a_tank_that_ends_short_is_settled_at_its_mean_performance() -> None:
    changed = flexible_tables()
    changed["forecast"]["p_withdrawn"] = [[NAN] * 4, [0.0] * 4, [0.0, 0.0, 0.0, 10.0]]
    case = build_case(changed)
    none = no_battery(case)
    np.testing.assert_allclose(none.state_of_charge[2], [10, 10, 10, 7], atol=1e-12)
    spent = prosumer_cost(case, none.p_import, none.p_export, none.p_charge, none.p_discharge)
    np.testing.assert_allclose(none.cost - spent, 3 / 3 * 0.25, atol=1e-12)


def test_what_is_left_in_a_tank_saves_buying_it() -> None:
    changed = flexible_tables()
    changed["store"]["state_of_charge_final"] = [2.0, 20.0, 4.0]
    changed["forecast"]["p_withdrawn"] = [[NAN] * 4, [0.0] * 4, [0.0] * 4]
    case = build_case(changed)
    none = no_battery(case)
    spent = prosumer_cost(case, none.p_import, none.p_export, none.p_charge, none.p_discharge)
    np.testing.assert_allclose(none.cost - spent, -6 / 3 * 0.25, atol=1e-12)
