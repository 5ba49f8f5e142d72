"""Cutting a case into its feeders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.network import network_of
from dispatch.case.schema import has, parent_index

if TYPE_CHECKING:
    from collections.abc import Mapping

# Which parent says to which feeder an element belongs, parents first.
BELONGS = {
    "source": "bus",
    "line": "bus_from",
    "transformer": "bus_from",
    "meter": "bus",
    "load": "meter",
    "pv": "meter",
    "store": "meter",
    "inverter": "pv",
    "plane": "inverter",
    "plant": "meter",
    "substrate": "plant",
    "chp": "plant",
    "upgrader": "plant",
}
GAS_DIMS = {"consumer", "injection"}  # of series in /forecast that only feeders with a plant need


def split_feeders(case: xr.DataTree) -> list[xr.DataTree]:
    """One case for each source, with everything that is connected to it.

    Prosumers, tariffs and profiles go with the meters and elements that use them; weather is kept whole. An open branch
    between two feeders, or to an isolated bus, is in none.

    Parameters
    ----------
    case : DataTree
        A valid case.

    Returns
    -------
    list of DataTree
        In the order of the sources; isolated buses and what hangs on them are in none.
    """
    members = _members(case)
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    feeders = len(members["source"])
    return [_feeder(groups, {kind: chosen[k] for kind, chosen in members.items()}) for k in range(feeders)]


def _members(case: xr.DataTree) -> Mapping[str, list[np.ndarray]]:
    """For each kind, the positions of each feeder's elements."""
    network = network_of(case)
    count = len(network.source_bus)
    feeder = {"bus": network.feeder, "source": np.arange(count, dtype=np.int32)}
    for kind, attribute in (BELONGS | _own_kinds()).items():
        if kind in feeder:
            continue
        parent = attribute_table()[kind].attributes[attribute].parent
        at = parent_index(case, kind, attribute)
        feeder[kind] = np.where(at >= 0, np.append(feeder[parent], -1)[at], -1)
    for kind in ("line", "transformer"):
        at = parent_index(case, kind, "bus_to")
        far = np.where(at >= 0, np.append(network.feeder, -1)[at], -1)
        feeder[kind] = np.where(far == feeder[kind], far, -1)
    members = {kind: _grouped(of, count) for kind, of in feeder.items()}
    users = {"prosumer": [("meter", "prosumer")], "tariff": [("meter", "tariff")]}
    users["profile"] = [("load", "profile"), ("pv", "profile")]
    for kind, by in users.items():
        if has(case, kind):
            used = [(members[user], parent_index(case, user, attribute)) for user, attribute in by]
            members[kind] = [_used([at[chosen[k]] for chosen, at in used]) for k in range(count)]
    return members


def _own_kinds() -> dict[str, str]:
    """Kinds of a user's own components, with the first parent that belongs to a feeder."""
    table, found = attribute_table(), {}
    for name, kind in table.items():
        known = [a.name for a in kind.attributes.values() if a.parent == "bus" or a.parent in BELONGS]
        if kind.has_elements and name not in BELONGS and known:
            found[name] = known[0]
    return found


def _grouped(of: np.ndarray, count: int) -> list[np.ndarray]:
    """Positions of the elements of each feeder, in the order of the case."""
    order = np.argsort(of, kind="stable")
    edges = np.searchsorted(of[order], np.arange(count + 1))
    return [order[edges[k] : edges[k + 1]] for k in range(count)]


def _used(positions: list[np.ndarray]) -> np.ndarray:
    found = np.unique(np.concatenate(positions))
    return np.asarray(found[found >= 0])


def _feeder(groups: Mapping[str, xr.Dataset], chosen: Mapping[str, np.ndarray]) -> xr.DataTree:
    without = set() if len(chosen["plant"]) else GAS_DIMS
    kept = {p: d for p, d in groups.items() if not (without and p.startswith("/gas"))}
    parts = {path: _part(data, chosen, without) for path, data in kept.items()}
    _anonymous(parts)
    return xr.DataTree.from_dict(parts)


def _anonymous(parts: dict[str, xr.Dataset]) -> None:
    """Consumers of gas whose prosumer is on another feeder belong to nobody here."""
    consumer, prosumer = parts.get("/gas/consumer"), parts.get("/prosumer/prosumer")
    if consumer is None or prosumer is None or "prosumer" not in consumer:
        return
    owner = consumer["prosumer"]
    here = np.isin(owner.to_numpy(), prosumer["prosumer"].to_numpy())
    names = np.where(here, owner.to_numpy(), b"")
    parts["/gas/consumer"] = consumer.assign(prosumer=(owner.dims, names, owner.attrs))


def _part(data: xr.Dataset, chosen: Mapping[str, np.ndarray], without: set[str]) -> xr.Dataset:
    """Rows of the chosen elements, without some dims; much faster than `Dataset.isel`, which rebuilds indexes."""
    if not any(d in chosen or d in without for d in data.dims):
        return data
    part = {}
    for name, variable in data.variables.items():
        if without.intersection(map(str, variable.dims)):
            continue
        values = variable.to_numpy()
        for axis, dim in enumerate(variable.dims):
            if dim in chosen:
                values = values.take(chosen[str(dim)], axis=axis)
        part[name] = xr.Variable(variable.dims, values, variable.attrs)
    coords = {n: part.pop(n) for n in list(data.coords) if n in part}
    return xr.Dataset(part, coords, data.attrs)
