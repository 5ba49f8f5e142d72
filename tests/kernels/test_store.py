"""The store kernel against the linear program, a slow twin, and its own prices; compiled and not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import naive_store as naive
import numpy as np
import pytest
from store_lp import solve_lp
from store_members import KINDS, members

from kernels import meter, meter_alone, slopes, stage, store, store_plan, store_value
from kernels.store import Plans, Stores, make_plans, plan_stores, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = (1, 2, 5, 9)
EXACT = 1e-9
MODULES = (meter, meter_alone, slopes, stage, store, store_plan, store_value)


def batches(kind: str, n: int, seed: int) -> Iterator[Stores]:
    for steps in STEPS:
        yield members(kind, seed + steps, n, steps)


def turnover(stores: Stores, plans: Plans) -> np.ndarray:
    """Size of what costs are made of: differences are judged relative to it, or to 1."""
    price = np.abs(stores.price_import) + np.abs(stores.price_export)
    return np.maximum((stores.dt * price * (plans.p_import + plans.p_export)).sum(axis=1), 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_linear_program(kind: str) -> None:
    """4 x 60 members of each of eleven kinds."""
    for stores in batches(kind, 60, 100):
        plans = plan_stores(stores)
        cost, _, _ = solve_lp(stores)
        assert (np.abs(plans.cost - cost) <= EXACT * turnover(stores, plans)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_balances_close_within_bounds(kind: str) -> None:
    for stores in batches(kind, 200, 200):
        p = plan_stores(stores)
        for series in p:
            assert (series >= 0).all() or series is p.value or series is p.cost
        meter = p.p_import - p.p_export + p.p_unserved - p.p_spilled - p.p_curtailed - p.charge + p.discharge
        np.testing.assert_allclose(meter, np.broadcast_to(stores.p_net, meter.shape), rtol=0, atol=1e-9)
        before = np.column_stack([np.broadcast_to(stores.initial, len(meter)), p.content[:, :-1]])
        used = stores.dt * (stores.efficiency_charge * p.charge - p.discharge / stores.efficiency_discharge)
        content = stores.retained * before + stores.inflow + p.missing - p.wasted + used
        np.testing.assert_allclose(p.content, content, rtol=0, atol=1e-9)
        for flow, most in (
            (p.charge, stores.p_charge_max),
            (p.discharge, stores.p_discharge_max),
            (p.content, stores.capacity),
            (p.p_import, stores.p_import_max),
            (p.p_export, stores.p_export_max),
            (p.p_unserved, stores.p_unserved_max),
            (p.p_spilled, stores.p_spilled_max),
            (p.p_curtailed, stores.p_curtailed_max),
        ):
            assert (flow <= most + 1e-12).all()
        assert (p.content[:, -1] <= stores.final_most + 1e-12).all()


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_slow_twin_and_its_prices_prove_it(kind: str) -> None:
    """11 x 104 members; the Lagrangian's minimum at the reported values meets the cost."""
    for stores in batches(kind, 26, 300):
        plans = plan_stores(stores)
        scale = EXACT * turnover(stores, plans)
        n, steps = shape_of(stores)
        for m in range(n):
            member = naive.Member(stores, m, steps)
            assert abs(plans.cost[m] - naive.least_cost(member)) <= scale[m]
            bound = naive.lower_bound(member, plans.value[m])
            assert abs(plans.cost[m] - bound) <= scale[m]


@pytest.mark.parametrize("kind", ["battery", "negative", "tank", "anything"])
def test_value_is_between_the_slopes_on_both_sides(kind: str) -> None:
    """A little more or less initial content: the value of the first step lies between the two changes of cost."""
    stores, step = members(kind, 7, 200, 6), 1e-5
    value = plan_stores(stores).value[:, 0] * stores.retained[:, 0]
    more = plan_stores(stores._replace(initial=stores.initial + step)).cost
    less = plan_stores(stores._replace(initial=np.maximum(stores.initial - step, 0))).cost
    cost, inside = plan_stores(stores).cost, (stores.initial > step) & np.isfinite(more) & np.isfinite(less)
    assert inside.sum() > 150
    assert ((cost - more) / step <= value + 1e-6)[inside].all()
    assert ((less - cost) / step >= value - 1e-6)[inside].all()


