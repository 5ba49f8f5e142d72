"""Elements of the network's components, for the program in which their rows are stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns
from dispatch.model.elements import Elements
from dispatch.model.linear import p_limit

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.case.schema import Columns


def network_kinds(
    case: xr.DataTree, network: Network, q: np.ndarray | None, offsets: Offsets, limit_penalty: float
) -> dict[str, Elements]:
    """Elements of bus, source, line and transformer; branches out of service are left out.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : Network
        Its network.
    q : ndarray (bus, step) or None
        Reactive power injected, all of it given; None: branches do not know what their ratings leave. [kvar]
    offsets : Offsets
        Added to the limits.
    limit_penalty : float
        Of relaxing a limit by its own rating for an hour. [money h-1]

    Returns
    -------
    dict of str to Elements
    """
    bus, source = columns(case, "bus"), columns(case, "source")
    penalty = np.full((1, 1), limit_penalty)
    shifts = {"offset_v_max": offsets.v_max, "offset_v_min": offsets.v_min}
    limits = voltage_limits(bus) | shifts | {"limit_penalty": penalty}
    buses, sources = len(bus["id"]), len(source["id"])
    used = np.nonzero(network.in_service)[0]
    lines, transformers = used[used < network.lines], used[used >= network.lines]
    most = {} if q is None else _left(network, q, offsets)
    line = _branches(network, lines, most, penalty, columns(case, "line")["id"], 0)
    ids = columns(case, "transformer")["id"]
    transformer = _branches(network, transformers, most, penalty, ids, network.lines)
    transformer.parameters["ratio"] = network.ratio[transformers][:, None]
    held = {"v_pu": network.source_v_pu[:, None]}
    at = {"bus": ("bus", network.source_bus)}
    return {
        "bus": Elements(buses, limits, {}, np.arange(buses, dtype=np.int32), bus["id"]),
        "source": Elements(sources, held, at, np.arange(sources, dtype=np.int32), source["id"]),
        "line": line,
        "transformer": transformer,
    }


def voltage_limits(bus: Columns) -> dict[str, np.ndarray]:
    """Limits of the voltage magnitude of each bus, (bus, 1)."""
    return {name: bus.get(name, np.zeros(0))[:, None] for name in ("v_max_pu", "v_min_pu")}


def _left(network: Network, q: np.ndarray, offsets: Offsets) -> dict[str, np.ndarray]:
    """Active power that ratings and offsets leave, either way."""
    p_max = p_limit(network, q, offsets.s) if network.branches else np.zeros_like(offsets.s)
    return {f"p_max_{way}": np.maximum(p_max - getattr(offsets, way), 0.0) for way in ("forward", "reverse")}


def _branches(
    network: Network, used: np.ndarray, most: dict[str, np.ndarray], penalty: np.ndarray, ids: np.ndarray, first: int
) -> Elements:
    """Branches in service of one kind; `first` is the number of the kind's first branch."""
    parameters = {
        "r": network.r[used][:, None],
        "x": network.x[used][:, None],
        "s_nom": network.s_nom[used][:, None],
        "limit_penalty": penalty,
        **{name: values[used] for name, values in most.items()},
    }
    nodes = {
        "bus_from": ("bus", network.branch_from[used]),
        "bus_to": ("bus", network.branch_to[used]),
    }
    index = (used - first).astype(np.int32)
    return Elements(len(used), parameters, nodes, index, ids[index] if len(index) else ids[:0])
