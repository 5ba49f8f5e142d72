"""One CSV file as cells, and its cells as values; nothing is guessed."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from dispatch.case.attributes import Attribute
    from dispatch.case.units import Conversion

MAX_BYTES = 1 << 30
SHOWN = 3
TRUTH = {"true": True, "1": True, "false": False, "0": False}
# Below this a float holds every whole number exactly; table entries are far below.
INT32 = 1 << 31


@dataclass
class CsvFile:
    """Cells of a file, all rows as long as the header."""

    name: str
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def refuse(
        self,
        problems: list[Problem],
        code: str,
        column: str,
        value: str,
        hint: str,
        ids: list[str] | None = None,
        allowed: str = "",
    ) -> None:
        """Note what is wrong with a column."""
        names = ids or []
        problems.append(Problem(code, self.name, column, tuple(names[:SHOWN]), len(names), value, allowed, hint))

    def column(self, at: int) -> list[str]:
        """Cells of a column."""
        return [row[at] for row in self.rows]

    def values(
        self, problems: list[Problem], at: int, row: Attribute, how: Conversion, ids: list[str]
    ) -> np.ndarray | list[str]:
        """Values of a column; what cannot be read is noted with its lines.

        Parameters
        ----------
        problems : list of Problem
            Receives one for the column.
        at : int
            Number of the column.
        row : Attribute
            Says type and default.
        how : Conversion
            From the unit in the header.
        ids : list of str
            Names of the rows, for the message.

        Returns
        -------
        ndarray or list of str
            Texts as they are; numbers and truth values as arrays of the attribute's dtype.
        """
        cells = self.column(at)
        if row.dtype in {"id", "text"}:
            blank = str(row.default) if row.choices and not row.required else ""
            return [c or blank for c in cells] if cells else np.zeros(0, f"S{max(len(str(row.default or '')), 1)}")
        found, bad = [], []
        for k, cell in enumerate(cells):
            value = _parsed(cell.strip(), row)
            if value is None:
                bad.append(k)
            found.append(0.0 if value is None else value)
        # A default is in the table's unit already.
        blank_cells = np.array([not c.strip() for c in cells], bool)
        values = np.array(found, np.float64 if row.dtype != "bool" else bool)
        if not how.trivial:
            values = np.where(blank_cells, values, how.apply(values))
        if row.dtype == "int":
            odd = np.nonzero((values != np.rint(values)) | (np.abs(values) >= INT32))[0]
            bad = sorted({*bad, *odd.tolist()})
            values[bad] = 0
        if bad:
            self._unreadable(problems, row, cells, bad, ids)
        return values.astype(row.memory_dtype)

    def _unreadable(
        self, problems: list[Problem], row: Attribute, cells: list[str], bad: list[int], ids: list[str]
    ) -> None:
        """Note cells that cannot be read, the first with its line."""
        k = min(bad)
        wanted = {"bool": "true or false", "int": "whole numbers"}.get(row.dtype, "numbers with a decimal point")
        shown = f"{cells[k][:40]!r}" if cells[k] else "empty"
        hint = f"First in line {self.lines[k]}. {'Correct' if cells[k] else 'Fill'} it."
        self.refuse(problems, "unparsable", row.name, shown, hint, [ids[b] for b in sorted(bad)], wanted)

    def times(self, problems: list[Problem], at: int) -> np.ndarray | None:
        """Read the times of a column in UTC, None if one cannot be read."""
        found = []
        for line, cell in zip(self.lines, self.column(at), strict=True):
            try:
                stamp = dt.datetime.fromisoformat(cell.strip())
            except ValueError:
                stamp = None
            if stamp is None or stamp.tzinfo is None:
                hint = f"In line {line}. Write times as 2026-06-01T00:00:00Z, or with an offset such as +02:00."
                code = "unparsable" if stamp is None else "not-utc"
                value = repr(cell[:40]) if stamp is None else f"{cell[:40]!r}, without offset"
                self.refuse(problems, code, self.header[at], value, hint, allowed="ISO 8601 with Z or an offset")
                return None
            found.append(stamp.astimezone(dt.UTC).replace(tzinfo=None))
        if any(t.microsecond for t in found):
            self.refuse(problems, "whole-seconds", "time", "not whole seconds", "Round the times to seconds.")
            return None
        return np.array(found, "datetime64[s]")


def _parsed(cell: str, row: Attribute) -> float | bool | None:
    if not cell:
        return None if row.required or row.default is None else row.default
    if row.dtype == "bool":
        return TRUTH.get(cell.lower())
    try:
        # Python reads 1_000 as a thousand; in a table it is a slip.
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def open_csv(path: Path, problems: list[Problem]) -> CsvFile | None:
    """Read a file of comma-separated values in UTF-8.

    Parameters
    ----------
    path : Path
        The file.
    problems : list of Problem
        Receives what makes it unreadable, and rows of a wrong length.

    Returns
    -------
    CsvFile or None
        None if there is nothing to go on with.
    """

    def refuse(code: str, value: str, hint: str, allowed: str = "") -> None:
        problems.append(Problem(code, path.name, value=value, allowed=allowed, hint=hint))

    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            refuse("too-large", "no file, or larger than 1 GB", "Split the case.")
            return None
        raw = path.read_bytes()
    except OSError as error:
        refuse("unreadable", f"not readable ({error.strerror})", "Check its permissions.")
        return None
    if b"\0" in raw:
        refuse("unreadable", "no text (it contains NUL bytes)", "Save it as CSV in UTF-8.")
        return None
    try:
        content = raw.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(content, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        refuse("unreadable", f"not UTF-8 (byte {error.start})", "Save it as CSV in UTF-8.")
        return None
    except csv.Error as error:
        refuse("unreadable", f"not readable as CSV ({error})", "Check quotes, and save it as CSV in UTF-8.")
        return None
    return _even(path.name, rows, refuse)


def _even(name: str, rows: list[tuple[int, list[str]]], refuse: object) -> CsvFile | None:
    """Split off the header and drop rows that are not as long as it."""
    assert callable(refuse)
    if not rows:
        refuse("empty-file", "empty", "Give at least a header.")
        return None
    header = [h.strip() for h in rows[0][1]]
    if len(header) == 1 and any(d in header[0] for d in ";\t|"):
        found = next(d for d in ";\t|" if d in header[0])
        refuse("delimiter", f"separated by {found!r}", "Save it with commas (and decimal points).", "commas")
        return None
    odd = [(line, len(row)) for line, row in rows[1:] if len(row) != len(header)]
    if odd:
        line, length = odd[0]
        value = f"uneven in {len(odd)} rows (line {line}: {length} cells)"
        hint = "Give every row as many cells as the header; a text with a comma needs quotes, numbers a decimal point."
        refuse("row-length", value, hint, f"{len(header)} cells")
    good = [(line, row) for line, row in rows[1:] if len(row) == len(header)]
    return CsvFile(name, header, [row for _, row in good], [line for line, _ in good])
