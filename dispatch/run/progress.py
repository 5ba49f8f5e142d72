"""A bar on stderr while long work goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def counted(what: str, total: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    """Count things that are done.

    Parameters
    ----------
    what : str
        Their name.
    total : int
        How many there are.
    shown : bool
        If not, nothing is drawn.

    Yields
    ------
    callable
        Counts one more.
    """
    if not shown:
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415  (loads when needed)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    name = TextColumn("[bold]{task.description}")
    with Progress(
        name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)
