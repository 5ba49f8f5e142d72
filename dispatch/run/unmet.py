"""Limits that the program holds but the AC power flow does not, in data and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import columns
from dispatch.solve.explain import local_time, spans

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.network import Network
    from dispatch.run.margins import Margins
    from dispatch.verify.electric import AcState
    from dispatch.verify.excess import Excess


def unmet_by_ac(
    case: xr.DataTree, network: Network, held: tuple[AcState, AcState], excess: Excess, margins: Margins
) -> list[dict[str, Any]]:
    """List what AC exceeds beyond its tolerance although no limit of the program is relaxed there.

    Parameters
    ----------
    case : DataTree
        Of one or more feeders.
    network, held, excess, margins
        State of its network under the delivered schedule, with room for upper and for lower limits.

    Returns
    -------
    list of dict
        One for each limit of each element, as `dispatch.solve.explain.explain_unmet` makes them; empty where AC holds.
    """
    bus, ids = columns(case, "bus"), {k: columns(case, k)["id"] for k in ("bus", "line", "transformer", "source")}
    local = local_time(case)
    step = (local[1] - local[0]).total_seconds() / 3600 if len(local) > 1 else 1.0
    (high, low), converged = held, held[0].converged
    loading = (high.loading_pu - 1) * network.s_nom[:, None]
    found = []

    def add(over: np.ndarray, amount: np.ndarray, limit: str, unit: str) -> None:
        for element in np.nonzero(over.any(axis=1))[0].tolist():
            kind, number, at = _place(network, element, limit)
            feeder, steps = int(network.feeder[at]), np.nonzero(over[element])[0]
            most, hours = float(amount[element, steps].max()), spans(steps, local, step)
            name = ids[kind][number].decode(errors="replace")
            text = f"{kind} {name!r}: AC power flow stays {most:.4g} {unit} beyond the limit {limit} ({hours[0]} …)"
            found.append(
                {
                    "feeder": ids["source"][feeder].decode(errors="replace") if feeder >= 0 else "",
                    "kind": kind,
                    "element": name,
                    "limit": limit,
                    "hours": hours,
                    "hours_total": float(len(steps) * step),
                    "amount": most,
                    "least_relaxation": None,
                    "unit": unit,
                    "text": f"{text}; more rounds did not hold it.",
                }
            )

    add(excess.v_max & ~margins.aside_v_max, high.v_pu - bus["v_max_pu"][:, None], "v_max", "pu")
    add(excess.v_min & ~margins.aside_v_min, bus["v_min_pu"][:, None] - low.v_pu, "v_min", "pu")
    add(excess.s & ~margins.aside_s, loading, "loading", "kVA")
    if not converged.all():
        dead = np.broadcast_to(~converged, (network.buses, len(converged)))
        roots = np.isin(np.arange(network.buses), network.source_bus)[:, None]
        add(dead & roots, np.ones(dead.shape), "no AC solution", "")
    return found


def _place(network: Network, element: int, limit: str) -> tuple[str, int, int]:
    """Kind of an element, its position in the kind, and a bus that tells its feeder."""
    if limit != "loading":
        return "bus", element, element
    bus = int(network.branch_from[element])
    return ("line", element, bus) if element < network.lines else ("transformer", element - network.lines, bus)
