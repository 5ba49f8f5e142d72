from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from dispatch.case.schema import build_case, columns
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables


@pytest.fixture(scope="module")
def day():
    return optimize(build_case(plant_tables(steps=24, seed=5)), Settings())


def test_pressures_follow_the_schedule(day):
    s = day["schedule"]
    pressure, pack = s["pressure"].to_numpy(), s["linepack_regulator"].to_numpy()[0]
    ids = columns(day, "junction")["id"].tolist()
    g, a, z = (ids.index(i) for i in (b"g", b"a", b"z"))
    # The gate's level is above 4 bar gauge: its pressure follows from what its pipes hold, linear to 0.5 mbar.
    np.testing.assert_allclose(s["pressure_linear"].to_numpy()[g], 5.5, rtol=1e-6)
    np.testing.assert_allclose(pressure[g], 5.5, atol=5e-4)
    # Half a bar of headroom at the regulator's outlet, in proportion to what the pipes hold.
    np.testing.assert_allclose(pressure[a], 2.0 + 0.5 * pack / pack.max(), rtol=1e-6)
    flow = day["forecast/flow_consumer"].to_numpy().astype(float)
    assert ((pressure[a] > pressure[z]) == (flow[1] > 5)).all()
    regulator = s["gas_regulator"].to_numpy() / 11.0
    np.testing.assert_allclose(s["flow_regulator"].to_numpy(), regulator, atol=1e-4)
    np.testing.assert_allclose(s["flow_gate"].to_numpy(), s["gas_gate"].to_numpy() / 11.0, atol=1e-4)
    # Balance at the far end: its pipe brings what is taken there less the other injection.
    np.testing.assert_allclose(s["flow_pipe"].to_numpy()[1], flow[1] - 5, atol=1e-4)
    assert not any(m.startswith("Gas:") for m in json.loads(day["certificate"].attrs["messages"]))


def test_the_state_balances_where_the_pipes_fill(day):
    s = day["schedule"]
    pack = np.concatenate([[0.0], s["linepack_regulator"].to_numpy()[0]])
    into = (s["gas_injected"].to_numpy()[0] + s["gas_regulator"].to_numpy()[0]) / 11.0
    taken = day["forecast/flow_consumer"].to_numpy()[1].astype(float) - 5
    np.testing.assert_allclose(into - taken, np.diff(pack) / 11.0, atol=1e-4)


def test_pressures_that_cannot_be_are_unmet():
    tables = plant_tables(steps=6)
    tables["junction"]["pressure_min"] = [1.0, 5.49, 1.0, 1.0]
    tables["pipe"]["inner_diameter"] = [0.05, 0.15]
    result = optimize(build_case(tables), Settings(horizon_h=6))
    (found,) = json.loads(result["certificate"].attrs["unmet"])
    assert (found["kind"], found["element"], found["limit"]) == ("junction", "m", "pressure_min")
    assert result["certificate/status"].to_numpy() == [b"limits_unmet"]
    pressure = result["schedule/pressure"].to_numpy()[1]
    assert found["amount"] == pytest.approx(5.49 - pressure.min(), abs=1e-3)
    assert found["least_relaxation"] <= found["amount"] + 1e-9


def test_a_pressure_that_no_limit_above_zero_allows_is_told_as_such():
    tables = plant_tables(steps=4, seed=1)
    tables["junction"]["pressure_min"] = [1.0, 1.0, 1.0, 1.5]
    tables["pipe"]["inner_diameter"] = [0.15, 0.02]
    unmet = json.loads(optimize(build_case(tables), Settings(horizon_h=4))["certificate"].attrs["unmet"])
    (text,) = [u["text"] for u in unmet if u["limit"] == "pressure_min"]
    assert "what is taken there needs more pressure than there is" in text
    assert "bar would do" not in text


def test_demand_without_pressure_below_4_bar_is_unmet():
    tables = plant_tables(steps=4, seed=1)
    tables["pipe"]["inner_diameter"] = [0.15, 0.02]
    result = optimize(build_case(tables), Settings(horizon_h=4))
    (found,) = json.loads(result["certificate"].attrs["unmet"])
    assert result["certificate/status"].to_numpy() == [b"limits_unmet"]
    assert (found["kind"], found["element"], found["limit"], found["unit"]) == ("junction", "z", "delivery", "kW")
    demand, held = result["forecast/flow_consumer"].to_numpy()[1].astype(float), result["schedule/pressure"].to_numpy()
    assert found["hours_total"] == 4

    def drop(flow: float, p1: float, p2: float) -> float:  # of 5 km of 20 mm with 0.1 mm of roughness, docs/gas.md
        area = np.pi / 4 * 0.02**2
        mean = 2 / 3 * (p1 + p2 - p1 * p2 / (p1 + p2))
        speed = flow / 3600 / area
        friction = 64 * 1.07e-5 / (0.78 * speed * 0.02) + (2 * np.log10(0.02 / 1e-4) + 1.14) ** -2
        return (1 - 0.0022 * mean) * friction * 5000 / 0.02 * 0.78 * 101325 * 283.15 / 273.15 * speed**2 / 1e10

    air, before = 1.01325, held[2]
    comes = [brentq(lambda q, p=p: p**2 - air**2 - drop(q, p, air), 1e-3, 50) for p in before]
    assert found["amount"] == pytest.approx(11.0 * (demand - 5 - comes).max(), rel=1e-4)


