"""What was done, as lines on disk: only ever appended to, each with its checksum, each on disk before work goes on.

One process writes: the one that runs the batch. A line that was cut off by the end of that process, or damaged, is
passed over; what it said is done again.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dispatch.batch.kill_points import passing
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = dict[str, Any]
NAME = "journal.jsonl"


def line_of(record: Record) -> bytes:
    """One line of the journal: CRC-32 of the rest, then JSON."""
    text = json.dumps(record, sort_keys=True, allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def record_of(line: bytes) -> Record | None:
    """Read a line; None where it is cut off or damaged."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    found = json.loads(text)
    return found if isinstance(found, dict) else None


def read_journal(folder: Path) -> list[Record]:
    """Read the records of a journal.

    Parameters
    ----------
    folder : Path
        Of results.

    Returns
    -------
    list of dict
        In the order in which they were written; empty where there is no journal.
    """
    path = folder / NAME
    if not path.exists():
        return []
    return [r for r in map(record_of, path.read_bytes().splitlines(keepends=True)) if r is not None]


class Journal:
    """The journal of a folder of results, opened by the one process that may write.

    Parameters
    ----------
    folder : Path
        Of results.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":  # cut off: the next line must not be glued to it
            os.write(self._file, b"\n")

    def append(self, record: Record) -> None:
        """Write a record, and go on only when it is on disk."""
        line = line_of(record)
        half = len(line) // 2
        _write(self._file, line[:half])
        passing("in journal")
        _write(self._file, line[half:])
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Keep a second batch out of a folder of results as long as the block lasts, or this process.

    Raises
    ------
    InputError
        If another process runs a batch there.
    """
    import fcntl  # noqa: PLC0415  (POSIX only)

    file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            hint = "Wait until the other batch is done, or stop it."
            problem = Problem("in-use", str(folder), value="written by another batch just now", hint=hint)
            raise InputError([problem], str(folder)) from error
        yield
    finally:
        os.close(file)
