"""Runs as processes of their own: interrupted, killed, or left without a parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_town import small_town

from dispatch.case.netcdf import save_case
from dispatch.cli import main

ROOT = Path(__file__).parents[2]


def start(*arguments: str, **options) -> subprocess.Popen[str]:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dispatch.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **options)


def children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def wait_for_workers(process: subprocess.Popen[str], count: int) -> list[int]:
    """Wait for the spawned workers; the resource tracker is a child, too, and is the first."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        spawned = [c for c in children(process.pid) if b"spawn_main" in command_line(c)]
        if len(spawned) >= count:
            return spawned
        time.sleep(0.05)
    raise AssertionError(process.communicate())


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def gone(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


@pytest.fixture
def case(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("town") / "case.nc"
    save_case(small_town(), path)
    return str(path)


def test_interrupt_ends_soon_with_all_its_processes(case, tmp_path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    process = start("run", case, "-o", str(tmp_path / "s.nc"), "--workers", "2", start_new_session=True)
    signal.signal(signal.SIGINT, before)
    workers = wait_for_workers(process, 2)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "stopped" in said
    assert not list(tmp_path.iterdir())
    assert all(gone(w) for w in workers)


def test_workers_do_not_outlive_a_killed_parent(case, tmp_path) -> None:
    process = start("run", case, "-o", str(tmp_path / "s.nc"), "--workers", "2")
    workers = wait_for_workers(process, 2)
    process.kill()
    end = time.monotonic() + 30
    while not all(gone(w) for w in workers) and time.monotonic() < end:
        time.sleep(0.1)
    alive = [w for w in workers if not gone(w)]
    process.communicate()
    assert not alive


def test_a_killed_worker_costs_nothing(case, tmp_path) -> None:
    """Its feeders run again, and the file is the one of a run that nobody disturbed."""
    chosen = ["run", case, "--no-report"]
    assert main([*chosen, "-o", str(tmp_path / "calm.nc"), "--workers", "1", "--quiet"]) == 0
    process = start(*chosen, "-o", str(tmp_path / "s.nc"), "--workers", "2", "--json")
    os.kill(wait_for_workers(process, 2)[0], signal.SIGKILL)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert json.loads(out)["status"] != "failed"
    assert (tmp_path / "s.nc").read_bytes() == (tmp_path / "calm.nc").read_bytes()


def test_imports_leave_garbage_collection_as_it_was():
    code = (
        "import gc; from dispatch.run.processes import import_all\n"
        "before = gc.get_threshold(); import_all('dispatch.case.schema')\n"
        "print(gc.isenabled(), gc.get_threshold() == before, gc.get_freeze_count() > 10_000)\n"
        "frozen = gc.get_freeze_count(); import_all('dispatch.case.schema')\n"
        "gc.disable(); import_all('dispatch.run.settings'); print(gc.get_freeze_count() >= frozen, gc.isenabled())\n"
        "try:\n    import_all('dispatch.nothing_of_that_name')\nexcept ModuleNotFoundError:\n    print('told')\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["True", "True", "True", "True", "False", "told"]
