"""Results of a group of feeders in one tree: rows feeder after feeder, and to which feeder each belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.outcome import FIGURES
from dispatch.case.attributes import attribute_table
from dispatch.case.netcdf import save_case
from dispatch.case.schema import as_bytes, kind_dataset, time_axis
from dispatch.case.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import xarray as xr

    from dispatch.batch.outcome import FeederOutcome

WRITTEN = ("schedule", "price")
"""Result groups that are kept for each feeder; its figures are in ``/feeder``."""
LEVEL = 2
"""Of compression: half the time of the 4 of a case, and a file that is 2 % larger."""
NO_CURRENCY = "XXX"
"""ISO 4217 for amounts of several currencies."""


def group_tree(outcomes: Sequence[FeederOutcome]) -> xr.DataTree:
    """Put the outcomes of a group together.

    Parameters
    ----------
    outcomes : sequence of FeederOutcome
        In their order.

    Returns
    -------
    DataTree
        ``/feeder``, and ``/schedule`` and ``/price`` of the feeders that have one: each kind's rows feeder after
        feeder, ids beside them, and ``KIND_feeder`` with the feeder's position in ``/feeder``. Times are the union of
        the feeders' axes; NaN where a feeder has no such step.
    """
    currencies = {o.currency for o in outcomes if o.run is not None}
    currency = currencies.pop() if len(currencies) == 1 else NO_CURRENCY
    tree: dict[str, xr.Dataset] = {"/feeder": feeder_table(outcomes, currency)}
    times = [o.time for o in outcomes if o.run is not None and "schedule" in o.run.groups]
    if times:
        time = np.unique(np.concatenate(times))
        tree |= {f"/{name}": _joined(name, outcomes, time, currency) for name in WRITTEN}
    return labelled(tree, currency)


def write_group(outcomes: Sequence[FeederOutcome], file: Path) -> None:
    """Write the outcomes of a group; the same give the same bytes."""
    save_case(group_tree(outcomes), file, level=LEVEL)


def labelled(tree: dict[str, xr.Dataset], currency: str) -> xr.DataTree:
    """Make a tree that says which schema it follows; its times are UTC."""
    found = tree_of(tree)
    version = np.int32(attribute_table()["case"].attributes["schema_version"].default)
    found.attrs = {"title": "Feeders of a utility", "time_zone": "UTC", "currency": currency, "schema_version": version}
    return found


def feeder_table(outcomes: Sequence[FeederOutcome], currency: str) -> xr.Dataset:
    """Table of the kind ``feeder`` of the attribute table, one row an outcome."""
    texts = {
        "case": [o.case for o in outcomes],
        "source": [o.source for o in outcomes],
        "status": [o.status for o in outcomes],
        "method": ["" if o.run is None else o.run.method for o in outcomes],
        "explanation": [o.explanation for o in outcomes],
    }
    numbers: dict[str, Any] = {k: np.array([o.figures.get(k, np.nan) for o in outcomes]) for k in FIGURES}
    numbers["prosumers"] = np.array([o.prosumers for o in outcomes], np.int32)
    columns = {**{k: as_bytes(np.array(v, object)) for k, v in texts.items()}, **numbers}
    data = kind_dataset(attribute_table()["feeder"], columns, currency=currency, sizes={"feeder": len(outcomes)})
    return data.assign_coords({"feeder": as_bytes(np.array([o.name for o in outcomes], object))})


def _joined(name: str, outcomes: Sequence[FeederOutcome], time: np.ndarray, currency: str) -> xr.Dataset:
    """One result group of all feeders that have it."""
    with_it = [(k, o, o.run) for k, o in enumerate(outcomes) if o.run is not None and name in o.run.groups]
    kind = attribute_table()[name]
    rows = [a for a in kind.attributes.values() if any(a.name in run.groups[name] for _, _, run in with_it)]
    dims = sorted({a.of for a in rows})
    counts = {d: [len(run.ids[d]) for _, _, run in with_it] for d in dims}
    starts = {d: np.concatenate([[0], np.cumsum(counts[d])]) for d in dims}
    sizes = {**{d: int(starts[d][-1]) for d in dims}, "time": len(time)}
    steps = [np.searchsorted(time, o.time) for _, o, _ in with_it]
    arrays: dict[str, Any] = {"time": time}
    for a in rows:
        whole = np.full(tuple(sizes[d] for d in a.dims), np.nan, np.dtype(a.memory_dtype))
        for k, (_, _, run) in enumerate(with_it):
            if a.name in run.groups[name]:
                own = slice(starts[a.of][k], starts[a.of][k + 1])
                if a.series:
                    whole[own, steps[k]] = run.groups[name][a.name]
                else:
                    whole[own] = run.groups[name][a.name]
        arrays[a.name] = whole
    data = kind_dataset(kind, arrays, currency=currency, sizes=sizes)
    beside: dict[str, Any] = dict(time_axis(time))
    for d in dims:
        beside[d] = np.concatenate([run.ids[d] for _, _, run in with_it])
        beside[f"{d}_feeder"] = (d, np.repeat([k for k, _, _ in with_it], counts[d]).astype(np.int32))
    return data.assign_coords(beside)
