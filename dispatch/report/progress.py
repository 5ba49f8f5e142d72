"""How far a long job is: a bar where there is a terminal, else a line for each part."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def telling(name: str, *, lines: bool, bar: bool) -> Iterator[Callable[[str, float], None]]:
    """Give a function that is told what is being worked on, and the part that is done.

    Parameters
    ----------
    name : str
        What it is about.
    lines : bool
        Say each part in a line on stderr where there is no bar.
    bar : bool
        Show a bar on stderr.
    """
    if not bar:
        yield partial(_line, name) if lines else _nothing
        return
    from rich.console import Console  # noqa: PLC0415  (loads when needed)
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(name, total=1.0)
        yield lambda text, part: shown.update(task, completed=part, description=text)


def _line(name: str, text: str, _part: float) -> None:
    sys.stderr.write(f"{name}: {text}\n")


def _nothing(_text: str, _part: float) -> None:
    """Say nothing."""
