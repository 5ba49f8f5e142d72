from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from dispatch.solve.blocks.places import Places, _in_turn
from dispatch.solve.blocks.stores import StoreBlock, priced_by_kernel
from dispatch.solve.highs import Highs
from kernels.entries import (
    CHARGE,
    CURTAILED,
    DISCHARGE,
    EXPORT,
    FLOWS,
    IMPORT,
    SIGN,
    clear_rounding,
    list_injection,
    make_entries,
    move,
)
from kernels.listing import list_entries
from kernels.marginal import fit_prices, make_row_prices


def block_of(feeder):
    return StoreBlock(feeder.inputs, priced_by_kernel(feeder.program, feeder.inputs))


def noisy_price(feeder, seed, scale=0.03):
    return np.random.default_rng(seed).normal(0, scale, feeder.program.injection.shape[0])


def fitted(block, plan, price):
    found = make_row_prices(*plan.content.shape)
    fit_prices(block.members, plan.flow, plan.content, plan.shortfall, price[block.ports], found)
    return found


@pytest.mark.parametrize("seed", [1])
def test_answers_are_the_optimum_of_the_members_program(recipe, seed, generated):
    """Without limits the program falls apart into members: at any prices its optimum is the sum of their answers."""
    feeder = generated(recipe, seed)
    block, price = block_of(feeder), noisy_price(feeder, seed)
    fits = priced_by_kernel(feeder.program, feeder.inputs)
    p = feeder.program
    mine = np.isin(p.owner, np.nonzero(fits)[0])
    upper, lower = np.where(mine, p.upper, 0.0), np.where(mine, p.lower, 0.0)
    rows = np.zeros(len(p.row_lower), bool)
    rows[np.unique(p.matrix[:, mine].indices)] = True
    low, high = np.where(rows, p.row_lower, -np.inf), np.where(rows, p.row_upper, np.inf)
    cost = p.cost + p.injection.T @ price
    expected = Highs(p.matrix, low, high, lower, upper, np.where(mine, cost, 0.0)).solve(("cold",)).objective
    plan = block.with_contents(block.respond(price))
    assert block.costs(plan, price).sum() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    columns = np.zeros(len(p.cost))
    Places(p, feeder.inputs, block.meters).write(plan, columns)
    assert cost @ columns == pytest.approx(expected, rel=1e-9, abs=1e-9)
    activity = p.matrix @ columns
    assert (activity[rows] >= p.row_lower[rows] - 1e-9).all()
    assert (activity[rows] <= p.row_upper[rows] + 1e-9).all()
    assert ((columns >= p.lower - 1e-9) & (columns <= p.upper + 1e-9)).all()


@pytest.mark.parametrize("seed", [0])
def test_prices_fit_answers_exactly(recipe, seed, generated):
    feeder = generated(recipe, seed)
    block, price = block_of(feeder), noisy_price(feeder, seed)
    plan = block.with_contents(block.respond(price))
    assert fitted(block, plan, price).miss.max(initial=0.0) < 1e-9


def test_prices_do_not_fit_a_plan_that_is_not_the_cheapest(generated):
    feeder = generated("plain", 0)
    block = block_of(feeder)
    plan = block.with_contents(block.respond(noisy_price(feeder, 0)))
    miss = fitted(block, plan, noisy_price(feeder, 1)).miss
    assert miss.max() > 1e-3


