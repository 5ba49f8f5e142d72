"""The results of a night as one labelled view: arrays of all groups after one another, read when they are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from dispatch.batch.group_file import WRITTEN
from dispatch.batch.index import NAME
from dispatch.case.netcdf import load_case
from dispatch.case.trees import tree_of
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence


def open_results(folder: Path | str, feeder: str | None = None) -> xr.DataTree:
    """Open the results of a night.

    Parameters
    ----------
    folder : Path or str
        Of results, with its index.
    feeder : str, optional
        Name of one feeder, ``CASE/SOURCE``; default: all of them.

    Returns
    -------
    DataTree
        ``/feeder``, one row a feeder in memory, and ``/schedule`` and ``/price``, whose arrays are read when they are
        looked at, no more of them than is asked for: rows of all feeders, ids beside them, and ``KIND_feeder`` with the
        position in ``/feeder``. Times are the union of all groups'; NaN where a group has no such step.

    Raises
    ------
    InputError
        If the folder has no index, or the feeder is not in it.

    Examples
    --------
    >>> import dispatch
    >>> results = dispatch.open_results("RESULTS")                            # doctest: +SKIP
    >>> results["feeder"].ds.to_dataframe().sort_values("hours_unmet")        # doctest: +SKIP
    >>> one = dispatch.open_results("RESULTS", feeder="11_MVFeeder0725/vs")   # doctest: +SKIP
    >>> one["schedule/v_pu"].max("bus")                                       # doctest: +SKIP
    """
    path = Path(folder)
    if not (path / NAME).exists():
        hint = "Give a folder that `dispatch batch run` wrote; `--resume` writes an index that is missing."
        raise InputError([Problem("no-results", str(path), value="without an index", hint=hint)], str(path))
    table = load_case(path / NAME)["feeder"].to_dataset()
    if feeder is not None:
        chosen = np.nonzero(table["feeder"].to_numpy() == feeder.encode())[0]
        if not len(chosen):
            hint = "Feeders are named CASE/SOURCE; see the names in `dispatch batch status --json`."
            raise InputError([Problem("unknown-feeder", "feeder", value=repr(feeder), hint=hint)], str(path))
        table = table.isel(feeder=chosen)
    files = [f for f in dict.fromkeys(table["file"].to_numpy().tolist()) if f]
    groups = [_Group(path / f.decode()) for f in files]
    tree = {"/feeder": table}
    positions = {name: k for k, name in enumerate(table["feeder"].to_numpy().tolist())}
    for name in WRITTEN:
        parts = [part for group in groups if (part := group.part(name, positions)) is not None]
        if parts:
            tree[f"/{name}"] = _joined(parts)
    return tree_of(tree)


class _Group:
    """What is known of the file of a group without its series."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def part(self, name: str, positions: dict[bytes, int]) -> _Part | None:
        """One result group of the feeders that are wanted; None where the file has none."""
        with netCDF4.Dataset(self.path) as file:
            file.set_auto_mask(False)
            if name not in file.groups:
                return None
            own = _texts(file["feeder"], "feeder")
            at = np.array([positions.get(n, -1) for n in own.tolist()])
            return _Part(self.path, name, file.groups[name], at)


class _Part:
    """Rows of one result group in one file."""

    def __init__(self, path: Path, name: str, group: netCDF4.Dataset, at: np.ndarray) -> None:
        self.path, self.name = path, name
        self.time = group["time"][...].astype("datetime64[s]")
        self.rows: dict[str, np.ndarray] = {}
        self.beside: dict[str, Any] = {}
        self.variables: dict[str, tuple[tuple[str, ...], np.dtype[Any], dict[str, Any]]] = {}
        for label in [v for v in group.variables if v.endswith("_feeder")]:
            dim = label.removesuffix("_feeder")
            of = at[group[label][...]] if len(at) else np.zeros(0, int)
            self.rows[dim] = np.nonzero(of >= 0)[0]
            self.beside[label] = of[self.rows[dim]]
            self.beside[dim] = _texts(group, dim)[self.rows[dim]]
        for label, variable in group.variables.items():
            dims = variable.dimensions
            if label not in self.beside and dims[0] in self.rows:
                self.variables[label] = dims, variable.dtype, {k: variable.getncattr(k) for k in variable.ncattrs()}


class _Column(BackendArray):
    """One variable of all parts, rows after rows; only what is asked for is read."""

    def __init__(self, name: str, parts: Sequence[_Part], time: np.ndarray, *, series: bool) -> None:
        self.name, self.parts, self.time, self.series = name, parts, time, series
        dims, self.dtype, _ = next(p.variables[name] for p in parts if name in p.variables)
        self.counts = [len(p.rows.get(dims[0], ())) for p in parts]
        self.dim = dims[0]
        self.shape = (sum(self.counts), len(time)) if series else (sum(self.counts),)

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        rows = np.atleast_1d(np.arange(self.shape[0])[key[0]])
        starts = np.concatenate([[0], np.cumsum(self.counts)])
        found = np.full((len(rows), *self.shape[1:]), np.nan, self.dtype)
        for k, part in enumerate(self.parts):
            inside = np.nonzero((rows >= starts[k]) & (rows < starts[k + 1]))[0]
            if len(inside) and self.name in part.variables:
                self._fill(found, inside, part, part.rows[self.dim][rows[inside] - starts[k]])
        if isinstance(key[0], int | np.integer):
            found = found[0]
            return np.asarray(found[key[1]] if self.series else found)
        return np.asarray(found[:, key[1]] if self.series else found)

    def _fill(self, found: np.ndarray, inside: np.ndarray, part: _Part, rows: np.ndarray) -> None:
        low, high = int(rows.min()), int(rows.max()) + 1
        with netCDF4.Dataset(part.path) as file:
            file.set_auto_mask(False)
            values = np.asarray(file[f"{part.name}/{self.name}"][low:high])[rows - low]
        if self.series:
            found[np.ix_(inside, np.searchsorted(self.time, part.time))] = values
        else:
            found[inside] = values


def _joined(parts: Sequence[_Part]) -> xr.Dataset:
    time = np.unique(np.concatenate([p.time for p in parts]))
    variables: dict[str, xr.Variable] = {}
    labels = dict.fromkeys(label for p in parts for label in p.variables)
    for label in labels:
        dims, _, attributes = next(p.variables[label] for p in parts if label in p.variables)
        column = _Column(label, parts, time, series="time" in dims)
        variables[label] = xr.Variable(dims, indexing.LazilyIndexedArray(column), attributes)
    dims_of = dict.fromkeys(str(d) for v in variables.values() for d in v.dims if d != "time")
    beside: dict[str, xr.Variable] = {}
    for d in dims_of:
        for label in (f"{d}_feeder", d):
            values = [p.beside[label] for p in parts if label in p.beside]
            beside[label] = xr.Variable((d,), np.concatenate(values))
    coords = xr.Coordinates({"time": time, **beside}, indexes={})
    return xr.Dataset(variables, coords=coords.to_dataset().set_xindex("time").coords)


def _texts(group: netCDF4.Dataset, name: str) -> np.ndarray:
    letters = np.ascontiguousarray(group[name][...])
    if letters.ndim == 1:
        return letters.astype("S1")
    if not letters.size:
        return np.zeros(len(letters), "S1")
    return np.asarray(letters.view(f"S{letters.shape[-1]}")[..., 0])
