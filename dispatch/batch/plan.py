"""What a night is made of: groups of feeders with predicted work and memory, functions of the inputs alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.batch.predicted import Size, seconds_of
from dispatch.case.netcdf import write_atomically

if TYPE_CHECKING:
    from dispatch.case.netcdf.feeders import Runs

NAME = "plan.json"


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
    rows : dict or None
        Rows of its feeders in a file that is too large for one group; None: the whole file.
    """

    file: str
    digest: str
    feeders: tuple[str, ...]
    size: Size
    rows: Runs | None = None

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
        return cls(found["file"], found["digest"], tuple(found["feeders"]), Size(**found["size"]), found["rows"])


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

    def to_json(self) -> dict[str, Any]:
        """As plain lists and texts."""
        return {"key": self.key, "parts": [p.to_json() for p in self.parts]}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Group:
        """From what `to_json` made."""
        return cls(found["key"], tuple(map(Part.from_json, found["parts"])))


@dataclass(frozen=True)
class Plan:
    """All groups of a night.

    Attributes
    ----------
    groups : tuple of Group
        In the order of the files.
    settings : str
        `Settings` as JSON, without a deadline.
    shared : str
        Hash of the limits that feeders share and of all groups whose feeders share them; empty: none.
    together : tuple of str
        Keys of these groups.
    """

    groups: tuple[Group, ...]
    settings: str
    seen: dict[str, Any] = field(default_factory=dict, repr=False)
    shared: str = ""
    together: tuple[str, ...] = ()

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
        groups = [g.to_json() for g in self.groups]
        found = {"settings": self.settings, "groups": groups, "seen": self.seen}
        found |= {"shared": self.shared, "together": list(self.together)}
        write_atomically(folder / NAME, json.dumps(found).encode())


def read_plan(folder: Path) -> Plan | None:
    """Read the plan of a folder of results; None where there is none."""
    path = folder / NAME
    if not path.exists():
        return None
    found = json.loads(path.read_bytes())
    groups = tuple(map(Group.from_json, found["groups"]))
    shared, together = found.get("shared", ""), tuple(found.get("together", ()))
    return Plan(groups, found["settings"], found["seen"], shared, together)
