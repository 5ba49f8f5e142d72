"""What a case does without control, and what any schedule costs each prosumer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.windows import windows_of
from kernels.scatter import add_to_rows
from kernels.selfuse import follow_meter

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Baseline:
    """A schedule that nobody optimized: nothing is curtailed, and no limit is looked at.

    Attributes
    ----------
    p_import, p_export : ndarray (meter, time)
        Exchange at the meters. [kW]
    p_charge, p_discharge : ndarray (store, time)
        Powers of the stores. [kW]
    state_of_charge : ndarray (store, time)
        Content at the end of each step. [kW h]
    cost : ndarray (prosumer,)
        Bill and wear, plus what brings the stores' content at the end to that which a schedule must leave.
        [currency]
    """

    p_import: np.ndarray
    p_export: np.ndarray
    p_charge: np.ndarray
    p_discharge: np.ndarray
    state_of_charge: np.ndarray
    cost: np.ndarray


def self_use(case: xr.DataTree) -> Baseline:
    """Compute self-use of PV without control: each battery follows its own meter.

    A battery charges from its meter's surplus and discharges into its deficit as far as power and content allow,
    starting from its initial content; several at one meter are served in the order of the case. This never charges from
    the grid nor exports from a battery, so it also obeys the green-only rules.

    The optimizer must leave `state_of_charge_final` in each store. To compare like with like, the difference of this
    schedule's last content from that is settled at the meter's lowest prices of the horizon, not below zero: what is
    missing is bought, with the loss of charging; what is left over is sold, with the loss of discharging.

    Parameters
    ----------
    case : DataTree
        With /forecast.

    Returns
    -------
    Baseline
    """
    store, meter = columns(case, "store"), parent_index(case, "store", "meter")
    balance, dt = surplus(case), step_h(case)
    order = np.argsort(meter, kind="stable")
    first = np.searchsorted(meter[order], np.arange(len(balance) + 1))
    start = initial_content(case)
    names = ("p_nom", "energy_nom", "efficiency_charge", "efficiency_discharge")
    sorted_columns = [store[name][order].astype(float) for name in names]
    retained = (1 - store["standing_loss"][order]) ** dt
    found = follow_meter(balance, first, *sorted_columns, retained, start[order], dt)
    charge, discharge, content = (np.empty_like(a) for a in found)
    for ours, theirs in zip((charge, discharge, content), found, strict=True):
        ours[order] = theirs
    net = balance.copy()
    add_to_rows(net, meter, discharge - charge)
    p_import, p_export = np.maximum(-net, 0), np.maximum(net, 0)
    cost = prosumer_cost(case, p_import, p_export, charge, discharge) + _settlement(case, content[:, -1])
    return Baseline(p_import, p_export, charge, discharge, content, cost)


def no_battery(case: xr.DataTree) -> Baseline:
    """Compute the same without batteries: what PV does not give is imported, what is left of it is exported.

    Parameters
    ----------
    case : DataTree
        With /forecast.

    Returns
    -------
    Baseline
        Its stores are idle and empty.
    """
    balance = surplus(case)
    idle = np.zeros((len(columns(case, "store")["id"]), balance.shape[1]))
    p_import, p_export = np.maximum(-balance, 0), np.maximum(balance, 0)
    return Baseline(p_import, p_export, idle, idle, idle, prosumer_cost(case, p_import, p_export, idle, idle))


def prosumer_cost(
    case: xr.DataTree, p_import: np.ndarray, p_export: np.ndarray, p_charge: np.ndarray, p_discharge: np.ndarray
) -> np.ndarray:
    """Bill and battery wear of each prosumer under any schedule.

    Parameters
    ----------
    case : DataTree
        With /forecast.
    p_import, p_export : ndarray (meter, time)
        Exchange at the meters. [kW]
    p_charge, p_discharge : ndarray (store, time)
        Powers of the stores, at their terminals. [kW]

    Returns
    -------
    ndarray (prosumer,)
        Energy, network fee, export, peak charge of each calendar month (local time) and wear. [currency]
    """
    dt, tariff = step_h(case), parent_index(case, "meter", "tariff")
    price_import, price_export = prices(case)
    bill = dt * (price_import[tariff] * p_import - price_export[tariff] * p_export).sum(axis=1)
    months = windows_of(columns(case, "forecast")["time"], case.attrs["time_zone"])["billing_period"]
    price_peak = columns(case, "tariff")["price_peak"][tariff]
    for month in np.unique(months):
        bill += price_peak * p_import[:, months == month].max(axis=1, initial=0)
    wear = dt * columns(case, "store")["wear_cost"] * (p_charge + p_discharge).sum(axis=1)
    bill += np.bincount(parent_index(case, "store", "meter"), wear, len(bill))
    prosumers = len(columns(case, "prosumer")["id"])
    return np.bincount(parent_index(case, "meter", "prosumer"), bill, prosumers)


def surplus(case: xr.DataTree) -> np.ndarray:
    """Available generation less demand behind each meter.

    Returns
    -------
    ndarray (meter, time)
        [kW]
    """
    forecast, meters = columns(case, "forecast"), len(columns(case, "meter")["id"])
    total = np.zeros((meters, len(forecast["time"])))
    for kind, name, sign in (("pv", "p_available", 1.0), ("load", "p_load", -1.0)):
        if name in forecast:
            add_to_rows(total, parent_index(case, kind, "meter"), sign * forecast[name].astype(float))
    return total


def prices(case: xr.DataTree) -> tuple[np.ndarray, np.ndarray]:
    """Price of import (network fee included) and of export.

    Returns
    -------
    price_import, price_export : ndarray (tariff, time)
        [currency kW-1 h-1]
    """
    forecast, tariff = columns(case, "forecast"), columns(case, "tariff")
    shape = (len(tariff["id"]), len(forecast["time"]))
    held = [forecast.get(name, tariff[name][:, None]) for name in ("price_import", "price_export")]
    return np.broadcast_to(held[0] + tariff["network_fee"][:, None], shape), np.broadcast_to(held[1], shape)


def step_h(case: xr.DataTree) -> float:
    """Length of a step of /forecast, in hours."""
    bounds = case["/forecast"]["time_bounds"].to_numpy()[0]
    return float((bounds[1] - bounds[0]) / np.timedelta64(1, "h"))


def initial_content(case: xr.DataTree) -> np.ndarray:
    """Content of each store before the first step; half of the capacity where it is not known.

    Returns
    -------
    ndarray (store,)
        [kW h]
    """
    store = columns(case, "store")
    return np.where(
        np.isnan(store["state_of_charge_initial"]), store["energy_nom"] / 2, store["state_of_charge_initial"]
    )


def _settlement(case: xr.DataTree, last: np.ndarray) -> np.ndarray:
    """Cost of bringing each store from its last content to the final one; negative where more is left."""
    store, meter = columns(case, "store"), parent_index(case, "store", "meter")
    final = store["state_of_charge_final"]
    missing = np.where(np.isnan(final), initial_content(case), final) - last
    tariff = parent_index(case, "meter", "tariff")[meter]
    bought, sold = (np.maximum(price.min(axis=1, initial=np.inf), 0)[tariff] for price in prices(case))
    charged, discharged = store["efficiency_charge"], store["efficiency_discharge"]
    cost = np.where(missing > 0, bought * missing / charged, sold * missing * discharged)
    prosumers = len(columns(case, "prosumer")["id"])
    return np.bincount(parent_index(case, "meter", "prosumer")[meter], cost, prosumers)
