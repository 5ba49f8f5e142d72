"""Whether what a command is told to write can be written, before any work is done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Iterable


def require_output(
    path: Path | str, *, folder: bool = False, inputs: Iterable[Path | str] = (), taken: Iterable[str] = ()
) -> None:
    """Refuse an output that cannot be written or that would replace an input; makes nothing.

    Parameters
    ----------
    path : Path or str
        File or folder that a command will write. Folders on the way need not exist yet.
    folder : bool
        `path` is a folder.
    inputs : iterable of Path or str
        Files that the command reads.
    taken : iterable of str
        Names of other files that the command writes beside the output.

    Raises
    ------
    InputError
        With every problem of the output.
    """
    target = Path(path)
    found: list[Problem] = []

    def problem(value: str, allowed: str, hint: str) -> None:
        found.append(Problem("output", str(path), value=value, allowed=allowed, hint=hint))

    if folder and target.exists() and not target.is_dir():
        problem("a file", "a folder", "Name a folder; it is made if it does not exist.")
    if not folder and target.is_dir():
        problem("a folder", "a file", f"Name a file in it, such as {target / 'out.nc'}.")
    if any(target.exists() and Path(i).exists() and target.samefile(i) for i in inputs):
        problem("what is read, too", "another file", "Give the output a name of its own, so that the input is kept.")
    if target.name in taken:
        problem("the name of what is written beside it", "another name", "Call the result schedule.nc, for instance.")
    there = _nearest(target if folder else target.parent)
    if not there.is_dir():
        if not (folder and there == target):
            problem(f"behind {there}, which is a file", "a path through folders", "Choose another folder.")
    elif not os.access(there, os.W_OK | os.X_OK):
        problem(f"in {there}, which you may not write", "a folder of yours", "Choose another folder with -o.")
    raise_if_any(found)


def _nearest(path: Path) -> Path:
    """Find the path itself or the first of its parents that exists."""
    return next((p for p in (path, *path.absolute().parents) if p.exists()), Path())
