"""Putting shapes, heat pumps, PV and batteries into the tables of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import Columns, positions
from dispatch.scenario.devices import COP, battery_table, heat_pump_table, pv_sizes, pv_tables
from dispatch.scenario.flexible import (
    CAR,
    HEAT_PUMP,
    FlexibleRule,
    car_table,
    chosen_cars,
    meters_for,
    owners_of,
    tank_table,
)
from dispatch.scenario.houses import HOURS, LARGE_KWH, Houses, draw, first_ones

if TYPE_CHECKING:
    from dispatch.scenario.library import Library

Tables = dict[str, Columns]
GAS_HOUSE = b"gas_house"
"""Shape of the library by which a house takes gas, 1 being the mean hour of a year."""


def written(texts: np.ndarray, rows: np.ndarray, values: Any) -> np.ndarray:
    """Write texts into some rows of a copy that is wide enough."""
    wide = texts.astype(np.result_type(texts, np.asarray(values)))
    wide[rows] = values
    return wide


def appended(table: Columns, rows: Columns) -> Columns:
    """Table with further rows at its end; ids and texts become as wide as needed."""
    return {name: np.concatenate([table[name], rows[name]]) for name in table}


def take_out_possible_heat_pumps(tables: Tables) -> None:
    """Remove loads of kind ``heat_pump`` without a profile; what heats their houses is open again."""
    load, meter, prosumer = tables["load"], tables["meter"], tables["prosumer"]
    possible = (load["kind"] == b"heat_pump") & (load["profile"] == b"")
    owner = positions(prosumer["id"], meter["prosumer"][positions(meter["id"], load["meter"])])
    open_again = np.setdiff1d(owner[possible], owner[(load["kind"] == b"heat_pump") & ~possible])
    prosumer["heating"] = written(prosumer["heating"], open_again, b"unknown")
    tables["load"] = {name: values[~possible] for name, values in load.items()}


def attach_shapes(load: Columns, houses: Houses, library: Library, seed: int) -> None:
    """Give houses without a profile a household shape, scaled to their yearly use, in place."""
    bare = load["profile"][houses.load] == b""
    rows, energy, large = houses.load[bare], houses.energy[bare], houses.energy[bare] > LARGE_KWH
    at = library.pick(library.names(b"H0"), draw(houses.id, seed, "archetype")[bare], "households")
    shift = np.floor(17 * draw(houses.id, seed, "shift")[bare]) / 4 - 2
    mixed = library.names(b"household_mix")
    if len(mixed):
        at, shift = np.where(large, mixed[0], at), np.where(large, 0.0, shift)
    p_nom, old = energy / HOURS / library.mean[at], load["p_nom"][rows]
    ratio = np.divide(load["q_nom"][rows], old, out=np.zeros_like(old), where=old > 0)
    load["p_nom"][rows], load["q_nom"][rows], load["profile_shift"][rows] = p_nom, ratio * p_nom, shift
    load["profile"] = written(load["profile"], rows, library.id[at])
    load["kind"] = written(load["kind"], rows[~large], b"household")


def add_heat_pumps(tables: Tables, houses: Houses, library: Library, rule: FlexibleRule, seed: int) -> None:
    """Give a share of the houses heat pumps, and note what every house uses and what heats it."""
    load, prosumer, meter = tables["load"], tables["prosumer"], tables["meter"]
    pump_at = positions(meter["id"], load["meter"][load["kind"] == b"heat_pump"])
    warm = np.isin(houses.prosumer, positions(prosumer["id"], meter["prosumer"][pump_at]))
    warm |= owners_of(tables, houses, b"tank")
    warm |= prosumer["heating"][houses.prosumer] == b"heat_pump"
    chosen = first_ones(warm, draw(houses.id, seed, "heat_pump"), rule.heat_pump_share)
    added = chosen & ~warm
    if rule.tank_hours > 0:
        connect(tables, houses, added, tank_table(houses, added, rule.tank_hours), HEAT_PUMP, rule)
    else:
        new = heat_pump_table(houses, added, library, seed)
        tables["load"] = appended(load, {**new, "meter": meter["id"][houses.meter[added]]})
    count = len(prosumer["id"])
    use, known = np.bincount(houses.prosumer, houses.energy, count), prosumer["energy_year"]
    pumps = np.bincount(houses.prosumer, np.where(added, houses.heat / COP, 0.0), count)
    is_house = np.isin(np.arange(count), houses.prosumer)
    prosumer["energy_year"] = np.where(is_house, np.where(np.isfinite(known), known, use) + pumps, known)
    heated = np.isin(np.arange(count), houses.prosumer[chosen])
    gas = is_house & ~heated & (prosumer["heating"] == b"unknown")
    prosumer["heating"] = written(written(prosumer["heating"], heated, b"heat_pump"), gas, b"gas")
    prosumer["gas_year"] = np.where(heated & (prosumer["gas_year"] > 0), 0.0, prosumer["gas_year"])


def let_gas_follow(tables: Tables, houses: Houses, library: Library, *, shaped: bool) -> None:
    """Let gas consumers of houses that heat with a heat pump take nothing, and if `shaped`, others by temperature.

    `dispatch.case.merge` leaves nothing to houses in which a heat pump is possible; where the rule gives them none they
    take the mean hour of their `volume_year` again.
    """
    consumer, prosumer = tables["consumer"], tables["prosumer"]
    at = positions(prosumer["id"], consumer["prosumer"])
    known, heating = at >= 0, prosumer["heating"][at]
    again = known & (heating == b"gas") & (consumer["flow_nom"] == 0) & (consumer["volume_year"] > 0)
    flow = np.where(again, consumer["volume_year"] / HOURS, consumer["flow_nom"])
    consumer["flow_nom"] = np.where(known & (heating == HEAT_PUMP), 0.0, flow)
    if shaped and GAS_HOUSE in library.id:
        bare = known & np.isin(at, houses.prosumer) & (consumer["profile"] == b"")
        consumer["profile"] = written(consumer["profile"], bare, GAS_HOUSE)


def connect(
    tables: Tables, houses: Houses, chosen: np.ndarray, rows: Columns, tariff: bytes, rule: FlexibleRule
) -> None:
    """Append stores with their meters."""
    ids, new = meters_for(tables, houses, chosen, tariff, shared=rule.shared_meter)
    tables["meter"] = appended(tables["meter"], new)
    tables["store"] = appended(tables["store"], {**rows, "meter": ids})


def add_cars(tables: Tables, houses: Houses, rule: FlexibleRule, seed: int) -> None:
    """Give a share of the houses a car."""
    chosen = chosen_cars(tables, houses, rule.car_share, seed)
    connect(tables, houses, chosen, car_table(houses, chosen, seed), CAR, rule)


def add_pv_and_batteries(
    tables: Tables,
    houses: Houses,
    library: Library,
    seed: int,
    *,
    pv_share: float,
    battery_share: float,
    pv_size_kw: float | None,
    battery_hours: float,
) -> None:
    """Give shares of the houses PV and batteries; see `dispatch.scenario.equip.equip`."""
    meter, prosumer = tables["meter"], tables["prosumer"]["id"]

    def owns(table: Columns) -> np.ndarray:
        at = positions(meter["id"], table["meter"][table["p_nom"] > 0])
        return np.isin(houses.prosumer, positions(prosumer, meter["prosumer"][at]))

    store = tables["store"]
    has_pv, has_store = owns(tables["pv"]), owns({n: v[store["kind"] == b"battery"] for n, v in store.items()})
    order, size = draw(houses.id, seed, "pv"), pv_sizes(houses, seed, pv_size_kw)
    sunny = first_ones(has_pv, order, pv_share)
    new = pv_tables(houses, sunny & ~has_pv, size, library, seed)
    new["pv"]["meter"] = meter["id"][houses.meter[sunny & ~has_pv]]
    # Batteries follow the order of PV (existing systems first), so that a larger share of either only adds.
    stored = first_ones(has_store, np.where(sunny, order - 2 * has_pv, 2 + order), battery_share)
    stored &= sunny & ~has_store
    batteries = battery_table(houses, stored, size, battery_hours)
    new["store"] = {**batteries, "meter": meter["id"][houses.meter[stored]]}
    for kind, rows in new.items():
        tables[kind] = appended(tables[kind], rows)
