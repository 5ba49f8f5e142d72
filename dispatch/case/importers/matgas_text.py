"""Tables in a MatGas file: a MATLAB text of assignments, of which only literals are read and nothing is run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dispatch.case.importers.files import read_text, refused

if TYPE_CHECKING:
    from pathlib import Path

HINT = "Give a MatGas file (.m) of literal tables, as GasModels.jl reads it."
HEAD = re.compile(r"function\s+([A-Za-z_]\w*)\s*=\s*([\w-]+)\s*\Z")
OPEN = re.compile(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)\s*=\s*(\[?)(.*)\Z", re.DOTALL)
TOKEN = re.compile(r"'([^']*)'|\"([^\"]*)\"|([^\s,'\"]+)|(['\"])")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?\Z|[+-]?(inf|nan)\Z", re.IGNORECASE)

Cell = float | str


@dataclass
class MatGas:
    """What a file assigns to its struct.

    Attributes
    ----------
    name : str
        Name of the function.
    values : dict of str to Cell
        Single values.
    tables : dict of str to list of list of Cell
        Rows of each table.
    """

    name: str = ""
    values: dict[str, Cell] = field(default_factory=dict)
    tables: dict[str, list[list[Cell]]] = field(default_factory=dict)


def read_matgas(path: Path) -> MatGas:
    """Read the literals of a MatGas file.

    Parameters
    ----------
    path : Path
        Text file, gzip-compressed or not.

    Returns
    -------
    MatGas

    Raises
    ------
    InputError
        If the file is damaged, too large, or holds anything but comments and literals, with the line.
    """
    try:
        lines = read_text(path).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise refused(path, "not a text in UTF-8", "a MatGas text", HINT) from error
    found, struct = MatGas(), ""
    table: list[list[Cell]] | None = None
    for number, line in enumerate(lines, 1):
        text = _without_comment(line).strip()
        if not text or (text == "end" and table is None):
            continue
        head = HEAD.match(text) if not struct else None
        if head:
            struct, found.name = head[1], head[2]
        elif table is not None:
            table = _fill(path, number, table, text)
        else:
            table = _assign(path, number, found, struct, text)
    if not struct or table is not None:
        value = "a table without end" if struct else "without 'function NAME = CASE'"
        raise refused(path, value, "a whole MatGas text", HINT, "matgas")
    return found


def _assign(path: Path, number: int, found: MatGas, struct: str, text: str) -> list[list[Cell]] | None:
    """Read what one line assigns; the table that it begins, if it does not end in the same line."""
    opened = OPEN.match(text)
    if not struct or opened is None:
        raise refused(path, f"{text[:40]!r} in line {number}", "assignments of literals", HINT, "matgas")
    owner, name, bracket, rest = opened.groups()
    own = owner == struct
    if not bracket:
        single = _single(path, number, name, rest)
        found.values |= single if own else {}
        return None
    return _fill(path, number, found.tables.setdefault(name, []) if own else [], rest)


def _fill(path: Path, number: int, table: list[list[Cell]], text: str) -> list[list[Cell]] | None:
    """Add the rows of one line to a table; None once it is closed."""
    inside, closed, after = text.partition("]")
    if after.strip() not in {"", ";"}:
        raise refused(path, f"{after.strip()[:40]!r} after a table in line {number}", "';'", HINT, "matgas")
    table += [row for row in (_row(path, number, part) for part in inside.split(";")) if row]
    return None if closed else table


def _without_comment(line: str) -> str:
    """Cut a line at its first ``%`` outside quotes."""
    quote = ""
    for k, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in {"'", '"'}:
            quote = letter
        elif letter == "%":
            return line[:k]
    return line


def _single(path: Path, number: int, name: str, text: str) -> dict[str, Cell]:
    row = _row(path, number, text.strip().rstrip(";"))
    if len(row) != 1:
        raise refused(path, f"{text[:40]!r} in line {number}", "one number or text", HINT, "matgas")
    return {name: row[0]}


def _row(path: Path, number: int, text: str) -> list[Cell]:
    found: list[Cell] = []
    for match in TOKEN.finditer(text):
        if match[4]:
            raise refused(path, f"a quote without end in line {number}", "closed quotes", HINT, "matgas")
        if match[3] is None:
            found.append(match[1] if match[1] is not None else match[2])
        elif NUMBER.match(match[3]):
            found.append(float(match[3].replace("d", "e").replace("D", "e")))
        else:
            raise refused(path, f"{match[3][:40]!r} in line {number}", "numbers and quoted texts", HINT, "matgas")
    return found
