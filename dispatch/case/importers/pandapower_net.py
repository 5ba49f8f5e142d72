"""Typed access to the tables of a pandapower or pandapipes net, with names for its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers.naming import unique_ids
from dispatch.case.importers.pandapower_json import Frame, NetFile
from dispatch.case.importers.reading import Reader

if TYPE_CHECKING:
    from dispatch.errors import Problem

EMPTY = Frame("", (), {})
DEFAULT_FREQUENCY = 50.0  # pandapower's own default; files of version 1 lack it


@dataclass
class Net:
    """A pandapower net on its way in.

    Attributes
    ----------
    file : NetFile
        Its tables.
    notes : list of str
        What was changed or left out, in words.
    problems : list of Problem
        What is wrong.
    main : str
        Table of the points that elements are connected to: ``bus``, or ``junction`` of a pandapipes net.
    """

    file: NetFile
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    main: str = "bus"

    def __post_init__(self) -> None:
        """Prepare the reader and the positions of all points, in service or not."""
        self.reader = Reader(self.problems)
        self.row_at: dict[Any, int] = {number: k for k, number in enumerate(self.frame(self.main).index)}

    @property
    def frequency(self) -> float:
        """Frequency of the net in Hz."""
        given = self.file.settings.get("f_hz", DEFAULT_FREQUENCY)
        return float(given) if isinstance(given, int | float) and 1 <= given <= 1000 else DEFAULT_FREQUENCY

    def frame(self, table: str) -> Frame:
        """Return a table of the file, empty where it has none."""
        return self.file.frames.get(table, EMPTY)

    def labels(self, table: str) -> list[str]:
        """Name of each row for a message: what is in its name column, and its number."""
        frame = self.frame(table)
        names = frame.columns.get("name", [None] * len(frame))
        return [f"{n} ({i})" if isinstance(n, str) and n else str(i) for n, i in zip(names, frame.index, strict=True)]

    def ids(self, table: str, kind: str) -> np.ndarray:
        """Id of each row of a table."""
        frame = self.frame(table)
        return unique_ids(frame.columns.get("name", [None] * len(frame)), kind, frame.index)

    def numbers(self, table: str, column: str, default: float | None = None, **limits: float) -> np.ndarray:
        """Floats of a column; see `Reader.numbers`."""
        values = self.frame(table).columns.get(column)
        return self.reader.numbers(table, column, self.labels(table), values, default=default, **limits)

    def optional(self, table: str, column: str, **limits: float) -> np.ndarray:
        """Floats of a column, NaN where nothing is given."""
        values = self.frame(table).columns.get(column)
        if values is None:
            return np.full(len(self.frame(table)), np.nan)
        return self.reader.numbers(table, column, self.labels(table), values, default=np.nan, **limits)

    def flags(self, table: str, column: str, *, default: bool = True) -> np.ndarray:
        """Truth values of a column."""
        values = self.frame(table).columns.get(column)
        return self.reader.flags(table, column, self.labels(table), values, default=default)

    def texts(self, table: str, column: str) -> np.ndarray:
        """Texts of a column, empty where it holds anything else."""
        frame = self.frame(table)
        values = frame.columns.get(column, [None] * len(frame))
        return np.array([v if isinstance(v, str) else "" for v in values], dtype=object)

    def buses(self, table: str, column: str) -> np.ndarray:
        """Row of the bus or junction that each row of a table is connected to, -1 where a problem was noted."""
        values = self.frame(table).columns.get(column)
        return self.reader.references(table, column, self.labels(table), values, self.row_at)
