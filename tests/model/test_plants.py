from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from agreement import TOLERANCE, largest_difference, written
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_balances import require_balances
from plant_cases import plant_case, plant_tables, with_gas_limits

from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns
from dispatch.case.slices import split_feeders
from dispatch.forecast.profile import predict
from dispatch.model.compiler import compile_program
from dispatch.model.explicit import explicit_model
from dispatch.model.inputs import make_inputs
from dispatch.model.registry import PLANT
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([15, 60, 180]), st.booleans(), st.booleans(),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_compiled_arrays_are_those_of_the_explicit_model(seed, steps, minutes, linepack, upgrader, bounded, network):
    shown = {"linepack": linepack, "upgrader": upgrader, "bounded": bounded, "account": ["", "day"][seed % 2]}
    case = plant_case(steps=steps, step_minutes=minutes, seed=seed, **shown)
    inputs = make_inputs(case)
    assert set(PLANT) <= set(inputs.kinds)
    program = compile_program(inputs, network=network)
    assert largest_difference(program, written(inputs, program, network=network)) <= TOLERANCE


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.booleans())
def test_compiled_limits_are_those_of_the_explicit_model(seed, steps, network):
    case = plant_case(steps=steps, seed=seed, compressor=bool(seed % 2), booster=bool(seed % 3))
    inputs = make_inputs(case, offsets=with_gas_limits(case, seed), limit_penalty=300.0)
    assert inputs.kinds["gas_limit_compressor"].count == (6 if seed % 2 else 0)
    assert inputs.kinds["gas_limit"].count == 6
    program = compile_program(inputs, network=network)
    assert largest_difference(program, written(inputs, program, network=network)) <= TOLERANCE


DAYS = {
    "plain": ({"seed": 0}, False),
    "other": ({"seed": 5}, False),
    "minimum, ramps, account": ({"seed": 5, "bounded": True, "account": "day"}, False),
    "integers": ({"seed": 3, "bounded": True}, True),
}


@pytest.fixture(scope="module", params=DAYS)
def day(request: pytest.FixtureRequest) -> Any:
    choices, integers = DAYS[request.param]
    return optimize(plant_case(steps=24, **choices), Settings(integers=integers))


def of(day: Any, kind: str) -> dict[str, np.ndarray]:
    return columns(day, kind)


def test_gas_energy_and_carbon_close_in_every_step_from_the_set_points_alone(day):
    require_balances(day, 1.0)


def test_electricity_of_the_plant_is_on_its_meter(day):
    s, plant, upgrader = day["schedule"], of(day, "plant"), of(day, "upgrader")
    drawn = plant["p_own"][0] + upgrader["electricity"][0] * s["flow_raw"].to_numpy()[0]
    load = day["forecast/p_load"].to_numpy()[0].astype(float)
    net = s["p_chp"].to_numpy()[0] - drawn - load
    exchange = s["p_export"].to_numpy()[0] - s["p_import"].to_numpy()[0]
    np.testing.assert_allclose(exchange, net, atol=1e-6)


def test_injection_keeps_to_demand_and_what_the_pipes_hold(day):
    s = day["schedule"]
    flow = day["forecast/flow_consumer"].to_numpy().astype(float)
    demand = 11.0 * (flow[1] - 5.0)  # the other injection is at the same zone
    pack = np.concatenate([[0.0], s["linepack_regulator"].to_numpy()[0]])
    injected, regulator = s["gas_injected"].to_numpy()[0], s["gas_regulator"].to_numpy()[0]
    np.testing.assert_allclose(np.diff(pack), injected + regulator - demand, atol=1e-6)
    volume = np.pi / 4 * 0.15**2 * 5000
    most = 11.0 * volume * 0.5 / 1.01325 * 273.15 / 283.15 / (1 - 0.0022 * 2.25)
    assert pack.max() == pytest.approx(most, rel=1e-9)
    price = day["price/marginal_price_gas"].to_numpy()
    assert (price[2] < -0.01).any()  # injection is worth less where the zone takes no more
    np.testing.assert_array_equal(price[2], price[3])
    assert np.abs(price[0]).max() == 0


def test_cost_of_the_plant_and_bills_make_the_objective(day):
    s = day["schedule"]
    tiny = 1e-6 * np.nansum(s["linepack_regulator"].to_numpy())
    accounts = s["cost_account"].to_numpy().sum() if "cost_account" in s else 0.0
    total = s["cost"].to_numpy().sum() + accounts + tiny
    assert abs(s["cost_plant"].to_numpy()[0]) > 10  # in the cost of its owner
    assert total == pytest.approx(float(day["certificate/objective"].to_numpy()[0]), rel=1e-7)


@pytest.mark.parametrize(
    ("kind", "name", "value", "shown"),
    [
        ("chp", "efficiency_electric", 0.5, "[0.28, 0.45]"),
        ("upgrader", "electricity", 0.1, "[0.2, 0.3]"),
        ("upgrader", "methane_slip", 0.1, "[0.001, 0.04]"),
        ("plant", "methane_share", 0.9, "[0.45, 0.75]"),
        ("plant", "price_flare", 0.0, "(0, 10]"),
        ("substrate", "methane_yield", 900.0, "(0, 500]"),
        ("substrate", "feed_day", 60.0, "at most 24 h of feed_max"),
        ("plant", "holder_initial", 901.0, "at most holder_nom"),
        ("chp", "efficiency_thermal", 0.58, "at most 0.95 with efficiency_electric"),
        ("plant", "junction", "", "plant"),
        ("plant", "junction", "nowhere", "ids of /gas/junction"),
    ],
)
def test_values_outside_the_physical_range_are_refused_with_the_range(kind, name, value, shown):
    tables = plant_tables()
    count = len(tables[kind]["id"])
    tables[kind][name] = [value] * count
    (problem, *_) = check_case(build_case(tables))
    assert shown in str(problem)


