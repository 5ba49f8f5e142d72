from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatch.arguments import parser
from dispatch.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]


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


linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


def test_every_command_has_help_with_an_example(capsys) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as caught:
            parser().parse_args([name, "--help"])
        said = capsys.readouterr().out
        assert caught.value.code == 0
        assert f"  dispatch {name}" in said
        assert "exit codes" in said


def test_no_command_shows_the_first_steps(capsys) -> None:
    assert main([]) == 2
    assert "first steps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["nosuch"], ["run"], ["run", "c.nc", "--workers", "0"], ["import", "tables", "t"]]
)
def test_wrong_usage_names_the_help(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_json_of_bad_input_is_one_object(tmp_path, capsys) -> None:
    (tmp_path / "bad.nc").write_text("no netCDF")
    assert main(["run", str(tmp_path / "bad.nc"), "-o", str(tmp_path / "out" / "s.nc"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "invalid"
    assert [p["code"] for p in found["problems"]] == ["not-netcdf"]
    assert not (tmp_path / "out").exists()


def test_bugs_do_not_end_as_bad_input(monkeypatch, capsys) -> None:
    def broken(_):
        raise ZeroDivisionError("by hand")

    monkeypatch.setitem(COMMANDS, "explain", broken)
    assert main(["explain", "s_nom"]) == 4
    assert "please report" in capsys.readouterr().err


@linux
def test_interrupt_ends_soon_with_all_its_processes(tmp_path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    process = start(
        "run", "schutterwald_summer", "-o", str(tmp_path / "s.nc"), "--workers", "2", start_new_session=True
    )
    signal.signal(signal.SIGINT, before)
    workers = wait_for_workers(process, 2)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "stopped" in said
    assert not list(tmp_path.iterdir())
    assert all(gone(w) for w in workers)


@linux
def test_workers_do_not_outlive_a_killed_parent(tmp_path) -> None:
    process = start("run", "schutterwald_summer", "-o", str(tmp_path / "s.nc"), "--workers", "2")
    workers = wait_for_workers(process, 2)
    process.kill()
    end = time.monotonic() + 30
    while not all(gone(w) for w in workers) and time.monotonic() < end:
        time.sleep(0.1)
    alive = [w for w in workers if not gone(w)]
    process.communicate()
    assert not alive


@linux
@pytest.mark.slow
def test_a_killed_worker_costs_nothing(tmp_path) -> None:
    """Its feeders run again, and the file is the one of a run that nobody disturbed."""
    case = str(tmp_path / "case.nc")
    assert main(["forecast", "schutterwald_summer", "--horizon-h", "2", "-o", case, "--quiet"]) == 0
    chosen = ["run", case, "--no-report"]
    assert main([*chosen, "-o", str(tmp_path / "calm.nc"), "--workers", "1", "--quiet"]) == 0
    process = start(*chosen, "-o", str(tmp_path / "s.nc"), "--workers", "2", "--json")
    os.kill(wait_for_workers(process, 2)[0], signal.SIGKILL)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert json.loads(out)["status"] != "failed"
    assert (tmp_path / "s.nc").read_bytes() == (tmp_path / "calm.nc").read_bytes()
