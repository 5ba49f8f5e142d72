"""Elements of biogas plants: substrates, holder and heat, engines, upgrading; see docs/formulation.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dispatch.case.schema import Columns, columns, parent_index
from dispatch.case.substrates import methane_yields, taus
from dispatch.model.components.plant import LOWER
from dispatch.model.elements import Elements

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from dispatch.model.elements import Inputs

LONGEST_DAY = 25.0
"""[h]"""
SATURDAY = 5
MINIMUM = {"chp": ("p_nom", "p_min_pu", "p_initial"), "upgrader": ("flow_nom", "flow_min_pu", "flow_initial")}
"""Kinds that have a minimum: what is largest, the least part of it while they run, and what was before the horizon."""


def plant_kinds(
    case: xr.DataTree, time: np.ndarray, day: np.ndarray, dt: float, on: Mapping[str, np.ndarray]
) -> dict[str, Elements]:
    """Elements of plants but for upgrading.

    Parameters
    ----------
    case : DataTree
        Valid, with a plant.
    time : ndarray (step,)
        Left edges. [UTC]
    day : ndarray (step,) of int
        Number of the local day of each step.
    dt : float
        Length of a step. [h]
    on : mapping of str to ndarray (element, step)
        What is held to run (1) or not (0); NaN: free.

    Returns
    -------
    dict of str to Elements
    """
    plant, meter = columns(case, "plant"), parent_index(case, "plant", "meter")
    names = ("p_nom", "efficiency_electric", "efficiency_thermal", "running_cost")
    engines = _at_plant(case, "chp", names)
    engines.parameters.update(_range(columns(case, "chp"), "chp", len(time), dt, on))
    return {
        "substrate": _substrates(case, time, day, dt),
        "plant": _elements(plant, _plant(plant), {"meter": ("meter", meter)}),
        "chp": engines,
    }


def upgraders(
    case: xr.DataTree, zone_of: np.ndarray, dt: float, time: np.ndarray, on: Mapping[str, np.ndarray]
) -> Elements:
    """Elements of upgrading.

    Parameters
    ----------
    case : DataTree
        Valid, with a plant and a gas network.
    zone_of : ndarray (junction,)
        Zone of each junction.
    dt, time, on
        See `plant_kinds`.

    Returns
    -------
    Elements
    """
    names = ("flow_nom", "methane_slip", "electricity", "conditioning_cost", "price_gas")
    found = _at_plant(case, "upgrader", names)
    at, junction = found.nodes["plant"][1], parent_index(case, "plant", "junction")
    sold = parent_index(case, "plant", "account")[at] < 0
    found.parameters["price_gas"] = np.where(sold[:, None], found.parameters["price_gas"], 0.0)
    found.parameters["methane_share"] = columns(case, "plant")["methane_share"][at][:, None]
    found.parameters["p_nom"] = found.parameters["electricity"] * found.parameters["flow_nom"]
    found.parameters.update(_range(columns(case, "upgrader"), "upgrader", len(time), dt, on))
    found.nodes["zone"] = ("zone", zone_of[junction[at]].astype(np.int32))
    return found


def least_of(inputs: Inputs) -> dict[str, np.ndarray]:
    """Find what engines and upgrading give or take at least while they run.

    Parameters
    ----------
    inputs : Inputs
        Of any case.

    Returns
    -------
    dict of str to ndarray (element,)
        [kW or m3 h-1]
    """
    kinds = {kind: inputs.kinds.get(kind) for kind in MINIMUM}
    return {k: np.zeros(0) if found is None else found.parameters["least"][:, 0] for k, found in kinds.items()}


def _range(table: Columns, kind: str, steps: int, dt: float, on: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Bounds in each step, and by how much it may change from one to the next.

    Without being held on or off a minimum is left out: 0 is the lower bound. A start or a stop may always pass the
    minimum at once.
    """
    largest, share, before = MINIMUM[kind]
    none = np.zeros(len(table["id"]))
    most = table.get(largest, none)[:, None] * np.ones(steps)
    least = most * table.get(share, none)[:, None]
    held = on.get(kind, np.full(most.shape, np.nan))
    change = table.get("ramp_pu", none)[:, None]
    ramp = np.where(np.isinf(change), np.inf, np.maximum(np.where(np.isinf(change), 0.0, change) * dt * most, least))
    initial = table.get(before, none)
    ramp[np.isnan(initial), :1] = np.inf
    return {
        "lowest": np.where(held == 1, least, 0.0),
        "least": least,
        "highest": np.where(held == 0, 0.0, most),
        "ramp": ramp,
        "initial": np.nan_to_num(initial)[:, None],
    }


