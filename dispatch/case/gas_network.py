"""The gas network of a case as a forest in flat arrays: gates and regulator outlets are its roots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components

from dispatch.case.schema import columns, parent_index, positions, resolved

if TYPE_CHECKING:
    import xarray as xr

PIPE_ROOT, GATE, REGULATOR = 0, 1, 2


@dataclass(frozen=True)
class GasNetwork:
    """Junctions and what holds or carries their pressure.

    Attributes
    ----------
    order : ndarray (junction reached,) of int32
        Junctions parents first; those without a way to a gate are left out.
    parent : ndarray (junction,) of int32
        The next junction towards the gate, through a pipe or a regulator; -1 at gates and where there is no gas.
    pipe : ndarray (junction,) of int32
        Pipe to the parent; -1 at gates and at regulator outlets.
    held : ndarray (junction,) of int32
        What holds the pressure: -1 nothing, ``k`` gate k, ``gates + k`` regulator k.
    zone : ndarray (junction,) of int32
        Part that hangs together by pipes in service, numbered over all junctions.
    pipe_from, pipe_to : ndarray (pipe,) of int32
        Junctions at both ends.
    chords : ndarray (loop,) of int32
        Pipes in service that are not part of the forest: each closes a loop or joins two held pressures.
    gate_at : ndarray (gate,) of int32
        Junction of each gate.
    regulator_from, regulator_to : ndarray (regulator,) of int32
        Junctions at both ends.
    """

    order: np.ndarray
    parent: np.ndarray
    pipe: np.ndarray
    held: np.ndarray
    zone: np.ndarray
    pipe_from: np.ndarray
    pipe_to: np.ndarray
    chords: np.ndarray
    gate_at: np.ndarray
    regulator_from: np.ndarray
    regulator_to: np.ndarray

    @property
    def supplied(self) -> np.ndarray:
        """Whether each junction has a way to a gate."""
        found = np.zeros(len(self.parent), bool)
        found[self.order] = True
        return found


def gas_network_of(case: xr.DataTree) -> GasNetwork:
    """Resolve the gas network of a case.

    Parameters
    ----------
    case : DataTree
        With valid parents, and no circle of regulators; see `dispatch.case.rules`.

    Returns
    -------
    GasNetwork
        Made once while the case is only being read.
    """
    return resolved(case, "gas network", lambda: _gas_network_of(case))


def _gas_network_of(case: xr.DataTree) -> GasNetwork:
    junction, pipe, gate, regulator = (columns(case, k) for k in ("junction", "pipe", "gate", "regulator"))
    ids = junction["id"]

    def at(table: dict[str, np.ndarray], name: str) -> np.ndarray:
        return positions(ids, table[name]) if len(table["id"]) else np.zeros(0, np.int32)

    return span(
        len(ids),
        (at(pipe, "junction_from"), at(pipe, "junction_to"), pipe["in_service"].astype(bool)),
        at(gate, "junction"),
        (at(regulator, "junction_from"), at(regulator, "junction_to"), regulator["in_service"].astype(bool)),
    )


def boosted(case: xr.DataTree) -> tuple[np.ndarray, np.ndarray]:
    """Tell which regulators have a compressor that raises the pressure behind them.

    Returns
    -------
    raised : ndarray (regulator,) of bool
    ratio : ndarray (regulator,)
        Pressure behind over the pressure before; NaN where the pressure behind is held as it is given. [1]
    """
    count, table = len(columns(case, "regulator")["id"]), columns(case, "booster")
    at = parent_index(case, "booster", "regulator") if len(table["id"]) else np.zeros(0, np.int32)
    raised, ratio = np.zeros(count, bool), np.full(count, np.nan)
    raised[at], ratio[at] = True, table["pressure_ratio"]
    return raised, ratio


def zones_of(n: int, start: np.ndarray, stop: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Tell which junctions hang together by pipes in service.

    Parameters
    ----------
    n : int
        How many junctions there are.
    start, stop : ndarray (pipe,) of int
        Junctions at both ends.
    used : ndarray (pipe,) of bool
        Whether the pipe is in service.

    Returns
    -------
    ndarray (junction,) of int32
    """
    graph = sp.csr_matrix((np.ones(np.count_nonzero(used)), (start[used], stop[used])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)


def zone_order(zone: np.ndarray, gate_at: np.ndarray, first: np.ndarray, second: np.ndarray) -> list[int]:
    """Zones with a way to a gate, each after all zones that feed it; those in or behind a circle are left out.

    Parameters
    ----------
    zone : ndarray (junction,) of int
        Zone of each junction.
    gate_at : ndarray (gate,) of int
        Junction of each gate.
    first, second : ndarray (regulator,) of int
        Junctions at both ends of each regulator in service.

    Returns
    -------
    list of int
    """
    supplied = set(zone[gate_at].tolist())
    links = list(zip(zone[first].tolist(), zone[second].tolist(), strict=True))
    grown = True
    while grown:
        fresh = {b for a, b in links if a in supplied} - supplied
        supplied |= fresh
        grown = bool(fresh)
    live = [(a, b) for a, b in links if a in supplied]
    order: list[int] = []
    waiting = sorted(supplied)
    while waiting:
        ready = [z for z in waiting if all(a in order for a, b in live if b == z)]
        if not ready:
            break
        order += ready
        waiting = [z for z in waiting if z not in set(ready)]
    return order


def span(
    n: int,
    pipes: tuple[np.ndarray, np.ndarray, np.ndarray],
    gate_at: np.ndarray,
    regulators: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> GasNetwork:
    """Span a breadth-first forest over pipes from all held pressures, hung together by regulators.

    Parameters
    ----------
    n : int
        How many junctions there are.
    pipes, regulators : tuple of ndarray
        Junctions at both ends, and whether each is in service.
    gate_at : ndarray (gate,) of int32
        Junction of each gate.

    Returns
    -------
    GasNetwork
    """
    start, stop, pipe_used = pipes
    first, second, regulator_used = regulators
    zone = zones_of(n, start, stop, pipe_used)
    order_of_zones = zone_order(zone, gate_at, first[regulator_used], second[regulator_used])
    rank = np.full(int(zone.max()) + 1 if n else 0, -1)
    rank[order_of_zones] = np.arange(len(order_of_zones))
    held = np.full(n, -1, np.int32)
    live = np.nonzero(regulator_used & (rank[zone[first]] >= 0) & (rank[zone[second]] >= 0))[0]
    held[second[live]] = len(gate_at) + live
    held[gate_at] = np.arange(len(gate_at))
    roots = np.nonzero((held >= 0) & (rank[zone] >= 0))[0]
    reached, parent, tree = _search(n, start, stop, np.nonzero(pipe_used)[0], roots)
    behind = held >= len(gate_at)
    parent[behind] = first[held[behind] - len(gate_at)]
    used = np.nonzero(pipe_used & (rank[zone[start]] >= 0))[0]
    chords = np.setdiff1d(used, tree).astype(np.int32)
    order = reached[np.argsort(rank[zone[reached]], kind="stable")]
    return GasNetwork(order, parent, tree, held, zone, start, stop, chords, gate_at, first, second)


def _search(
    n: int, start: np.ndarray, stop: np.ndarray, used: np.ndarray, roots: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Breadth-first from all roots at once: order, parent, pipe to the parent."""
    parent, tree = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    a, b = start[used], stop[used]
    inner = a != b
    low, high, used = np.minimum(a, b)[inner], np.maximum(a, b)[inner], used[inner]
    _, one = np.unique(low.astype(np.int64) * n + high, return_index=True)  # of parallel pipes the first
    rows = np.concatenate([low[one], np.full(len(roots), n)])
    cols = np.concatenate([high[one], roots])
    graph = sp.csr_matrix((np.concatenate([used[one] + 1, np.ones(len(roots), int)]), (rows, cols)), (n + 1, n + 1))
    graph = (graph + graph.T).tocsr()
    reached, before = breadth_first_order(graph, n, directed=False, return_predecessors=True)
    reached = reached[1:].astype(np.int32)
    inside = reached[before[reached] < n]
    parent[inside] = before[inside]
    if len(inside):
        tree[inside] = np.asarray(graph[inside, before[inside]]).ravel() - 1
    return reached, parent, tree
