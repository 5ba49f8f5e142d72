"""Plants without control: what follows from the rule by hand, and balances from the set-points alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_cases import plant_case, plant_tables

from dispatch.case.schema import build_case, columns
from dispatch.model.baseline import no_battery, self_use
from dispatch.model.plant_baseline import uncontrolled_plants

HIGHER, LOWER = 11.06, 9.97
STEPS = 4


def steady(**plant: Any) -> dict[str, Any]:
    """A plant in its steady state: 90 + 26.7 = 116.7 m3/h of methane with a share of 0.53."""
    tables = plant_tables(steps=STEPS, other=0.0)
    tables["substrate"] |= {"feed_day": [18.0, 40.0], "methane_yield": [120.0, 16.0], "gas_rate_initial": [np.nan] * 2}
    tables["forecast"]["flow_consumer"] = np.array([[30.0] * STEPS, [20.0, 60.0, 100.0, 5.0]])
    tables["plant"] |= {"holder_initial": [200.0], "heat_demand": [0.0], **plant}
    return tables


def test_by_hand() -> None:
    found = uncontrolled_plants(build_case(steady()))
    assert found is not None
    came, kwh = (90 + 80 / 3) / 0.53, HIGHER * 0.53 * 0.995
    taken = 11.0 * np.array([20.0, 60.0, 100.0, 5.0])
    raw = np.minimum(taken / kwh, came)
    np.testing.assert_allclose(found.gas_injected, [raw * kwh], rtol=1e-9)
    engine, kept = 0.3925 * LOWER * 0.53, 0.0
    for t in range(STEPS):  # what the engine of 250 kW cannot burn waits in the holder
        spare = came - raw[t] + kept
        assert found.p_chp[0, t] == pytest.approx(min(spare * engine, 250))
        kept = spare - found.p_chp[0, t] / engine
        assert found.holder[0, t] == pytest.approx(200 + kept)
    assert found.holder[0, 0] > 210
    bought = 12 + 0.25 * raw  # p_own and upgrading
    np.testing.assert_allclose(found.p[0], found.p_chp[0] - bought, rtol=1e-9)
    assert (found.p[1] == 0).all()


def test_what_neither_network_nor_engine_nor_holder_takes_is_flared() -> None:
    tables = steady(holder_nom=[200.0], price_flare=[0.07])
    tables["chp"]["p_nom"] = [0.0]
    tables["forecast"]["flow_consumer"][1] = 0.0
    found = uncontrolled_plants(build_case(tables))
    assert found is not None
    came = (90 + 80 / 3) / 0.53
    np.testing.assert_allclose(found.flow_flare, [[came] * STEPS], rtol=1e-9)
    fed = STEPS * 40.0 * 18 / 24
    assert found.cost[0] == pytest.approx(fed + STEPS * 0.07 * came)


def test_engine_and_boiler_cover_the_heat_first() -> None:
    tables = steady(heat_demand=[300.0], boiler_nom=[50.0])
    tables["chp"]["p_nom"] = [200.0]
    found = uncontrolled_plants(build_case(tables))
    assert found is not None
    heat = 200 * 0.44 / 0.3925
    np.testing.assert_allclose(found.p_chp, 200.0)
    missing = 300 - heat - 50
    left = (90 + 80 / 3) / 0.53 - 200 / (0.3925 * LOWER * 0.53) - 50 / (0.9 * LOWER * 0.53)
    raw = min(left, 20 * 11 / (HIGHER * 0.53 * 0.995))
    assert found.gas_injected[0, 0] == pytest.approx(raw * HIGHER * 0.53 * 0.995)
    tables["plant"]["boiler_nom"] = [50.0 + missing]
    warm = uncontrolled_plants(build_case(tables))
    assert warm is not None
    saved = found.cost[0] - warm.cost[0]
    assert STEPS * 10 * missing * 0.9 < saved < STEPS * 10 * missing  # 10 a kWh, less the gas that it burns


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([15, 60]), st.integers(0, 900), st.integers(0, 300))
def test_gas_closes_in_every_step(seed: int, upgrader: bool, minutes: int, holder: int, engine: int) -> None:
    tables = plant_tables(steps=12, step_minutes=minutes, seed=seed, upgrader=upgrader)
    tables["plant"] |= {"holder_nom": [holder], "holder_initial": [holder / 3]}
    tables["chp"]["p_nom"] = [engine]
    case = build_case(tables)
    found = uncontrolled_plants(case)
    assert found is not None
    dt = minutes / 60
    methane, rate = np.zeros(12), np.array([90.0, 40 * 16 / 24])
    feed = np.array([18.0, 40.0]) / 24
    for t in range(12):  # the exact step, forward from the feed alone
        tau, gas = np.array([60.0, 20.0]), np.array([121.0, 16.0])
        new = np.exp(-dt / tau) * rate + (1 - np.exp(-dt / tau)) * gas * feed
        methane[t] = (gas * feed - tau / dt * (new - rate)).sum()
        rate = new
    raw = found.gas_injected.sum(axis=0) / (HIGHER * 0.53 * 0.995)
    burnt = found.p_chp[0] / (0.3925 * LOWER * 0.53)
    held = np.diff(np.concatenate([[holder / 3], found.holder[0]])) / dt
    boiler = methane / 0.53 - raw - burnt - held - found.flow_flare[0]
    heat = found.p_chp[0] * 0.44 / 0.3925
    lack = np.maximum(60 - heat, 0) / (0.9 * LOWER * 0.53)
    assert (boiler >= -1e-9).all()
    assert (boiler <= np.minimum(lack, 80 / (0.9 * LOWER * 0.53)) + 1e-9).all()
    assert ((found.holder >= 0) & (found.holder <= holder + 1e-9)).all()
    assert ((found.p_chp >= 0) & (found.p_chp <= engine + 1e-9)).all()
    taken = columns(case, "forecast")["flow_consumer"][1].astype(float) - 5
    assert (found.gas_injected.sum(axis=0) <= 11 * np.maximum(taken, 0) + 1e-9).all()
    assert ((found.flow_flare[0] < 1e-9) | (found.holder[0] > holder - 1e-9)).all()


def test_the_town_without_control_has_the_plant() -> None:
    case = plant_case(steps=8)
    plan, plants = self_use(case), uncontrolled_plants(case)
    assert plants is not None
    load = columns(case, "forecast")["p_load"][0].astype(float)
    np.testing.assert_allclose((plan.p_export - plan.p_import)[0], plants.p[0] - load, atol=1e-9)
    assert no_battery(case).cost[0] == plan.cost[0]  # the battery is the neighbour's
    forecast = columns(case, "forecast")
    bill = forecast["price_import"][0] * plan.p_import[0] - forecast["price_export"][0] * plan.p_export[0]
    assert plan.cost[0] == pytest.approx(bill.sum() + plants.cost[0])
