"""Segments in a window against plain lists of (slope, length, piece)."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.slopes import SLOTS, Segments, cut_left, cut_right, insert, rescale, steepen_left

AMOUNTS = st.integers(0, 40).map(lambda k: k / 8)  # sums are exact
STEPS = st.one_of(
    st.tuples(st.just("insert"), st.integers(-4, 4).map(float), AMOUNTS.map(lambda a: a + 0.125)),
    st.tuples(st.just("left"), AMOUNTS),
    st.tuples(st.just("right"), AMOUNTS),
    st.tuples(st.just("steepen"), AMOUNTS),
    st.tuples(st.just("rescale"), st.sampled_from([0.5, 2.0])),
)
Rows = list[tuple[float, float, int]]


def empty() -> Segments:
    room = np.zeros(200), np.zeros(200), np.zeros(200, np.int64)
    return Segments(*room, np.array([100, 100]), np.zeros(4 * SLOTS), np.ones(4))


def rows_of(segments: Segments) -> Rows:
    chosen = slice(*segments.window)
    return list(zip(*(a[chosen].tolist() for a in segments[:3]), strict=True))


def cut(rows: Rows, amount: float) -> tuple[float | None, dict[int, float]]:
    """Cut off at the front; the last slope touched, and how much of each piece."""
    touched, parts = None, dict.fromkeys(range(4 * SLOTS), 0.0)
    while rows and amount > 0:
        slope, length, piece = rows.pop(0)
        part = min(length, amount)
        touched, amount, parts[piece] = slope, amount - part, parts[piece] + part
        if length > part:
            rows.insert(0, (slope, length - part, piece))
    return touched, parts


@settings(deadline=None, max_examples=300)
@given(st.lists(STEPS, max_size=25))
def test_does_what_lists_do(steps: list[tuple]) -> None:
    segments, expected, filled, unit = empty(), [], np.zeros(4 * SLOTS), 1.0
    for number, (what, *values) in enumerate(steps):
        if what == "insert":
            insert(segments, *values, number)
            expected.append((*values, number))
        elif what == "left":
            slope, parts = cut(expected, values[0])
            assert cut_left(segments, values[0], 0.0) == (-np.inf if slope is None else slope)
            filled += np.array(list(parts.values())) / unit
        elif what == "right":
            expected.reverse()
            slope, _ = cut(expected, values[0])
            expected.reverse()
            assert cut_right(segments, values[0], 0.0) == (np.inf if slope is None else slope)
        elif what == "steepen":
            rest = list(expected)
            left, _ = cut(rest, values[0])
            found = steepen_left(segments, values[0], -1.0, 0.0)
            assert found == (-np.inf if left is None else left, rest[0][0] if rest else np.inf)
            expected = _split(expected, values[0])
        else:
            rescale(segments, values[0], sum(row[1] for row in expected))
            expected = [(s / values[0], length * values[0], p) for s, length, p in expected]
            unit *= values[0]
        expected = _same(expected, rows_of(segments))
    np.testing.assert_allclose(segments.filled, filled, rtol=1e-12)


def _split(rows: Rows, amount: float) -> Rows:
    """Steepen the front by one."""
    done: Rows = []
    for slope, length, piece in rows:
        part = min(length, amount)
        amount -= part
        done += [(slope - 1.0, part, piece)] if part > 0 else []
        done += [(slope, length - part, piece)] if length > part else []
    return done


def _same(expected: Rows, found: Rows) -> Rows:
    """Compare, and take the order of equal slopes from what was found."""
    assert sorted(expected) == sorted(found)
    assert all(a[0] <= b[0] for a, b in itertools.pairwise(found))
    return found
