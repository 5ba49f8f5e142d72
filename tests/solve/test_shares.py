"""Shares of rows between groups that use what they can: all of the room is used soon, where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.solve.shares import Shares

GROUPS, ROWS, ROUNDS = 8, 30, 12


@pytest.mark.parametrize("seed", range(5))
def test_shares_use_up_the_room(seed: int) -> None:
    draw = np.random.default_rng(seed)
    least = draw.uniform(0.0, 5.0, (GROUPS, ROWS))
    most = least + draw.exponential(4.0, (GROUPS, ROWS)) * (draw.random((GROUPS, ROWS)) < 0.7)
    room = least.sum(axis=0) + draw.uniform(0.1, 0.9, ROWS) * (most - least).sum(axis=0)
    weight = draw.uniform(0.5, 2.0, GROUPS)
    shares = Shares(room, weight / weight.sum(), most)
    np.testing.assert_allclose(shares.shares.sum(axis=0), room)
    for _ in range(ROUNDS):
        used = np.clip(shares.shares, least, most)
        shares.answered(used)
        np.testing.assert_allclose(shares.shares.sum(axis=0), room)
    used = np.clip(shares.shares, least, most)
    np.testing.assert_allclose(used.sum(axis=0), room, rtol=2e-3)


def test_what_nobody_can_use_is_left() -> None:
    shares = Shares(np.array([10.0]), np.full(2, 0.5), np.array([[1.0], [2.0]]))
    for _ in range(3):
        shares.answered(np.array([[1.0], [2.0]]))
    assert shares.shares.sum() == pytest.approx(10.0)
    assert (shares.shares >= [[1.0], [2.0]]).all()
