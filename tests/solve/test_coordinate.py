"""Coordination knows neither kind of block nor kind of limits: here are a kind of each that it has never seen."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from dispatch.solve.coordinate import Coordinator, coordinate, moved_aside
from dispatch.solve.protocols import KEY, Part, Rows
from dispatch.solve.until import Until


class Budget:
    """In each step, what enters at all ports of that step together must not exceed a budget."""

    kinds = ("budget",)

    def __init__(self, members, budget):
        self.members, self.budget, self.steps = members, budget, len(budget)
        self.ports = members * self.steps

    def violated(self, x, tolerance, most, known):
        over = (x.reshape(self.members, -1).sum(axis=0) - self.budget) / self.rating_of_step()
        over[known["step"]] = -np.inf
        worst = np.argsort(-over, kind="stable")[:most]
        keys = np.zeros(self.steps, KEY)
        keys["step"] = np.arange(self.steps)
        return np.sort(keys[worst[over[worst] > tolerance]])

    def exceeded(self, x):
        over = x.reshape(self.members, -1).sum(axis=0) - self.budget
        keys = np.zeros(self.steps, KEY)
        keys["step"] = np.arange(self.steps)
        return keys[over > 0], over[over > 0]

    def rows(self, keys):
        matrix = np.zeros((len(keys), self.members, self.steps))
        matrix[np.arange(len(keys)), :, keys["step"]] = 1.0
        return Rows(sp.csr_matrix(matrix.reshape(len(keys), -1)), self.bound(keys), self.rating_of(keys))

    def bound(self, keys):
        return self.budget[keys["step"]]

    def rating_of(self, keys):
        return self.rating_of_step()[keys["step"]]

    def rating_of_step(self):
        return 1.0 + np.abs(self.budget)


class Sellers:
    """Each sells between 0 and a most in each step at a price of its own, as the whole day's most allows."""

    whole, spread = False, 1.0

    def __init__(self, most, price, day):
        self.most, self.price, self.day = most, price, day
        self.moving, self.held = np.zeros(most.shape, bool), np.zeros(most.shape)
        self.seen = []

    @property
    def entries(self):
        return int(self.moving.sum())

    def respond(self, price):
        gain = self.price - price.reshape(self.most.shape)
        plan = np.zeros_like(self.most)
        for m, order in enumerate(np.argsort(-gain, axis=1, kind="stable")):
            left = self.day[m]
            for t in order:
                if gain[m, t] > 0:
                    plan[m, t] = min(left, self.most[m, t])
                    left -= plan[m, t]
        return plan

    def answer(self, price, half=None):  # noqa: ARG002  (few members)
        self.last = self.respond(price)
        return self.injection(self.last)

    def injection(self, plan):
        return plan.ravel()

    def costs(self, plan, price):
        return ((price.reshape(plan.shape) - self.price) * plan).sum(axis=1)

    def forget(self):
        self.moving[...], self.seen = False, []

    def watch(self):
        self.seen.append(self.last)
        self.moving, self.held = np.ptp(self.seen, axis=0) > 0, self.last
        return self.last

    def mean(self):
        return np.mean(self.seen, axis=0)

    def mix(self, plan, other, share):
        return (1 - share) * plan + share * other

    def grow(self, plan, answer, worse):
        new = (answer != plan) & worse[:, None] & ~self.moving
        self.moving |= new
        return int(new.sum())

    def part(self):
        member = np.nonzero(self.moving)[0]
        n, ports = len(member), self.most.size
        fixed = np.where(self.moving, 0.0, self.held)
        return Part(
            sp.csc_matrix((np.ones(n), (member, np.arange(n))), shape=(len(self.day), n)),
            np.full(len(self.day), -np.inf),
            self.day - fixed.sum(axis=1),
            np.zeros(n),
            self.most[self.moving],
            -self.price[self.moving],
            -float((self.price * fixed).sum()),
            sp.csr_matrix((np.ones(n), (np.nonzero(self.moving.ravel())[0], np.arange(n))), shape=(ports, n)),
            fixed.ravel(),
            self.held[self.moving],
            np.nonzero(self.moving.ravel())[0],
            np.arange(len(self.day)),
        )

    def decode(self, columns):
        plan = np.where(self.moving, 0.0, self.held)
        plan[self.moving] = columns
        return plan


def market(seed, members=12, steps=6):
    rng = np.random.default_rng(seed)
    most, price = rng.uniform(0, 3, (members, steps)), rng.uniform(0.1, 1, (members, steps))
    return most, price, rng.uniform(2, 9, members), rng.uniform(0.2, 0.7, steps) * most.sum(axis=0)


def whole_program(most, price, day, budget, penalty):
    """The same market as one program: sales, then one slack a step."""
    members, steps = most.shape
    of_day = np.hstack([np.kron(np.eye(members), np.ones(steps)), np.zeros((members, steps))])
    of_step = np.hstack([np.tile(np.eye(steps), members), -np.eye(steps)])
    cost = np.concatenate([-price.ravel(), penalty / (1 + np.abs(budget))])
    bounds = [(0, u) for u in most.ravel()] + [(0, None)] * steps
    found = linprog(cost, np.vstack([of_day, of_step]), np.concatenate([day, budget]), bounds=bounds)
    return found.fun


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("penalty", [1e3, 2.0])
def test_any_block_under_any_limits(seed, penalty):
    most, price, day, budget = market(seed)
    block = Sellers(most, price, day)
    found = coordinate([block], Budget(12, budget), np.zeros(most.size), penalty)
    sold = found.plans[0]
    over = np.maximum(sold.sum(axis=0) - budget, 0) / (1 + np.abs(budget))
    cost = -(price * sold).sum() + penalty * over.sum()
    assert cost == pytest.approx(whole_program(most, price, day, budget, penalty), rel=1e-9)
    assert (found.limit_prices > 1e-6).any()
    assert (sold <= most + 1e-9).all()
    assert (sold.sum(axis=1) <= day + 1e-9).all()


