"""End a process at random moments while it writes, and see that no half-written file bears the final name.

`python tests/case/kills.py --count 500 --seed 1` runs by hand what the tests run in small.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from small_case import small_case

from dispatch.case.netcdf import save_case, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[Path, int], None]


def write_file(path: Path, version: int) -> None:
    """Write a case file of some hundred kB; its versions differ in every value of one table."""
    case = small_case()
    values = np.random.default_rng(version).random((200, 96))
    case["measured"] = xr.DataTree(xr.Dataset({"power": (("row", "step"), values)}))
    save_case(case, path)


def write_page(path: Path, version: int) -> None:
    """Write any other file of 400 kB, such as a report."""
    write_atomically(path, bytes([65 + version]) * 400_000)


WAYS: dict[str, Write] = {"case.nc": write_file, "report.html": write_page}


def write_forever(write: Write, path: Path, ready: int) -> None:
    """Write one version after the other; says when it begins."""
    os.write(ready, b"!")
    for version in range(1_000_000):
        write(path, version % 2)


def kill_once(write: Write, path: Path, within_s: float, chance: random.Random) -> None:
    """Start a process that writes, and end it at a random moment."""
    begun, ready = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write_forever(write, path, ready)
        finally:
            os._exit(1)  # an error is told by the exit status
    os.read(begun, 1)
    select.select([], [], [], chance.uniform(0, within_s))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(begun)
    os.close(ready)
    if not os.WIFSIGNALED(status):
        raise AssertionError("the process ended by itself")


def whole_files(write: Write, path: Path) -> tuple[set[bytes], float]:
    """Bytes of both versions, and how long it takes to write one. [s]"""
    found = set()
    begin = time.perf_counter()
    for version in (0, 1):
        write(path, version)
        found.add(path.read_bytes())
    return found, (time.perf_counter() - begin) / 2


def run(count: int, seed: int) -> dict[str, int]:
    """Kill so many writes; raise at the first file that is neither absent nor whole."""
    chance = random.Random(seed)
    outcomes = {"kills": 0, "absent": 0, "whole": 0, "in the middle": 0}
    with tempfile.TemporaryDirectory() as name:
        known = {kind: whole_files(write, Path(name) / kind) for kind, write in WAYS.items()}
        for k in range(count):
            kind = list(WAYS)[k % len(WAYS)]
            path, (whole, takes_s) = Path(name) / kind, known[kind]
            if k % 10 < len(WAYS):
                path.unlink(missing_ok=True)
            kill_once(WAYS[kind], path, 1.5 * takes_s, chance)
            left = path.read_bytes() if path.exists() else None
            if left is not None and left not in whole:
                raise AssertionError(f"kill {k} of seed {seed} left a file that is not whole: {kind}")
            outcomes["kills"] += 1
            outcomes["absent" if left is None else "whole"] += 1
            parts = list(Path(name).glob(".*.part"))
            outcomes["in the middle"] += bool(parts)
            for part in parts:
                part.unlink()
    return outcomes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    for outcome, number in run(settings.count, settings.seed).items():
        sys.stdout.write(f"{outcome} {number}\n")
