"""Older schema versions of a case file, brought to the present one by one function a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import xarray as xr

Groups = dict[str, "xr.Dataset"]

CURRENT: int = attribute_table()["case"].attributes["schema_version"].default

# From version to what makes its groups those of the next version. A function may change the groups it is given.
# Version 1 is the first; tests/case/archive holds a frozen file of each version.
MIGRATIONS: Mapping[int, Callable[[Groups], Groups]] = {}


def migrate(groups: Groups, problems: list[Problem], notes: list[str]) -> Groups:
    """Bring the groups of a file to the present schema version.

    Parameters
    ----------
    groups : dict of str to Dataset
        By path, as read.
    problems : list of Problem
        Receives what cannot be done: no version, or a newer one.
    notes : list of str
        Receives a line if there was something to do.

    Returns
    -------
    dict of str to Dataset
        With the present ``schema_version`` in ``/``.
    """
    version = groups["/"].attrs.get("schema_version")
    if not isinstance(version, int | np.integer) or version < 1:
        found = "missing" if version is None else repr(version)
        hint = "This is not a case file of this project, or its first lines were lost: import it anew."
        problems.append(_problem("schema-version", found, hint))
        return groups
    if version > CURRENT:
        hint = "The file was written by a newer version: upgrade with `pip install --upgrade prosumer-dispatch`."
        problems.append(_problem("newer-schema", str(int(version)), hint))
        return groups
    for step in range(int(version), CURRENT):
        groups = MIGRATIONS[step](groups)
    if version != CURRENT:
        notes.append(f"/: migrated from schema version {int(version)} to {CURRENT}")
        groups["/"].attrs["schema_version"] = np.int32(CURRENT)
    return groups


def _problem(code: str, found: str, hint: str) -> Problem:
    return Problem(
        code, "/", "schema_version", value=found, allowed=f"1 to {CURRENT}" if CURRENT > 1 else "1", hint=hint
    )
