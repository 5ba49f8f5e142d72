"""The lists of elements in a Roseau Load Flow JSON file, read as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers.files import read_text, refused
from dispatch.case.importers.naming import unique_ids
from dispatch.case.importers.pandapower_json import parse
from dispatch.case.importers.reading import Reader
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = ("buses", "lines", "transformers", "switches", "loads", "sources", "lines_params", "transformers_params")
IGNORED = {"grounds", "potential_refs", "ground_connections"}
"""What only matters to unbalanced networks."""
HINT = "Give a file written by ElectricalNetwork.to_json of roseau-load-flow 0.10 or later."


@dataclass
class Roseau:
    """A Roseau network on its way in.

    Attributes
    ----------
    sections : dict of str to list of dict
        Elements as the file holds them.
    notes : list of str
        What was changed or left out, in words.
    problems : list of Problem
        What is wrong.
    """

    sections: dict[str, list[dict[str, Any]]]
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the reader and the positions of buses and parameters."""
        self.reader = Reader(self.problems)
        self.at = {name: {_key(e): k for k, e in enumerate(rows)} for name, rows in self.sections.items()}

    def labels(self, section: str) -> list[str]:
        """Name of each element for a message."""
        return [str(e.get("id"))[:60] for e in self.sections[section]]

    def ids(self, section: str, kind: str) -> np.ndarray:
        """Id of each element."""
        rows = self.sections[section]
        names = [str(e["id"]) if isinstance(e.get("id"), str | int) else None for e in rows]
        return unique_ids(names, kind, range(len(rows)))

    def values(self, section: str, key: str) -> list[Any]:
        """Whatever the elements have under a key, None where nothing."""
        return [e.get(key) for e in self.sections[section]]

    def numbers(self, section: str, key: str, default: float | None = None, **limits: float) -> np.ndarray:
        """Floats of the elements; see `Reader.numbers`."""
        given = self.values(section, key)
        return self.reader.numbers(section, key, self.labels(section), given, default=default, **limits)

    def rows(self, section: str, key: str, of: str) -> np.ndarray:
        """Position in section `of` of what each element refers to, -1 where a problem was noted."""
        given = self.values(section, key)
        return self.reader.references(section, key, self.labels(section), given, self.at[of])

    def complexes(self, section: str, key: str, *, wide: int | None = None) -> np.ndarray:
        """Complex numbers written as ``[real, imaginary]``, or lists of `wide` of them; 0 with a problem elsewhere."""
        shape = (2,) if wide is None else (wide, 2)
        found, wrong = np.zeros((len(self.sections[section]), *shape)), []
        for k, value in enumerate(self.values(section, key)):
            array = plain_array(value)
            if array is None or array.shape != shape:
                wrong.append(k)
            else:
                found[k] = array
        if wrong:
            allowed = "[real, imaginary]" if wide is None else f"{wide} times [real, imaginary], one a phase"
            self.refuse("type", section, key, wrong, "something else", allowed, "Correct these elements.")
        return np.asarray(found[..., 0] + 1j * found[..., 1])

    def refuse(self, code: str, section: str, key: str, rows: Any, value: str, allowed: str, hint: str) -> None:
        """Note one problem of some elements, if there are any."""
        names = self.labels(section)
        shown = tuple(names[int(k)] for k in rows[:5])
        if len(rows):
            self.problems.append(Problem(code, section, key, shown, len(rows), value, allowed, hint))


def plain_array(value: Any) -> np.ndarray | None:
    """Array of finite floats from nested lists of numbers; None for anything else."""
    if not isinstance(value, list):
        return None
    try:
        array = np.array(value)
    except (ValueError, OverflowError, RecursionError):
        return None
    if array.dtype.kind not in "if":
        return None
    array = array.astype(float)
    return array if np.isfinite(array).all() and (np.abs(array) < 1e12).all() else None


def read_roseau(path: Path) -> Roseau:
    """Read a file of Roseau Load Flow with the standard library alone.

    Parameters
    ----------
    path : Path
        JSON of a multiphase network, gzip-compressed or not.

    Returns
    -------
    Roseau

    Raises
    ------
    InputError
        If the file is damaged, too large or no multiphase network of Roseau Load Flow.
    """
    try:
        content = parse(read_text(path))
    except ValueError as error:
        raise refused(path, f"not JSON ({str(error)[:80]})", "a network of Roseau Load Flow", HINT) from error
    if not isinstance(content, dict) or not {"version", "buses", "lines_params"} <= content.keys():
        raise refused(path, "JSON of something else", "a network of Roseau Load Flow", HINT)
    problems = []
    if content.get("is_multiphase") is False:
        problems.append(
            Problem("unsupported", path.name, value="a single-line network", allowed="multiphase", hint=HINT)
        )
    for name, rows in content.items():
        if name in SECTIONS and not (isinstance(rows, list) and all(isinstance(e, dict) for e in rows)):
            problems.append(Problem("table", name, value="something else", allowed="a list of elements", hint=HINT))
        elif name not in SECTIONS and name not in IGNORED and isinstance(rows, list) and rows:
            hint = "Take them out; buses, lines, transformers, switches, loads and sources are understood."
            problems.append(Problem("unsupported", name, value=f"{len(rows)} elements", hint=hint))
    if problems:
        raise InputError(problems, str(path))
    net = Roseau({name: content.get(name) or [] for name in SECTIONS})
    for name, rows in net.sections.items():
        if len(net.at[name]) < len(rows):
            hint = "Give every element an id of its own."
            net.problems.append(Problem("duplicate-id", name, "id", value="not unique", hint=hint))
    return net


def _key(element: dict[str, Any]) -> Any:
    own = element.get("id")
    return own if isinstance(own, str | int) and not isinstance(own, bool) else id(element)
