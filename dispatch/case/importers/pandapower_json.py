"""The tables in a pandapower JSON file, read as data: no class named in the file is ever looked up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatch.case.importers.files import read_text, refused
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Frame:
    """One table of the file: the number of each row, and its columns as plain lists."""

    name: str
    index: tuple[int, ...]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class NetFile:
    """What a JSON file holds: settings of the net, those of its tables that were asked for, and its fluid if any."""

    settings: dict[str, Any]
    frames: dict[str, Frame]
    fluid: Any = None


def parse(text: str | bytes) -> Any:
    """Parse JSON; nesting that is too deep and endless numbers count as damaged."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _number(label: Any) -> int:
    if isinstance(label, bool) or not isinstance(label, int | str | float) or int(label) != float(label):
        raise ValueError(f"row label {label!r} is not a whole number")
    return int(label)


def _split(data: dict[str, Any]) -> tuple[list[Any], dict[str, list[Any]]]:
    names, index, rows = data["columns"], data["index"], data["data"]
    if len(rows) != len(index) or any(len(r) != len(names) for r in rows) or any(not isinstance(n, str) for n in names):
        raise ValueError("columns, index and data do not fit together")
    return index, {n: [r[k] for r in rows] for k, n in enumerate(names)}


def _by_column(data: dict[str, Any]) -> tuple[list[Any], dict[str, list[Any]]]:
    index = list(next(iter(data.values()), {}))
    if any(list(column) != index for column in data.values()):
        raise ValueError("the columns do not have the same rows")
    return index, {n: list(column.values()) for n, column in data.items()}


def _frame(name: str, entry: dict[str, Any]) -> Frame:
    """Table from one entry of the file, in either of the two orientations that pandapower writes.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    data = entry["_object"]
    data = parse(data) if isinstance(data, str) else data
    if not isinstance(data, dict):
        raise ValueError("it is not a table")  # noqa: TRY004 - one error class for everything damaged
    split = entry.get("orient", "split" if set(data) >= {"columns", "index", "data"} else "columns") == "split"
    try:
        index, columns = _split(data) if split else _by_column(data)
        numbers = tuple(_number(i) for i in index)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"it is not a table ({type(error).__name__}: {error})") from error
    if len(set(numbers)) < len(numbers):
        raise ValueError("row labels occur twice")
    return Frame(name, numbers, columns)


def read_net(path: Path, wanted: Sequence[str], *, main: str = "bus", writer: str = "pandapower") -> NetFile:
    """Read a pandapower or pandapipes JSON file with the standard library alone.

    Parameters
    ----------
    path : Path
        File written by ``pandapower.to_json`` (versions 2 and 3), gzip-compressed or not.
    wanted : sequence of str
        Names of the tables to read; one that the file lacks is left out.
    main : str
        Table that the file must have.
    writer : str
        Who writes such files, for messages.

    Returns
    -------
    NetFile

    Raises
    ------
    InputError
        If the file is damaged, too large or not a pandapower net; damaged tables all in one pass.
    """
    hint = f"Give a file written by {writer}.to_json."
    try:
        content = parse(read_text(path))
    except ValueError as error:
        raise refused(path, f"not JSON ({str(error)[:80]})", f"a {writer} net", hint) from error
    net = content.get("_object") if isinstance(content, dict) else None
    if not isinstance(net, dict) or main not in net:
        raise refused(path, "JSON of something else", f"a {writer} net with a table {main!r}", hint)
    frames, problems = {}, []
    for name in wanted:
        entry = net.get(name)
        if entry is None:
            continue
        try:
            if not isinstance(entry, dict) or entry.get("_class") != "DataFrame":
                raise ValueError("it is not a table")  # noqa: TRY301 - reported with the damaged ones
            frames[name] = _frame(name, entry)
        except (ValueError, KeyError) as error:
            problems.append(Problem("table", name, value=str(error)[:120], allowed="a pandas DataFrame", hint=hint))
    if problems:
        raise InputError(problems, str(path))
    plain = {k: v for k, v in net.items() if isinstance(v, str | int | float)}
    return NetFile(plain, frames, net.get("fluid"))
