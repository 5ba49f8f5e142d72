from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_radial import dense_flow, random_network

from dispatch.model.linear import forest_of, linear_flow
from kernels import network_limits, radial

SEED = st.integers(0, 2**32 - 1)


def compiled_and_plain(kernel, *arguments):
    """Results of a kernel with and without compilation."""
    return kernel(*arguments), kernel.py_func(*arguments)


@settings(deadline=None, max_examples=60)
@given(SEED, st.integers(2, 14), st.integers(0, 3), st.integers(1, 2), st.integers(0, 2))
def test_linear_flow_is_the_dense_solution(seed, buses, chords, sources, dead):
    rng = np.random.default_rng(seed)
    network = random_network(rng, buses + sources + dead, chords=chords, sources=sources, dead=dead)
    p, q = rng.normal(0, 20, (2, network.buses, 3))
    found, expected = linear_flow(network, p, q), dense_flow(network, p, q)
    np.testing.assert_allclose(found.v_squared, expected[0], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(found.p, expected[1], rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(found.q, expected[2], rtol=1e-9, atol=1e-8)


def test_kernels_equal_their_slow_twins_on_a_thousand_forests():
    rng = np.random.default_rng(7)
    for _ in range(1000):
        size = int(rng.integers(1, 12))
        dead = int(rng.integers(0, 3))
        network = random_network(rng, size + 1 + dead, dead=dead)
        order, parent = network.order, network.parent
        injection = rng.normal(0, 10, (network.buses, 2))
        gain, per_p, per_q, root = rng.uniform(0.9, 1.1, (4, network.buses))
        paths = {int(b): path_to_root(parent, b) for b in order}
        some = rng.choice(order, 2).astype(np.int32)

        flow = np.zeros_like(injection)
        for bus, path in paths.items():
            for above in path:
                flow[above] -= injection[bus]
        for found in compiled_and_plain(radial.flow_towards, order, parent, injection):
            np.testing.assert_allclose(found, flow, rtol=1e-9, atol=1e-9)

        potential = np.full_like(injection, np.nan)
        for bus in paths:
            potential[bus] = naive_potential(bus, parent, gain, per_p, per_q, injection, root)
        arguments = (order, parent, gain, per_p, per_q, injection, injection, root)
        for found in compiled_and_plain(radial.potentials, *arguments):
            np.testing.assert_allclose(found, potential, rtol=1e-9, atol=1e-9)

        for found in compiled_and_plain(radial.flow_sensitivity, order, parent, some):
            expected = [[-float(b in paths and k in paths[b]) for b in range(network.buses)] for k in some]
            np.testing.assert_array_equal(found, expected)

        for found in compiled_and_plain(radial.potential_sensitivity, order, parent, gain, per_p, some):
            expected = np.zeros((2, network.buses))
            for row, k in enumerate(some):
                for bus, path in paths.items():
                    shared = [b for b in paths[int(k)] if b in path and parent[b] >= 0]
                    after = {b: np.prod([gain[c] for c in paths[int(k)][: paths[int(k)].index(b)]]) for b in shared}
                    expected[row, bus] = sum(after[b] * per_p[b] for b in shared)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)

        group = rng.integers(-1, 3, network.buses).astype(np.int32)
        amount = np.where(rng.random(injection.shape) < 0.1, np.nan, np.round(injection))
        for winner, largest in compiled_and_plain(network_limits.worst_of_group, amount, group, 3, 1.0):
            for g in range(3):
                for t in range(2):
                    rivals = [(amount[b, t], -b) for b in range(network.buses) if group[b] == g and amount[b, t] > 1.0]
                    best = max(rivals, default=(1.0, 1))
                    assert (largest[g, t], winner[g, t]) == (best[0], -best[1])


def path_to_root(parent, bus):
    path = [int(bus)]
    while parent[path[-1]] >= 0:
        path.append(int(parent[path[-1]]))
    return path


def naive_potential(bus, parent, gain, per_p, per_q, flow, root):
    if parent[bus] < 0:
        return np.full(flow.shape[1], root[bus])
    above = naive_potential(parent[bus], parent, gain, per_p, per_q, flow, root)
    return gain[bus] * above - (per_p[bus] + per_q[bus]) * flow[bus]


def test_isolated_buses_have_no_voltage_and_carry_nothing():
    network = random_network(np.random.default_rng(1), 6, dead=2)
    flow = linear_flow(network, np.ones((6, 1)), np.zeros((6, 1)))
    np.testing.assert_array_equal(np.isnan(flow.v_squared[:, 0]), network.feeder < 0)
    at_source = (network.branch_from == network.source_bus[0]) | (network.branch_to == network.source_bus[0])
    assert np.abs(flow.p[at_source]).sum() == 3.0


def test_forest_without_branches():
    network = random_network(np.random.default_rng(1), 1)
    assert forest_of(network).gain.tolist() == [0.0]
    assert linear_flow(network, np.ones((1, 2)), np.ones((1, 2))).v_squared.tolist() == [
        [network.source_v_pu[0] ** 2] * 2
    ]


def test_worth_of_injections_reverses_the_sweeps_on_a_thousand_forests():
    """Prices times potentials and flows are worth times injections, and what there is without any."""
    rng = np.random.default_rng(11)
    for _ in range(1000):
        network = random_network(rng, int(rng.integers(2, 13)), dead=int(rng.integers(0, 3)))
        order, parent = network.order, network.parent
        p, q, of_flow = rng.normal(0, 10, (3, network.buses, 2))
        gain, per_p, per_q, root = rng.uniform(0.9, 1.1, (4, network.buses))
        of_potential = np.where(np.isin(np.arange(network.buses), order)[:, None], rng.normal(size=p.shape), 0.0)
        of_flow[parent < 0] = 0.0
        taken = (radial.flow_towards(order, parent, p), radial.flow_towards(order, parent, q))
        potential = np.nan_to_num(radial.potentials(order, parent, gain, per_p, per_q, *taken, root))
        expected = np.sum(of_potential * potential + of_flow * taken[0], axis=0)
        arguments = (order, parent, gain, per_p, per_q, root, of_potential, of_flow)
        for of_p, of_q, fixed in compiled_and_plain(radial.worth_of_injections, *arguments):
            np.testing.assert_allclose(np.sum(of_p * p + of_q * q, axis=0) + fixed, expected, rtol=1e-9, atol=1e-9)


def test_what_ratings_leave_beside_reactive_power_and_offsets():
    rng = np.random.default_rng(8)
    s_nom, q, offset = rng.uniform(0, 9, 50), rng.normal(0, 4, (50, 30)), rng.normal(0, 2, (50, 30))
    s_nom[0], offset[1] = np.inf, 20.0
    room = [[max(s_nom[e] - offset[e, t], 0.0) ** 2 - q[e, t] ** 2 for t in range(30)] for e in range(50)]
    for work in (network_limits.leave_active, network_limits.leave_active.py_func):
        left = np.empty((50, 30))
        work(s_nom, q, offset, left)
        np.testing.assert_allclose(left, np.sqrt(np.maximum(room, 0.0)), rtol=1e-14)
        assert (left == 0).any(axis=1)[1:].sum() > 10