def _elements(table: Columns, parameters: dict[str, np.ndarray], nodes: dict[str, tuple[str, np.ndarray]]) -> Elements:
    count = len(table["id"])
    two = {n: v if v.ndim == 2 else v[:, None] for n, v in parameters.items()}
    return Elements(count, two, nodes, np.arange(count, dtype=np.int32), table["id"])


def _plant(plant: Columns) -> dict[str, np.ndarray]:
    """Parameters of plants, with what is not known filled in; `p_nom` widens the bounds of the meter."""
    initial = np.where(np.isnan(plant["holder_initial"]), plant["holder_nom"] / 2, plant["holder_initial"])
    names = ("methane_share", "holder_nom", "price_flare", "p_own", "heat_demand", "heat_tank_nom", "efficiency_boiler")
    return {
        **{n: plant[n] for n in names},
        "holder_initial": initial,
        "holder_final": np.where(np.isnan(plant["holder_final"]), initial, plant["holder_final"]),
        "flow_boiler_max": plant["boiler_nom"] / (plant["efficiency_boiler"] * LOWER * plant["methane_share"]),
        "p_nom": plant["p_own"],
    }


def _at_plant(case: xr.DataTree, kind: str, names: tuple[str, ...]) -> Elements:
    """Elements of a kind that hangs on plants, with their meters."""
    table, meter = columns(case, kind), parent_index(case, "plant", "meter")
    at = parent_index(case, kind, "plant") if len(table["id"]) else np.zeros(0, np.int32)
    none = np.zeros(len(table["id"]))
    nodes = {"plant": ("plant", at), "meter": ("meter", meter[at])}
    return _elements(table, {n: table.get(n, none) for n in names}, nodes)


def _substrates(case: xr.DataTree, time: np.ndarray, day: np.ndarray, dt: float) -> Elements:
    """Substrates; what is due in a day that the horizon cuts is the part of its hours; what is given is due."""
    table, forecast = columns(case, "substrate"), columns(case, "forecast")
    none = np.zeros(len(table["id"]))
    feed_day = table.get("feed_day", none)
    gas, tau = (methane_yields(table), taus(table)) if len(none) else (none, none)
    start = table.get("gas_rate_initial", none)
    local = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(str(case.attrs["time_zone"]))
    weekend = np.where(np.asarray(local.day_of_week)[None] >= SATURDAY, table.get("weekend_pu", none)[:, None], 1.0)
    due = feed_day[:, None] * weekend * (np.bincount(day) * dt / 24.0)[day]
    given = forecast.get("feed_given", np.full(due.shape, np.nan)).astype(np.float64)
    known = np.isfinite(given)
    fed = np.stack([np.bincount(day, np.where(k, g, 0.0)) * dt for k, g in zip(known, given, strict=True)] or [due])
    due = np.where(known, fed[:, day] if len(none) else due, due)
    ramp = np.where(known, np.inf, table.get("feed_ramp", none)[:, None] * dt)
    ramp[:, :1] = np.inf
    most = table.get("feed_max", none)[:, None]
    parameters = {
        "methane_yield": gas,
        "tau": tau,
        "price": table.get("price", none),
        "feed_lowest": np.where(known, given, 0.0),
        "feed_highest": np.where(known, given, most),
        "ramp": ramp,
        "feed_due": due,
        "gas_rate_initial": np.where(np.isnan(start), gas * feed_day / 24.0, start),
        "feed_day": feed_day,
    }
    hours = np.bincount(day)[day] * dt
    even = np.where(known, np.nan_to_num(given), due / hours)
    parameters["feed_even"] = even
    largest = np.max(parameters["feed_highest"], axis=1, initial=0.0)
    parameters["fed_most"] = LONGEST_DAY * largest
    parameters["gas_rate_most"] = np.maximum(parameters["gas_rate_initial"], gas * largest)
    parameters["gas_rate_final"] = _final_rate(table.get("gas_rate_final", none), parameters, even, dt)
    at = parent_index(case, "substrate", "plant") if len(none) else np.zeros(0, np.int32)
    return _elements(table, parameters, {"plant": ("plant", at)})


def _final_rate(given: np.ndarray, substrate: dict[str, np.ndarray], even: np.ndarray, dt: float) -> np.ndarray:
    """Least rate of methane at the end: where it is not given, what even feeding leaves."""
    kept, rate = np.exp(-dt / substrate["tau"]), substrate["gas_rate_initial"]
    for feed in even.T:
        rate = kept * rate + (1 - kept) * substrate["methane_yield"] * feed
    return np.where(np.isnan(given), rate, given)
