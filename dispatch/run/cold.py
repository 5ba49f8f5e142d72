"""Whether kernels were compiled on this machine before; where not, a process compiles those of the solve meanwhile.

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

SOLVING, PROVING, FORECASTING, GAS = "solving", "proving", "forecasting", "gas"
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
def compiling_solving(*, wanted: bool, gas: bool, told: bool) -> Iterator[Callable[[float], None]]:
    """Let another process compile the kernels of the solve while this one does what comes before.

    Those of the proof, and of gas networks, follow in a process of their own once this one only waits.

    Parameters
    ----------
    wanted : bool
        Whether processes may be started at all.
    gas : bool
        Whether there is a gas network or a plant.
    told : bool
        Say on stderr why the first run takes longer.

    Yields
    ------
    callable
        Waits until they are compiled, or until a time on the monotonic clock.
    """
    if not (wanted and cores() > 1 and cold(SOLVING)):
        yield lambda _: None
        return
    if told:
        sys.stderr.write("kernels are compiled: once on this machine, about half a minute\n")
    started = [start_compiling(SOLVING)]

    def wait(end: float) -> None:
        parts = [PROVING] * (started[0].poll() is None) + [GAS] * (gas and cold(GAS))
        if parts:
            started.append(start_compiling(*parts))
        end = min(end, time.monotonic() + LONGEST_S)
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))

    try:
        yield wait
    finally:
        for process in started:
            process.kill()
            process.wait()
