"""What a worker is told and what it answers, as small files: only a path goes through the pipes between processes.

A worker that is killed while it reads or writes a long message would leave the pipe's other end waiting without end.
The files hold names, hashes and settings, never code: a scheduler that is shared sees paths alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.batch.kill_points import passing
from dispatch.batch.plan import Group
from dispatch.case.netcdf import move_into_place, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = "work"


@dataclass(frozen=True)
class Task:
    """One group to be done.

    Attributes
    ----------
    utility : str
        Folder of the case files.
    results : str
        Folder of results.
    group : Group
        What to do.
    settings : str
        `Settings` as JSON.
    end : float or None
        Time of day at which the best so far is wanted, seconds since 1970; None: none.
    aside : tuple of str
        Feeders that ended a worker twice: each gets a process of its own.
    shared : dict or None
        What a round of limits that feeders share asks for; None where its feeders share none.
    """

    utility: str
    results: str
    group: Group
    settings: str
    end: float | None = None
    aside: tuple[str, ...] = ()
    shared: dict[str, Any] | None = None

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(self.results, FOLDER, f"{self.group.key}.task")

    @property
    def answer(self) -> Path:
        """Where the answer is written."""
        return self.path.with_suffix(".answer")

    @property
    def mark(self) -> Path:
        """Where the worker writes which feeder it is at."""
        return self.path.with_suffix(".at")

    def write(self) -> Path:
        """Write the task and leave nothing of an earlier try.

        Returns
        -------
        Path
        """
        for old in (self.answer, self.mark):
            old.unlink(missing_ok=True)
        found: dict[str, Any] = {"utility": self.utility, "results": self.results, "group": self.group.to_json()}
        found |= {"settings": self.settings, "end": self.end, "aside": list(self.aside), "shared": self.shared}
        write_atomically(self.path, json.dumps(found).encode())
        return self.path

    @classmethod
    def read(cls, path: Path) -> Task:
        """Read a task."""
        found = json.loads(path.read_bytes())
        return cls(
            found["utility"], found["results"], Group.from_json(found["group"]), found["settings"], found["end"],
            tuple(found["aside"]), found["shared"],
        )  # fmt: skip

    def answer_with(self, found: dict[str, Any]) -> None:
        """Leave an answer whose files have their names already."""
        self.answer.write_text(json.dumps(found, allow_nan=False))

    def forget(self) -> None:
        """Leave nothing of it."""
        for file in (self.path, self.answer, self.mark):
            file.unlink(missing_ok=True)


def deliver(
    task: Task, write: Callable[[Path], object], rows: list[dict[str, Any]], target: str = "", **more: Any
) -> None:
    """Hand over the results of a group: whole and on disk under another name, then the answer, then their own name.

    Parameters
    ----------
    task : Task
        What was done.
    write : callable
        Writes the results to a file and brings them onto the disk.
    rows : list of dict
        What the journal will say about each feeder.
    target : str
        Name of the file in the folder of results; default: that of the group.
    **more
        What the answer says besides.
    """
    written = Path(task.results, FOLDER, f"{task.group.key}.nc")
    write(written)
    found: dict[str, Any] = {"file": target or task.group.file, "bytes": written.stat().st_size, **more}
    found |= {"sha256": hashlib.sha256(written.read_bytes()).hexdigest(), "feeders": rows}
    task.answer.write_text(json.dumps(found, allow_nan=False))
    passing("before rename")
    move_into_place(written, Path(task.results, found["file"]))
    passing("after rename")
