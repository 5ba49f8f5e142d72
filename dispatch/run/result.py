"""What a run leaves behind: result groups of a case, assembled from what each feeder returned."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dispatch.case.attributes import Attribute, attribute_table
from dispatch.case.schema import columns, kind_dataset, positions, time_axis
from dispatch.case.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatch.run.feeder import FeederRun

Groups = dict[str, dict[str, np.ndarray]]
RESULT_KINDS = tuple(name for name, kind in attribute_table().items() if kind.result and not kind.utility)
VERSIONED = ("prosumer-dispatch", "highspy", "numba", "numpy", "power-grid-model", "pyomo", "scipy", "xarray")


@cache
def versions() -> Mapping[str, str]:
    """Versions of everything that can change a number in a result."""
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def digest(case: xr.DataTree) -> str:
    """SHA-256 over names, dtypes and values of a case, result groups left out."""
    key = hashlib.sha256()
    for kind in attribute_table().values():
        if kind.result or kind.name == "case":
            continue
        for name, values in sorted(columns(case, kind.name).items()):
            data = np.ascontiguousarray(values)
            key.update(f"{kind.group}/{name} {data.dtype.str} {data.shape}\n".encode())
            key.update(data.tobytes())
    key.update(json.dumps({k: str(v) for k, v in sorted(case.attrs.items())}).encode())
    return key.hexdigest()


def without_results(case: xr.DataTree) -> xr.DataTree:
    """Take the case out of a result."""
    groups = {attribute_table()[k].group for k in RESULT_KINDS}
    kept = {n.path: n.to_dataset(inherit=False) for n in case.subtree if n.path not in groups}
    bare = tree_of(kept)
    bare.attrs = dict(case.attrs)
    return bare


def _blank(attribute: Attribute, shape: tuple[int, ...]) -> np.ndarray:
    if attribute.dtype == "text":
        known = attribute.default if isinstance(attribute.default, str) else "not_run"
        return np.full(shape, known.encode(), dtype="S16")
    dtype = np.dtype(attribute.memory_dtype)
    return np.full(shape, np.nan if dtype.kind == "f" else -1, dtype=dtype)


def _of_gas(attribute: Attribute) -> bool:
    """Whether a row is about gas, which most cases do not have; only cases with such elements have the row."""
    return attribute_table()[attribute.of].group.startswith(("/gas", "/plant"))


def _blanks(runs: list[FeederRun], sizes: Mapping[str, int]) -> Groups:
    """Make the arrays of a result; what has a default stands in it only where a feeder says something."""
    said = {(group, variable) for run in runs for group, rows in run.groups.items() for variable in rows}
    return {
        name: {
            a.name: _blank(a, tuple(sizes[d] for d in a.dims))
            for a in attribute_table()[name].attributes.values()
            if (a.required or (name, a.name) in said) and (sizes[a.of] or not _of_gas(a))
        }
        for name in RESULT_KINDS
    }


def _places(ids: Mapping[str, np.ndarray], runs: list[FeederRun]) -> list[dict[str, np.ndarray]]:
    """Find where the elements of each run stand in the whole case, by kind; all runs at once, which sorts ids once."""
    found: list[dict[str, np.ndarray]] = [{} for _ in runs]
    for kind in {kind for run in runs for kind in run.ids}:
        own = [run.ids[kind] for run in runs if kind in run.ids]
        places = np.split(positions(ids[kind], np.concatenate(own)), np.cumsum([len(i) for i in own])[:-1])
        for at, place in zip((at for at, run in zip(found, runs, strict=True) if kind in run.ids), places, strict=True):
            at[kind] = place
    return found


def assemble(case: xr.DataTree, runs: list[FeederRun], labels: Mapping[str, Any]) -> xr.DataTree:
    """Put what every feeder returned into one result.

    Parameters
    ----------
    case : DataTree
        The whole case, with the /forecast that was solved.
    runs : list of FeederRun
        In the order of the sources; arrays of each kind follow the feeder's own elements.
    labels : mapping of str to Any
        Attributes of /certificate: settings, versions, digest, method, unmet limits.

    Returns
    -------
    DataTree
        The case plus /schedule, /price, /offset and /certificate; NaN where no feeder says anything.
    """
    forecast = columns(case, "forecast")
    time = forecast["time"]
    ids = {k: columns(case, k)["id"] for k, kind in attribute_table().items() if kind.has_elements}
    sizes = {**{k: len(v) for k, v in ids.items()}, "time": len(time)}
    whole = _blanks(runs, sizes)
    for run, at in zip(runs, _places(ids, runs), strict=True):
        for name, group in run.groups.items():
            for variable, values in group.items():
                if variable not in whole[name]:  # of a kind that the case does not have
                    continue
                attribute = attribute_table()[name].attributes[variable]
                where = (at[attribute.of], at[attribute.by]) if attribute.by else (at[attribute.of],)
                whole[name][variable][np.ix_(*where)] = values
    result = case.copy()
    for name, group in whole.items():
        kind = attribute_table()[name]
        data = kind_dataset(kind, {**group, "time": time}, currency=case.attrs["currency"], sizes=sizes)
        elements = dict.fromkeys(d for v in data.variables.values() for d in v.dims if d != "time")
        data = data.assign_coords({str(d): ids[str(d)] for d in elements})
        if any(a.series for a in kind.attributes.values()):
            data = data.assign_coords(time_axis(time, forecast["time_step"]))
        if name == "certificate":
            data.attrs.update(labels)
        result[kind.group] = xr.DataTree(data)
    return result
