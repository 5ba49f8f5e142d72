from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest

from dispatch.run.cold import FORECASTING, GAS, SOLVING, cold, start_compiling

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure(config: pytest.Config) -> None:
    """Compile kernels before workers start, each of which would compile all of them for itself."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        shares = [[part for part in share if cold(part)] for share in ((SOLVING,), (FORECASTING, GAS))]
        for process in [start_compiling(*parts) for parts in shares if parts]:
            process.wait()


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collection, which else takes a seventh of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_disks() -> Iterator[None]:
    """Thousands of files are written: whether they are on the disk matters only to processes that are killed.

    Those are processes of their own, which this does not reach.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield
