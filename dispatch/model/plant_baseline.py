"""What biogas plants do without control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns, parent_index
from dispatch.model.components.plant import HIGHER, LOWER, UNMET_PRICE
from dispatch.model.components.substrate import UNFED_PRICE
from dispatch.model.gas import gas_kinds
from dispatch.model.gas_compressors import power_of_boosters
from dispatch.model.meters import sum_at
from dispatch.model.series import read_series, step_hours
from dispatch.model.windows import windows_of

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.model.elements import Elements
    from dispatch.model.series import Series

Kinds = dict[str, "Elements"]


@dataclass(frozen=True)
class PlantBaseline:
    """Biogas plants that nobody optimizes.

    Attributes
    ----------
    p : ndarray (meter, step)
        Electricity that they give at their meters; negative where they take it. [kW]
    p_chp : ndarray (chp, step)
        Power of their engines. [kW]
    gas_injected : ndarray (upgrader, step)
        Biomethane, higher heating value. [kW]
    flow_flare, holder : ndarray (plant, step)
        Raw gas flared, and in the holder at the end of each step. [m3 h-1, m3]
    cost : ndarray (plant,)
        As ``cost_plant``, the content of the holder at the end settled. [money]
    """

    p: np.ndarray
    p_chp: np.ndarray
    gas_injected: np.ndarray
    flow_flare: np.ndarray
    holder: np.ndarray
    cost: np.ndarray


class _Plants:
    """Parameters of all plants, and what they do step by step."""

    def __init__(self, kinds: Kinds, steps: int, dt: float) -> None:
        self.kinds, self.dt, self.steps = kinds, dt, steps
        self.count = kinds["plant"].count
        self.own = {n: v[:, 0] for n, v in kinds["plant"].parameters.items()}
        self.engine = {n: v[:, 0] for n, v in kinds["chp"].parameters.items()}
        self.engine_of = kinds["chp"].nodes["plant"][1]
        self.share = self.own["methane_share"]
        self.per_kw = 1 / (self.engine["efficiency_electric"] * LOWER * self.share[self.engine_of])
        heat = self.engine["efficiency_thermal"] / self.engine["efficiency_electric"]
        self.heat_all = np.bincount(self.engine_of, self.engine["p_nom"] * heat, self.count)
        self.raw_all = np.bincount(self.engine_of, self.engine["p_nom"] * self.per_kw, self.count)
        self.p_chp = np.zeros((len(self.engine_of), steps))
        self.flare, self.holder, self.missing = np.zeros((3, self.count, steps))
        uppers = kinds["upgrader"].count if "upgrader" in kinds else 0
        self.raw = np.zeros((uppers, steps))

    def run(self, came: np.ndarray) -> None:
        """Take one step after the other; `came` is the raw gas of each plant. [m3 h-1]."""
        uptake, related = _uptake(self.kinds, self.steps)
        content, dt = self.own["holder_initial"].copy(), self.dt
        for t in range(self.steps):
            loaded, burnt = self._heat(t, came[:, t] + content / dt)
            used = loaded * self.raw_all + burnt
            spare = np.maximum(came[:, t] + (content - self.own["holder_final"]) / dt - used, 0.0)
            spare = self._inject(t, spare, uptake[:, t].copy() if len(uptake) else uptake, related)
            more = np.minimum(np.divide(spare, self.raw_all, where=self.raw_all > 0, out=0 * spare), 1 - loaded)
            self.p_chp[:, t] = (loaded + more)[self.engine_of] * self.engine["p_nom"]
            taken = np.bincount(self._upgrader_of, self.raw[:, t], self.count)
            content = content + dt * (came[:, t] - used - more * self.raw_all - taken)
            self.flare[:, t] = np.maximum(content - self.own["holder_nom"], 0.0) / dt
            content = np.clip(content, 0.0, self.own["holder_nom"])
            self.holder[:, t] = content

    @property
    def _upgrader_of(self) -> np.ndarray:
        return self.kinds["upgrader"].nodes["plant"][1] if "upgrader" in self.kinds else np.zeros(0, np.int32)

    def _heat(self, t: int, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cover the heat demand with engines, then with boilers: loads of engines [1], and raw gas burnt [m3 h-1]."""
        own = self.own
        wanted = np.divide(own["heat_demand"], self.heat_all, where=self.heat_all > 0, out=np.zeros(self.count))
        there = np.divide(most, self.raw_all, where=self.raw_all > 0, out=np.zeros(self.count))
        loaded = np.minimum(np.minimum(wanted, there), 1.0)
        heat_of_raw = own["efficiency_boiler"] * LOWER * self.share
        left = np.maximum(own["heat_demand"] - loaded * self.heat_all, 0.0)
        limits = np.minimum(own["flow_boiler_max"], np.maximum(most - loaded * self.raw_all, 0.0))
        burnt = np.minimum(left / heat_of_raw, limits)
        self.missing[:, t] = np.maximum(left - heat_of_raw * burnt, 0.0)
        return loaded, burnt

    def _inject(self, t: int, spare: np.ndarray, uptake: np.ndarray, related: np.ndarray) -> np.ndarray:
        """Upgrade what is left as far as the zones take it; the raw gas that is left then."""
        if not len(self.raw):
            return spare
        spare = spare.copy()
        for u, plant in enumerate(self._upgrader_of):
            zone = self.kinds["upgrader"].nodes["zone"][1][u]
            energy = _energy(self.kinds["upgrader"])[u]
            self.raw[u, t] = min(
                spare[plant], self.kinds["upgrader"].parameters["flow_nom"][u, 0], uptake[zone] / energy
            )
            spare[plant] -= self.raw[u, t]
            uptake[related[zone]] = np.maximum(uptake[related[zone]] - energy * self.raw[u, t], 0.0)
        return spare


def uncontrolled_plants(case: xr.DataTree) -> PlantBaseline | None:
    """Compute what biogas plants do without control.

    They are fed evenly. In each step engines, then boilers, cover the heat demand. Of the raw gas that comes beside,
    and of what the holder has above its final content, as much is injected as the upgrading and the zone's demand of
    that step take (nothing is packed into pipes); engines burn the rest as far as they can, the holder takes what is
    left, and what it has no room for is flared. Tanks stay empty. Nobody looks at prices or at electric limits. At the
    end the difference to the final content is settled at what it would earn: injected, or burnt at the lowest price of
    export.

    Parameters
    ----------
    case : DataTree
        With /forecast.

    Returns
    -------
    PlantBaseline or None
        None in a case without plants.
    """
    if not len(columns(case, "plant")["id"]):
        return None
    series, dt = read_series(case), step_hours(case)
    windows = windows_of(series.time, str(case.attrs["time_zone"]))
    kinds = gas_kinds(case, series, windows, dt, Offsets.zero(0, 0, len(series.time)), 0.0, whole=True)
    plants = _Plants(kinds, len(series.time), dt)
    feed, unfed = _feed(kinds["substrate"])
    plants.run(sum_at(kinds["substrate"].nodes["plant"][1], _methane(kinds["substrate"], feed, dt), plants.count)
               / plants.share[:, None])  # fmt: skip
    injected = _energy(kinds["upgrader"])[:, None] * plants.raw if len(plants.raw) else plants.raw
    cost = _costs(plants, feed, unfed, injected, _lowest_export(case, series, kinds["plant"].nodes["meter"][1]))
    p = power_at_meters(case, plants.p_chp, plants.raw)
    return PlantBaseline(p, plants.p_chp, injected, plants.flare, plants.holder, cost)


def boosting(case: xr.DataTree, injected: np.ndarray) -> np.ndarray:
    """Electricity that boosters take without control, with what plants inject then.

    Parameters
    ----------
    case : DataTree
        With /forecast and boosters.
    injected : ndarray (upgrader, step)
        Biomethane. [kW]

    Returns
    -------
    ndarray (meter, step)
        [kW]
    """
    series, dt = read_series(case), step_hours(case)
    windows = windows_of(series.time, str(case.attrs["time_zone"]))
    kinds = gas_kinds(case, series, windows, dt, Offsets.zero(0, 0, len(series.time)), 0.0, whole=True)
    return power_of_boosters(kinds, injected, len(columns(case, "meter")["id"]))


def _lowest_export(case: xr.DataTree, series: Series, meter: np.ndarray) -> np.ndarray:
    """Lowest price of export of the horizon at some meters, not below zero."""
    tariff = parent_index(case, "meter", "tariff")[meter]
    return np.asarray(np.maximum(series.price_export.min(axis=1, initial=np.inf), 0.0)[tariff])


def _feed(substrate: Elements) -> tuple[np.ndarray, np.ndarray]:
    """Even feed [t h-1] of each substrate, and what is not fed in each step."""
    wanted = substrate.parameters["feed_even"]
    feed = np.minimum(wanted, substrate.parameters["feed_highest"])
    return feed, wanted - feed


