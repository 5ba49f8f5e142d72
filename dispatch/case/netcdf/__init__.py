"""Cases and results in netCDF4 files: written atomically, read as data that nobody has to trust."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.case.embedded import case_file
from dispatch.case.netcdf.labelled import assemble
from dispatch.case.netcdf.read import ALL, Excerpt, read_groups
from dispatch.case.netcdf.write import LEVEL, write_groups
from dispatch.case.rules import check_case
from dispatch.errors import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr


def load_case(path: str | os.PathLike[str], notes: list[str] | None = None, excerpt: Excerpt = ALL) -> xr.DataTree:
    """Read a case or a result into memory and close the file.

    Older schema versions are migrated and other units converted; what a case must hold beyond that is checked by
    `dispatch.case.rules.check_case`.

    Parameters
    ----------
    path : path_like
        A netCDF4 file, or the name of an embedded case.
    notes : list of str, optional
        Receives a line for each thing that was converted.
    excerpt : Excerpt
        Which part of the file is read; default: all.

    Returns
    -------
    DataTree
        Bools, bytes and times decoded; values in the units of the attribute table.

    Raises
    ------
    InputError
        If the file is not a readable netCDF4 file, claims more memory than it may, links to other files, follows a
        newer schema version, or has a variable whose unit is missing or not convertible. All problems in one pass.
    """
    case, problems = _read(Path(path), notes, excerpt)
    raise_if_any(problems, str(path))
    assert case is not None
    return case


def check_file(path: str | os.PathLike[str], notes: list[str] | None = None) -> list[Problem]:
    """Every problem of a file: what reading it finds and what `check_case` finds, in one pass.

    Parameters
    ----------
    path : path_like
        A netCDF4 file, or the name of an embedded case.
    notes : list of str, optional
        Receives a line for each thing that was converted.

    Returns
    -------
    list of Problem
        Empty for a valid case.
    """
    return _checked(Path(path), notes)[1]


def load_valid_case(path: str | os.PathLike[str], notes: list[str] | None = None) -> xr.DataTree:
    """Read a case or a result and refuse it with every problem of the file, in one pass.

    Parameters
    ----------
    path : path_like
        A netCDF4 file, or the name of an embedded case.
    notes : list of str, optional
        Receives a line for each thing that was converted.

    Returns
    -------
    DataTree
        As `load_case` returns it.

    Raises
    ------
    InputError
        With all that reading and `dispatch.case.rules.check_case` find.
    """
    case, problems = _checked(Path(path), notes)
    raise_if_any(problems, str(path))
    assert case is not None
    return case


def _checked(path: Path, notes: list[str] | None) -> tuple[xr.DataTree | None, list[Problem]]:
    case, problems = _read(path, notes)
    if case is None:
        return None, problems
    known = {(p.group, p.variable) for p in problems}
    return case, problems + [p for p in check_case(case, str(path)) if (p.group, p.variable) not in known]


def _read(path: Path, notes: list[str] | None, excerpt: Excerpt = ALL) -> tuple[xr.DataTree | None, list[Problem]]:
    problems: list[Problem] = []
    try:
        groups = read_groups(case_file(path), problems, excerpt)
    except InputError as error:
        return None, list(error.problems)
    return assemble(groups, problems, notes if notes is not None else []), problems


def save_case(case: xr.DataTree, path: str | os.PathLike[str], *, level: int = LEVEL) -> None:
    """Write a case or a result; the same tree gives the same bytes.

    The file appears under its name only when it is complete and on disk.

    Parameters
    ----------
    case : DataTree
        Numbers, bools, fixed-width bytes and datetimes of whole seconds.
    path : path_like
        Replaced if it exists.
    level : int
        Of compression, from 1 to 9.

    Raises
    ------
    TypeError
        If a variable or attribute has a type that a case cannot hold.
    OSError
        If the folder cannot be written or the disk is full; nothing is left behind then.
    """
    try:
        _appear(Path(path), lambda temporary: write_groups(case, temporary, level))
    except RuntimeError as error:  # the netCDF library does not say which system call failed
        text = f"not written, and what stood there is kept: is the disk full? ({error})"
        raise OSError(errno.EIO, text, str(path)) from error


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write any file so that it is never seen half-written.

    Parameters
    ----------
    path : path_like
        Replaced if it exists.
    content : bytes
        All of it.

    Raises
    ------
    OSError
        If the folder cannot be written or the disk is full; nothing is left behind then.
    """
    _appear(Path(path), lambda temporary: temporary.write_bytes(content))


def _appear(target: Path, write: Callable[[Path], object]) -> None:
    """Write beside the target, bring it onto the disk, then give it its name."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        move_into_place(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def move_into_place(written: Path, target: Path) -> None:
    """Give a file that is complete and on disk its name, in the same file system, and bring that onto the disk, too.

    Parameters
    ----------
    written, target : Path
        Its name so far and its new one, which is replaced if it exists.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    written.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
