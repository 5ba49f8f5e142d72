"""The start of workers: one compiles the kernels while the others load their libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.batch.executors import LocalExecutor, WorkerLost
from dispatch.batch.work import load_libraries, warm_up
from dispatch.errors import WorkersError
from dispatch.run.processes import require_start

if TYPE_CHECKING:
    from concurrent.futures import Executor

TRIES = 3
"""So many processes in a row that end before they take any work say that none can start."""


def warm(executor: Executor, workers: int) -> None:
    """Let one worker compile the kernels while the others load their libraries.

    Parameters
    ----------
    executor : Executor
    workers : int
        How many it has.

    Raises
    ------
    WorkersError
        If no process of this machine can start at all.
    """
    waiting = [executor.submit(warm_up), *(executor.submit(load_libraries) for _ in range(workers - 1))]
    for future in waiting:
        try:
            future.result()
        except WorkerLost:
            require_workers(executor)


def require_workers(executor: Executor) -> None:
    """Refuse to go on where no process of this machine can start at all; one may have been ended by chance.

    Raises
    ------
    WorkersError
        If several in a row end before they take any work.
    """
    for left in reversed(range(TRIES if isinstance(executor, LocalExecutor) else 0)):
        try:
            require_start()
        except WorkersError:
            if not left:
                raise
        else:
            return