def _methane(substrate: Elements, feed: np.ndarray, dt: float) -> np.ndarray:
    """Methane that comes of each substrate in each step. [m3 h-1]."""
    gas, tau = substrate.parameters["methane_yield"][:, 0], substrate.parameters["tau"][:, 0]
    kept, rate = np.exp(-dt / tau), substrate.parameters["gas_rate_initial"][:, 0]
    found = np.zeros_like(feed)
    for t in range(feed.shape[1]):
        new = kept * rate + (1 - kept) * gas * feed[:, t]
        found[:, t] = gas * feed[:, t] - tau / dt * (new - rate)
        rate = new
    return found


def _energy(upgrader: Elements) -> np.ndarray:
    """Biomethane of a cubic metre of raw gas. [kW h m-3]."""
    p = upgrader.parameters
    return np.asarray((HIGHER * p["methane_share"] * (1 - p["methane_slip"]))[:, 0])


def _uptake(kinds: Kinds, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Find what each zone takes in each step, zones behind its regulators included [kW], and which zones share it."""
    if "zone" not in kinds:
        return np.zeros((0, steps)), np.zeros((0, 0), bool)
    regulator, zones = kinds["regulator"], kinds["zone"].count
    start, stop = (regulator.nodes[f"zone_{end}"][1] for end in ("from", "to"))
    _, first = np.unique(stop, return_index=True)  # a zone is counted behind one regulator only
    demand = np.broadcast_to(kinds["zone"].parameters["demand_max"], (zones, steps))
    uptake, below = demand, np.eye(zones, dtype=bool)
    for _ in range(zones):  # regulators form no circle
        before, uptake = uptake, demand.copy()
        for r in first:
            uptake[start[r]] += np.minimum(regulator.parameters["gas_max"][r, 0], before[stop[r]])
            below[start[r]] |= below[stop[r]]
    return uptake, below | below.T


def power_at_meters(case: xr.DataTree, p_chp: np.ndarray, flow_raw: np.ndarray) -> np.ndarray:
    """Add up what plants give at their meters.

    Parameters
    ----------
    case : DataTree
        With plants.
    p_chp : ndarray (chp, step)
        Power of engines. [kW]
    flow_raw : ndarray (upgrader, step)
        Raw gas that is upgraded. [m3 h-1]

    Returns
    -------
    ndarray (meter, step)
        Negative where they take electricity. [kW]
    """
    plant, meter = columns(case, "plant"), parent_index(case, "plant", "meter")
    found = np.zeros((len(columns(case, "meter")["id"]), p_chp.shape[1]))
    np.subtract.at(found, meter, plant["p_own"][:, None])
    for kind, power in (("chp", p_chp), ("upgrader", flow_raw)):
        if len(power):
            factor = -columns(case, kind)["electricity"][:, None] if kind == "upgrader" else 1.0
            np.add.at(found, meter[parent_index(case, kind, "plant")], factor * power)
    return found


def cost_of_owners(case: xr.DataTree, cost_plant: np.ndarray) -> np.ndarray:
    """Costs of plants, added up over the prosumers to whose meters they belong, (prosumer,)."""
    meter = parent_index(case, "plant", "meter")
    owner = parent_index(case, "meter", "prosumer")[meter]
    return np.bincount(owner, cost_plant, len(columns(case, "prosumer")["id"]))


def _costs(
    plants: _Plants, feed: np.ndarray, unfed: np.ndarray, injected: np.ndarray, price_export: np.ndarray
) -> np.ndarray:
    """Cost of each plant. [money]."""
    kinds, dt, n = plants.kinds, plants.dt, plants.count
    substrate = kinds["substrate"].parameters
    fed = (substrate["price"] * feed + UNFED_PRICE * substrate["methane_yield"] * unfed).sum(axis=1)
    cost = np.bincount(kinds["substrate"].nodes["plant"][1], fed, n)
    cost += np.bincount(plants.engine_of, plants.engine["running_cost"] * plants.p_chp.sum(axis=1), n)
    cost += plants.own["price_flare"] * plants.flare.sum(axis=1) + UNMET_PRICE * plants.missing.sum(axis=1)
    worth = np.zeros(n)
    sold = np.maximum(price_export[plants.engine_of] - plants.engine["running_cost"], 0.0)
    np.maximum.at(worth, plants.engine_of, sold / plants.per_kw)
    if len(injected):
        p, of = kinds["upgrader"].parameters, kinds["upgrader"].nodes["plant"][1]
        earned = (p["price_gas"] - p["conditioning_cost"])[:, 0]
        cost -= np.bincount(of, earned * injected.sum(axis=1), n)
        np.maximum.at(worth, of, _energy(kinds["upgrader"]) * earned)
    missing = plants.own["holder_final"] - plants.holder[:, -1]
    return np.asarray(dt * cost + worth * missing)
