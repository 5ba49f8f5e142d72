"""Constants of members, straight from the elements that a program is compiled from.

They are the bounds and costs of the components' columns (`dispatch.model.components`) in the layout of the kernels; a
test compares each of them with the compiled program. Without a program in between, a feeder of 145 meters is ready in a
tenth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.components.battery import SHORTFALL_PRICE
from dispatch.model.components.meter import UNMET_PRICE
from dispatch.model.registry import DISCHARGING, STORES
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, EXPORT, FLOWS, IMPORT, MISSING, SPILLED, UNSERVED, Members
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs

AT_METER = {IMPORT: "p_import_max", EXPORT: "p_export_max", UNSERVED: "p_unserved_max", SPILLED: "p_spilled_max"}
"""Parameters that bound the flows at the meter."""


def deciding(inputs: Inputs) -> np.ndarray:
    """Tell at which meters anything can be decided.

    Parameters
    ----------
    inputs : Inputs
        Of a program.

    Returns
    -------
    ndarray (meter,) of bool
    """
    meters, pv = inputs.kinds["meter"], inputs.kinds["pv"]
    found = np.zeros(meters.count, bool)
    for name in (AT_METER[UNSERVED], AT_METER[SPILLED]):
        found |= (meters.parameters[name] > 0).any(axis=1)
    found[pv.nodes["meter"][1][(pv.parameters["p_curtailed_max"] > 0).any(axis=1)]] = True
    for kind in STORES:
        found[inputs.kinds[kind].nodes["meter"][1]] = True
    return found


def constants_of(inputs: Inputs, meters: np.ndarray) -> Members:
    """Read the constants of members, each with one store at most.

    Parameters
    ----------
    inputs : Inputs
        Of a program.
    meters : ndarray (member,) of int
        Number of each member's meter.

    Returns
    -------
    Members
    """
    count, steps, dt = len(meters), inputs.steps, inputs.dt
    upper, cost = np.empty((2, FLOWS, count, steps))
    for flow in (CHARGE, DISCHARGE, CURTAILED, MISSING):  # the others are written below, those at the meter
        upper[flow] = cost[flow] = 0.0
    gain, drain, withdrawn, least, demand = np.zeros((5, count, steps))
    at_meter = inputs.kinds["meter"].parameters
    every = np.array_equal(meters, np.arange(inputs.kinds["meter"].count))
    those = slice(None) if every else meters
    for flow, name in AT_METER.items():
        upper[flow] = at_meter[name][those]
    for flow, name, sign in ((IMPORT, "price_import", 1.0), (EXPORT, "price_export", -1.0)):
        np.multiply(at_meter[name][those], sign * dt, out=cost[flow])
    cost[UNSERVED] = cost[SPILLED] = dt * UNMET_PRICE
    member = np.full(inputs.kinds["meter"].count, -1)
    member[meters] = np.arange(count)
    demand_of(inputs, member, demand)
    _add_at_meters(inputs, "pv", "p_curtailed_max", member, upper[CURTAILED])
    price = SHORTFALL_PRICE if any(inputs.kinds[kind].count for kind in STORES) else 0.0
    found = Members(
        upper, cost, demand, gain, drain, withdrawn, least, np.ones(count), np.zeros(count), np.zeros(count), price
    )
    for kind in STORES:
        _describe_stores(inputs, kind, member, found)
    return found


def demand_of(inputs: Inputs, row: np.ndarray, demand: np.ndarray) -> None:
    """Add up loads less available generation behind meters.

    Parameters
    ----------
    inputs : Inputs
        Of a program.
    row : ndarray (meter,) of int
        Row of each meter; -1 for those that do not count.
    demand : ndarray (row, step)
        Changed in place. [kW]
    """
    _add_at_meters(inputs, "load", "p_load", row, demand)
    _add_at_meters(inputs, "pv", "p_available", row, demand, -1.0)


def _add_at_meters(inputs: Inputs, kind: str, name: str, row: np.ndarray, into: np.ndarray, sign: float = 1.0) -> None:
    """Add a parameter of all elements of a kind to the rows of their meters."""
    elements = inputs.kinds[kind]
    at, values = row[elements.nodes["meter"][1]], elements.parameters[name]
    if at.min(initial=0) < 0:
        own = at >= 0
        at, values = at[own], values[own]
    add_to_rows(into, at, values, sign)


def _describe_stores(inputs: Inputs, kind: str, member: np.ndarray, members: Members) -> None:
    """Write constants of the stores of one kind into those of their members."""
    stores, dt = inputs.kinds[kind], inputs.dt
    at = member[stores.nodes["meter"][1]]
    own = at >= 0
    if not own.any():
        return
    given = stores.parameters
    if not own.all():
        at, given = at[own], {name: values[own] for name, values in given.items()}
    members.upper[CHARGE][at], members.cost[CHARGE][at] = given["p_charge_max"], dt * given["wear_cost"]
    members.gain[at] = dt * given["efficiency_charge"]
    if kind in DISCHARGING:
        members.upper[DISCHARGE][at], members.cost[DISCHARGE][at] = given["p_discharge_max"], dt * given["wear_cost"]
        members.drain[at] = dt / given["efficiency_discharge"]
    members.retained[at] = (1 - given["standing_loss"][:, 0]) ** dt
    members.capacity[at] = given["energy_nom"][:, 0]
    members.initial[at] = given["state_of_charge_initial"][:, 0]
    if kind == "battery":
        members.least[at, -1] = given["state_of_charge_final"][:, 0]
        return
    members.upper[MISSING][at] = members.withdrawn[at] = dt * given["p_withdrawn"]
    members.cost[MISSING][at] = SHORTFALL_PRICE
    members.least[at] = given["state_of_charge_least"]


def given_at_ports(inputs: Inputs) -> np.ndarray:
    """Add up what loads and pv inject at buses whatever is decided.

    Parameters
    ----------
    inputs : Inputs
        Of a program without a user's own components.

    Returns
    -------
    ndarray (port,)
        Ports as in `dispatch.solve.limits.radial.RadialLimits`. [kW, kvar]
    """
    bus = inputs.kinds["meter"].nodes["bus"][1]
    found = np.zeros((2, inputs.kinds["bus"].count, inputs.steps))
    for kind, name, sign in (("load", "q_load", -1.0), ("pv", "q_nom", 1.0)):
        elements = inputs.kinds[kind]
        add_to_rows(found[1], bus[elements.nodes["meter"][1]], elements.parameters[name], sign)
    return found.ravel()
