"""The electric network of a case as a forest in flat arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components

from dispatch.case.schema import columns, positions, protect, resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

Made = TypeVar("Made")


@dataclass(frozen=True)
class Network:
    """Buses and branches; a branch is a line or, after all lines, a transformer, in the order of the case.

    Attributes
    ----------
    order : ndarray (bus reached,) of int32
        Buses parents first, feeder after feeder; isolated buses are left out.
    feeder : ndarray (bus,) of int32
        Source on which the bus hangs, -1 where isolated.
    parent, parent_branch : ndarray (bus,) of int32
        The next bus towards the source and the branch to it; -1 at source buses and isolated buses.
    branch_from, branch_to : ndarray (branch,) of int32
        Buses at both ends.
    r, x : ndarray (branch,)
        Series impedance. [pu per kW]
    ratio : ndarray (branch,)
        Off-nominal ratio; 1 for lines. [1]
    s_nom : ndarray (branch,)
        Rating. [kVA]
    in_service : ndarray (branch,) of bool
        Whether the branch is in service.
    chords : ndarray (loop,) of int32
        Branches in service that are not part of the tree: each closes one loop.
    lines : int
        How many of the branches are lines.
    source_bus : ndarray (source,) of int32
        Bus of each source.
    source_v_pu : ndarray (source,)
        Voltage held there. [1]
    """

    order: np.ndarray
    feeder: np.ndarray
    parent: np.ndarray
    parent_branch: np.ndarray
    branch_from: np.ndarray
    branch_to: np.ndarray
    r: np.ndarray
    x: np.ndarray
    ratio: np.ndarray
    s_nom: np.ndarray
    in_service: np.ndarray
    chords: np.ndarray
    lines: int
    source_bus: np.ndarray
    source_v_pu: np.ndarray

    def __post_init__(self) -> None:
        """Protect the arrays: all that know the case share them."""
        protect(*(held for held in vars(self).values() if isinstance(held, np.ndarray)))

    def once(self, make: Callable[[Network], Made]) -> Made:
        """Make something from the network alone, once for all who know it; they must not change it."""
        made: dict[Callable[[Network], Made], Made] = vars(self).setdefault("_made", {})
        if make not in made:
            made[make] = make(self)
        return made[make]

    def same_as(self, other: Network) -> bool:
        """Whether another network is this one in all that is known of it."""
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    @property
    def buses(self) -> int:
        """How many buses there are."""
        return len(self.parent)

    @property
    def branches(self) -> int:
        """How many branches there are."""
        return len(self.r)


def tap_ratio(transformer: dict[str, np.ndarray], v_from: np.ndarray, v_to: np.ndarray) -> np.ndarray:
    """Off-nominal ratio of each transformer between buses of given nominal voltages, dimensionless."""
    step = 1 + transformer["tap_step_pu"] * (transformer["tap_position"] - transformer["tap_neutral"])
    at_from = transformer["tap_side"] == b"from"
    rated_from = transformer["v_nom_from"] * np.where(at_from, step, 1.0)
    rated_to = transformer["v_nom_to"] * np.where(at_from, 1.0, step)
    return np.asarray((rated_from / v_from) / (rated_to / v_to))


def network_of(case: xr.DataTree) -> Network:
    """Resolve the electric network of a case.

    Parameters
    ----------
    case : DataTree
        With valid parents; isolated buses and loops are allowed.

    Returns
    -------
    Network
        Two sources in one island are one feeder each only if the case is invalid; see `dispatch.case.rules`.
    """
    return resolved(case, "network", lambda: _network_of(case))


def _network_of(case: xr.DataTree) -> Network:
    bus, line, transformer, source = (columns(case, k) for k in ("bus", "line", "transformer", "source"))
    ids, v_nom, n = bus["id"], bus.get("v_nom", np.zeros(0)), len(bus["id"])

    def ends(side: str) -> np.ndarray:
        return np.concatenate([positions(ids, t[side]) if len(t["id"]) else np.zeros(0, np.int32) for t in both])

    both = (line, transformer)
    start, stop = ends("bus_from"), ends("bus_to")
    r, x, ratio, s_nom = (np.zeros(len(start)) for _ in range(4))
    lines = len(line["id"])
    if lines:
        base = 1e3 * v_nom[start[:lines]] ** 2
        r[:lines], x[:lines], ratio[:lines], s_nom[:lines] = line["r"] / base, line["x"] / base, 1.0, line["s_nom"]
    if len(transformer["id"]):
        v_from, v_to = v_nom[start[lines:]], v_nom[stop[lines:]]
        scale = (transformer["v_nom_from"] / v_from) ** 2 / transformer["s_nom"]
        r[lines:], x[lines:] = transformer["r_pu"] * scale, transformer["x_pu"] * scale
        ratio[lines:], s_nom[lines:] = tap_ratio(transformer, v_from, v_to), transformer["s_nom"]
    in_service = np.concatenate([line["in_service"], transformer["in_service"]]).astype(bool)
    source_bus = positions(ids, source["bus"]) if len(source["id"]) else np.zeros(0, np.int32)
    tree = forest(n, start, stop, np.nonzero(in_service)[0], source_bus)
    v_source = source.get("v_pu", np.ones(0))
    return Network(
        *tree[:4], start, stop, r, x, ratio, s_nom, in_service, tree[4], lines, source_bus, v_source.astype(float)
    )


def forest(
    n: int, start: np.ndarray, stop: np.ndarray, used: np.ndarray, roots: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Span a breadth-first forest from the roots: order, feeder, parent, parent branch, chords."""
    feeder, parent, parent_branch = (np.full(n, -1, np.int32) for _ in range(3))
    a, b = start[used], stop[used]
    # Of parallel branches the first is part of the tree, the others are chords.
    pair = np.minimum(a, b).astype(np.int64) * n + np.maximum(a, b)
    pairs, first = np.unique(pair, return_index=True)
    ends = np.concatenate([a[first], b[first]]), np.concatenate([b[first], a[first]])
    graph = sp.csr_matrix((np.ones(len(ends[0])), ends), shape=(n, n))
    graph.sort_indices()
    order = []
    for k, root in enumerate(roots):
        if root < 0 or feeder[root] >= 0:
            continue
        reached, before = breadth_first_order(graph, root, directed=False, return_predecessors=True)
        children = reached[1:]
        feeder[reached] = k
        above = before[children]
        parent[children] = above
        up = np.minimum(children, above).astype(np.int64) * n + np.maximum(children, above)
        parent_branch[children] = used[first[np.searchsorted(pairs, up)]]
        order.append(reached)
    chords = np.setdiff1d(used[(feeder[a] >= 0)], parent_branch)
    flat = np.concatenate(order) if order else np.zeros(0)
    return flat.astype(np.int32), feeder, parent, parent_branch, chords.astype(np.int32)


def islands(network: Network) -> np.ndarray:
    """Tell to which connected part each bus belongs, branches in service only.

    Returns
    -------
    ndarray (bus,) of int32
    """
    used = np.nonzero(network.in_service)[0]
    n = network.buses
    graph = sp.csr_matrix((np.ones(len(used)), (network.branch_from[used], network.branch_to[used])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)
