"""Promises 9 to 11: ending workers and runs loses nothing, whenever it happens."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest
from chaos import command_of, run, start, workers_of
from stand_in import fatal, stand_in
from tiny import Here, copied_utility, files_of

from dispatch.batch import run_batch as module
from dispatch.batch.executors import LocalExecutor, WorkerLost
from dispatch.batch.journal import read_journal
from dispatch.batch.kill_points import ENVIRONMENT, POINTS
from dispatch.batch.losses import Losses
from dispatch.batch.planning import make_plan
from dispatch.batch.record import lost
from dispatch.batch.results import open_results
from dispatch.batch.status import status_of
from dispatch.errors import WorkersError
from dispatch.run.settings import Settings

KILLS = int(os.environ.get("PROSUMER_DISPATCH_KILLS", "0"))

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


@pytest.mark.slow
def test_random_kills_lose_nothing_and_repeat_nothing(monkeypatch) -> None:
    monkeypatch.setattr(module, "run_group", stand_in)
    found = run(KILLS, 500, 1, 2.0, real=True) if KILLS else run(5, 60, 2, 0.5, real=False)
    assert found["kills of workers"] + found["kills of runs"] >= (KILLS or 5)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_named_point_costs_one_group_at_most(point, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "run_group", stand_in)
    utility, results, flag = copied_utility(tmp_path / "u", 6), tmp_path / "r", tmp_path / "flag"
    flag.touch()
    monkeypatch.setenv(ENVIRONMENT, f"{point}={flag}")
    client = start(utility, results)
    _, status = os.waitpid(client, 0)
    assert not flag.exists(), "the point was not passed"
    ended = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert ended == point.startswith("in "), "a worker's end is no end of the run"
    before = sum(r["what"] == "done" for r in read_journal(results))
    assert all(f.suffix == ".nc" and not f.name.startswith(".") for f in (results / "groups").iterdir())
    again = module.run_batch(utility, results, workers=1, executor=Here(), resume=True, report=False)
    assert again.counts["optimal"] == 6
    repeated = sum(r["what"] == "done" for r in read_journal(results)) - before
    assert repeated == (again.groups - before if ended else 0)
    module.run_batch(utility, tmp_path / "whole", workers=1, executor=Here(), report=False)
    assert files_of(results) == files_of(tmp_path / "whole")


def test_a_feeder_that_ends_its_worker_twice_is_set_aside(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "run_group", fatal)
    status = module.run_batch(copied_utility(tmp_path / "u", 6), tmp_path / "r", workers=1, report=False)
    assert status.counts["optimal"] == 6
    lost = [r["at"] for r in read_journal(tmp_path / "r") if r["what"] == "lost"]
    assert lost == ["case0003/f0"] * 2


class Loses(Here):
    """Loses a worker before it begins, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def submit(self, function, /, *args, **kwargs):
        self.times -= 1
        if self.times < 0:
            return super().submit(function, *args, **kwargs)
        future = Future()
        future.set_exception(WorkerLost())
        return future


def test_workers_that_end_before_they_begin_are_no_fault_of_a_group(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "run_group", stand_in)
    utility = copied_utility(tmp_path / "u", 2)
    status = module.run_batch(utility, tmp_path / "r", workers=1, executor=Loses(20), report=False)
    assert status.counts["optimal"] == 2
    assert status.lost == 20
    with pytest.raises(WorkersError, match="--resume"):
        module.run_batch(utility, tmp_path / "s", workers=1, executor=Loses(100), report=False)
    status = module.run_batch(utility, tmp_path / "s", workers=1, executor=Here(), resume=True, report=False)
    assert status.counts["optimal"] == 2


def test_a_group_that_ends_workers_while_it_is_written_is_given_up(tmp_path) -> None:
    group = make_plan(copied_utility(tmp_path / "u", 2), Settings()).groups[0]
    losses = Losses()
    for _ in range(5):
        losses.add(group, "")
        losses.add(group, None)
    assert not losses.given_up(group)
    losses.add(group, "")
    assert losses.given_up(group)
    assert Losses([lost(group, "")] * 6).given_up(group)
    assert Losses([lost(group, "case0001/f0")] * 2).aside(group) == ("case0001/f0",)


@pytest.mark.slow
def test_ctrl_c_ends_the_workers_and_leaves_what_can_be_resumed(tmp_path) -> None:
    utility, results = copied_utility(tmp_path / "u", 30), tmp_path / "r"
    command = [sys.executable, "-m", "dispatch.cli", "batch", "run", str(utility), "-o", str(results), "--workers", "2"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    batch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])
    signal.signal(signal.SIGINT, before)
    try:
        while not list((results / "work").glob("*.at")):
            assert batch.poll() is None
            select.select([], [], [], 0.05)
        workers = workers_of(batch.pid)
        batch.send_signal(signal.SIGINT)
        _, said = batch.communicate(timeout=60)
    finally:
        batch.kill()
    assert batch.returncode == 130, said
    assert workers
    assert not any(Path(f"/proc/{w}/cmdline").exists() and command_of(w) for w in workers)
    assert status_of(results).counts["not_run"] > 0
    assert len(open_results(results)["feeder"]["status"]) == 30


def test_the_end_of_a_process_costs_its_own_call_only() -> None:
    with LocalExecutor(1) as pool:
        lost, next_one = pool.submit(os._exit, 9), pool.submit(os.getpid)
        assert isinstance(lost.exception(), WorkerLost)
        assert next_one.result() != os.getpid()
        assert isinstance(pool.submit(int, "x").exception(), ValueError)


def test_a_run_that_is_stopped_can_be_resumed_at_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "run_group", stand_in)
    utility, results = copied_utility(tmp_path / "u", 4), tmp_path / "r"

    class Stops(Here):
        def submit(self, *_, **__):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        module.run_batch(utility, results, workers=1, executor=Stops(), report=False)
    assert status_of(results).counts["not_run"] == 4
    assert (results / "index.nc").exists()
    status = module.run_batch(utility, results, workers=1, executor=Here(), resume=True, report=False)
    assert status.counts["optimal"] == 4
