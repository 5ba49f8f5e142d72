"""What the rules look at, and how they say what they found."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHOWN = 3


def text(value: object) -> str:
    """Write a value as people read it; bytes that are no text keep their escapes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, np.floating):
        return f"{float(value):g}"
    return str(value)


def nearest(name: str, known: Iterable[str], other_words: Mapping[str, str] | None = None) -> str:
    """``Did you mean …?`` with the closest known name, or that for which the closest other word stands, or nothing."""
    meant = {word: word for word in known} | dict(other_words or {})
    close = get_close_matches(name, list(meant), n=1, cutoff=0.6)
    return f"Did you mean {meant[close[0]]!r}?" if close else ""


@dataclass(frozen=True)
class Table:
    """The sound columns of one kind: those of the right type and dims, defaults filled in.

    Attributes
    ----------
    kind : str
        Name of the kind.
    ids : ndarray (element,) of bytes
        Empty for ``forecast``.
    columns : dict of str to ndarray
        By attribute.
    given : frozenset of str
        The columns that stand in the case, defaults left out.
    time : ndarray (time,) or None
        Its time axis.
    """

    kind: str
    ids: np.ndarray
    columns: dict[str, np.ndarray]
    given: frozenset[str] = frozenset()
    time: np.ndarray | None = None

    @property
    def group(self) -> str:
        """Its group in the case."""
        return attribute_table()[self.kind].group

    def has(self, *names: str) -> bool:
        """Whether all these columns are there."""
        return all(n in self.columns for n in names)


@dataclass
class Findings:
    """All tables of a case, and the problems found so far."""

    tables: dict[str, Table]
    problems: list[Problem] = field(default_factory=list)

    def table(self, kind: str) -> Table:
        """Table of a kind; an empty one if it is not there."""
        return self.tables.get(kind) or Table(kind, np.zeros(0, "S1"), {})

    def add(
        self,
        code: str,
        group: str,
        variable: str = "",
        *,
        ids: np.ndarray | None = None,
        value: str = "",
        allowed: str = "",
        hint: str = "",
    ) -> None:
        """Note one problem; of the ids the first few are named."""
        names = () if ids is None else tuple(text(i) for i in ids[:SHOWN])
        count = 0 if ids is None else len(ids)
        self.problems.append(Problem(code, group, variable, names, count, value, allowed, hint))

    def where(
        self, code: str, table: Table, variable: str, mask: np.ndarray, *, value: str = "", allowed: str = "", hint: str
    ) -> None:
        """Note one problem for all elements where a mask is set; the first one's value is shown unless given."""
        if not mask.any():
            return
        first = int(np.argmax(mask))
        shown = value or (text(table.columns[variable][first]) if variable in table.columns else "")
        self.add(code, table.group, variable, ids=table.ids[mask], value=shown, allowed=allowed, hint=hint)
