"""Cutting a case into its feeders."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.network import network_of
from dispatch.case.schema import Arrays, columns, has, parent_index, reading
from dispatch.case.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    "compressor": "meter",
    "booster": "meter",
}
Group = tuple[Arrays, list[str], dict[Any, Any]]
GAS_DIMS = {"consumer", "injection"}  # of series in /forecast that only the feeders with the gas network need
OF_GAS = ("junction", "gate", "pipe", "regulator", "consumer", "injection", "account")
"""Elements of the gas network that belong to no meter."""
ON_GAS = {"plant": "junction", "compressor": "junction_from", "booster": "regulator"}
"""What ties a feeder to the gas network where it names an element of it."""


@dataclass(frozen=True)
class Cut:
    """A feeder's part of a case as plain arrays, which other processes get three times as fast as a tree.

    Attributes
    ----------
    groups : dict of str to (dict, list of str, dict)
        For each path its variables, which of them are coordinates, and its attributes.
    """

    groups: dict[str, Group]

    @property
    def size(self) -> int:
        """How many rows its tables have."""
        return sum(
            sum({d: n for dims, values, _ in arrays.values() for d, n in zip(dims, values.shape, strict=True)}.values())
            for arrays, _, _ in self.groups.values()
        )

    @property
    def work(self) -> int:
        """Pairs of meter and step."""
        shapes = {
            path: {n: np.size(values) for n, (_, values, _) in given[0].items()} for path, given in self.groups.items()
        }
        return shapes.get("/prosumer/meter", {}).get("meter", 0) * shapes.get("/forecast", {}).get("time", 0)

    def case(self) -> xr.DataTree:
        """Make the feeder's case."""
        return self._tree(list(self.groups))

    @contextmanager
    def reading(self) -> Iterator[xr.DataTree]:
        """Make what solving takes of the feeder's case, in a hundredth of the time.

        Inside the block `columns` and all that rests on them know every group; the tree itself has only attributes.
        """
        case = self._tree([path for path in ("/",) if path in self.groups])
        with reading(case, {path: arrays for path, (arrays, _, _) in self.groups.items()}):
            yield case

    def _tree(self, paths: list[str]) -> xr.DataTree:
        parts = {}
        for path in paths:
            arrays, coords, attributes = self.groups[path]
            variables = {name: xr.Variable(*given) for name, given in arrays.items()}
            parts[path] = xr.Dataset(
                {n: v for n, v in variables.items() if n not in coords}, {n: variables[n] for n in coords}, attributes
            )
        return tree_of(parts)


def split_feeders(case: xr.DataTree) -> list[xr.DataTree]:
    """One case for each source, with everything that is connected to it.

    Prosumers, tariffs and profiles go with the meters and elements that use them; weather is kept whole. An open branch
    between two feeders, or to an isolated bus, is in none. Feeders with plants that inject share the gas network: they
    are one case, in the place of the first of them; where there is none, the first feeder has it. No other case has it.

    Parameters
    ----------
    case : DataTree
        A valid case.

    Returns
    -------
    list of DataTree
        In the order of the sources; isolated buses and what hangs on them are in none.
    """
    return [cut.case() for cut in cut_feeders(case)]


def cut_feeders(case: xr.DataTree) -> list[Cut]:
    """Do the same as `split_feeders`, but leave the making of each case to whoever needs it."""
    with reading(case):
        members = members_of(case)
        shared = _on_gas(case, members)
    groups = {node.path: _whole(node.to_dataset(inherit=False)) for node in case.subtree}
    alone = [[k] for k in range(len(members["source"]))]
    cases = [shared if k in shared else [k] for (k,) in alone if k not in shared[1:]]
    return [
        _feeder(groups, {kind: _used([chosen[k] for k in own]) for kind, chosen in members.items()}, own == shared)
        for own in cases
    ]


def _on_gas(case: xr.DataTree, members: Mapping[str, list[np.ndarray]]) -> list[int]:
    """Numbers of the feeders that have the gas network: with plants that inject or compressors, else the first."""
    if not has(case, "junction") or not len(columns(case, "junction")["id"]):
        return []
    found: set[int] = set()
    for kind, name in ON_GAS.items():
        if has(case, kind):
            tied = columns(case, kind)[name] != b""
            found |= {k for k, own in enumerate(members[kind]) if tied[own].any()}
    return sorted(found) or list(range(len(members["source"])))[:1]


def members_of(case: xr.DataTree) -> Mapping[str, list[np.ndarray]]:
    """Find for each kind the positions of each feeder's elements.

    Parameters
    ----------
    case : DataTree
        Its series and what is no id, parent or network attribute may be left out.

    Returns
    -------
    mapping of str to list of ndarray of int
        In the order of the sources.
    """
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
    if "profile" in members and has(case, "junction"):
        gas = np.concatenate([parent_index(case, kind, "profile") for kind in sorted(GAS_DIMS)])
        on_gas = _on_gas(case, members)
        members["profile"] = [_used([m, gas]) if k in on_gas else m for k, m in enumerate(members["profile"])]
    if has(case, "junction"):
        on_gas, none = _on_gas(case, members), np.zeros(0, np.int64)
        for kind in (k for k in OF_GAS if has(case, k)):
            every = np.arange(len(columns(case, kind)["id"]))
            members[kind] = [every if k in on_gas else none for k in range(count)]
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


def _whole(data: xr.Dataset) -> Group:
    """Variables, names of coordinates and attributes of a group."""
    arrays = {str(name): (v.dims, v.to_numpy(), v.attrs) for name, v in data.variables.items()}
    return arrays, [str(name) for name in data.coords], data.attrs


def _feeder(groups: Mapping[str, Group], chosen: Mapping[str, np.ndarray], on_gas: bool) -> Cut:
    without = set() if on_gas else GAS_DIMS
    kept = {path: group for path, group in groups.items() if not (without and path.startswith("/gas"))}
    parts = {path: _part(arrays, chosen, without) for path, (arrays, _, _) in kept.items()}
    _anonymous(parts)
    return Cut({path: (part, [n for n in kept[path][1] if n in part], kept[path][2]) for path, part in parts.items()})


def _anonymous(parts: dict[str, Arrays]) -> None:
    """Consumers of gas whose prosumer is on another feeder belong to nobody here."""
    consumer, prosumer = parts.get("/gas/consumer", {}), parts.get("/prosumer/prosumer", {})
    if "prosumer" in consumer and "prosumer" in prosumer:
        dims, owner, labels = consumer["prosumer"]
        consumer["prosumer"] = dims, np.where(np.isin(owner, prosumer["prosumer"][1]), owner, b""), labels


def _part(arrays: Arrays, chosen: Mapping[str, np.ndarray], without: set[str]) -> Arrays:
    """Rows of the chosen elements, without some dims; much faster than `Dataset.isel`, which rebuilds indexes."""
    part: Arrays = {}
    for name, (dims, whole, labels) in arrays.items():
        if without.intersection(map(str, dims)):
            continue
        values = whole
        for axis, dim in enumerate(dims):
            if dim in chosen:
                values = values.take(chosen[str(dim)], axis=axis)
        part[name] = dims, values, labels
    return part