def without_plants(**choices) -> dict:
    tables = plant_tables(**choices)
    for kind in ("plant", "substrate", "chp", "upgrader"):
        del tables[kind]
    return tables


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_a_network_without_plants_is_balanced_and_its_gate_holds(method):
    tables = without_plants(steps=6)
    tables["gate"]["flow_max"] = [60]
    result = optimize(build_case(tables), Settings(horizon_h=6, method=method))
    assert result["certificate/status"].to_numpy() == [b"limits_unmet"]
    came = result["schedule/gas_gate"].to_numpy()[0]
    wanted = 11.0 * (result["forecast/flow_consumer"].to_numpy().sum(axis=0) - 5)
    assert came.max() <= 660 + 1e-6
    unmet = json.loads(result["certificate"].attrs["unmet"])
    assert {entry["limit"] for entry in unmet} == {"gas_demand"}
    # What the gate cannot bring costs 10 a kWh; pipes are filled before, as far as the gate has anything to spare.
    lacking = np.maximum(wanted - 660, 0).sum()
    bills = result["schedule/cost"].to_numpy().sum()
    lost = (float(result["certificate/objective"][0]) - bills) / 10
    assert lacking - 660 * (wanted < 660).sum() <= lost <= lacking + 1e-6


def test_a_network_without_plants_has_pressures_and_a_price():
    result = optimize(build_case(without_plants(steps=3)), Settings(horizon_h=3))
    assert result["certificate/status"].to_numpy() == [b"optimal"]
    assert np.isfinite(result["schedule/pressure"].to_numpy()).all()
    assert result["certificate"].attrs["pressure_error_max"] < 5e-3
    assert np.isfinite(result["price/marginal_price_gas"].to_numpy()).all()


def test_of_two_feeders_without_plants_the_first_has_the_gas_network():
    tables = without_plants(steps=2)
    tables["bus"] = {"id": ["b0", "b1", "c0"], "v_nom": [0.4] * 3}
    tables["source"] = {"id": ["grid", "other"], "bus": ["b0", "c0"]}
    result = optimize(build_case(tables), Settings(horizon_h=2))
    assert result["certificate/status"].to_numpy().tolist() == [b"optimal"] * 2
    assert np.isfinite(result["schedule/pressure"].to_numpy()).all()


def test_a_zone_right_behind_its_gate():
    tables = plant_tables(steps=6)
    del tables["regulator"], tables["injection"]
    tables["gate"] |= {"pressure": [2.0]}
    tables["pipe"] |= {"id": ["p0", "p1", "p2"], "junction_from": ["g", "a", "m"], "junction_to": ["m", "z", "a"]}
    tables["pipe"] |= {"length": [3000, 5000, 100], "inner_diameter": [0.15] * 3}
    result = optimize(build_case(tables), Settings(horizon_h=6))
    s = result["schedule"]
    assert "gas_regulator" not in s
    injected, demand = s["gas_injected"].to_numpy()[0], 11 * result["forecast/flow_consumer"].to_numpy().sum(axis=0)
    pack = np.concatenate([[0.0], s["linepack_gate"].to_numpy()[0]])
    np.testing.assert_allclose(np.diff(pack), injected + s["gas_gate"].to_numpy()[0] - demand, atol=1e-2)
    assert np.isfinite(s["pressure"]).all()


def test_without_a_gas_network_nothing_is_said_of_it():
    tables = plant_tables(steps=4, upgrader=False)
    for kind in ("gas_network", "junction", "gate", "pipe", "regulator", "consumer", "injection"):
        del tables[kind]
    del tables["forecast"]["flow_consumer"]
    tables["plant"]["junction"] = [""]
    result = optimize(build_case(tables), Settings(horizon_h=4))
    assert np.isfinite(result["schedule/holder"]).all()
    assert "pressure" not in result["schedule"]


def test_no_demand_at_all_is_an_ordinary_state():
    tables = plant_tables(steps=3, other=0.0)
    tables["forecast"]["flow_consumer"] = np.zeros((2, 3))
    tables["junction"]["pressure_max"] = [np.nan] * 4
    result = optimize(build_case(tables), Settings(horizon_h=3))
    assert result["certificate/status"].to_numpy() == [b"optimal"]
    s = result["schedule"]
    assert np.abs(s["gas_injected"].to_numpy()).max() < 1e-6  # nobody takes gas and no pipe may hold more
    np.testing.assert_allclose(s["pressure"].to_numpy(), [[5.5] * 3] * 2 + [[2.0] * 3] * 2, rtol=1e-6)


def test_flow_turns_round_where_more_is_injected_than_taken_near_by():
    tables = plant_tables(steps=6, seed=5)
    tables["plant"]["junction"] = ["z"]
    tables["consumer"]["junction"] = ["m", "a"]
    tables["junction"]["pressure_max"] = [np.nan, np.nan, 2.0, 2.0008]
    tables["injection"]["flow_nom"] = [0.0]
    result = optimize(build_case(tables), Settings(horizon_h=6))
    s = result["schedule"]
    assert (s["flow_pipe"].to_numpy()[1] <= 1e-6).all()
    assert s["flow_pipe"].to_numpy()[1].min() < -1
    assert result["certificate/status"].to_numpy() == [b"optimal"]
    pressure = s["pressure"].to_numpy()[3]
    assert pressure.max() <= 2.0008 + 1.1e-3
