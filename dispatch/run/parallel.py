"""Feeders in parallel processes, results in the order of the feeders."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import xarray as xr

    from dispatch.run.settings import Settings

T = TypeVar("T")
# Several threads in a process would only fight for the cores that the processes already use.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _size(feeder: xr.DataTree) -> int:
    """Rough work of a feeder: how many rows its tables have."""
    return sum(sum(n.to_dataset(inherit=False).sizes.values()) for n in feeder.subtree)


def map_feeders(
    function: Callable[[xr.DataTree, Settings, float], T],
    feeders: Sequence[xr.DataTree],
    settings: Settings,
    *,
    end: float = float("inf"),
    lost: Callable[[xr.DataTree], T],
    workers: int | WorkerPool | None,
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
    end : float
        Time on the monotonic clock by which all of it is wanted; each call is told when its own share ends. [s]
    lost : callable
        Makes the entry of a feeder whose process was ended from outside.
    workers : int, WorkerPool or None
        Processes; None: one a core. One worker or one feeder: in this process.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    list
        One entry a feeder, in their order.
    """
    kept = workers if isinstance(workers, WorkerPool) else None
    asked = workers.count if isinstance(workers, WorkerPool) else workers or cores()
    count = min(asked, len(feeders))
    found: dict[int, T] = {}
    with _bar(len(feeders)) if progress else nullcontext(lambda: None) as advance:
        if count <= 1:
            ends = _ends([_size(feeder) for feeder in feeders], end)
            for k, feeder in enumerate(feeders):
                found[k] = function(feeder, settings, ends[k])
                advance()
        else:
            with nullcontext(kept.pool()) if kept else _workers(count) as pool:
                # The largest first, so that no long feeder starts when the others are done.
                largest = sorted(range(len(feeders)), key=lambda k: -_size(feeders[k]))
                ends = _ends([_size(feeders[k]) for k in largest], end)
                work = [(k, (feeders[k], settings, until)) for k, until in zip(largest, ends, strict=True)]
                futures = _submit(pool, function, work)
                for future in as_completed(futures):
                    k = futures[future]
                    try:
                        found[k] = future.result()
                    except BrokenProcessPool:
                        found[k] = lost(feeders[k])
                    advance()
    return [found[k] for k in range(len(feeders))]


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Hand out processes that end when the block does: at once where it is left by an error or Ctrl-C."""
    os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
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


class WorkerPool:
    """Processes that stay for several runs, each of which then saves the second or two in which they would start.

    Use it as ``with dispatch.WorkerPool(2) as pool: dispatch.optimize(case, workers=pool)``; they end with the block.

    Parameters
    ----------
    workers : int, optional
        Processes; None: one a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.count = workers or cores()
        self._context = ExitStack()
        self._pool: ProcessPoolExecutor | None = None

    def pool(self) -> ProcessPoolExecutor:
        """Return the processes; new ones where one of the last was ended from outside."""
        if self._pool is None or self._pool._broken:  # noqa: SLF001  (there is no public way to ask)
            self._context.close()
            self._pool = self._context.enter_context(_workers(self.count))
        return self._pool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._context.__exit__(*failure)  # type: ignore[arg-type]
        self._pool = None


def _ends(sizes: Sequence[int], end: float) -> list[float]:
    """When each of some feeders, in the order in which they begin, has had its share of the time until `end`."""
    begin = time.monotonic()
    share = np.cumsum(sizes) / max(sum(sizes), 1)
    return [end if end == float("inf") else begin + (end - begin) * float(part) for part in share]


def _submit(
    pool: ProcessPoolExecutor, function: Callable[..., T], work: list[tuple[int, tuple[Any, ...]]]
) -> dict[Future[T], int]:
    """Hand feeders to processes, which start here.

    They inherit what is blocked now: Ctrl-C in a terminal reaches every process, but only this one answers it.
    """
    blockable = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blockable else set()
    try:
        return {pool.submit(function, *given): k for k, given in work}
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
