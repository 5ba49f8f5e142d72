"""What every command shares: exit codes, and words on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXIT = {"optimal": 0, "gap": 0, "invalid": 1, "limits_unmet": 3, "failed": 4, "not_run": 4}


def say(*lines: str) -> None:
    """Write lines to stderr."""
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201  (the terminal is this module's job)


def progress(a: argparse.Namespace) -> bool:
    """Whether a bar is shown."""
    return not a.quiet and sys.stderr.isatty()