def test_with_everything_free_the_entries_are_the_members_program(recipe, generated):
    feeder = generated(recipe, 1)
    block, price = block_of(feeder), noisy_price(feeder, 3)
    plan = block.with_contents(block.respond(price).copy())
    free, short = block.members.upper > 0, block.members.least > 0
    found, entries = answer_of(block, free, short, plan, price)
    room = len(entries.member), len(entries.row_member), len(entries.value)
    assert all(written <= made for written, made in zip(entries.size, room, strict=True))
    assert found == pytest.approx(block.costs(plan, price).sum(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["standing loss", "plain", "negative prices and losses"])
def test_with_few_free_the_entries_cost_no_less_and_their_own_plan_fits(name, generated):
    feeder = generated(name, 1)
    block = block_of(feeder)
    start = block.with_contents(block.respond(noisy_price(feeder, 0)).copy())
    price, members = noisy_price(feeder, 1), block.members
    best = block.costs(block.with_contents(block.respond(price)), price).sum()
    costs = [block.costs(start, price).sum()]
    for share in (0.3, 0.6, 1.0):
        free = (np.random.default_rng(4).random(start.content.shape) < share)[None] & (members.upper > 0)
        free |= (start.flow > 0) & free.any(axis=0)
        costs.append(answer_of(block, free, start.shortfall > 0, start, price)[0])
    assert all(after <= before + 1e-9 for before, after in pairwise(costs))
    assert costs[1] > best + 1e-3
    assert costs[-1] == pytest.approx(best, abs=1e-6)
    assert (start.flow[CHARGE] > 0).any()


def answer_of(block, free, short, start, price):
    """Cost of the optimum of listed entries by HiGHS, whose plan is looked at row by row; and the entries."""
    entries, flow, members = make_entries(free, short), start.flow.copy(), block.members
    list_entries(members, free, short, start.flow, start.content, flow, entries)
    columns, rows, values = entries.size
    kind, partner, member, step = (
        part[:columns] for part in (entries.kind, entries.partner, entries.member, entries.step)
    )
    gives = np.zeros(10)
    gives[[EXPORT, IMPORT]] = 1.0, -1.0
    sign = np.array([*SIGN, np.nan, np.nan])
    moved = np.where(partner >= 0, -sign[kind] / sign[partner] * gives[partner], 0.0)
    start_of, number, value = np.empty(len(price) + 1, np.int32), np.empty(columns, np.int32), np.empty(columns)
    count = list_injection(entries, columns, block.ports, start_of, number, value)
    injection = sp.csr_matrix((value[:count], number[:count], start_of), (len(price), columns))
    np.testing.assert_array_equal(injection.T @ price, (gives[kind] + moved) * price[block.ports[member, step]])
    cost = entries.cost[:columns] + injection.T @ price
    at = entries.value[:values], (entries.at_row[:values], entries.at_column[:values])
    matrix = sp.csc_matrix(at, shape=(rows, columns))
    bounds = (entries.row_lower[:rows], entries.row_upper[:rows], entries.lower[:columns], entries.upper[:columns])
    if columns:
        move(entries, Highs(matrix, *bounds, cost).solve(("cold",)).columns, flow)
    plan = block.with_contents(flow)
    assert ((flow >= -1e-7) & (flow <= members.upper + 1e-7)).all()
    assert (flow[~free] == start.flow[~free]).all()
    np.testing.assert_allclose(np.einsum("k,kmt->mt", SIGN, flow), members.demand, atol=1e-7)
    assert ((plan.content >= -1e-6) & (plan.content <= members.capacity[:, None] + 1e-6)).all()
    return block.costs(plan, price).sum(), entries


def test_rounding_is_cleared_and_what_is_decided_is_not():
    flow = np.zeros((FLOWS, 2, 3))
    flow[[IMPORT, EXPORT], 0, 0] = 3.0, 1e-15
    flow[[CHARGE, DISCHARGE], 0, 1] = 1e-12, 2.0
    flow[[CHARGE, DISCHARGE], 1, 2] = 0.25, 1.0
    flow[CURTAILED, 1, 1] = -1e-14
    before = np.einsum("k,kmt->mt", SIGN, flow)
    clear_rounding(flow)
    assert flow[[IMPORT, EXPORT], 0, 0].tolist() == [3.0 - 1e-15, 0.0]
    assert flow[[CHARGE, DISCHARGE], 0, 1].tolist() == [0.0, 2.0 - 1e-12]
    assert flow[[CHARGE, DISCHARGE], 1, 2].tolist() == [0.25, 1.0]
    assert flow[CURTAILED, 1, 1] == 0
    np.testing.assert_allclose(np.einsum("k,kmt->mt", SIGN, flow), before, rtol=0, atol=1e-13)


def test_several_roofs_of_a_meter_are_curtailed_in_turn():
    turns = [those.tolist() for those in _in_turn(np.array([2, 0, 2, 1, 2, 0]))]
    assert turns == [[1, 3, 0], [5, 2], [4]]
    assert _in_turn(np.zeros(0, int)) == []
