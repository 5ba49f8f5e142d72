"""The tables and profiles of a SimBench CSV folder that belong to one grid."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dispatch.case.importers.files import read_text, refused
from dispatch.case.importers.naming import unique_ids
from dispatch.case.importers.reading import Reader
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLOCK = "Europe/Berlin"  # SimBench stamps local time, with the gap and the repeated hour of daylight saving
STAMP = "%d.%m.%Y %H:%M"


@dataclass
class Folder:
    """A SimBench folder seen through one grid.

    Attributes
    ----------
    path : Path
        Folder with ``;``-separated files, ``.csv`` or ``.csv.gz``.
    grid : str
        Subnet, such as ``LV3.101``.
    problems : list of Problem
        What is wrong.
    """

    path: Path
    grid: str
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the reader and the cache of tables."""
        self.reader = Reader(self.problems)
        self._tables: dict[str, pd.DataFrame] = {}

    def file(self, name: str) -> Path | None:
        """Path of a table, None where the folder has none."""
        found = (self.path / f"{name}{suffix}" for suffix in (".csv", ".csv.gz"))
        return next((p for p in found if p.is_file()), None)

    def read(self, name: str, columns: Callable[[str], bool] | None = None) -> pd.DataFrame:
        """Read a whole table, empty where the folder has none.

        Raises
        ------
        InputError
            If the file is damaged, too large or lacks a column.
        """
        path = self.file(name)
        if path is None:
            return pd.DataFrame()
        text, allowed = read_text(path), "a table separated by ;"
        hint = "Take the file from the SimBench data again."
        if b";" not in text.split(b"\n", 1)[0]:
            raise refused(path, "no ; in its first line", allowed, hint)
        try:
            return pd.read_csv(io.BytesIO(text), sep=";", usecols=columns, low_memory=False)
        except (ValueError, pd.errors.ParserError) as error:
            raise refused(path, f"not readable ({str(error)[:100]})", allowed, hint) from error

    def own(self, name: str) -> pd.DataFrame:
        """Rows of a table that belong to the grid.

        Buses, switches and coordinates at the border to another grid bear both names and belong to both; loads and
        generation that stand for a lower grid belong to the upper one.
        """
        if name not in self._tables:
            table = self.read(name)
            if "subnet" in table.columns:
                border = name in {"Node", "Switch"}
                mine = [self.grid in str(s).split("_")[: 1 + border] for s in table["subnet"]]
                table = table[np.array(mine, dtype=bool)]
            self._tables[name] = table.reset_index(drop=True)
        return self._tables[name]

    def require(self, *names: str) -> None:
        """Note a problem for each table that must be there and is not."""
        for name in names:
            if self.file(name) is None:
                hint = f"Add {name}.csv (or .csv.gz) from the same SimBench data."
                self.problems.append(Problem("missing-file", name, value="missing", hint=hint))

    def labels(self, name: str) -> list[Any]:
        """Id of each row, for messages."""
        table = self.own(name)
        return list(table["id"]) if "id" in table.columns else list(range(len(table)))

    def ids(self, name: str, kind: str) -> np.ndarray:
        """Id of each row for the case."""
        return unique_ids(self.labels(name), kind, range(len(self.own(name))))

    def values(self, name: str, column: str) -> list[Any] | None:
        """Cells of a column, None where the table lacks it."""
        table = self.own(name)
        return table[column].tolist() if column in table.columns else None

    def numbers(self, name: str, column: str, default: float | None = None, **limits: float) -> np.ndarray:
        """Floats of a column; see `Reader.numbers`."""
        values = self.values(name, column)
        return self.reader.numbers(name, column, self.labels(name), values, default=default, **limits)

    def texts(self, name: str, column: str) -> np.ndarray:
        """Texts of a column, empty where it holds anything else."""
        values = self.values(name, column) or [None] * len(self.own(name))
        return np.array([v if isinstance(v, str) else "" for v in values], dtype=object)

    def rows(self, name: str, column: str, known: dict[Any, int]) -> np.ndarray:
        """Positions of the rows that a column points to, -1 where a problem was noted."""
        return self.reader.references(name, column, self.labels(name), self.values(name, column), known)

    def typed(self, name: str, kind: str, column: str, default: float | None = None, **limits: float) -> np.ndarray:
        """Floats of a column of each row's type, such as ``r`` of a line's ``LineType``."""
        types = self.own(kind)
        known = {t: k for k, t in enumerate(types["id"])} if "id" in types.columns else {}
        used = np.array([known.get(t, -1) for t in self.texts(name, "type")], dtype=int)
        keep = np.unique(used[used >= 0])
        values = types[column].iloc[keep].tolist() if column in types.columns else None
        labels = types["id"].iloc[keep].tolist() if len(keep) else []
        read = self.reader.numbers(kind, column, labels, values, default=default, **limits)
        spread = np.full(max(len(types), 1), np.nan)
        spread[keep] = read
        return np.asarray(spread[used])

    def known_types(self, name: str, kind: str) -> None:
        """Note the rows whose type the folder does not have."""
        types = self.own(kind)
        known = {t: k for k, t in enumerate(types["id"])} if "id" in types.columns else {}
        self.reader.references(name, "type", self.labels(name), list(self.texts(name, "type")), known)


def utc_axis(stamps: list[Any], table: str) -> np.ndarray:
    """Left edges in UTC of local stamps, by their order in the file.

    Parameters
    ----------
    stamps : list
        Such as ``01.01.2016 00:15``, in local German time and equally spaced in true time.
    table : str
        Name of the file, for messages.

    Returns
    -------
    ndarray (time,) of datetime64[s]

    Raises
    ------
    ValueError
        If they are not equally spaced in true time; names the first stamp that does not fit.
    """
    local = pd.DatetimeIndex(pd.to_datetime(pd.Series(stamps, dtype=str), format=STAMP))
    if len(local) < 2:
        raise ValueError(f"{table} has fewer than two rows")
    step = local[1] - local[0]
    if not step > pd.Timedelta(0):  # a missing stamp, too
        raise ValueError(f"{table} does not go forward in its first two rows: {stamps[0]}, {stamps[1]}")
    start = local[0].tz_localize(CLOCK, ambiguous=True).tz_convert("UTC")
    axis = pd.date_range(start, periods=len(local), freq=step)
    wrong = np.nonzero(axis.tz_convert(CLOCK).tz_localize(None) != local)[0]
    if len(wrong):
        raise ValueError(
            f"{table} leaves its even steps of local German time at row {wrong[0] + 2}: {stamps[wrong[0]]}"
        )
    return np.asarray(axis.tz_localize(None).to_numpy(), dtype="datetime64[s]")
