"""What a case does without control, and what any schedule costs each prosumer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.plant_baseline import PlantBaseline, boosting, cost_of_owners, uncontrolled_plants
from dispatch.model.series import read_stores, step_hours
from dispatch.model.stores import contents, discharge_power, gained
from dispatch.model.windows import windows_of
from kernels.scatter import add_to_rows
from kernels.selfuse import follow_meter, keep_full

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
        Bill, wear and cost of plants, plus what brings the stores' content at the end to that which a schedule must
        leave. [currency]
    settled : ndarray (prosumer,)
        That last part of it. [currency]
    plants : PlantBaseline or None
        Biogas plants; None in a case without.
    """

    p_import: np.ndarray
    p_export: np.ndarray
    p_charge: np.ndarray
    p_discharge: np.ndarray
    state_of_charge: np.ndarray
    cost: np.ndarray
    settled: np.ndarray
    plants: PlantBaseline | None = None


def self_use(case: xr.DataTree) -> Baseline:
    """Compute self-use of PV without control: each battery follows its own meter, cars and tanks are kept full.

    A car charges from its arrival and a heat pump whenever its tank is not full, as much as they can. A battery then
    charges from what its meter has left and discharges into its deficit as far as power and content allow, starting
    from its initial content; several at one meter are served in the order of the case. This never charges a battery
    from the grid nor exports from it, so it also obeys the green-only rules.

    The optimizer must leave `state_of_charge_final` in each store. To compare like with like, the difference of this
    schedule's last content from that is settled at the meter's lowest prices of the horizon, not below zero: what is
    missing is bought, with the loss of charging; what is left over is sold, with the loss of discharging, or where a
    store cannot discharge saves buying it. Biogas plants follow `uncontrolled_plants`.

    Parameters
    ----------
    case : DataTree
        With /forecast.

    Returns
    -------
    Baseline
    """
    return _uncontrolled(case, batteries=True)


def no_battery(case: xr.DataTree) -> Baseline:
    """Compute the same without batteries: what PV does not give is imported, what is left of it is exported.

    Parameters
    ----------
    case : DataTree
        With /forecast.

    Returns
    -------
    Baseline
        Its batteries are idle and empty; cars and tanks are kept full.
    """
    return _uncontrolled(case, batteries=False)


def _uncontrolled(case: xr.DataTree, *, batteries: bool) -> Baseline:
    kind, meter = columns(case, "store")["kind"], parent_index(case, "store", "meter")
    net, plants = surplus(case), uncontrolled_plants(case)
    if plants is not None:
        net += plants.p
    if len(columns(case, "booster")["id"]):
        net -= boosting(case, np.zeros((0, net.shape[1])) if plants is None else plants.gas_injected)
    charge, discharge, content = np.zeros((3, len(kind), net.shape[1]))
    flexible, used = np.nonzero(kind != b"battery")[0], np.nonzero(kind == b"battery")[0]
    if len(flexible):
        charge[flexible], content[flexible] = _kept_full(case, flexible)
        add_to_rows(net, meter[flexible], -charge[flexible])
    if batteries:
        charge[used], discharge[used], content[used] = _following(case, used, net)
        add_to_rows(net, meter[used], discharge[used] - charge[used])
    p_import, p_export = np.maximum(-net, 0), np.maximum(net, 0)
    settled = _settlement(case, content[:, -1], np.arange(len(kind)) if batteries else flexible)
    cost = prosumer_cost(case, p_import, p_export, charge, discharge) + settled
    if plants is not None:
        cost += cost_of_owners(case, plants.cost)
    return Baseline(p_import, p_export, charge, discharge, content, cost, settled, plants)


def _kept_full(case: xr.DataTree, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charge and content of cars and tanks."""
    store, series, dt = columns(case, "store"), read_stores(case), step_hours(case)
    initial, _ = contents(store)
    retained = (1 - store["standing_loss"][chosen]) ** dt
    gain = store["efficiency_charge"][chosen, None] * gained(store, series)[chosen]
    power = store["p_nom"][chosen, None] * series["p_max_pu"][chosen]
    withdrawn = series["p_withdrawn"][chosen]
    charge, content = keep_full(power, store["energy_nom"][chosen], gain, withdrawn, retained, initial[chosen], dt)
    return charge, content


def _following(case: xr.DataTree, chosen: np.ndarray, net: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Charge, discharge and content of batteries that follow what is left at their meters."""
    store, meter, dt = columns(case, "store"), parent_index(case, "store", "meter")[chosen], step_hours(case)
    order = np.argsort(meter, kind="stable")
    first, own = np.searchsorted(meter[order], np.arange(len(net) + 1)), chosen[order]
    names = ("energy_nom", "efficiency_charge", "efficiency_discharge")
    powers = store["p_nom"][own].astype(float), discharge_power(store)[own].astype(float)
    retained, start = (1 - store["standing_loss"][own]) ** dt, contents(store)[0][own]
    found = follow_meter(net, first, *powers, *(store[name][own].astype(float) for name in names), retained, start, dt)
    charge, discharge, content = (np.empty_like(a) for a in found)
    for ours, theirs in zip((charge, discharge, content), found, strict=True):
        ours[order] = theirs
    return charge, discharge, content


def prosumer_cost(
    case: xr.DataTree, p_import: np.ndarray, p_export: np.ndarray, p_charge: np.ndarray, p_discharge: np.ndarray
) -> np.ndarray:
    """Bill and wear of stores of each prosumer under any schedule.

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
    dt, tariff = step_hours(case), parent_index(case, "meter", "tariff")
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


def _settlement(case: xr.DataTree, last: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Cost of bringing chosen stores from their last content to the final one; negative where more is left."""
    store, meter = columns(case, "store"), parent_index(case, "store", "meter")
    missing = contents(store)[1] - last
    tariff = parent_index(case, "meter", "tariff")[meter]
    bought, sold = (np.maximum(price.min(axis=1, initial=np.inf), 0)[tariff] for price in prices(case))
    into = store["efficiency_charge"] * gained(store, read_stores(case)).mean(axis=1)
    bought_or_saved = (missing > 0) | (discharge_power(store) == 0)
    cost = np.where(bought_or_saved, bought * missing / into, sold * missing * store["efficiency_discharge"])
    prosumers = len(columns(case, "prosumer")["id"])
    return np.bincount(parent_index(case, "meter", "prosumer")[meter[chosen]], cost[chosen], prosumers)
