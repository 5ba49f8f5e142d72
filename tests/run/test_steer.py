"""Batteries that follow the meter, against linear programs of one house that know no kernel."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from small_town import SUN, TIME, USE, small_town

from dispatch.case.schema import build_case, columns
from dispatch.model.inputs import make_inputs
from dispatch.run.follow import follow
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings
from dispatch.run.steer import SAME, steer, steered_meters

IN, OUT, CAPACITY, POWER, WEAR = 0.95, 0.9, 8.0, 3.0, 0.01
EXPORT = 0.08
ONCE = Settings(rounds=1)


def house(sun, use, price, *, final=np.nan, limit_kw=50.0, energy=CAPACITY, **changed):
    """One house with PV and a battery, whose line carries all but where `limit_kw` says otherwise."""
    tables = {
        "bus": {"id": ["b0", "b1"], "v_nom": 0.4, "v_min_pu": 0.7, "v_max_pu": 1.3},
        "source": {"id": ["s"], "bus": ["b0"], "v_pu": [1.0]},
        "line": {"id": ["l"], "bus_from": ["b0"], "bus_to": ["b1"], "r": [0.01], "x": [0.01], "s_nom": [limit_kw]},
        "prosumer": {"id": ["h"]},
        "tariff": {"id": ["home"], "price_import": [0.3], "price_export": [EXPORT]},
        "meter": {"id": ["m"], "bus": ["b1"], "prosumer": ["h"], "tariff": ["home"]},
        "load": {"id": ["d"], "meter": ["m"], "p_nom": [1.0]},
        "pv": {"id": ["p"], "meter": ["m"], "p_nom": [10.0], "curtailable": [limit_kw < 50]},
        "store": {
            "id": ["b"], "meter": ["m"], "energy_nom": [energy], "p_nom": [POWER], "efficiency_charge": [IN],
            "efficiency_discharge": [OUT], "wear_cost": [WEAR], "state_of_charge_initial": [2.0],
            "state_of_charge_final": [final],
        },
        "forecast": {
            "time": TIME, "source": "profile", "p_load": [use], "p_available": [sun], "price_import": [price],
            "price_export": [np.full(24, EXPORT)],
        },
    }  # fmt: skip
    for kind, values in changed.items():
        tables[kind] = tables.get(kind, {}) | values
    return build_case(tables, title="House")


def best(net, price, content, final, first=None, worth=0.0):
    """Least cost of the steps that are left by a linear program, the energy taken from the battery first if given.

    Content at the end spares import at the lowest price, less wear.
    """
    steps = len(net)
    charge, discharge, bought, sold = (np.arange(steps) + k * steps for k in range(4))
    cost = np.concatenate([np.full(2 * steps, WEAR), price, np.full(steps, -EXPORT)])
    balance = np.zeros((steps, 4 * steps))
    balance[range(steps), charge], balance[range(steps), discharge] = 1.0, -1.0
    balance[range(steps), bought], balance[range(steps), sold] = -1.0, 1.0
    gained = np.zeros((steps, 4 * steps))
    gained[:, charge] = np.tril(np.full((steps, steps), IN))
    gained[:, discharge] = np.tril(np.full((steps, steps), -1 / OUT))
    least = np.zeros(steps)
    least[-1] = final
    cost = cost - worth * gained[-1]
    equal, right = balance, net
    if first is not None:
        equal, right = np.vstack([balance, -gained[:1]]), np.append(net, first)
    found = linprog(
        cost, np.vstack([gained, -gained]), np.concatenate([CAPACITY - content + 0 * net, content - least]), equal,
        right, [(0, POWER)] * (2 * steps) + [(0, None)] * (2 * steps), method="highs",
    )  # fmt: skip
    assert found.status == 0
    return found.fun


def drawn(seed):
    rng = np.random.default_rng(seed)
    sun, use = 6.0 * SUN, 2.0 * USE
    price = np.round(0.3 + 0.15 * rng.normal(size=24), 3).clip(0.1)
    came = sun * rng.uniform(0.1, 1.4), use * rng.uniform(0.5, 1.6, 24)
    return sun, use, price, *came


@pytest.mark.parametrize("seed", range(4))
def test_each_step_is_the_first_of_a_cheapest_plan_of_what_is_left(seed):
    sun, use, price, sun_came, use_came = drawn(seed)
    result = optimize(house(sun, use, price), ONCE)
    found = steer(result, house(sun_came, use_came, price), np.zeros((1, 24)))
    charge, discharge, content = found.charge[0], found.discharge[0], found.content[0]
    net, held, worth = sun - use, 2.0, OUT * (price.min() - WEAR)
    for t in range(24):
        left = net[t:].copy()
        left[0] = sun_came[t] - use_came[t]
        taken = discharge[t] / OUT - IN * charge[t]
        assert min(charge[t], discharge[t]) == 0
        whole = best(left, price[t:], held, 2.0, worth=worth)
        assert best(left, price[t:], held, 2.0, taken, worth) <= whole + SAME * (abs(taken) + 1)
        held -= taken
        assert content[t] == pytest.approx(held, abs=1e-9)
    assert held >= 2.0 - 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_it_costs_no_less_than_perfect_knowledge_and_as_much_where_the_forecast_was_right(seed):
    sun, use, price, sun_came, use_came = drawn(seed)
    result, came = optimize(house(sun, use, price), ONCE), house(sun_came, use_came, price)
    perfect = best(sun_came - use_came, price, 2.0, 2.0)
    assert follow(result, came).cost.sum() >= perfect - 1e-6
    right = follow(optimize(came, ONCE), came)
    assert right.cost.sum() == pytest.approx(perfect, abs=24 * CAPACITY * SAME)


def test_nothing_is_bought_for_sun_that_did_not_come():
    flat = np.full(24, 0.3)
    result = optimize(house(6.0 * SUN, 2.0 * USE, flat), ONCE)
    after = follow(result, house(1.5 * SUN, 2.0 * USE, flat))
    surplus = 1.5 * SUN - 2.0 * USE
    content = np.concatenate([[2.0], after.state_of_charge[0]])
    assert (np.diff(content) <= IN * np.maximum(surplus, 0) + 1e-6)[:-1].all()  # but what must be left at the end
    assert (after.p_export[0] == 0)[surplus <= 0].all()


def test_a_longer_schedule_is_applied_to_its_first_steps():
    sun, use, price, sun_came, use_came = drawn(1)
    result = optimize(house(sun, use, price), ONCE)
    whole = follow(result, house(sun_came, use_came, price))
    part = house(sun_came, use_came, price)
    group = part["/forecast"].to_dataset().isel(time=slice(0, 10))
    part["/forecast"] = type(part)(group)
    after = follow(result, part)
    np.testing.assert_array_equal(after.p_import, whole.p_import[:, :10])
    np.testing.assert_array_equal(after.state_of_charge, whole.state_of_charge[:, :10])


def test_what_the_schedule_makes_room_for_under_a_limit_is_kept():
    """Equal neighbours share a limit: prices alone would let both do the same at the same time."""
    case = small_town(s_nom=20.0)
    result = optimize(case, ONCE)
    assert (columns(result, "price")["marginal_price"] != 0).any()
    found, schedule = steer(result, case, np.zeros((8, 24))), columns(result, "schedule")
    np.testing.assert_allclose(found.charge, schedule["p_charge"][found.store], atol=1e-6)
    np.testing.assert_allclose(found.discharge, schedule["p_discharge"][found.store], atol=1e-6)


def test_only_batteries_alone_at_their_meter_are_steered():
    flat = np.full(24, 0.3)
    assert steered_meters(make_inputs(house(SUN, USE, flat))).tolist() == [True]
    peak = {"tariff": {"price_peak": [5.0]}}
    assert steered_meters(make_inputs(house(SUN, USE, flat, **peak))).tolist() == [False]
    two = {
        name: [value[0], value[0]]
        for name, value in {"meter": ["m"], "energy_nom": [4.0], "p_nom": [2.0], "efficiency_charge": [1.0],
                            "efficiency_discharge": [1.0], "wear_cost": [0.0], "state_of_charge_initial": [1.0],
                            "state_of_charge_final": [1.0]}.items()
    }  # fmt: skip
    case = house(SUN, USE, flat, store={"id": ["b", "c"], **two})
    assert steered_meters(make_inputs(case)).tolist() == [False]
    result = optimize(case, ONCE)
    after = follow(result, case)
    np.testing.assert_allclose(after.state_of_charge, columns(result, "schedule")["state_of_charge"])
