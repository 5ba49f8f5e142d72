"""What whole nights of a few small feeders need to go on as large ones do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dispatch.batch import planning

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def one_group_a_case() -> Iterator[None]:
    """Cut after every case."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "LEAST_S", 0.0)
        patch.setattr(planning, "GROUP_S", 1e-9)
        yield
