"""The start of workers: one compiles the kernels while the others load their libraries."""

from __future__ import annotations

from concurrent.futures import wait
from typing import TYPE_CHECKING

from dispatch.batch.executors import LocalExecutor, WorkerLost
from dispatch.batch.work import load_libraries, warm_up
from dispatch.errors import WorkersError
from dispatch.run.processes import require_start

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from contextlib import ExitStack
    from pathlib import Path

    from dispatch.batch.deadline import Deadline

TRIES = 3
"""So many processes in a row that end before they take any work say that none can start."""


def chosen(scheduler: str | None, cluster: Path | str | None, workers: int, stack: ExitStack) -> Callable[[], Executor]:
    """Choose where the work is done; a wrong address is refused here, nothing is started yet.

    Parameters
    ----------
    scheduler, cluster, workers
        See `dispatch.run_batch`.
    stack : ExitStack
        With which a connection ends.
    """
    if scheduler is None and cluster is None:
        return lambda: LocalExecutor(workers)
    from dispatch.batch.cluster import connection, dask_executor  # noqa: PLC0415  (Dask only where it is asked for)

    given = connection(scheduler, cluster)
    return lambda: stack.enter_context(dask_executor(given))


def warm(executor: Executor, workers: int, deadline: Deadline) -> None:
    """Let one worker compile the kernels while the others load their libraries, as long as there is time.

    Parameters
    ----------
    executor : Executor
    workers : int
        How many it has.
    deadline : Deadline

    Raises
    ------
    WorkersError
        If no process of this machine can start at all.
    """
    waiting = [executor.submit(warm_up), *(executor.submit(load_libraries) for _ in range(workers - 1))]
    ready, _ = wait(waiting, None if deadline.end is None else max(deadline.patience, 0.0))
    for future in ready:
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
