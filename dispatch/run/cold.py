"""Whether kernels were compiled on this machine before; where not, processes compile those of the solve meanwhile.

Compiling takes about as long for the forecast as for the solve. On a machine with two cores both happen at once, and
workers that start later read what is there instead of compiling it each for themselves.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dispatch.run.processes import cores
from kernels._jit import CACHE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOLVING, PLANTS, PIPES, FORECASTING = "solving", "plants", "pipes", "forecasting"
"""Parts of the kernels; `dispatch.run.warm` has the work that compiles each."""
LONGEST_S = 600.0
"""So long a process that compiles is waited for; then workers compile for themselves."""


def cold(part: str) -> bool:
    """Whether a part of the kernels is not known to be compiled already, though it could be kept."""
    return CACHE_FOLDER is not None and not (CACHE_FOLDER / f"{part}.done").exists()


def mark(part: str) -> None:
    """Remember that a part of the kernels is compiled."""
    if CACHE_FOLDER is not None:
        with suppress(OSError):  # it costs time, never a run
            (CACHE_FOLDER / f"{part}.done").touch()


def start_compiling(*parts: str) -> subprocess.Popen[bytes]:
    """Start a process that compiles parts of the kernels and says nothing."""
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", "dispatch.run.warm", *parts]
    return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603


@contextmanager
def compiling_solving(*, wanted: bool, told: bool, gas: bool = False) -> Iterator[Callable[[float], None]]:
    """Let other processes compile the kernels of the solve while this one does what comes before.

    Parameters
    ----------
    wanted : bool
        Whether processes may be started at all.
    told : bool
        Say on stderr why the first run takes longer.
    gas : bool
        Compile those of gas networks and plants, too.

    Yields
    ------
    callable
        Waits until they are compiled, or until a time on the monotonic clock.
    """
    shares = [[SOLVING, PLANTS], [PIPES]] if gas else [[SOLVING]]  # the first takes longest
    missing = [[part for part in share if cold(part)] for share in shares]
    if not (wanted and cores() > 1 and any(missing)):
        yield lambda _: None
        return
    if told:
        sys.stderr.write("kernels are compiled: once on this machine, about half a minute\n")
    processes = [start_compiling(*parts) for parts in missing if parts]

    def wait(end: float) -> None:
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(LONGEST_S, max(0.0, end - time.monotonic())))

    try:
        yield wait
    finally:
        for process in processes:
            process.kill()
            process.wait()
