"""Rows of a network above feeders: by hand on a line of buses, and against sweeps on one with a loop."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import build_case
from dispatch.solve.limits.above import Above
from dispatch.solve.limits.excess import FORWARD, REVERSE, V_MAX, V_MIN

R, X, KV, RATING = 20.0, 10.0, 10.0, 300.0
V_MIN_PU, V_MAX_PU, STEPS = 0.97, 1.03, 2
PER_KW = R / (1e3 * KV**2)


def above(loop: bool = False) -> Above:
    """Source - a - b, feeders at both; a constant load of 40 kW, 10 kvar at b."""
    ends = [("s", "a"), ("a", "b"), ("s", "b")][: 3 if loop else 2]
    case = build_case(
        {
            "bus": {"id": ["s", "a", "b"], "v_nom": KV, "v_min_pu": V_MIN_PU, "v_max_pu": V_MAX_PU},
            "source": {"id": ["s"], "bus": ["s"], "v_pu": 1.0},
            "line": {
                "id": [f"{i}{j}" for i, j in ends], "bus_from": [i for i, _ in ends], "bus_to": [j for _, j in ends],
                "r": R, "x": X, "s_nom": RATING,
            },
        }
    )  # fmt: skip
    p, q = np.zeros((2, 3, STEPS))
    p[2], q[2] = -40.0, -10.0
    limits = np.full(3, V_MIN_PU), np.full(3, V_MAX_PU)
    return Above(network_of(case), *limits, np.array([1, 2, -1]), p, q, 10.0)


def test_voltages_are_sums_along_the_way() -> None:
    given, reactive = above(), np.zeros((3, STEPS))
    _, q = given.injected(np.zeros((3, STEPS)), reactive)
    rows = given.rows(given.limits(q, Offsets.zero(3, 2, STEPS)), q)
    (at,) = np.nonzero((rows.kind == V_MIN) & (rows.element == 2))[0]
    # V_b = 1 - 2 R (40 + taken_b) - 2 R (40 + taken_a + taken_b) - 4 X 10: b counts twice as much as a.
    np.testing.assert_allclose(rows.share[at], [0.5, 1.0, 0.0])
    assert rows.sign[at] == 1.0
    fixed = 1 - 2 * PER_KW * 80 - 4 * X / (1e3 * KV**2) * 10
    np.testing.assert_allclose(rows.bound[at], (fixed - V_MIN_PU**2) / (4 * PER_KW))
    (upper,) = np.nonzero((rows.kind == V_MAX) & (rows.element == 2))[0]
    assert rows.sign[upper] == -1.0
    np.testing.assert_allclose(rows.bound[upper], (V_MAX_PU**2 - fixed) / (4 * PER_KW))
    assert 1e-3 * rows.scale[at] * rows.size[at] == pytest.approx(2e-3 * V_MIN_PU)  # a thousandth of a pu
    assert not (rows.element[rows.kind <= V_MIN] == 0).any()  # nothing moves the source


def test_ratings_leave_what_reactive_power_does_not_take() -> None:
    given = above()
    reactive = np.array([[5.0] * STEPS, [20.0] * STEPS, [0.0] * STEPS])
    _, q = given.injected(np.zeros((3, STEPS)), reactive)
    rows = given.rows(given.limits(q, Offsets.zero(3, 2, STEPS)), q)
    (into,) = np.nonzero((rows.kind == FORWARD) & (rows.element == 0))[0]
    (back,) = np.nonzero((rows.kind == REVERSE) & (rows.element == 0))[0]
    np.testing.assert_allclose(rows.share[[into, back]], [[1.0, 1.0, 0.0]] * 2)
    room = np.sqrt(RATING**2 - 35.0**2)
    np.testing.assert_allclose(rows.bound[into], room - 40.0)
    np.testing.assert_allclose(rows.bound[back], room + 40.0)
    assert (rows.sign[into], rows.sign[back]) == (1.0, -1.0)
    assert 1e-3 * rows.scale[into] == pytest.approx(0.005 * RATING)


@pytest.mark.parametrize("loop", [False, True])
def test_rows_say_what_sweeps_say(loop: bool) -> None:
    given, draw = above(loop), np.random.default_rng(1)
    branches = 3 if loop else 2
    for size in (10.0, 200.0, 2000.0):
        taken, reactive = draw.normal(size=(2, 3, STEPS)) * size
        offsets = Offsets(*draw.normal(size=(2, 3, STEPS)) * 1e-3, np.abs(draw.normal(size=(branches, STEPS))))
        p, q = given.injected(taken, reactive)
        limits = given.limits(q, offsets)
        rows = given.rows(limits, q)
        excess = limits.excess(np.concatenate([p.ravel(), q.ravel()])).by_kind
        for j, (kind, element) in enumerate(zip(rows.kind, rows.element, strict=True)):
            over = rows.sign[j] * rows.share[j] @ taken - rows.bound[j]
            np.testing.assert_allclose(over * rows.size[j], excess[kind][element], rtol=1e-9, atol=1e-9)
        assert np.abs(rows.share).max(axis=1) == pytest.approx(1.0)