def test_uncompiled_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python runs the same lines: 11 x 104 members."""
    compiled = {kind: [(s, plan_stores(s)) for s in batches(kind, 26, 400)] for kind in KINDS}
    for module in MODULES:
        for name, value in vars(module).items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
    assert not hasattr(store.plan_holders, "py_func")
    for pairs in compiled.values():
        for stores, expected in pairs:
            with np.errstate(all="ignore"):
                found = store.plan_stores(stores)
            scale = turnover(stores, expected)
            assert (np.abs(found.cost - expected.cost) <= EXACT * scale).all()
            for ours, theirs in zip(found[:-1], expected[:-1], strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_threads_change_nothing() -> None:
    stores = members("anything", 3, 101, 7)
    one, three = plan_stores(stores), plan_stores(stores, threads=3)
    for ours, theirs in zip(one, three, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_nobody_and_one_for_all() -> None:
    stores = members("battery", 3, 4, 5)
    nobody = {k: v[:0] if np.ndim(v) and len(v) > 1 else v for k, v in stores._asdict().items()}
    assert plan_stores(Stores(**nobody)).cost.shape == (0,)
    alone = {k: v[:1, :1] if np.ndim(v) == 2 else v[:1] if np.ndim(v) else v for k, v in stores._asdict().items()}
    assert plan_stores(Stores(**alone)).content.shape == (1, 1)


def test_given_plans_are_written() -> None:
    stores = members("battery", 3, 5, 7)
    plans = make_plans(5, 7)
    assert plan_stores(stores, plans) is plans
    np.testing.assert_array_equal(plans.cost, plan_stores(stores).cost)


def test_who_has_no_plan_is_told_and_others_are_not_touched() -> None:
    """The second member's connection cannot carry its load, the third cannot be as empty as it must."""
    stores = members("battery", 5, 3, 4)
    whole = plan_stores(stores)
    p_import = np.broadcast_to(stores.p_import_max, (3, 4)).copy()
    p_net = stores.p_net.copy()
    p_net[1, 2], p_import[1, 2] = 50.0, 1.0
    most = np.array([np.inf, np.inf, 0.0])
    initial = stores.initial.copy()
    initial[2] = stores.capacity[2, 0] + 100.0
    plans = plan_stores(stores._replace(p_net=p_net, p_import_max=p_import, final_most=most, initial=initial))
    assert np.isinf(plans.cost).tolist() == [False, True, True]
    assert np.isnan(plans.content[1:]).all()
    for found, expected in zip(plans, whole, strict=True):
        np.testing.assert_array_equal(found[0], expected[0])


def test_bounds_that_miss_each_other_by_rounding() -> None:
    """All that is drawn is the net load, whose bounds are a little off either way; the store cannot help."""
    zero, off = np.zeros((1, 1)), np.array([[1e-13, -1e-13]])
    stores = members("battery", 1, 1, 2)._replace(
        p_net=np.array([[1.0, 1.0]]), p_import_max=1.0 - off, p_export_max=zero, p_curtailed_max=zero,
        p_charge_max=zero, p_discharge_max=zero, retained=np.ones((1, 1)),
    )  # fmt: skip
    paid = stores.dt * stores.price_import.sum()
    for given in (stores, stores._replace(p_net=-stores.p_net, p_import_max=zero, p_export_max=1.0 - off)):
        plans = plan_stores(given)
        cost = paid if given is stores else -stores.dt * stores.price_export.sum()
        np.testing.assert_allclose(plans.cost - 10 * plans.shortfall.sum(), cost, rtol=1e-12)


@pytest.mark.parametrize(("retained", "steps"), [(1e-6, 80), (0.2, 80), (0.95, 800)])
def test_content_beyond_the_horizon_of_loss(retained: float, steps: int) -> None:
    """Stores that lose all but 1e-480, 1e-56 and 1e-18 of their content on the way."""
    stores = members("battery", 9, 10, steps)._replace(retained=np.full((1, 1), retained))
    plans = plan_stores(stores)
    cost, _, _ = solve_lp(stores)
    np.testing.assert_allclose(plans.cost, cost, rtol=EXACT, atol=EXACT)
