"""What a night is made of: groups of feeders with predicted work and memory, functions of the inputs alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.batch.predicted import MOST_CELLS, Size, seconds_of
from dispatch.case.netcdf import write_atomically
from dispatch.case.netcdf.peek import glance_at, step_of
from dispatch.case.utility import case_files
from dispatch.run.result import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatch.run.settings import Settings

NAME = "plan.json"
GROUP_S, LEAST_S = 5.0, 1.0
"""Seconds of predicted work of a group: on average, and at least."""
FORM = 1
"""Changes when files of groups get another form."""


@dataclass(frozen=True)
class Part:
    """What a group takes from one case file.

    Attributes
    ----------
    file : str
        Name of the case file in the utility's folder.
    digest : str
        SHA-256 of its bytes.
    feeders : tuple of str
        Ids of its sources; empty where the file shows none.
    size : Size
        Meters, buses and steps.
    """

    file: str
    digest: str
    feeders: tuple[str, ...]
    size: Size

    @property
    def case(self) -> str:
        """Name of the case."""
        return Path(self.file).stem

    @property
    def names(self) -> list[str]:
        """Feeders by their names in the utility: ``CASE/SOURCE``, or the case alone where no source is seen."""
        return [f"{self.case}/{f}" for f in self.feeders] or [self.case]

    def to_json(self) -> dict[str, Any]:
        """As plain lists and texts."""
        return asdict(self) | {"feeders": list(self.feeders)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Part:
        """From what `to_json` made."""
        return cls(found["file"], found["digest"], tuple(found["feeders"]), Size(**found["size"]))


@dataclass(frozen=True)
class Group:
    """The unit of work.

    Attributes
    ----------
    key : str
        Hash of its inputs, settings and versions: the same key, the same bytes.
    parts : tuple of Part
        In the order of their files.
    """

    key: str
    parts: tuple[Part, ...]

    @property
    def names(self) -> list[str]:
        """Its feeders."""
        return [name for part in self.parts for name in part.names]

    @property
    def size(self) -> Size:
        """All its parts together."""
        return Size.sum(p.size for p in self.parts)

    @property
    def seconds(self) -> float:
        """Predicted seconds of work."""
        return sum(seconds_of(p.size) for p in self.parts)

    @property
    def file(self) -> str:
        """Where its results stand in the folder of results."""
        return f"groups/{self.key}.nc"


@dataclass(frozen=True)
class Plan:
    """All groups of a night.

    Attributes
    ----------
    groups : tuple of Group
        In the order of the files.
    settings : str
        `Settings` as JSON, without a deadline.
    """

    groups: tuple[Group, ...]
    settings: str
    seen: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def feeders(self) -> int:
        """How many feeders there are."""
        return sum(len(g.names) for g in self.groups)

    @property
    def size(self) -> Size:
        """All groups together."""
        return Size.sum(g.size for g in self.groups)

    @property
    def seconds(self) -> float:
        """Predicted seconds of work of all groups."""
        return sum(g.seconds for g in self.groups)

    def write(self, folder: Path) -> None:
        """Write it down in a folder of results, for `read_plan` and for the next run."""
        groups = [{"key": g.key, "parts": [p.to_json() for p in g.parts]} for g in self.groups]
        found = {"settings": self.settings, "groups": groups, "seen": self.seen}
        write_atomically(folder / NAME, json.dumps(found).encode())


def read_plan(folder: Path) -> Plan | None:
    """Read the plan of a folder of results; None where there is none."""
    path = folder / NAME
    if not path.exists():
        return None
    found = json.loads(path.read_bytes())
    groups = tuple(Group(g["key"], tuple(map(Part.from_json, g["parts"]))) for g in found["groups"])
    return Plan(groups, found["settings"], found["seen"])


def make_plan(utility: Path | str, settings: Settings, results: Path | None = None) -> Plan:
    """Group the feeders of a utility.

    Which feeders share a group is a function of the files' names and contents and of the settings: not of the number
    of workers, nor of how far a run came. A file that is added or changed changes its own group, and hardly a second
    one. Files whose size and time of change are those of the last plan are not read again.

    Parameters
    ----------
    utility : Path or str
        Folder of cases, or one case file.
    settings : Settings
        Choices of the run.
    results : Path, optional
        Folder of results, whose plan says what was seen last time.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If there is no case file.
    """
    before = read_plan(results) if results is not None else None
    seen: dict[str, Any] = {}
    parts = list(_parts(case_files(utility), settings, before.seen if before else {}, seen))
    choices = settings_text(settings)
    groups = tuple(Group(_key(choices, settings.components, chosen), tuple(chosen)) for chosen in _grouped(parts))
    return Plan(groups, choices, seen)


def settings_text(settings: Settings) -> str:
    """Choices that the work depends on: how far a deadline lets it come is none of them."""
    return json.dumps(json.loads(settings.to_json()) | {"deadline_s": None}, sort_keys=True)


def _parts(files: Sequence[Path], settings: Settings, before: dict[str, Any], seen: dict[str, Any]) -> Iterator[Part]:
    """Look at each file, or remember what was seen of it."""
    steps_h: dict[int, float] = {}
    for file in files:
        stat = file.stat()
        mark = [stat.st_size, stat.st_mtime_ns]
        known = before.get(file.name)
        if known is None or known["mark"] != mark:
            glance = glance_at(file)
            if glance.steps not in steps_h:
                steps_h[glance.steps] = step_of(file) if glance.steps else 1.0
            known = {"mark": mark, "digest": hashlib.sha256(file.read_bytes()).hexdigest()}
            known |= {"sources": list(glance.sources), "meters": glance.meters, "buses": glance.buses}
            known |= {"steps": glance.steps, "step_h": steps_h[glance.steps]}
        seen[file.name] = known
        asked = settings.horizon_h if settings.horizon_h is not None else 24.0
        steps = min(known["steps"], round(asked / known["step_h"]))
        size = Size(known["meters"], known["buses"], steps, max(len(known["sources"]), 1))
        yield Part(file.name, known["digest"], tuple(known["sources"]), size)


def _grouped(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Cut the row of parts where the hash of a name says so, in proportion to its work: local changes stay local."""
    chosen: list[Part] = []
    work, cells = 0.0, 0
    for part in parts:
        own = seconds_of(part.size)
        if chosen and cells + part.size.cells > MOST_CELLS:
            yield chosen
            chosen, work, cells = [], 0.0, 0
        chosen.append(part)
        work, cells = work + own, cells + part.size.cells
        chance = int.from_bytes(hashlib.sha256(part.case.encode()).digest()[:8]) / 2**64
        if work >= LEAST_S and (chance < own / (GROUP_S - LEAST_S) or work > 2 * GROUP_S):
            yield chosen
            chosen, work, cells = [], 0.0, 0
    if chosen:
        yield chosen


def _key(choices: str, components: Sequence[str], parts: Sequence[Part]) -> str:
    """Hash of everything that the results of a group depend on."""
    given = [[p.file, p.digest, list(p.feeders)] for p in parts]
    own = [hashlib.sha256(Path(c).read_bytes()).hexdigest() for c in components]
    text = json.dumps([FORM, choices, versions(), own, given], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
