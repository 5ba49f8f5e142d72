"""Whether a night fits into memory, before it begins."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dispatch.batch.foresee import Cluster, foresee
from dispatch.batch.predicted import CLIENT_BYTES, Size, bytes_of, joint_bytes_of
from dispatch.errors import InputError, Problem
from dispatch.run.processes import cores

if TYPE_CHECKING:
    from dispatch.batch.plan import Plan

GIB = 1 << 30
MORE_CORES = (16, 64, 256)
"""Workers for which a plan says how long the night would take."""
START_S, OVERHEAD_S = 7.0, 0.004
"""Until a worker takes its first group, and of whoever hands out for each group, as measured by
``python -m benchmarks night-scale``."""


def predicted_bytes(plan: Plan, workers: int) -> int:
    """Most memory that a night takes at once.

    Parameters
    ----------
    plan : Plan
        Its groups.
    workers : int
        Processes.

    Returns
    -------
    int
        The largest groups at the same time, and the process that hands them out; where limits are shared, each worker
        has solved all of their feeders together. [byte]
    """
    sizes = sorted((bytes_of(g.size) for g in plan.groups), reverse=True)[:workers]
    sharing = Size.sum(g.size for g in plan.groups if g.key in plan.together)
    joint = joint_bytes_of(sharing)
    if joint:  # each time by another worker, and none gives its memory back
        sizes = [max(joint, sizes[0])] * workers
    return CLIENT_BYTES + sum(sizes)


def free_bytes() -> int | None:
    """Bytes of this machine that are free or can be freed; None where that is not known."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123  (not a file of anybody's)
            found = dict(line.split(":", 1) for line in file)
        return int(found["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None


def plan_object(plan: Plan, workers: int | None) -> dict[str, Any]:
    """Object that ``batch plan --json`` prints.

    Parameters
    ----------
    plan : Plan
        Its groups.
    workers : int or None
        Processes; None: one a core.

    Returns
    -------
    dict
        What there is, and the predicted time and memory, also on more cores. Rounds of limits that feeders share are
        not in the time.
    """
    count = workers or cores()
    seconds = sorted((g.seconds for g in plan.groups), reverse=True)
    wall = max(plan.seconds / count, seconds[0] if seconds else 0.0)
    more = {n: foresee(seconds, Cluster(n, START_S, OVERHEAD_S)) for n in MORE_CORES}
    return {
        "groups": len(plan.groups),
        "feeders": plan.feeders,
        "meters": plan.size.meters,
        "buses": plan.size.buses,
        "workers": count,
        "work_s": round(plan.seconds, 1),
        "wall_s": round(wall, 1),
        "longest_group_s": round(seconds[0], 1) if seconds else 0.0,
        "memory_gib": round(predicted_bytes(plan, count) / GIB, 3),
        "sharing": sum(len(g.names) for g in plan.groups if g.key in plan.together),
        "on_more_cores": [
            {"workers": n, "wall_s": round(found.wall_s, 1), "limited_by": found.limited_by}
            for n, found in more.items()
        ],
    }


def require_memory(plan: Plan, workers: int, limit_gib: float | None) -> None:
    """Refuse a night that would not fit.

    Parameters
    ----------
    plan : Plan
        Its groups.
    workers : int
        Processes.
    limit_gib : float or None
        Most that may be taken; None: what is free. [GiB]

    Raises
    ------
    InputError
        If more is predicted; says how many workers would do.
    """
    free = free_bytes() if limit_gib is None else int(limit_gib * GIB)
    needed = predicted_bytes(plan, workers)
    if free is None or needed <= free:
        return
    fits = max((n for n in range(1, workers) if predicted_bytes(plan, n) <= free), default=0)
    hint = f"Give --workers {fits}." if fits else "Split the largest case, or raise the limit."
    value, allowed = f"{needed / GIB:.2f} GiB for {workers} workers", f"{free / GIB:.2f} GiB"
    raise InputError([Problem("memory", "batch", value=value, allowed=allowed, hint=hint)], "memory")