def test_an_injecting_plant_needs_a_way_to_a_gate():
    tables = plant_tables()
    tables["regulator"]["in_service"] = [False]
    found = {(p.code, p.group) for p in check_case(build_case(tables))}
    assert ("no-gas", "/plant/plant") in found


def test_profiles_of_consumers_make_the_forecast():
    tables = plant_tables(steps=4)
    time = tables["forecast"]["time"]
    del tables["forecast"]
    tables["profile"] = {"id": ["h"], "time": time, "p_pu": [[1.0, 0.5, 0.25, 0.0]]}
    tables["consumer"]["profile"] = ["h", ""]
    ready = predict(build_case(tables))
    np.testing.assert_allclose(ready["forecast/flow_consumer"], [[30, 15, 7.5, 0], [60] * 4])
    np.testing.assert_allclose(ready["forecast/flow_injection"], [[5] * 4])
    assert check_case(ready) == []
    again = predict(ready, start=time[1], horizon_h=2)
    np.testing.assert_allclose(again["forecast/flow_consumer"], [[15, 7.5], [60, 60]])


def test_only_the_plants_feeder_carries_the_gas_network():
    tables = plant_tables()
    tables["bus"] = {"id": ["b0", "b1", "c"], "v_nom": [0.4] * 3}
    tables["source"] = {"id": ["grid", "other"], "bus": ["b0", "c"]}
    tables["meter"]["bus"] = ["b1", "c"]
    tables["consumer"]["prosumer"] = ["farm", "house"]
    case = build_case(tables)
    assert check_case(case) == []
    first, second = split_feeders(case)
    assert check_case(first) == check_case(second) == []
    assert columns(first, "consumer")["prosumer"].tolist() == [b"farm", b""]
    assert columns(first, "plant")["id"].tolist() == [b"plant"]
    assert columns(first, "junction")["id"].tolist() == [b"g", b"m", b"a", b"z"]
    assert "gas" not in second.children
    assert "flow_consumer" not in second["forecast"]
    result = optimize(case, Settings(horizon_h=8))
    assert np.isfinite(result["schedule/gas_injected"]).all()


def two_feeders(**second):
    """A plant on each of two feeders, a third feeder without; both inject into one zone."""
    tables = plant_tables(seed=3)
    tables["bus"] = {"id": ["b0", "b1", "c", "d"], "v_nom": [0.4] * 4}
    tables["source"] = {"id": ["grid", "middle", "other"], "bus": ["b0", "d", "c"]}
    tables["meter"] = {n: [*v, v[1]] for n, v in tables["meter"].items()}
    tables["meter"] |= {"id": ["mf", "mh", "md"], "bus": ["b1", "c", "d"]}
    tables["load"] = {n: [*v, v[1]] for n, v in tables["load"].items()}
    tables["load"] |= {"id": ["lf", "lh", "ld"], "meter": ["mf", "mh", "md"]}
    tables["forecast"]["p_load"] = np.vstack([tables["forecast"]["p_load"], tables["forecast"]["p_load"][1:]])
    for kind in ("plant", "substrate", "chp", "upgrader"):
        mine = tables[kind]
        tables[kind] = {n: [*v, *v] for n, v in mine.items()}
        tables[kind]["id"] = [*mine["id"], *(f"{i}-2" for i in mine["id"])]
        if kind != "plant":
            tables[kind]["plant"] = [*mine["plant"], *(f"{i}-2" for i in mine["plant"])]
    tables["plant"] |= {"meter": ["mf", "mh"], **second}
    return build_case(tables)


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_plants_of_two_feeders_share_a_zone(method):
    case = two_feeders()
    together, middle = split_feeders(case)
    assert columns(together, "source")["id"].tolist() == [b"grid", b"other"]
    assert columns(middle, "source")["id"].tolist() == [b"middle"]
    assert "gas" not in middle.children
    result = optimize(case, Settings(horizon_h=8, method=method))
    assert json.loads(result["certificate"].attrs["messages"]) == []
    proof, s = result["certificate"], result["schedule"]
    # The explicit Pyomo model of the whole case at once.
    model = explicit_model(make_inputs(predict(case, horizon_h=8)), network=False)
    solver = pyo.SolverFactory("appsi_highs")
    solver.highs_options = {"threads": 1}
    solver.solve(model)
    assert float(proof["objective"].sum()) == pytest.approx(pyo.value(model.objective), rel=1e-6)
    assert float(proof["lower_bound"].sum()) == pytest.approx(pyo.value(model.objective), rel=1e-6)
    assert proof["objective"].to_numpy()[2] == 0  # stands with the first source of the shared program
    assert (proof["gap"] <= 1e-6).all()
    taken = 11.0 * (case["forecast/flow_consumer"].to_numpy()[1].astype(float) - 5)
    pack = np.concatenate([[0.0], s["linepack_regulator"].to_numpy()[0]])
    both = s["gas_injected"].to_numpy().sum(axis=0) + s["gas_regulator"].to_numpy()[0]
    np.testing.assert_allclose(both - taken, np.diff(pack), atol=1e-6)
    assert (s["gas_injected"].to_numpy().sum(axis=1) > 1).all()
    assert np.isfinite(s["v_pu"].to_numpy()).all()


def test_a_plant_that_does_not_inject_stays_with_its_own_feeder():
    first, middle, other = split_feeders(two_feeders(junction=["a", ""]))
    assert [len(columns(f, "plant")["id"]) for f in (first, middle, other)] == [1, 0, 1]
    assert "gas" in first.children
    assert "gas" not in other.children
