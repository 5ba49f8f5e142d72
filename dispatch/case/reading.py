"""From the groups of a file to a case: versions migrated, units converted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from dispatch.case.migrate import migrate
from dispatch.errors import Problem

if TYPE_CHECKING:
    pass


def assemble(groups: dict[str, xr.Dataset], problems: list[Problem], notes: list[str], source: str) -> xr.DataTree | None:
    groups = migrate(groups, problems, notes)
    return xr.DataTree.from_dict(groups)
