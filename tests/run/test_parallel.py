from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xarray as xr
from small_town import small_town

from dispatch.case.slices import split_feeders
from dispatch.run import parallel, processes
from dispatch.run.parallel import map_feeders
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are ended by SIGKILL")


def feeders(count: int) -> list[xr.DataTree]:
    return [xr.DataTree(xr.Dataset(attrs={"number": k})) for k in range(count)]


def large(feeder: xr.DataTree, _: Settings, _end: float) -> bytes:
    """Answer with more than a pipe holds; the first feeder ends its process before it does."""
    if int(feeder.attrs["number"]) == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return bytes(1_000_000)


def deadly(feeder: xr.DataTree, _: Settings, _end: float, folder: str, kills: dict[int, int]) -> int:
    """Count the starts of a feeder in files; end the own process at the first few starts of some."""
    number = int(feeder.attrs["number"])
    starts = len(list(Path(folder).glob(f"{number}-*")))
    (Path(folder) / f"{number}-{os.getpid()}-{starts}").touch()
    if starts < kills.get(number, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * number


def lost(feeder: xr.DataTree) -> int:
    return -int(feeder.attrs["number"])


def test_a_feeder_that_kills_its_worker_fails_alone(tmp_path) -> None:
    call = partial(deadly, folder=str(tmp_path), kills={2: 99, 4: 1})
    found = map_feeders(call, feeders(6), Settings(), lost=lost, workers=2, progress=False)
    assert found == [0, 10, -2, 30, 40, 50]
    assert 2 <= len(list(tmp_path.glob("2-*"))) <= 1 + parallel.TRIES_ALONE


def test_more_than_a_pipe_holds_is_handed_over_and_back_while_processes_are_killed() -> None:
    heavy = feeders(4)
    for feeder in heavy:
        feeder["much"] = xr.DataArray(bytearray(1_000_000))
    found = map_feeders(large, heavy, Settings(), lost=lambda _: b"lost", workers=2, progress=False)
    assert [len(f) for f in found] == [4, *[1_000_000] * 3]


def test_a_pool_that_breaks_while_feeders_are_handed_over_keeps_those_it_has(tmp_path: Path) -> None:
    class Breaking:
        taken = 0

        def submit(self, *_: object) -> Future[int]:
            if self.taken == 2:
                raise BrokenProcessPool
            self.taken += 1
            return Future()

    futures = parallel._submit(Breaking(), tmp_path, max, [(k, (k, 0)) for k in range(5)])
    assert sorted(k for k, _ in futures.values()) == [0, 1]


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """Also in tests that run as a shell's background job, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_waits_until_processes_are_started() -> None:
    """Also where another thread takes the signal: Python interrupts the main one all the same."""
    go, done = threading.Event(), []

    def take() -> None:
        go.wait()
        signal.raise_signal(signal.SIGINT)

    def start() -> None:
        with processes.undisturbed():
            go.set()
            thread.join()
            done.append("started")

    thread = threading.Thread(target=take)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        start()
    assert done == ["started"]


def test_processes_that_cannot_start_are_told_as_such() -> None:
    """A program from standard input cannot be read again by the processes that it starts."""
    program = (
        "import xarray as xr\n"
        "from dispatch.run.parallel import map_feeders\n"
        "from dispatch.run.settings import Settings\n"
        "map_feeders(max, [xr.DataTree(), xr.DataTree()], Settings(), lost=len, workers=2, progress=False)\n"
    )
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WorkersError: Processes cannot be started" in done.stderr.splitlines()[-1]
    assert done.stderr.count("FileNotFoundError") <= 3  # at most two processes, and one more to see


def test_time_that_small_feeders_leave_is_for_large_ones(monkeypatch) -> None:
    """Four, three, two and one elements, 100 s: each is told its share of what is left when it begins."""
    clock, told = [1000.0], {}
    monkeypatch.setattr(parallel.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(parallel, "_size", lambda feeder: 4 - int(feeder.attrs["number"]))

    def one_second(feeder: xr.DataTree, _: Settings, end: float) -> int:
        told[int(feeder.attrs["number"])] = end - clock[0]
        clock[0] += 1.0
        return 0

    map_feeders(one_second, feeders(4), Settings(), end=1100.0, lost=lost, workers=1, progress=False)
    assert list(told) == [3, 2, 1, 0]
    assert list(told.values()) == pytest.approx([10.0, 99 * 2 / 9, 98 * 3 / 7, 97.0])


def test_small_cases_need_no_process(monkeypatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 8)
    town = split_feeders(small_town())
    assert parallel._sensible(town) == 1
    assert sum(parallel._work(f) for f in town) == 8 * 24
    monkeypatch.setattr(parallel, "WORTH_PROCESSES", 7 * 24)  # seven of eight cores
    assert parallel._sensible(town) == 8
    meters = map_feeders(
        lambda f, _, _end: f["prosumer/meter"].sizes["meter"],
        town[:1],
        Settings(),
        lost=lost,
        workers=None,
        progress=False,
    )
    assert meters == [4]
