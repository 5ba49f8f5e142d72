"""Work that takes no libraries: what it delivers says only from what it came, by the same steps as the real one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from dispatch.batch.task import Task, deliver

ROUNDS = 2000


def stand_in(path: str) -> None:
    """Deliver a file that is a function of the group's inputs alone."""
    task = Task.read(Path(path))
    for name in task.group.names:
        task.mark.write_text(name)
        digest = name.encode()
        for _ in range(ROUNDS):
            digest = hashlib.sha256(digest).digest()
    task.mark.write_text("")
    rows = [{"name": n, "status": "optimal", "seconds": 0.0, "prosumers": 1, "says": ""} for n in task.group.names]
    deliver(task, lambda file: _write(file, digest * 1000), rows)


def fatal(path: str) -> None:
    """End the process at every feeder whose name says so, but for one that is set aside."""
    task = Task.read(Path(path))
    for name in task.group.names:
        task.mark.write_text(name)
        if "0003" in name and name not in task.aside:
            os.kill(os.getpid(), 9)
    stand_in(path)


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
