"""A utility: a folder of case files. Each command goes through all of them; a bad one never stops the rest."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dispatch.case.netcdf import check_file, load_case, save_case
from dispatch.case.netcdf.peek import glance_at
from dispatch.case.rules import check_case
from dispatch.case.shared import NAME as SHARED
from dispatch.case.shared import read_shared, shared_file
from dispatch.case.slices import split_feeders
from dispatch.case.utility import case_files
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.model.registry import load_components
from dispatch.run.doors import imported, scenario
from dispatch.run.outputs import require_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

PACKED = (".gz", ".json")
"""Endings that are no part of a case's name."""


@dataclass
class Pass:
    """How a command went through a utility.

    Attributes
    ----------
    done : list of str
        What went well, by name.
    refused : dict of str to InputError
        What did not, and why.
    notes : list of str
        What was changed or left out.
    """

    done: list[str] = field(default_factory=list)
    refused: dict[str, InputError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def tried(self, name: str, call: Callable[[], object]) -> None:
        """Do one thing; what is wrong with its input is kept, and the pass goes on."""
        try:
            call()
        except InputError as error:
            self.refused[name] = error
        else:
            self.done.append(name)


def seed_of(name: str, seed: int) -> int:
    """Seed with which one case of a utility draws: equal grids are equipped differently, and none hangs on others.

    Parameters
    ----------
    name : str
        Of the case file, without folder and ending.
    seed : int
        Of the whole scenario.

    Returns
    -------
    int
        First eight bytes of the SHA-256 of ``seed/name``.
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8])


def import_utility(source: str, parts: Sequence[tuple[str, Path, dict[str, Any]]], folder: Path) -> Pass:
    """Import many networks into a folder of cases.

    Parameters
    ----------
    source : str
        As for `dispatch.run.doors.import_case`.
    parts : sequence of (str, Path, dict)
        Name of the case, file or folder, options of the importer.
    folder : Path
        Made if missing; receives ``NAME.nc`` for each network that can be read.

    Returns
    -------
    Pass

    Raises
    ------
    InputError
        If the folder cannot be written, or two parts have one name.
    """
    require_output(folder, folder=True)
    names = [name for name, _, _ in parts]
    twice = sorted({n for n in names if names.count(n) > 1})
    hint = "Rename one of the files: each case of a utility is named after its file."
    raise_if_any([Problem("name", "FILE", "", tuple(twice[:5]), len(twice), "not unique", "", hint)] if twice else [])
    folder.mkdir(parents=True, exist_ok=True)
    went = Pass()

    def one(name: str, path: Path, options: dict[str, Any]) -> None:
        case, notes = imported(source, path, **options)
        save_case(case, folder / f"{name}.nc")
        went.notes += [f"{name}: {note}" for note in notes]

    for name, path, options in parts:
        went.tried(name, lambda given=(name, path, options): one(*given))  # type: ignore[misc]
    return went


def name_of(path: Path) -> str:
    """Name of the case that a network file becomes: its own without the endings."""
    name = path.name
    while name.lower().endswith(PACKED):
        name = name[: name.rfind(".")]
    return name


def equip_utility(utility: Path, folder: Path, *, seed: int = 1, **choices: Any) -> Pass:
    """Equip every case of a utility by the scenario rule, each with a seed of its own.

    Parameters
    ----------
    utility : Path
        Folder of cases.
    folder : Path
        Made if missing; receives cases of the same names.
    seed : int
        Of the whole scenario; see `seed_of`.
    **choices
        Of `dispatch.equip`.

    Returns
    -------
    Pass
        The shares are met in every case alone, so that the time grows with the number of cases only.
    """
    require_output(folder, folder=True)
    files = case_files(utility)
    if folder.exists() and folder.samefile(utility):
        hint = "Give the folder of the equipped cases a name of its own."
        raise InputError([Problem("output", str(folder), value="what is read, too", hint=hint)])
    folder.mkdir(parents=True, exist_ok=True)
    went = Pass()
    for file in files:
        own = {**choices, "seed": seed_of(file.stem, seed)}
        went.tried(file.stem, lambda file=file, own=own: scenario(file, folder / file.name, **own))  # type: ignore[misc]
    return went


def check_utility(utility: Path, components: Sequence[str] = ()) -> Pass:
    """Check every case of a utility, and within a bad one every feeder.

    Parameters
    ----------
    utility : Path
        Folder of cases.
    components : sequence of str
        Files of the user's own components.

    Returns
    -------
    Pass
        Refused are bad feeders, as ``CASE/SOURCE``, or a whole case where that is all that can be said.
    """
    load_components(components)
    went = Pass()
    if shared_file(utility).exists():
        went.tried(SHARED, lambda: read_shared(utility, _names(utility)))
    for file in case_files(utility):
        notes: list[str] = []
        problems = check_file(file, notes)
        went.notes += [f"{file.stem}: {note}" for note in notes]
        if not problems:
            went.done.append(file.stem)
        else:
            went.refused |= _by_feeder(file, problems)
    return went


def _names(utility: Path) -> list[str]:
    """Names of the feeders of all cases that can be looked at."""
    found = []
    for file in case_files(utility):
        with suppress(InputError, OSError):
            found += [f"{file.stem}/{source}" for source in glance_at(file).sources] or [file.stem]
    return found


def _by_feeder(file: Path, problems: list[Problem]) -> dict[str, InputError]:
    """Say of which feeders a case's problems are."""
    try:
        feeders = split_feeders(load_case(file))
    except Exception:  # noqa: BLE001  (what is broken so that it cannot be cut is reported as a whole)
        return {file.stem: InputError(problems, str(file))}
    found = {}
    for feeder in feeders if len(feeders) > 1 else ():
        source = feeder["/electric/source/source"].to_numpy()[0].decode(errors="replace")
        own = check_case(feeder)
        if own:
            found[f"{file.stem}/{source}"] = InputError(own, f"{file}, feeder {source!r}")
    return found or {file.stem: InputError(problems, str(file))}


def lines_of(refused: dict[str, InputError]) -> Iterable[str]:
    """Lines about everything that was refused: its name, then each problem."""
    for name, error in refused.items():
        yield f"{name}:"
        yield from (f"  {problem}" for problem in error.problems)
