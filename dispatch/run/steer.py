"""Batteries that follow the meter: what a schedule becomes when load and PV come otherwise than was forecast.

In each step load and generation are what they are; what comes later is what was forecast, at the prices that limits
had in the schedule. From there on each battery has an exact cheapest plan (`kernels.store`), of which the first step is
made true; content at the end of the schedule is worth what it can spare. Of all powers that are equally cheap the one
nearest to the schedule's is taken as long as all came as expected, and wherever the feeder's limits would be exceeded
without control then or later: only the schedule knows who makes room for whom. Elsewhere it is the one that leaves
least to exchange with the grid, since what comes later may come otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dispatch.case.network import network_of
from dispatch.case.schema import columns, parent_index
from dispatch.model.inputs import make_inputs
from dispatch.solve.blocks.cells import single_stores
from dispatch.solve.blocks.stores import StoreBlock
from dispatch.verify.electric import AcState
from dispatch.verify.excess import limits_ac
from kernels.store import Stores, make_plans, plan_stores

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.model.elements import Inputs

SAME = 1e-5
"""Powers are equally cheap if a price of energy in the battery that is so much different would choose another.
[money/kWh]"""
NEAR = 1e-6
"""Net load and content are as expected within this. [kW, kWh]"""


class Steered(NamedTuple):
    """What batteries do.

    Attributes
    ----------
    store : ndarray (battery,) of int
        Numbers of those that are steered.
    charge, discharge, content : ndarray (battery, time)
        [kW, kW, kWh]
    """

    store: np.ndarray
    charge: np.ndarray
    discharge: np.ndarray
    content: np.ndarray


def steered_meters(inputs: Inputs) -> np.ndarray:
    """Tell which meters have one battery, nothing else that stores, and no price on the highest import.

    Parameters
    ----------
    inputs : Inputs
        Of a case.

    Returns
    -------
    ndarray (meter,) of bool
    """
    kinds = inputs.kinds
    found = single_stores(inputs)
    behind = np.zeros(kinds["meter"].count, bool)
    behind[kinds["battery"].nodes["meter"][1]] = True
    for name, elements in kinds.items():
        if name in {"load", "pv", "battery"}:
            continue
        for kind, index in elements.nodes.values():
            if kind == "meter":
                found[index] = False
    return found & behind


def steer(result: xr.DataTree, actual: xr.DataTree, cut: np.ndarray) -> Steered:
    """Let batteries follow their meters.

    Parameters
    ----------
    result : DataTree
        With /schedule and /price.
    actual : DataTree
        The same case whose /forecast is what came, at the same times or the first of them.
    cut : ndarray (meter, time)
        Generation that is held back. [kW]

    Returns
    -------
    Steered
    """
    expected, came = make_inputs(result), make_inputs(actual)
    steps = came.steps
    chosen = steered_meters(expected)
    block = StoreBlock(expected, chosen)
    meters, battery = block.meters, expected.kinds["battery"]
    at = np.full(len(chosen), -1)
    at[battery.nodes["meter"][1]] = battery.index
    store = at[meters]
    if not len(meters):
        return Steered(store, *np.zeros((3, 0, steps)))
    limit = columns(result, "price")["marginal_price"][parent_index(result, "meter", "bus")[meters]]
    tight = _tight(result)[meters]
    plan = _worth_at_end(_at_prices(_whole(block.stores, expected.steps), limit), np.asarray(tight.any(axis=1)))
    now = _at_prices(_whole(StoreBlock(came, chosen).stores, steps), limit[:, :steps])
    held = cut[meters]
    now = now._replace(p_net=now.p_net + held, p_curtailed_max=np.maximum(now.p_curtailed_max - held, 0.0))
    schedule = columns(result, "schedule")
    names = ("p_charge", "p_discharge", "state_of_charge")
    scheduled = Steered(store, *(np.nan_to_num(schedule[name][store, :steps]) for name in names))
    return _followed(plan, now, scheduled, tight[:, :steps])


def _tight(result: xr.DataTree) -> np.ndarray:
    """Tell where a limit of the meter's feeder has a price, or would be exceeded without control, then or later.

    Returns
    -------
    ndarray (meter, time) of bool
    """
    network, schedule = network_of(result), columns(result, "schedule")
    loading = [schedule[f"loading_{kind}_uncontrolled_pu"] for kind in ("line", "transformer")]
    state = AcState(schedule["v_uncontrolled_pu"], np.zeros(0), np.concatenate(loading), np.ones(0, bool))
    over = limits_ac(result, state)
    of_bus = over.v_max | over.v_min | (columns(result, "price")["marginal_price"] != 0.0)
    of_branch = np.zeros_like(of_bus)
    np.logical_or.at(of_branch, network.branch_from, over.s)
    found = np.zeros((int(network.feeder.max(initial=-1)) + 2, of_bus.shape[1]), bool)
    np.logical_or.at(found, network.feeder, of_bus | of_branch)  # the last row is that of isolated buses
    later = np.maximum.accumulate(found[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(later[network.feeder[parent_index(result, "meter", "bus")]])


def _followed(plan: Stores, now: Stores, scheduled: Steered, tight: np.ndarray) -> Steered:
    """Go through the steps; `plan` becomes what is known of them."""
    members, steps = now.p_net.shape
    charge, discharge, content = np.zeros((3, members, steps))
    held = plan.initial.copy()
    gain, drain = plan.dt * now.efficiency_charge, plan.dt / now.efficiency_discharge
    by_schedule = drain * scheduled.discharge - gain * scheduled.charge
    by_meter = now.p_net * np.where(now.p_net > 0.0, drain, gain)
    for t in range(steps):
        before = scheduled.content[:, t - 1] if t else plan.initial
        same = (np.abs(now.p_net[:, t] - plan.p_net[:, t]) <= NEAR) & (np.abs(held - before) <= NEAR)
        true = _series(now)
        for name, known in _series(plan).items():
            known[:, t] = true[name][:, t]
        left = _with(plan, {name: values[:, t:] for name, values in _series(plan).items()} | {"initial": held})
        low, high = _taken(left, SAME), _taken(left, -SAME)
        wanted = np.where(same | tight[:, t], by_schedule[:, t], by_meter[:, t])
        kept = plan.retained[:, t] * held + plan.inflow[:, t]
        taken = np.minimum(np.maximum(wanted, low), high)
        taken = np.maximum(np.minimum(taken, kept), kept - plan.capacity[:, t])
        charge[:, t], discharge[:, t] = np.maximum(-taken, 0.0) / gain[:, t], np.maximum(taken, 0.0) / drain[:, t]
        content[:, t] = held = np.clip(kept - taken, 0.0, plan.capacity[:, t])
    return Steered(scheduled.store, charge, discharge, content)


def _taken(left: Stores, dearer: float) -> np.ndarray:
    """Take from each battery in the first step what is cheapest, if energy in it is so much dearer. [kWh]."""
    wear_charge, wear_discharge = left.wear_charge.copy(), left.wear_discharge.copy()
    wear_charge[:, 0] -= dearer
    wear_discharge[:, 0] += dearer
    given = left._replace(wear_charge=wear_charge, wear_discharge=wear_discharge)
    plans = plan_stores(given, make_plans(*left.p_net.shape))
    kept: np.ndarray = left.retained[:, 0] * left.initial + left.inflow[:, 0]
    return np.asarray(np.nan_to_num(kept - plans.content[:, 0]))


def _series(stores: Stores) -> dict[str, np.ndarray]:
    """Arrays of a member and step each."""
    return {name: values for name, values in stores._asdict().items() if np.ndim(values) == 2}


def _whole(stores: Stores, steps: int) -> Stores:
    """Write out what is the same in all steps."""
    shape = len(stores.initial), steps
    return _with(stores, {name: np.broadcast_to(v, shape).copy() for name, v in _series(stores).items()})


def _with(stores: Stores, changed: dict[str, Any]) -> Stores:
    """Replace some of the arrays."""
    return Stores(**(stores._asdict() | changed))


def _worth_at_end(stores: Stores, tight: np.ndarray) -> Stores:
    """Give content at the end the worth that it has at least: what it spares at the lowest price of import.

    Without it a battery would take no more than it is expected to give, and what comes otherwise would find it empty.
    Where the feeder is tight it has no worth, as in the schedule, which then is as cheap as anything until load and sun
    come otherwise.
    """
    spared = stores.efficiency_discharge[:, -1] * (stores.price_import.min(axis=1) - stores.wear_discharge[:, -1])
    return stores._replace(final_value=np.where(tight, 0.0, np.maximum(spared, 0.0)))


def _at_prices(stores: Stores, limit: np.ndarray) -> Stores:
    """Add what limits make of the price of energy, (member, step)."""
    return stores._replace(price_import=stores.price_import + limit, price_export=stores.price_export + limit)
