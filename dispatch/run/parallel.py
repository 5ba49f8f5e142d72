"""Feeders in parallel processes, results in the order of the feeders."""

from __future__ import annotations

import time
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dispatch.case.schema import columns
from dispatch.case.slices import Cut
from dispatch.run import spool
from dispatch.run.processes import WorkerPool, cores, processes, require_start, undisturbed
from dispatch.run.progress import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future, ProcessPoolExecutor
    from contextlib import AbstractContextManager

    import xarray as xr

    from dispatch.run.settings import Settings

    Part = xr.DataTree | Cut
    Given = tuple[Any, Settings, float, float]

T = TypeVar("T")
TRIES_ALONE = 2
"""A feeder whose process was ended gets a process of its own so many times."""
WORTH_PROCESSES = 150_000
"""So many pairs of meter and step must be spared to this process for others, which take seconds to start, to be worth
it: on two cores half of 3,000 houses for a day."""


def _size(feeder: Part) -> int:
    """Rough work of a feeder: how many rows its tables have."""
    if isinstance(feeder, Cut):
        return feeder.size
    return sum(sum(n.to_dataset(inherit=False).sizes.values()) for n in feeder.subtree)


def map_feeders(
    function: Callable[[Any, Settings, float], T],
    feeders: Sequence[Part],
    settings: Settings,
    *,
    end: float = float("inf"),
    lost: Callable[[Any], T],
    workers: int | WorkerPool | None,
    progress: bool,
) -> list[T]:
    """Apply a function to every feeder.

    Parameters
    ----------
    function : callable
        Pure; of the module's top level.
    feeders : sequence of DataTree or Cut
        One sub-case each.
    settings : Settings
        Handed to every call.
    end : float
        Time on the monotonic clock by which all of it is wanted; each call is told when its own share ends. [s]
    lost : callable
        Makes the entry of a feeder whose process was ended from outside, also where it had one of its own, twice.
    workers : int, WorkerPool or None
        Processes; None: one a core, where the work is worth it. One worker or one feeder: in this process.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    list
        One entry a feeder, in their order.

    Raises
    ------
    WorkersError
        If processes cannot be started at all.
    """
    kept = isinstance(workers, WorkerPool)
    start = workers.borrow if isinstance(workers, WorkerPool) else processes
    asked = workers.count if isinstance(workers, WorkerPool) else workers or _sensible(feeders)
    count = min(asked, len(feeders))
    # The largest first, so that no long feeder starts when the others are done; but under a deadline last, when what
    # the others did not use of their share is left for it.
    waiting = sorted(range(len(feeders)), key=lambda k: _size(feeders[k]) * (-1 if end == float("inf") else 1))
    given = dict(zip(waiting, _shares([feeders[k] for k in waiting], settings, end, max(count, 1)), strict=True))
    work = partial(_in_time, function)
    found: dict[int, T] = {}
    with counted("feeders", len(feeders), shown=progress) as advance:
        if count <= 1 and not kept:
            for k in waiting:
                found[k] = work(*given[k])
                advance()
        else:
            while waiting:
                done = _until_broken(work, [(k, given[k]) for k in waiting], start, count, advance)
                waiting = [k for k in waiting if k not in done]
                if waiting and not done:
                    require_start()
                # Feeders start in this order: where a process was ended, the one to blame is among the first left.
                for k in waiting[:count]:
                    done |= alone(work, (k, given[k]), lost, advance)
                waiting = [k for k in waiting if k not in done]
                found |= done
    return [found[k] for k in range(len(feeders))]


def _sensible(feeders: Sequence[Part]) -> int:
    """Choose one process a core, or this one alone where starting others would cost more."""
    spared = (1 - 1 / cores()) * sum(_work(f) for f in feeders)
    return cores() if spared >= WORTH_PROCESSES else 1


def _work(feeder: Part) -> int:
    """Predict the work of a feeder: pairs of meter and step."""
    if isinstance(feeder, Cut):
        return feeder.work
    return len(columns(feeder, "meter")["id"]) * len(columns(feeder, "forecast").get("time", ()))


def _shares(feeders: Sequence[Part], settings: Settings, end: float, count: int) -> list[Given]:
    """Give each feeder, in the order in which they begin, a share of the time that is left when it does."""
    sizes = np.array([_size(feeder) for feeder in feeders], float)
    left = np.cumsum(sizes[::-1])[::-1]
    shares = np.minimum(count * sizes / np.maximum(left, 1.0), 1.0)
    return [(feeder, settings, end, float(share)) for feeder, share in zip(feeders, shares, strict=True)]


def _in_time(
    function: Callable[[Any, Settings, float], T],
    feeder: Part,
    settings: Settings,
    end: float,
    share: float,
) -> T:
    """Tell a feeder that begins now when its share of the time until `end` is over."""
    now = time.monotonic()
    return function(feeder, settings, end if share == 1.0 else now + share * (end - now))


def _until_broken(
    function: Callable[..., T],
    feeders: list[tuple[int, tuple[Any, ...]]],
    start: Callable[[int], AbstractContextManager[ProcessPoolExecutor]],
    count: int,
    advance: Callable[[], None],
) -> dict[int, T]:
    """Run all feeders; return those that were done when a process was ended from outside."""
    found: dict[int, T] = {}
    with TemporaryDirectory(prefix="dispatch-") as folder, start(min(count, len(feeders))) as pool:
        futures = _submit(pool, Path(folder), function, feeders)
        for future in as_completed(futures):
            k, call = futures[future]
            try:
                future.result()
            except BrokenProcessPool:
                continue
            found[k] = spool.take(call)
            advance()
    return found


def alone(
    function: Callable[..., T],
    feeder: tuple[int, tuple[Any, ...]],
    lost: Callable[[Any], T],
    advance: Callable[[], None],
) -> dict[int, T]:
    """Run one feeder in a process of its own; it is lost if that is ended as well, twice.

    Parameters
    ----------
    function : callable
        Of the module's top level.
    feeder : (int, tuple)
        Its number, and what the function is given; the first of that is handed to `lost`.
    lost : callable
        Makes the entry of a lost feeder.
    advance : callable
        Called once it is done or lost.

    Returns
    -------
    dict
        Its entry by its number.
    """
    for _ in range(TRIES_ALONE):
        found = _until_broken(function, [feeder], processes, 1, advance)
        if found:
            return found
    advance()
    return {feeder[0]: lost(feeder[1][0])}


def _submit(
    pool: ProcessPoolExecutor, folder: Path, function: Callable[..., T], feeders: list[tuple[int, tuple[Any, ...]]]
) -> dict[Future[None], tuple[int, Path]]:
    """Hand calls to processes, which start here; once one of them was ended, no more are handed over.

    The first are at work while the next are written down.
    """
    futures: dict[Future[None], tuple[int, Path]] = {}
    with undisturbed(), suppress(BrokenProcessPool):
        for k, given in feeders:
            call = spool.put(folder / str(k), function, *given)
            futures[pool.submit(spool.run, call)] = k, call
    return futures
