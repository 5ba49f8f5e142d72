"""From arrays of prosumers and network to a certified plan, without a program of all columns in between.

It is the way by prices (`dispatch.solve.decomposed`) for feeders of which the store kernel plans every meter. Where no
limit binds, one answer of the kernel, one sweep and the proof are all there is: a few milliseconds for 145 meters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.errors import SolverError
from dispatch.solve.blocks.cells import single_stores
from dispatch.solve.blocks.constants import constants_of, given_at_ports
from dispatch.solve.blocks.moving import MovingStores
from dispatch.solve.blocks.stores import StoreBlock
from dispatch.solve.certificate import Certificate, relaxation
from dispatch.solve.coordinate import Coordinator
from dispatch.solve.limits.radial import limits_over
from dispatch.solve.until import Until
from kernels.ports import add_injection
from kernels.proof import make_proof, prove_members

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.solve.limits.radial import RadialLimits
    from kernels.marginal import RowPrices

KNOWN = {"load", "pv", "battery", "car", "tank", "meter", "peak", "bus", "source", "line", "transformer"}
"""Components whose elements it can plan, all others being a user's own."""


@dataclass(frozen=True)
class StorePlan:
    """Plan and prices of all members, of whom nothing else is known.

    Attributes
    ----------
    meters : ndarray (member,) of int
        Number of each member's meter.
    flow : ndarray (kind, member, step)
        In the order of `kernels.entries`. [kW; missing withdrawal kWh]
    rows : RowPrices
        Prices of members' rows.
    keys : ndarray (limit,) of KEY
        Limits that were stated.
    limit_prices : ndarray (limit,)
        Price of each. [money per unit and hour]
    method : str
        How it was found.
    entries : int
        Pairs of meter and step in the last program of HiGHS.
    """

    meters: np.ndarray
    flow: np.ndarray
    rows: RowPrices
    keys: np.ndarray
    limit_prices: np.ndarray
    method: str
    entries: int


def all_stores(inputs: Inputs) -> bool:
    """Whether the store kernel plans every meter."""
    own = any(elements.count for kind, elements in inputs.kinds.items() if kind not in KNOWN)
    return not own and not inputs.kinds["peak"].count and bool(single_stores(inputs).all())


def plan_by_prices(
    inputs: Inputs, network: Network, offsets: Offsets, limit_penalty: float, until: Until | None = None
) -> StorePlan:
    """Find the optimum.

    Parameters
    ----------
    inputs : Inputs
        Elements for which `all_stores` holds.
    network : Network
        Of the same case.
    offsets : Offsets
        What the AC check adds to the limits.
    limit_penalty : float
        Penalty of relaxing a limit by its own rating for an hour. [money h-1]
    until : Until, optional
        When to stop.

    Returns
    -------
    StorePlan

    Raises
    ------
    SolverError
        If plan and bound do not meet, or HiGHS warns.
    """
    given = given_at_ports(inputs)
    block = MovingStores(StoreBlock(inputs, np.ones(inputs.kinds["meter"].count, bool)))
    coordinator = Coordinator([block], given)
    limits = limits_over(given, network, inputs, offsets)
    found = coordinator.coordinate(limits, inputs.dt * limit_penalty, until or Until())
    if found is None:
        raise SolverError("Plan and bound do not meet by prices: solve the feeder as one program.")
    rows = block.row_prices(found.answers[0], found.price)
    prices = found.limit_prices / inputs.dt
    return StorePlan(
        block.stores.meters, found.plans[0].flow, rows, found.keys, prices, found.method, coordinator.entries
    )


def prove(inputs: Inputs, network: Network, offsets: Offsets, limit_penalty: float, plan: StorePlan) -> Certificate:
    """Measure plan and prices against the arrays alone; see `dispatch.solve.certificate.certify`.

    Parameters
    ----------
    inputs, network, offsets, limit_penalty
        See `plan_by_prices`.
    plan : StorePlan
        Of which only numbers are used: flows, and prices of rows and limits.

    Returns
    -------
    Certificate
        Figures only; `dispatch.solve.certificate.require` judges them.
    """
    given, members = given_at_ports(inputs), constants_of(inputs, plan.meters)
    limits = limits_over(given, network, inputs, offsets)
    bus = inputs.kinds["meter"].nodes["bus"][1][plan.meters].astype(np.int64)
    port, proof, x = bus[:, None] * inputs.steps + np.arange(inputs.steps), make_proof(len(bus)), given.copy()
    add_injection(plan.flow, port, x)
    weight, at_limits, dual = _of_limits(limits, inputs.dt, limit_penalty, plan, x)
    prove_members(members, plan.flow, weight[port], plan.rows, proof)
    objective = float(proof.cost.sum()) + inputs.dt * limit_penalty * relaxation(limits, x)
    bound = float(proof.bound.sum() + np.sum(weight * given)) - at_limits
    gap = (objective - bound) / max(1.0, abs(objective))
    dual = max(dual, float(proof.dual.max(initial=0.0)))
    return Certificate(objective, bound, float(proof.primal.max(initial=0.0)), dual, gap)


def _of_limits(
    limits: RadialLimits, dt: float, limit_penalty: float, plan: StorePlan, x: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """Find what injections cost at limits' prices, what the limits are worth, and how far the prices miss fitting."""
    if not len(plan.keys):
        return np.zeros(limits.ports), 0.0, 0.0
    rows, ceiling = limits.rows(plan.keys), limit_penalty / limits.rating_of(plan.keys)
    m = np.clip(plan.limit_prices, 0.0, ceiling)
    over, price = (rows.matrix @ x - rows.bound) / rows.rating, plan.limit_prices * rows.rating
    fit = np.abs(price - np.clip(price + over, 0.0, limit_penalty))
    cut = np.abs(plan.limit_prices - m) * rows.rating / (1 + limit_penalty)
    return rows.matrix.T @ (dt * m), float(np.sum(rows.bound * dt * m)), float(max(fit.max(), cut.max()))
