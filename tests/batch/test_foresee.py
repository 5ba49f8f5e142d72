"""Nights on many cores, simulated: cases with a known end, and bounds that hold for any."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.batch.foresee import Cluster, foresee


@pytest.mark.parametrize(("jobs", "workers", "rounds"), [(12, 4, 3), (13, 4, 4), (3, 8, 1), (1, 1, 1)])
def test_equal_groups_go_in_rounds(jobs: int, workers: int, rounds: int) -> None:
    found = foresee([5.0] * jobs, Cluster(workers, start_s=7.0))
    assert found.wall_s == pytest.approx(7.0 + 5.0 * rounds)
    assert found.busy == pytest.approx(5.0 * jobs / (workers * found.wall_s))
    assert found.lost == 0


def test_a_scheduler_that_is_too_slow_decides() -> None:
    found = foresee([1.0] * 1000, Cluster(500, overhead_s=0.1))
    assert found.wall_s == pytest.approx(1000 * 0.1 + 1.0)
    assert found.limited_by == "scheduler"


def test_the_longest_group_is_begun_first_and_decides() -> None:
    found = foresee([1.0] * 30 + [20.0], Cluster(16))
    assert found.wall_s == pytest.approx(20.0)
    assert found.limited_by == "longest group"
    assert foresee([4.0] * 100, Cluster(4)).limited_by == "work"
    assert foresee([4.0] * 4, Cluster(4, start_s=60.0)).limited_by == "start"


def test_slow_groups_take_their_factor_longer() -> None:
    found = foresee([2.0] * 10, Cluster(10, slow_share=1.0, slow_factor=3.0))
    assert found.wall_s == pytest.approx(6.0)


def test_lost_groups_are_done_again_and_the_seed_decides_alone() -> None:
    cluster = Cluster(16, start_s=7.0, overhead_s=0.002, slow_share=0.05, slow_factor=4.0, lost_per_hour=20.0)
    work = np.random.default_rng(3).uniform(1.0, 9.0, 800)
    found = foresee(work, cluster, 5)
    assert found == foresee(work[::-1], cluster, 5)
    assert found != foresee(work, cluster, 6)
    assert found.lost > 0
    assert found.wall_s > foresee(work, Cluster(16, start_s=7.0)).wall_s
    assert found.wall_s >= work.sum() / 16
    assert foresee([], cluster).wall_s == 7.0
