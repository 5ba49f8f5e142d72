"""Results that several tests look at; made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from synthetic_result import make_result

from dispatch.report.html import render

if TYPE_CHECKING:
    import xarray as xr


@pytest.fixture(scope="session")
def result() -> xr.DataTree:
    return make_result()


@pytest.fixture(scope="session")
def page(result: xr.DataTree) -> str:
    return render(result)
