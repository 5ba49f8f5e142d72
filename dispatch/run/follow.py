"""What becomes of a schedule when load and PV come otherwise than was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.baseline import prosumer_cost, surplus
from dispatch.model.plant_baseline import cost_of_owners, power_at_meters
from dispatch.model.series import step_hours
from dispatch.model.stores import contents
from dispatch.run.steer import steer
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    import xarray as xr

CURTAILED = 1e-6
"""Curtailment above this holds a pv to what was planned. [kW]"""


@dataclass(frozen=True)
class Followed:
    """What meters exchanged, and what it cost.

    Attributes
    ----------
    p_import, p_export : ndarray (meter, time)
        [kW]
    state_of_charge : ndarray (store, time)
        Content at the end of each step. [kW h]
    cost : ndarray (prosumer,)
        Bill and wear. [currency]
    """

    p_import: np.ndarray
    p_export: np.ndarray
    state_of_charge: np.ndarray
    cost: np.ndarray


def follow(result: xr.DataTree, actual: xr.DataTree) -> Followed:
    """Apply a schedule to what really came.

    A pv that was to be curtailed gives at most what the schedule let it give; all others give what they can. Batteries
    follow their meters (`dispatch.run.steer`). All other stores, and batteries that share their meter with one or pay
    for its highest import, keep the powers they were given; at green-only meters no more than the surplus or deficit
    that there really was, and no more than their content allows. The grid takes the rest.

    Parameters
    ----------
    result : DataTree
        With /schedule.
    actual : DataTree
        The same case whose /forecast is what came, at the same times or the first of them.

    Returns
    -------
    Followed
    """
    steps = len(columns(actual, "forecast")["time"])
    schedule = {n: v for n, v in columns(result, "schedule").items() if v.dtype.kind == "f"}
    schedule |= {n: v[:, :steps] for n, v in schedule.items() if v.ndim == 2}
    charge, discharge = (np.nan_to_num(schedule[name]) for name in ("p_charge", "p_discharge"))
    cut = _cut(result, actual, schedule["p_curtailed"])
    net = surplus(actual) - cut
    if "holder" in schedule:
        none = np.zeros((0, net.shape[1]))
        net += power_at_meters(actual, schedule.get("p_chp", none), schedule.get("flow_raw", none))
    content = schedule["state_of_charge"].copy()
    green = columns(actual, "meter")["green_only"].astype(bool)[parent_index(actual, "store", "meter")]
    if green.any():
        charge, discharge, content = _within_green(actual, net, green, (charge, discharge, content))
    steered = steer(result, actual, cut)
    charge[steered.store], discharge[steered.store] = steered.charge, steered.discharge
    content[steered.store] = steered.content
    add_to_rows(net, parent_index(actual, "store", "meter"), discharge - charge)
    p_import, p_export = np.maximum(-net, 0.0), np.maximum(net, 0.0)
    cost = prosumer_cost(actual, p_import, p_export, charge, discharge)
    if "cost_plant" in schedule:
        cost += cost_of_owners(actual, schedule["cost_plant"])
    return Followed(p_import, p_export, content, cost)


def _cut(result: xr.DataTree, actual: xr.DataTree, p_curtailed: np.ndarray) -> np.ndarray:
    """Add up generation that came but was held back, (meter, time)."""
    meters = len(columns(actual, "meter")["id"])
    total = np.zeros((meters, p_curtailed.shape[1]))
    if len(p_curtailed):
        planned, came = (columns(c, "forecast")["p_available"].astype(float) for c in (result, actual))
        most = np.where(p_curtailed > CURTAILED, planned[:, : came.shape[1]] - p_curtailed, np.inf)
        add_to_rows(total, parent_index(actual, "pv", "meter"), np.maximum(came - most, 0.0))
    return total


def _within_green(
    actual: xr.DataTree, net: np.ndarray, green: np.ndarray, plan: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Powers and contents of stores at green-only meters, held to what there is in each step."""
    store, meter, dt = columns(actual, "store"), parent_index(actual, "store", "meter"), step_hours(actual)
    charge, discharge, content = (values.copy() for values in plan)
    own, at = np.nonzero(green)[0], meter[green]
    for powers, room in ((charge, np.maximum(net, 0.0)), (discharge, np.maximum(-net, 0.0))):
        wanted = np.zeros_like(net)
        add_to_rows(wanted, at, powers[own])
        share = np.divide(room, wanted, out=np.ones_like(net), where=wanted > room)
        powers[own] *= share[at]
    gain, drain = dt * store["efficiency_charge"][own], dt / store["efficiency_discharge"][own]
    kept, most = (1 - store["standing_loss"][own]) ** dt, store["energy_nom"][own]
    held = contents(store)[0][own]
    for t in range(net.shape[1]):
        held = kept * held
        charge[own, t] = np.minimum(charge[own, t], np.maximum(most - held, 0.0) / gain)
        held = held + gain * charge[own, t]
        discharge[own, t] = np.minimum(discharge[own, t], held / drain)
        held = np.maximum(held - drain * discharge[own, t], 0.0)
        content[own, t] = held
    return charge, discharge, content
