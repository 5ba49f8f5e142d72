"""From arrays to a certified plan without a compiled program, beside what is compiled and solved in one program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dispatch.errors import CertificateError
from dispatch.model.registry import STORES
from dispatch.solve.blocks.cells import all_stores
from dispatch.solve.blocks.constants import constants_of, deciding, given_at_ports
from dispatch.solve.blocks.stores import priced_by_kernel
from dispatch.solve.certificate import require
from dispatch.solve.stores_only import plan_by_prices, prove
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, EXPORT, IMPORT, MISSING, SPILLED, UNSERVED

WHOLE = [
    "plain", "standing loss", "small penalty", "wide limits", "several feeders", "taps", "negative prices",
    "offsets, loop, penalty", "cars and tanks that lack content", "negative prices and losses",
    "medium voltage, loop", "connection limits",
]  # fmt: skip


def feeders(generated, name):
    found = (generated(name, seed) for seed in range(6))
    return [feeder for feeder in found if all_stores(feeder.inputs)]


def arguments(feeder):
    return feeder.inputs, feeder.network, feeder.offsets, feeder.penalty


def planned(feeder):
    plan = plan_by_prices(*arguments(feeder))
    return plan, prove(*arguments(feeder), plan)


def test_constants_are_the_bounds_and_costs_of_the_compiled_program(recipe, generated):
    feeder = generated(recipe, 1)
    program, inputs = feeder.program, feeder.inputs
    chosen = priced_by_kernel(program, inputs)
    meters = np.nonzero(chosen)[0]
    member = np.cumsum(chosen) - 1
    found = constants_of(inputs, meters)
    names = {IMPORT: "p_import", EXPORT: "p_export", UNSERVED: "p_unserved", SPILLED: "p_spilled"}
    for kind, name in names.items():
        number = program.column("meter", name)[meters]
        np.testing.assert_allclose(found.upper[kind], program.upper[number], rtol=1e-12)
        np.testing.assert_allclose(found.cost[kind], program.cost[number], rtol=1e-12)
    np.testing.assert_allclose(found.demand, program.row_lower[program.row("meter", "balance")[meters]], atol=1e-12)
    free = np.zeros((inputs.kinds["meter"].count, inputs.steps), bool)
    at_pv = inputs.kinds["pv"].nodes["meter"][1]
    if len(at_pv):
        most = program.upper[program.column("pv", "p_curtailed")]
        total = np.zeros((inputs.kinds["meter"].count, inputs.steps))
        np.add.at(total, at_pv, most)
        np.testing.assert_allclose(found.upper[CURTAILED], total[meters], atol=1e-12)
        np.logical_or.at(free, at_pv, most > 0)
    for store in STORES:
        elements = inputs.kinds[store]
        at = elements.nodes["meter"][1]
        free[at] = True
        own = np.nonzero(chosen[at])[0]
        if not len(own):
            continue
        mine = member[at[own]]
        flows = {CHARGE: "p_charge", DISCHARGE: "p_discharge", MISSING: "p_missing"}
        lacking = {DISCHARGE} if store == "tank" else {MISSING} if store == "battery" else set()
        for kind, name in flows.items():
            if kind in lacking:
                assert (found.upper[kind][mine] == 0).all()
                continue
            number, unit = program.column(store, name)[own], inputs.dt if kind == MISSING else 1.0
            np.testing.assert_allclose(found.upper[kind][mine], program.upper[number] * unit, rtol=1e-12)
            np.testing.assert_allclose(found.cost[kind][mine], program.cost[number] / unit, rtol=1e-12)
        content, balance = program.column(store, "state_of_charge")[own], program.row(store, "balance")[own]
        np.testing.assert_allclose(np.tile(found.capacity[mine, None], inputs.steps), program.upper[content])
        charge = program.column(store, "p_charge")[own]
        gain = np.asarray(program.matrix.tocsr()[balance.ravel(), charge.ravel()]).reshape(balance.shape)
        np.testing.assert_allclose(found.gain[mine], -gain, rtol=1e-12)
    free |= inputs.kinds["meter"].parameters["p_unserved_max"] > 0
    free |= inputs.kinds["meter"].parameters["p_spilled_max"] > 0
    np.testing.assert_array_equal(deciding(inputs), free.any(axis=1))
    np.testing.assert_allclose(given_at_ports(inputs), program.injection_constant, atol=1e-12)


@pytest.mark.parametrize("name", WHOLE)
def test_plan_and_proof_are_those_of_the_whole_program(name, generated, gap):
    found = feeders(generated, name)
    assert found
    for feeder in found[:2]:
        _, certificate = planned(feeder)
        require(certificate)
        expected = feeder.solve().objective
        assert gap(certificate.objective_relaxation, expected) < 1e-9
        assert gap(certificate.lower_bound, expected) < 1e-9


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["flow", "content", "shortfall", "at_meter", "value", "at_least"])
def test_what_is_not_a_number_proves_nothing(generated, name, value):
    feeder = feeders(generated, "plain")[0]
    plan, _ = planned(feeder)
    if hasattr(plan.plans, name):
        broken = getattr(plan.plans, name).copy()
        broken.flat[-1] = value
        other = replace(plan, plans=replace(plan.plans, **{name: broken}))
    else:
        broken = getattr(plan.rows, name).copy()
        broken.flat[-1] = value
        other = replace(plan, rows=plan.rows._replace(**{name: broken}))
    with pytest.raises(CertificateError):
        require(prove(*arguments(feeder), other))


def test_what_was_changed_does_not_prove_itself(generated):
    feeder = feeders(generated, "plain")[0]
    plan, _ = planned(feeder)
    rng = np.random.default_rng(2)
    for _ in range(200):
        flow = plan.plans.flow.copy()
        flow[tuple(int(rng.integers(n)) for n in flow.shape)] += rng.choice([-1, 1]) * 10.0 ** rng.uniform(-4, 0)
        with pytest.raises(CertificateError):
            require(prove(*arguments(feeder), replace(plan, plans=replace(plan.plans, flow=flow))))


def test_prices_alone_never_prove_more_than_the_optimum(generated):
    feeder = feeders(generated, "cars and tanks that lack content")[0]
    plan, best = planned(feeder)
    rng = np.random.default_rng(3)
    for scale in (1e-3, 1e-2, 1e-1, 1.0):
        rows = plan.rows._replace(**{n: a + rng.normal(0, scale, a.shape) for n, a in plan.rows._asdict().items()})
        limits = np.abs(plan.limit_prices + rng.normal(0, scale, len(plan.keys)))
        found = prove(*arguments(feeder), replace(plan, rows=rows, limit_prices=limits))
        assert found.lower_bound <= best.objective_relaxation + 1e-9


def test_feeders_that_need_a_program_are_told_apart(generated):
    assert not all_stores(generated("peak price", 0).inputs)
    assert not all_stores(generated("green-only, several stores", 0).inputs)
