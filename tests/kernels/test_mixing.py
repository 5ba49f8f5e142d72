from __future__ import annotations

import naive_mixing
import numpy as np
import pytest

from kernels.mixing import make_links, mixed_shares

NO_ZONE = (np.zeros(0, np.int64), np.zeros((0, 1)))


def mixed(start, stop, flow, given, part, zone=NO_ZONE):
    """Shares in a network that is written down, circles closed."""
    flow, given, part = (np.array(a, float) for a in (flow, given, part))
    outlet, filling = zone
    filling = np.broadcast_to(np.array(filling, float), (len(outlet), given.shape[1])).copy()
    found, change = mixed_shares(
        make_links(len(given), np.array(start, int), np.array(stop, int)),
        flow, given, part, np.array(outlet), filling, np.zeros(len(outlet)),
    )  # fmt: skip
    assert (change <= 1e-15).all()
    return found


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("circles", [True, False])
def test_shares_equal_those_of_linear_equations(compiled, circles):
    rng = np.random.default_rng(7)
    kernel = mixed_shares if compiled else mixed_shares.py_func
    for _ in range(200 if compiled else 20):
        size, steps, zones = int(rng.integers(2, 9)), 4, int(rng.integers(0, 3))
        start, stop = rng.integers(0, size, (2, int(rng.integers(1, 14))))
        potential = rng.normal(size=(size, steps))
        flow = 50 * (rng.normal(size=(len(start), steps)) if circles else potential[start] - potential[stop])
        given = rng.uniform(5, 20, (size, steps))
        part = given * rng.integers(0, 2, given.shape)
        packs = rng.permutation(size)[:zones], rng.normal(0, 10, (zones, steps))
        found, change = kernel(make_links(size, start, stop), flow, given, part, *packs, np.zeros(zones))
        expected = naive_mixing.shares(start, stop, flow, given, part, *packs)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        assert (change <= 1e-15).all()


def test_a_branch_by_hand():
    """100 from the gate, 20 taken ahead of a plant's 40; 120 go on to two ends."""
    found = mixed([0, 1, 3], [1, 2, 1], [[100], [70], [-50]], [[100], [40], [0], [0]], [[0], [40], [0], [0]])
    np.testing.assert_allclose(found[:, 0], [0, 40 / 140, 40 / 140, 40 / 140], rtol=1e-15)


def test_both_ways_round_a_loop_meet():
    """60 and 40 leave the gate; a plant gives 20 on one way, another 10 where both meet."""
    flow, given = [[60], [40], [80], [40]], [[100], [20], [0], [10]]
    found = mixed([0, 0, 1, 2], [1, 2, 3, 3], flow, given, [[0], [20], [0], [10]])
    np.testing.assert_allclose(found[:, 0], [0, 20 / 80, 0, (80 * 0.25 + 10) / 130], rtol=1e-15)


def test_flow_that_turns_round_brings_the_other_gas_and_standing_gas_stays():
    found = mixed([0], [1], [[30, -10, 0]], [[30, 5, 0], [0, 10, 0]], [[0, 0, 0], [0, 10, 0]])
    np.testing.assert_allclose(found, [[0, 10 / 15, 10 / 15], [0, 1, 1]], rtol=1e-15)


def test_without_any_source_nothing_is_known():
    found = mixed([0, 2], [1, 3], [[10, 10], [5, 0]], [[10, 10], [0, 0], [0, 0], [0, 0]], np.zeros((4, 2)))
    assert np.isnan(found[2:]).all()
    assert (found[:2] == 0).all()


def test_a_circle_that_nothing_feeds_keeps_what_it_has():
    ring = [0, 1, 2], [1, 2, 0], [[6, 1], [3, 1], [0, 1]]
    found = mixed(*ring, [[6, 0], [2, 0], [0, 0]], [[0, 0], [2, 0], [0, 0]])
    assert found[0, 0] == 0
    assert np.ptp(found[:, 1]) < 1e-15
    assert 0 <= found[0, 1] <= 0.25


def test_what_fills_pipes_comes_out_again_as_it_went_in():
    """Pipes take 10 at one third and 30 at 1, then give all of it."""
    given, part = [[30, 40, 0, 7]], [[10, 40, 0, 0]]
    found = mixed([], [], np.zeros((0, 4)), given, part, ([0], [[10, 30, -40, -1]]))
    np.testing.assert_allclose(found[0], [1 / 3, 1, (10 / 3 + 30) / 40, 0], rtol=1e-14, atol=1e-15)


def test_what_pipes_hold_at_first_has_no_share():
    """A store of 100 takes up 50 of biomethane, then 60 of the mixture come out and 40 straight from the gate."""
    links = make_links(1, np.zeros(0, int), np.zeros(0, int))
    given, part = np.array([[50.0, 40.0]]), np.array([[50.0, 0.0]])
    filling, flow = np.array([[50.0, -60.0]]), np.zeros((0, 2))
    found, _ = mixed_shares(links, flow, given, part, np.zeros(1, int), filling, np.array([100.0]))
    np.testing.assert_allclose(found, [[1.0, 0.2]])
