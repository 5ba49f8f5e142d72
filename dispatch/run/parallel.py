"""Feeders in parallel processes, results in the order of the feeders."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from dispatch.case.schema import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import xarray as xr

    from dispatch.run.settings import Settings

T = TypeVar("T")
TRIES_ALONE = 2
"""A feeder whose process was ended gets a process of its own so many times."""
WORTH_PROCESSES = 50_000
"""Pairs of meter and step from which processes, which take seconds to start, are worth it: 500 houses for a day."""
# Several threads in a process would only fight for the cores that the processes already use.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _size(feeder: xr.DataTree) -> int:
    """Rough work of a feeder: how many rows its tables have."""
    return sum(sum(n.to_dataset(inherit=False).sizes.values()) for n in feeder.subtree)


def map_feeders(
    function: Callable[[xr.DataTree, Settings], T],
    feeders: Sequence[xr.DataTree],
    settings: Settings,
    *,
    lost: Callable[[xr.DataTree], T],
    workers: int | None,
    progress: bool,
) -> list[T]:
    """Apply a function to every feeder.

    Parameters
    ----------
    function : callable
        Pure; of the module's top level.
    feeders : sequence of DataTree
        One sub-case each.
    settings : Settings
        Handed to every call.
    lost : callable
        Makes the entry of a feeder whose process was ended from outside, also where it had one of its own, twice.
    workers : int or None
        Processes; None: one a core, where the work is worth it. One worker or one feeder: in this process.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    list
        One entry a feeder, in their order.
    """
    count = min(workers or _sensible(feeders), len(feeders))
    found: dict[int, T] = {}
    with _bar(len(feeders)) if progress else nullcontext(lambda: None) as advance:
        if count <= 1:
            for k, feeder in enumerate(feeders):
                found[k] = function(feeder, settings)
                advance()
        else:
            os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
            # The largest first, so that no long feeder starts when the others are done.
            waiting = sorted(range(len(feeders)), key=lambda k: -_size(feeders[k]))
            while waiting:
                done = _until_broken(function, [(k, feeders[k]) for k in waiting], settings, count, advance)
                waiting = [k for k in waiting if k not in done]
                # Feeders start in this order: where a process was ended, the one to blame is among the first left.
                for k in waiting[:count]:
                    done |= _alone(function, (k, feeders[k]), settings, lost, advance)
                waiting = [k for k in waiting if k not in done]
                found |= done
    return [found[k] for k in range(len(feeders))]


def _sensible(feeders: Sequence[xr.DataTree]) -> int:
    """Choose one process a core, or this one alone where starting others would cost more."""
    return cores() if sum(_work(f) for f in feeders) >= WORTH_PROCESSES else 1


def _work(feeder: xr.DataTree) -> int:
    """Predict the work of a feeder: pairs of meter and step."""
    return len(columns(feeder, "meter")["id"]) * len(columns(feeder, "forecast").get("time", ()))


def _until_broken(
    function: Callable[[xr.DataTree, Settings], T],
    feeders: list[tuple[int, xr.DataTree]],
    settings: Settings,
    count: int,
    advance: Callable[[], None],
) -> dict[int, T]:
    """Run all feeders; return those that were done when a process was ended from outside."""
    found: dict[int, T] = {}
    with _workers(min(count, len(feeders))) as pool:
        futures = _submit(pool, function, feeders, settings)
        for future in as_completed(futures):
            try:
                found[futures[future]] = future.result()
            except BrokenProcessPool:
                continue
            advance()
    return found


def _alone(
    function: Callable[[xr.DataTree, Settings], T],
    feeder: tuple[int, xr.DataTree],
    settings: Settings,
    lost: Callable[[xr.DataTree], T],
    advance: Callable[[], None],
) -> dict[int, T]:
    """Run one feeder in a process of its own; it is lost if that is ended as well, twice."""
    for _ in range(TRIES_ALONE):
        found = _until_broken(function, [feeder], settings, 1, advance)
        if found:
            return found
    advance()
    return {feeder[0]: lost(feeder[1])}


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Hand out processes that end when the block does: at once where it is left by an error or Ctrl-C."""
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_end_with_parent)
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(
    pool: ProcessPoolExecutor, function: Callable[..., T], feeders: list[tuple[int, xr.DataTree]], settings: Settings
) -> dict[Future[T], int]:
    """Hand feeders to processes, which start here.

    They inherit what is blocked now: Ctrl-C in a terminal reaches every process, but only this one answers it.
    """
    blockable = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blockable else set()
    try:
        return {pool.submit(function, feeder, settings): k for k, feeder in feeders}
    finally:
        if blockable:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """In a worker: do not outlive a parent that was killed."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


class _bar:  # noqa: N801  (reads as the context manager it is)
    """Progress bar of rich as a context that hands out a step function."""

    def __init__(self, total: int) -> None:
        self._total = total

    def __enter__(self) -> Callable[[], None]:
        from rich.console import Console  # noqa: PLC0415  (loads when needed)
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        text = TextColumn("[bold]feeders")
        self._progress = Progress(
            text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)
        )
        self._progress.start()
        task = self._progress.add_task("feeders", total=self._total)
        return lambda: self._progress.advance(task)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
