"""From arrays of prosumers and network to a certified plan, without a program of all columns in between.

It is the way by prices (`dispatch.solve.decomposed`) for feeders of which the store kernel plans every meter. Where no
limit binds, one answer of the kernel, one sweep and the proof are all there is: a few milliseconds for 145 meters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.errors import SolverError
from dispatch.solve.blocks.constants import given_at_ports
from dispatch.solve.blocks.moving import MovingStores
from dispatch.solve.blocks.stores import StoreBlock
from dispatch.solve.certificate import Certificate, certificate_of
from dispatch.solve.coordinate import Coordinator
from dispatch.solve.limits.radial import limits_over
from dispatch.solve.stores_proof import StoresProof
from dispatch.solve.until import Until

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.solve.blocks.stores import Flows
    from kernels.marginal import RowPrices


@dataclass(frozen=True)
class StorePlan:
    """Plan and prices of all members, of whom nothing else is known.

    Attributes
    ----------
    meters : ndarray (member,) of int
        Number of each member's meter.
    plans : Flows
        Of all members.
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
    plans: Flows
    rows: RowPrices
    keys: np.ndarray
    limit_prices: np.ndarray
    method: str
    entries: int


def plan_by_prices(
    inputs: Inputs, network: Network, offsets: Offsets, limit_penalty: float, until: Until | None = None
) -> StorePlan:
    """Find the optimum.

    Parameters
    ----------
    inputs : Inputs
        Elements for which `dispatch.solve.blocks.cells.all_stores` holds.
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
    return StorePlan(block.stores.meters, found.plans[0], rows, found.keys, prices, found.method, coordinator.entries)


def prove(inputs: Inputs, network: Network, offsets: Offsets, limit_penalty: float, plan: StorePlan) -> Certificate:
    """Measure plan and prices against the arrays alone; see `dispatch.solve.certificate.certify`.

    Parameters
    ----------
    inputs, network, offsets, limit_penalty
        See `plan_by_prices`.
    plan : StorePlan
        Of which only numbers are used: flows and contents, and prices of rows and limits.

    Returns
    -------
    Certificate
        Figures only; `dispatch.solve.certificate.require` judges them.
    """
    proof = StoresProof(inputs, network, offsets)
    given = plan.meters, plan.plans, plan.rows, plan.keys, plan.limit_prices
    return certificate_of(proof.of_members(limit_penalty, *given))
