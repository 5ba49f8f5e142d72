"""The feeders of a large case file: which rows of its tables belong to each, and reading those alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.netcdf import load_case
from dispatch.case.netcdf.read import Excerpt
from dispatch.case.schema import columns
from dispatch.case.slices import members_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import xarray as xr

Runs = dict[str, list[list[int]]]
"""For each dim the rows of some feeders, as first and last but one of each run: one run where they stand together."""


@dataclass(frozen=True)
class FeederRows:
    """Rows of each feeder of a case file.

    Attributes
    ----------
    sources : list of str
        Ids of the sources.
    rows : mapping of str to list of ndarray of int
        For each kind of element the positions that belong to each feeder.
    """

    sources: list[str]
    rows: Mapping[str, list[np.ndarray]]

    def count(self, kind: str, feeder: int) -> int:
        """How many elements of a kind a feeder has."""
        return len(self.rows[kind][feeder]) if kind in self.rows else 0

    def runs(self, feeders: Sequence[int]) -> Runs:
        """Rows of some feeders together."""
        return {kind: _runs(np.unique(np.concatenate([rows[k] for k in feeders]))) for kind, rows in self.rows.items()}


def feeder_rows(path: Path) -> FeederRows:
    """Find which rows belong to which feeder, from ids, parents and the network alone.

    Parameters
    ----------
    path : Path
        A case file; its series are not read.

    Returns
    -------
    FeederRows

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    case = load_case(path, excerpt=Excerpt(wanted=_structure))
    sources = [i.decode(errors="replace") for i in columns(case, "source")["id"]]
    return FeederRows(sources, members_of(case))


def load_feeders(path: Path, runs: Runs) -> xr.DataTree:
    """Read the rows of some feeders of a case file; what belongs to no feeder, such as weather, is read whole.

    Parameters
    ----------
    path : Path
        A case file.
    runs : Runs
        As `FeederRows.runs` gives them.

    Returns
    -------
    DataTree

    Raises
    ------
    InputError
        As for `load_case`.
    """
    rows = {kind: _positions(found) for kind, found in runs.items()}
    return load_case(path, excerpt=Excerpt(rows))


def _structure(where: str, name: str, dims: tuple[str, ...]) -> bool:
    """Whether a variable says what belongs together: ids, parents, and everything of the network."""
    kind = next(
        (k for k in attribute_table().values() if k.group == where and k.name == where.rsplit("/", 1)[-1]), None
    )
    if kind is None or "time" in dims:
        return False
    own = kind.attributes.get(name)
    return kind.network or name == kind.name or (own is not None and bool(own.parent))


def _runs(rows: np.ndarray) -> list[list[int]]:
    if not len(rows):
        return []
    cuts = np.nonzero(np.diff(rows) > 1)[0] + 1
    edges = [0, *cuts.tolist(), len(rows)]
    return [[int(rows[a]), int(rows[b - 1]) + 1] for a, b in pairwise(edges)]


def _positions(runs: list[list[int]]) -> np.ndarray:
    parts = [np.arange(a, b) for a, b in runs]
    return np.concatenate(parts) if parts else np.zeros(0, int)
