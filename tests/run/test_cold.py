from __future__ import annotations

import subprocess
import sys
import time

import pytest
from small_town import small_town

import dispatch
from dispatch.run import cold


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Collect what is started instead of processes that compile; they end after as long as `started.seconds`."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(*parts: str) -> subprocess.Popen[bytes]:
        start.parts.append(parts)
        code = f"import time; time.sleep({start.seconds})"
        processes.append(subprocess.Popen([sys.executable, "-c", code]))
        return processes[-1]

    start.seconds, start.processes, start.parts = 0.3, processes, []
    monkeypatch.setattr(cold, "CACHE_FOLDER", tmp_path)
    monkeypatch.setattr(cold, "cores", lambda: 2)
    monkeypatch.setattr(cold, "start_compiling", start)
    return start


@pytest.mark.parametrize("gas", [False, True])
def test_a_cold_machine_compiles_meanwhile_and_is_waited_for(started, capsys, gas) -> None:
    with cold.compiling_solving(wanted=True, gas=gas, told=True) as wait:
        assert started.processes[0].poll() is None
        wait(float("inf"))
        assert [process.returncode for process in started.processes] == [0, 0]
    assert started.parts == [(cold.SOLVING,), (cold.PROVING, *[cold.GAS] * gas)]
    assert capsys.readouterr().err.startswith("kernels are compiled")


def test_what_is_compiled_starts_nothing(started) -> None:
    cold.mark(cold.SOLVING)
    assert not cold.cold(cold.SOLVING)
    assert cold.cold(cold.FORECASTING)
    with cold.compiling_solving(wanted=True, gas=False, told=True) as wait:
        wait(float("inf"))
    assert not started.processes


def test_what_was_compiled_before_the_wait_is_not_compiled_again(started) -> None:
    started.seconds = 0
    with cold.compiling_solving(wanted=True, gas=False, told=False) as wait:
        started.processes[0].wait()
        wait(float("inf"))
    assert started.parts == [(cold.SOLVING,)]


def test_one_worker_starts_nothing(started) -> None:
    dispatch.optimize(small_town(), workers=1)
    assert not started.processes


@pytest.mark.parametrize("waits", [False, True])
def test_time_that_is_up_and_an_end_that_comes_before_end_the_process(started, waits) -> None:
    started.seconds = 60
    begun = time.monotonic()
    with cold.compiling_solving(wanted=True, gas=False, told=False) as wait:
        if waits:
            wait(begun + 0.1)
    assert started.processes[0].returncode not in (None, 0)
    assert time.monotonic() - begun < 30


def test_a_folder_that_cannot_be_written_costs_no_run(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(cold, "CACHE_FOLDER", tmp_path / "gone" / "deep")
    cold.mark(cold.SOLVING)
    monkeypatch.setattr(cold, "CACHE_FOLDER", None)
    cold.mark(cold.SOLVING)
    assert not cold.cold(cold.SOLVING)
