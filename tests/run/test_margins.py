"""Offsets foretold from the network without control, beside those of schedules that hold the limits."""

from __future__ import annotations

import numpy as np
import pytest
from small_town import small_town

import dispatch
from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns
from dispatch.case.slices import split_feeders
from dispatch.model.linear import linear_flow
from dispatch.run.margins import offsets_at_limits
from dispatch.run.settings import Settings
from dispatch.solve.limits.radial import RadialLimits
from dispatch.verify.electric import AcModel, offsets_of


def at_power(case, ac, p):
    """AC state where the same active power, (step,), enters at every house, and what AC adds in it."""
    network, bus = network_of(case), columns(case, "bus")["id"]
    injected = np.where(np.char.startswith(bus, b"bus-")[:, None], p, 0.0)
    state = ac.flow(injected, np.zeros_like(injected))
    linear = linear_flow(network, injected, np.zeros_like(injected))
    return state, offsets_of(network, linear.v_squared, np.hypot(linear.p, linear.q), state)


def loading(state):
    return state.loading_pu


def voltage(state):
    return state.v_pu


def power_at(value, wanted):
    """Power at which a rising value of it is as wanted, by bisection."""
    low, high = 0.0, 60.0
    for _ in range(60):
        half = (low + high) / 2
        low, high = (half, high) if value(half) < wanted else (low, half)
    return low


@pytest.mark.parametrize("times", [1.3, 2.0])
def test_what_ac_adds_at_a_limit_is_foretold_from_far_beyond_it(times):
    case = split_feeders(small_town(s_nom=40.0))[0]
    ac, network, bus = AcModel(case), network_of(case), columns(case, "bus")
    none = Offsets.zero(network.buses, network.branches, 1)
    zero = np.zeros((network.buses, 1))
    limits = RadialLimits(network, bus["v_min_pu"].astype(float), bus["v_max_pu"].astype(float), zero, none)
    last, transformer = bus["id"].tolist().index(b"bus-a3"), network.lines
    for what, element, of in (("s", transformer, loading), ("v_max", last, voltage)):
        power = power_at(
            lambda p, of=of, k=element: of(at_power(case, ac, [p])[0])[k, 0], {"s": 1.0, "v_max": 1.045}[what]
        )
        _, true = at_power(case, ac, [power])
        beyond, added = at_power(case, ac, [times * power])
        found = offsets_at_limits(limits, beyond, added)
        wanted, told, as_is = (float(getattr(o, what)[element, 0]) for o in (true, found, added))
        assert abs(told - wanted) < 0.2 * abs(as_is - wanted)


def test_what_is_not_exceeded_stays_as_it_is():
    case = split_feeders(small_town(s_nom=400.0))[0]
    ac, network, bus = AcModel(case), network_of(case), columns(case, "bus")
    zero = np.zeros((network.buses, 1))
    limits = RadialLimits(
        network, np.full(network.buses, 0.5), np.full(network.buses, 2.0), zero,
        Offsets.zero(network.buses, network.branches, 1),
    )  # fmt: skip
    assert len(bus["id"]) == network.buses
    state, added = at_power(case, ac, [3.0])
    found = offsets_at_limits(limits, state, added)
    for name in ("v_max", "v_min", "s"):
        np.testing.assert_array_equal(getattr(found, name), getattr(added, name))


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_one_round_is_enough_where_limits_bind(method):
    result = dispatch.optimize(small_town(), Settings(method=method))
    certificate = columns(result, "certificate")
    assert columns(result, "price")["price_v_max"].max() > 1
    assert certificate["rounds"].tolist() == [1, 1]
    assert (columns(result, "schedule")["v_pu"] <= 1.045 + 1e-3).all()