def test_several_blocks_share_limits_and_what_is_given():
    most, price, day, budget = market(9)
    blocks = [Wide(most, price, day, rows) for rows in (slice(0, 5), slice(5, 12))]
    given = np.zeros((12, 6))
    given[0] = 0.1 * budget
    found = coordinate(blocks, Budget(12, budget), given.ravel(), 1e3)
    cost = -sum(float((block.price * plan).sum()) for block, plan in zip(blocks, found.plans, strict=True))
    assert cost == pytest.approx(whole_program(most, price, day, 0.9 * budget, 1e3), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_when_time_is_up_there_are_a_plan_and_a_bound(seed):
    most, price, day, budget = market(seed)
    optimum = whole_program(most, price, day, budget, 5.0)
    found = coordinate([Sellers(most, price, day)], Budget(12, budget), np.zeros(most.size), 5.0, Until(end=0.0))
    sold = found.plans[0]
    over = np.maximum(sold.sum(axis=0) - budget, 0) / (1 + np.abs(budget))
    assert found.objective == pytest.approx(-(price * sold).sum() + 5.0 * over.sum(), rel=1e-9)
    assert found.bound < optimum < found.objective
    assert ((sold <= most + 1e-9) & (sold.sum(axis=1, keepdims=True) <= day[:, None] + 1e-9)).all()


def test_a_wide_gap_is_held_and_no_less_is_claimed():
    most, price, day, budget = market(3)
    optimum = whole_program(most, price, day, budget, 1e3)
    found = coordinate([Sellers(most, price, day)], Budget(12, budget), np.zeros(most.size), 1e3, Until(gap=0.05))
    assert found.bound <= optimum + 1e-9
    assert optimum - 1e-9 <= found.objective <= found.bound + 0.05 * abs(found.objective) + 1e-9


class Wide(Sellers):
    """Some of the sellers of a market, whose ports are some of the market's."""

    def __init__(self, most, price, day, rows):
        super().__init__(most[rows], price[rows], day[rows])
        self.at, self.all = np.arange(most.size).reshape(most.shape)[rows].ravel(), most.size

    def respond(self, price):
        return super().respond(price[self.at])

    def injection(self, plan):
        x = np.zeros(self.all)
        x[self.at] = plan.ravel()
        return x

    def costs(self, plan, price):
        return super().costs(plan, price[self.at])

    def part(self):
        own = super().part()
        place = sp.csr_matrix((np.ones(len(self.at)), (self.at, np.arange(len(self.at)))), (self.all, len(self.at)))
        changed = {
            "injection": sp.csr_matrix(place @ own.injection),
            "injection_constant": place @ own.injection_constant,
        }
        return Part(**{**own.__dict__, **changed})


def test_a_newer_market_is_solved_from_the_last_one():
    most, price, day, budget = market(3)
    model = Coordinator([Sellers(most, price, day)], np.zeros(most.size))
    model.coordinate(Budget(len(day), budget), 1e3, Until())
    rng = np.random.default_rng(8)
    newer = most * rng.uniform(0.95, 1.05, most.shape), price, day
    sellers, limits = [Renewed(*newer)], Budget(len(day), budget * rng.uniform(0.98, 1.02, budget.shape))
    model.renew(sellers, limits, np.zeros(most.size), 1e3)
    found = model.coordinate(limits, 1e3, Until())
    assert found.objective == pytest.approx(whole_program(*newer, limits.budget, 1e3), rel=1e-9)
    assert sellers[0].resumed
    assert not sellers[0].seen  # no ascent: it went on from the last prices


class Renewed(Sellers):
    """Sellers that go on from others."""

    resumed = False

    def resume(self, before, plan):
        self.moving, self.held, self.resumed = before.moving.copy(), plan, True
        return np.where(self.moving, 0.0, plan - before.held).ravel()


def test_prices_moved_aside():
    limits = Budget(2, np.array([3.0, 4.0, 5.0]))
    keys = np.zeros(3, KEY)
    keys["step"] = [0, 1, 2]
    rows, x = limits.rows(keys), np.array([2.0, 1.0, 1.0, 2.0, 1.0, 1.0])  # step 0 exceeds 3, the others do not
    more = moved_aside(rows, np.array([0.5, 0.3, 0.01]), x, 0.1, 1e3)
    np.testing.assert_allclose(more.reshape(2, 3), [[0.1, -0.1, -0.01]] * 2, rtol=1e-12)
    np.testing.assert_allclose(moved_aside(rows, np.full(3, 0.24), x, 0.1, 1.0)[0], 0.01)  # the penalty is 1 / 4
    twice = Rows(sp.vstack([rows.matrix] * 4, format="csr"), np.tile(rows.bound, 4), np.tile(rows.rating, 4))
    more = moved_aside(twice, np.full(12, 0.5), x, 0.1, 1e3)  # four limits of the same ports
    np.testing.assert_allclose(more.reshape(2, 3), [[0.1, -0.1, -0.1]] * 2, rtol=1e-12)
