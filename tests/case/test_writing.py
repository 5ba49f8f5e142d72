"""No half-written file is ever visible: killed while writing, no room, no permission."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
KILLS = int(os.environ.get("DISPATCH_KILL_COUNT", "20"))


def script(name: str, *arguments: str, timeout_s: float) -> str:
    """Run a script of this folder in a process of its own; what it printed."""
    path = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(HERE / name), *arguments],
        capture_output=True, text=True, timeout=timeout_s, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_kills_while_writing_leave_whole_files() -> None:
    told = counts_in(script("kills.py", "--count", str(KILLS), "--seed", "0", timeout_s=120 + 5 * KILLS))
    assert told["kills"] == told["absent"] + told["whole"] == KILLS
    assert told["in the middle"] >= KILLS // 4  # most writes were really interrupted


def counts_in(text: str) -> dict[str, int]:
    """Read what a script counted."""
    return {name: int(count) for name, count in (line.rsplit(" ", 1) for line in text.splitlines())}


def test_no_room_and_no_permission_keep_the_old_file() -> None:
    with tempfile.TemporaryDirectory() as folder:  # root's own temporary folder is closed to others
        Path(folder).chmod(0o755)
        told = script("no_room.py", folder, timeout_s=120)
        Path(folder).chmod(0o755)
    room, permission = told.splitlines()
    assert room.startswith("16 times without room; netCDF: ")
    assert "is the disk full?" in room
    assert "Permission denied" in permission
