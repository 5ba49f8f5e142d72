"""Processes in which feeders run: started undisturbed, ended with this one or when one of them was ended."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Self

from dispatch.errors import WorkersError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

# Several threads in a process would only fight for the cores that the processes already use.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Hand out processes that end when the block does: at once where it is left by an error or Ctrl-C."""
    os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=set_up_worker)
    try:
        yield pool
        healthy = not broken(pool)
    except BaseException:
        healthy = False
        raise
    finally:
        if not healthy:  # a process that was being started when another was ended is waited for without end
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
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

    @contextmanager
    def borrow(self, count: int) -> Iterator[ProcessPoolExecutor]:  # noqa: ARG002  (as many as it has)
        """Hand out the processes; they end at once where the block is left by an error or Ctrl-C, or one was ended."""
        if self._pool is None:
            self._pool = self._context.enter_context(processes(self.count))
        try:
            yield self._pool
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        if self._pool is not None and broken(self._pool):
            self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool = None
        self._context.__exit__(kind, error, trace)


def broken(pool: ProcessPoolExecutor) -> bool:
    """Whether a process of the pool was ended from outside."""
    try:
        pool.submit(int).result()
    except BrokenProcessPool:
        return True
    return False


def require_start() -> None:
    """Refuse to go on where no process can start at all; that one was killed says nothing about that.

    Raises
    ------
    WorkersError
        If a new one ends by itself before it takes any work.
    """
    with undisturbed():
        process = multiprocessing.get_context("spawn").Process(target=int, daemon=True)
        process.start()
    process.join()
    if process.exitcode not in {0, -signal.SIGKILL}:
        raise WorkersError(
            "Processes cannot be started: each ended before it took any work; see above what it said. In a script,"
            ' call dispatch under `if __name__ == "__main__":`; one that is read from standard input cannot start'
            " any. With workers=1 (--workers 1) none are needed."
        )


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait until the block ends: a process that is half started would be waited for without end.

    Blocking the signal is what new processes inherit, so that only this one answers a Ctrl-C, which reaches all of
    them. It is not enough here: another thread may take it, and Python then interrupts this one.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    blockable = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blockable else set()
    try:
        yield
    finally:
        if blockable:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
    if heard:
        signal.raise_signal(signal.SIGINT)


def import_all(*modules: str) -> None:
    """Import modules without looking for garbage among what they make, now or later: that takes a sixth of a start."""
    new, looks = [module for module in modules if module not in sys.modules], gc.isenabled()
    if not new:
        return
    gc.disable()
    try:
        for module in new:
            importlib.import_module(module)
    finally:
        gc.freeze()
        if looks:
            gc.enable()


def set_up_worker() -> None:
    """Make a process a worker, which does not outlive a parent that was killed."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    import_all("dispatch.run.feeder")
