"""Local processes behind the interface of `concurrent.futures`: the end of one costs the group that it was at."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from dispatch.errors import DispatchError
from dispatch.run.processes import ONE_THREAD, set_up_worker

if TYPE_CHECKING:
    from collections.abc import Callable


class WorkerLost(DispatchError):  # noqa: N818  (what happened, not a fault of the program)
    """The process that worked on a group was ended from outside."""


class LocalExecutor(Executor):
    """Processes of this machine, each looked after by a thread of its own, so that it is known who was ended.

    Parameters
    ----------
    workers : int
        How many.
    """

    def __init__(self, workers: int) -> None:
        os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
        self._others = set(multiprocessing.active_children())
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._ended = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call of a function of a module's top level; its future may hold `WorkerLost`."""
        future: Future[Any] = Future()
        self._waiting.put((future, function, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; with `cancel_futures` at once, whatever they are at."""
        self._ended = self._ended or cancel_futures
        for _ in self._threads:
            self._waiting.put(None)
        while cancel_futures and any(thread.is_alive() for thread in self._threads):
            for process in set(multiprocessing.active_children()) - self._others:  # also one that starts just now
                process.kill()
            for thread in self._threads:
                thread.join(0.05)
        for thread in self._threads if wait else ():
            thread.join()

    def _serve(self) -> None:
        """Hand calls to one process, and start another when it was ended."""
        if hasattr(signal, "pthread_sigmask"):  # inherited by the process: Ctrl-C is answered by the main thread alone
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        pool: ProcessPoolExecutor | None = None
        while (item := self._waiting.get()) is not None:
            future, function, args, kwargs = item
            if self._ended or not future.set_running_or_notify_cancel():
                future.cancel()
                continue
            if pool is None:
                spawn = multiprocessing.get_context("spawn")
                pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=set_up_worker)
            try:
                answer = pool.submit(function, *args, **kwargs).result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = None
                future.set_exception(WorkerLost("its process was ended from outside"))
            except BaseException as error:  # noqa: BLE001  (handed to whoever asked)
                future.set_exception(error)
            else:
                future.set_result(answer)
        if pool is not None:
            pool.shutdown(cancel_futures=True)
