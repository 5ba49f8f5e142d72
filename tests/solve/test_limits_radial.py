from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.case.offsets import Offsets
from dispatch.solve.limits.branches import voltage_groups
from dispatch.solve.limits.radial import RadialLimits
from dispatch.solve.protocols import KEY

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))
from naive_radial import dense_flow, random_network

SEED = st.integers(0, 2**32 - 1)
STEPS = 3


def random_limits(rng, buses, chords, sources=1, dead=0):
    network = random_network(rng, buses, chords=chords, sources=sources, dead=dead)
    offsets = Offsets(
        rng.normal(0, 0.01, (buses, STEPS)),
        rng.normal(0, 0.01, (buses, STEPS)),
        rng.normal(0, 10, (network.branches, STEPS)),
        *rng.uniform(0, 5, (2, network.branches, STEPS)),
    )
    v_min, v_max = rng.uniform(0.9, 1.0, buses), rng.uniform(1.0, 1.1, buses)
    x = rng.normal(0, 60, (2, buses, STEPS))
    return RadialLimits(network, v_min, v_max, x[1], offsets), x, v_min, v_max


@settings(deadline=None, max_examples=40)
@given(SEED, st.integers(3, 14), st.integers(0, 2), st.integers(1, 2))
def test_worth_is_that_of_the_rows_at_their_prices(seed, buses, chords, sources):
    rng = np.random.default_rng(seed)
    limits, _, _, _ = random_limits(rng, buses + sources, chords, sources)
    kind = rng.integers(0, 4, 25)
    count = np.array([len(r) for r in limits.rating])[kind]
    drawn = [*zip(kind, rng.integers(0, count), rng.integers(0, STEPS, 25), strict=True)]
    keys = np.unique(np.array(drawn, KEY))
    prices, rows = rng.normal(size=len(keys)), limits.rows(keys)
    weight, worth = limits.worth(keys, prices)
    np.testing.assert_allclose(weight, rows.matrix.T @ prices, rtol=1e-9, atol=1e-12)
    assert worth == pytest.approx(rows.bound @ prices, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=80)
@given(SEED, st.integers(3, 14), st.integers(0, 3), st.integers(1, 2), st.integers(0, 2))
def test_excess_and_rows_are_the_dense_solution(seed, buses, chords, sources, dead):
    rng = np.random.default_rng(seed)
    limits, x, v_min, v_max = random_limits(rng, buses + sources + dead, chords, sources, dead)
    network, offsets = limits.network, limits.offsets
    v, p, _ = dense_flow(network, x[0], x[1])
    q = dense_flow(network, 0 * x[0], x[1])[2]
    left = np.maximum(network.s_nom[:, None] - offsets.s, 0)
    p_max = np.sqrt(np.maximum(left**2 - q**2, 0))
    expected = (
        v + offsets.v_max - v_max[:, None] ** 2,
        v_min[:, None] ** 2 - v - offsets.v_min,
        p - np.maximum(p_max - offsets.forward, 0),
        -p - np.maximum(p_max - offsets.reverse, 0),
    )
    excess = limits.excess(x.ravel())
    for found, wanted in zip(excess.by_kind, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-8)
    keys = every_key(network)
    rows = limits.rows(keys)
    amount = rows.matrix @ x.ravel() - rows.bound
    assert rows.matrix.shape == (len(keys), limits.ports)
    np.testing.assert_allclose(amount, [excess.by_kind[k][i, t] for k, i, t in keys], rtol=1e-9, atol=1e-8)
    flow = limits.flow(x.ravel())
    np.testing.assert_allclose(limits.excess_at(keys, flow), amount, rtol=1e-9, atol=1e-8)
    ratings = np.concatenate([np.repeat(limits.rating[k], STEPS) for k in range(4)])
    over = np.nan_to_num(np.maximum(np.concatenate([e.ravel() for e in expected]), 0)) / ratings
    assert limits.relaxed(flow) == pytest.approx(over.sum(), rel=1e-9, abs=1e-9)


def every_key(network):
    live = np.nonzero(network.feeder >= 0)[0]
    keys = [(kind, i, t) for kind in (0, 1) for i in live for t in range(STEPS)]
    keys += [(kind, i, t) for kind in (2, 3) for i in range(network.branches) for t in range(STEPS)]
    return np.array(keys, KEY)


@settings(deadline=None, max_examples=40)
@given(SEED)
def test_violated_names_the_worst_bus_of_each_group_and_every_overloaded_branch(seed):
    rng = np.random.default_rng(seed)
    limits, x, _, _ = random_limits(rng, 12, int(rng.integers(0, 3)))
    groups = voltage_groups(limits.network)
    expected = []
    for kind, excess in enumerate(limits.excess(x.ravel()).by_kind):
        relative = excess / limits.rating[kind][:, None]
        for t in range(STEPS):
            over = np.nonzero(relative[:, t] > 1e-6)[0]
            if kind >= 2:
                expected += [(kind, i, t, relative[i, t]) for i in over]
                continue
            for g in set(groups[over]):
                best = max((i for i in over if groups[i] == g), key=lambda i: relative[i, t])
                expected.append((kind, best, t, relative[best, t]))
    found = limits.violated(x.ravel(), 1e-6, 10**6, np.zeros(0, KEY))
    assert found.tolist() == sorted((k, i, t) for k, i, t, _ in expected)
    worst = sorted(expected, key=lambda e: -e[3])[:5]
    assert limits.violated(x.ravel(), 1e-6, 5, np.zeros(0, KEY)).tolist() == sorted((k, i, t) for k, i, t, _ in worst)


def test_groups_are_the_branches_below_the_bus_bar():
    # 0 = source - 1 = bus bar - (2 - 3 | 4 - (5 | 6)), and 7 as good as on the bus bar
    from dispatch.case.network import Network, forest

    start, stop = np.array([0, 1, 2, 1, 4, 4, 1], np.int32), np.array([1, 2, 3, 4, 5, 6, 7], np.int32)
    r = np.array([1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-8])
    found = forest(8, start, stop, np.arange(7), np.array([0]))
    network = Network(
        *found[:4], start, stop, r, r, np.ones(7), np.ones(7), np.ones(7, bool), found[4], 7, np.array([0]), np.ones(1)
    )
    groups = voltage_groups(network)
    assert groups[0] == groups[1] == groups[7]
    assert groups[2] == groups[3] != groups[1]
    assert groups[4] == groups[5] == groups[6] != groups[2]


def test_a_rating_taken_whole_by_reactive_power_leaves_nothing():
    rng = np.random.default_rng(3)
    limits, x, _, _ = random_limits(rng, 5, 0)
    heavy = RadialLimits(limits.network, np.ones(5), np.ones(5), 1e4 * np.ones((5, STEPS)), limits.offsets)
    assert heavy.p_max[limits.network.branch_from == limits.network.source_bus[0]].max(initial=0) == 0
    assert (limits.with_offsets(Offsets.zero(5, 4, STEPS)).p_max <= limits.network.s_nom[:, None]).all()
    with pytest.raises(ValueError, match="cannot reshape"):
        limits.excess(x.ravel()[:-1])
