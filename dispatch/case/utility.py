"""A utility: a folder of case files."""

from __future__ import annotations

from pathlib import Path

from dispatch.errors import InputError, Problem


def is_utility(path: Path | str) -> bool:
    """Whether a path stands for many cases: a folder, or a name without the ending of a case file."""
    return Path(path).is_dir() or not Path(path).suffix


def case_files(utility: Path | str) -> list[Path]:
    """Case files of a utility.

    Parameters
    ----------
    utility : Path or str
        A folder, of which every ``*.nc`` counts, or one case file.

    Returns
    -------
    list of Path
        By name.

    Raises
    ------
    InputError
        If there is none.
    """
    path = Path(utility)
    files = sorted(p for p in path.glob("*.nc") if not p.name.startswith(".")) if path.is_dir() else [path]
    if not files or not files[0].exists():
        hint = "Give a folder of case files, as `dispatch import` and `dispatch scenario` write them."
        raise InputError([Problem("no-cases", str(path), value="without case files", hint=hint)], str(path))
    return files
