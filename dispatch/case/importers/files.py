"""Files of unknown origin: their bytes, and never more of them than fits."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_FILE = 256 << 20
LARGEST_TEXT = 256 << 20


def refused(path: Path, value: str, allowed: str, hint: str, code: str = "file") -> InputError:
    """Error about a file as a whole."""
    problem = Problem(code, path.name, value=value, allowed=allowed, hint=hint)
    return InputError([problem], str(path))


def read_text(path: Path, *, largest_file: int = LARGEST_FILE, largest_text: int = LARGEST_TEXT) -> bytes:
    """Bytes of a file, unpacked if it is gzip, and never more than the limits.

    Parameters
    ----------
    path : Path
        File, gzip or not; told by its first two bytes.
    largest_file, largest_text : int
        Limits on disk and unpacked. [byte]

    Raises
    ------
    InputError
        If it cannot be read, is damaged or too large.
    """
    hint = "Give a complete file, gzip-compressed or not."
    if not path.exists():
        raise refused(path, "not there", "a file", f"Correct the path {str(path)!r}.", "no-file")
    try:
        size = path.stat().st_size
        if size > largest_file:
            raise refused(path, f"{size} bytes", f"up to {largest_file} bytes", "Split it into parts.", "size")
        raw = path.read_bytes()
        if not raw.startswith(b"\x1f\x8b"):
            return raw
        with gzip.open(path) as stream:
            text = stream.read(largest_text + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise refused(path, f"not readable ({error})", "a complete file", hint) from error
    if len(text) > largest_text:
        raise refused(path, "larger when unpacked", f"up to {largest_text} bytes", "Split it into parts.", "size")
    return text
