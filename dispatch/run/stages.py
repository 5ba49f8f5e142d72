"""Seconds by stage of a run."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Stages:
    """Seconds by stage; no stage contains another. Those of feeders are summed over processes.

    Attributes
    ----------
    seconds : dict of str to float
        In the order in which the stages began.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as this stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add({name: time.perf_counter() - begin})

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what was counted elsewhere."""
        for name, value in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + value
