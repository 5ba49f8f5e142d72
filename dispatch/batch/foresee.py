"""What a night takes on more cores than there are: groups handed out by one scheduler to many workers, simulated."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_S = 3600.0


@dataclass(frozen=True)
class Cluster:
    """Workers and what happens to them.

    Attributes
    ----------
    workers : int
        Each does one group at a time.
    start_s : float
        Until a worker takes its first group, and after it was lost. [s]
    overhead_s : float
        Of the scheduler and the writer of the journal for each group, one after the other. [s]
    slow_share, slow_factor : float
        Part of the groups that take longer than foreseen, and how many times as long.
    lost_per_hour : float
        How often a worker is lost, for each hour that it works. [h-1]
    """

    workers: int
    start_s: float = 0.0
    overhead_s: float = 0.0
    slow_share: float = 0.0
    slow_factor: float = 1.0
    lost_per_hour: float = 0.0


@dataclass(frozen=True)
class Foreseen:
    """How a night goes.

    Attributes
    ----------
    wall_s : float
        From the start to the last result. [s]
    busy : float
        Part of the workers' time in which they work at what is kept.
    lost : int
        Groups that were begun in vain.
    limited_by : str
        ``work``, ``scheduler``, ``longest group`` or ``start``: the largest of what no number of workers gets below,
        or the work itself.
    """

    wall_s: float
    busy: float
    lost: int
    limited_by: str


def foresee(seconds: Sequence[float] | np.ndarray, cluster: Cluster, seed: int = 1) -> Foreseen:
    """Simulate a night: the longest groups first, each to the worker that is free first, lost ones again.

    Parameters
    ----------
    seconds : sequence of float, or ndarray (group,)
        Work of each group on one of the workers. [s]
    cluster : Cluster
    seed : int
        Of what happens to groups and workers.

    Returns
    -------
    Foreseen
        The same for the same seed.
    """
    draw = np.random.default_rng(seed)
    own = -np.sort(-np.asarray(seconds, float))
    own = own * np.where(draw.random(len(own)) < cluster.slow_share, cluster.slow_factor, 1.0)
    free = [cluster.start_s] * cluster.workers
    waiting, again, lost, scheduler, end = list(own[::-1]), list[tuple[float, float]](), 0, 0.0, cluster.start_s
    while waiting or again:
        ready = heapq.heappop(free)
        if again and (not waiting or again[0][0] <= ready):
            known, work = heapq.heappop(again)
            ready = max(ready, known)
        else:
            work = waiting.pop()
        scheduler = max(scheduler, ready) + cluster.overhead_s
        until_lost = draw.exponential(HOUR_S / cluster.lost_per_hour) if cluster.lost_per_hour > 0 else np.inf
        if until_lost < work:
            lost += 1
            heapq.heappush(again, (scheduler + until_lost, work))
            heapq.heappush(free, scheduler + until_lost + cluster.start_s)
            continue
        end = max(end, scheduler + work)
        heapq.heappush(free, scheduler + work)
    return Foreseen(end, float(own.sum() / (cluster.workers * end)) if end else 0.0, lost, _limit(own, cluster))


def _limit(own: np.ndarray, cluster: Cluster) -> str:
    """Name what takes longest."""
    least = {
        "work": float(own.sum()) / cluster.workers,
        "scheduler": len(own) * cluster.overhead_s,
        "longest group": float(own.max(initial=0.0)),
        "start": cluster.start_s,
    }
    return max(least, key=least.__getitem__)
