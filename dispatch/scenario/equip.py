"""What if 60 % of the houses had PV: equipping a case by rule and seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import Columns, build_case, columns, has, positions
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.scenario.devices import battery_table, heat_pump_table, pv_sizes, pv_tables
from dispatch.scenario.houses import HOURS, LARGE_KWH, Houses, draw, first_ones, houses_of
from dispatch.scenario.library import Library, library_of
from dispatch.scenario.prices import TariffRule

if TYPE_CHECKING:
    from datetime import datetime

Tables = dict[str, Columns]
HOUSEHOLD, FEED_IN = b"household", b"feed_in"


def equip(
    case: xr.DataTree,
    *,
    pv_share: float = 0.6,
    battery_share: float = 0.4,
    heat_pump_share: float = 0.0,
    seed: int = 1,
    pv_size_kw: float | None = None,
    battery_hours: float = 2.0,
    season: str = "summer",
    start: str | datetime | np.datetime64 | None = None,
    days: int | None = None,
    feed_in_tariff: float = 0.08,
    green_only: bool = False,
    tariff: TariffRule | None = None,
    profiles: xr.DataTree | None = None,
) -> xr.DataTree:
    """Equip the houses of a case with PV, batteries, heat pumps, shapes and tariffs, by one reproducible rule.

    Every house draws its numbers once, whatever the shares; a larger share only adds to the houses chosen, and the
    houses that have a thing already are chosen first and keep it. Batteries go to the PV houses in the order in which
    these got PV. See `houses_of` for what counts as a house and its yearly use, `pv_sizes`, `pv_tables`,
    `battery_table` and `heat_pump_table` for sizes, `library_of` for shapes.
    A house whose load has no profile gets one of the library's household shapes, moved by up to two hours either way,
    scaled to its yearly use with the reactive share that its load has. Loads of kind ``heat_pump`` without a profile
    stand for possible heat pumps: they are taken out, and `heat_pump_share` says how many houses have one. A house
    heats with a heat pump or with gas.

    Parameters
    ----------
    case : DataTree
        A valid case; it is not changed.
    pv_share, battery_share, heat_pump_share : float
        Parts of all houses; `battery_share` at most `pv_share`. [1]
    seed : int
        Not negative.
    pv_size_kw : float, optional
        Mean peak power of the PV of a house; default: by yearly use alone. [kW]
    battery_hours : float
        Capacity over power. [h]
    season : str
        ``"summer"`` or ``"winter"``: which embedded week gives the shapes.
    start, days : str, datetime or datetime64, and int, optional
        Span of the shapes; default: the season's week. [UTC, d]
    feed_in_tariff : float
        Paid for exported energy. Above the lowest price of import, PV gets a meter of its own (or see `green_only`),
        and what a battery exports is worth nothing. [currency/kWh]
    green_only : bool
        Leave PV at the house's meter under the green-only rules: no grid charging, no export from batteries.
    tariff : TariffRule, optional
        Prices of import.
    profiles : DataTree, optional
        A case whose ``/profile`` replaces the embedded library.

    Returns
    -------
    DataTree
        With ``/profile`` for the span and ``/forecast`` holding the prices only; `predict` adds the rest.

    Raises
    ------
    InputError
        If a parameter is out of its range, the case has no houses or already has series in ``/forecast``, or the
        shapes do not cover the span.
    """
    shares = {"pv_share": pv_share, "battery_share": battery_share, "heat_pump_share": heat_pump_share}
    raise_if_any([*_bad_settings(shares, seed, season, battery_hours, pv_size_kw), *_unfit(case)])
    first = None if start is None else np.datetime64(pd.Timestamp(start).to_numpy(), "s")
    library = library_of(case, season=season, start=first, days=days, profiles=profiles)
    kinds = [k for k, section in attribute_table().items() if section.has_elements and k != "profile"]
    tables: Tables = {kind: columns(case, kind) for kind in kinds}
    _take_out_possible_heat_pumps(tables)
    houses = houses_of(tables, library, seed)
    if not len(houses.id):
        hint = "Give loads the kind 'household', or 'other' with p_nom above 0."
        raise InputError([Problem("no-houses", "/prosumer/load", "kind", value="without a house", hint=hint)])
    rule = tariff or TariffRule()
    _attach_shapes(tables["load"], houses, library, seed)
    _add_heat_pumps(tables, houses, library, heat_pump_share, seed)
    _add_pv_and_batteries(tables, houses, library, shares, (seed, pv_size_kw, battery_hours))
    _set_tariffs(tables, houses, rule, feed_in_tariff, green_only)
    return _built(case, tables, library, rule)


def _bad_settings(
    shares: dict[str, float], seed: int, season: str, battery_hours: float, pv_size_kw: float | None
) -> list[Problem]:
    problems = []

    def refuse(name: str, value: Any, allowed: str, hint: str) -> None:
        problems.append(Problem("setting", "scenario", name, value=str(value), allowed=allowed, hint=hint))

    for name, share in shares.items():
        if not 0 <= share <= 1:
            refuse(name, share, "[0, 1]", "A share is a part of all houses: 60 % is 0.6.")
    if shares["battery_share"] > shares["pv_share"]:
        hint = "Batteries go to houses with PV only: raise pv_share or lower battery_share."
        refuse("battery_share", shares["battery_share"], f"at most pv_share, {shares['pv_share']}", hint)
    if seed < 0:
        refuse("seed", seed, "[0, inf)", "Choose any whole number from 0.")
    if season not in {"summer", "winter"}:
        refuse("season", repr(season), "'summer', 'winter'", "Choose one of the two.")
    if not battery_hours > 0:
        refuse("battery_hours", battery_hours, "(0, inf)", "Capacity over power, usually 1 to 4.")
    if pv_size_kw is not None and not pv_size_kw > 0:
        refuse("pv_size_kw", pv_size_kw, "(0, inf)", "Mean peak power of a house's PV; leave it out for none given.")
    return problems


def _unfit(case: xr.DataTree) -> list[Problem]:
    given = [name for name in ("p_load", "p_available") if name in columns(case, "forecast")]
    if not given:
        return []
    hint = "A scenario attaches shapes: remove the group, or give the series as /profile."
    return [Problem("has-series", "/forecast", ", ".join(given), value="already there", hint=hint)]


def _take_out_possible_heat_pumps(tables: Tables) -> None:
    load, meter, prosumer = tables["load"], tables["meter"], tables["prosumer"]
    possible = (load["kind"] == b"heat_pump") & (load["profile"] == b"")
    owner = positions(prosumer["id"], meter["prosumer"][positions(meter["id"], load["meter"])])
    open_again = np.setdiff1d(owner[possible], owner[(load["kind"] == b"heat_pump") & ~possible])
    prosumer["heating"] = _written(prosumer["heating"], open_again, b"unknown")
    tables["load"] = {name: values[~possible] for name, values in load.items()}


def _attach_shapes(load: Columns, houses: Houses, library: Library, seed: int) -> None:
    """Give houses without a profile a household shape."""
    bare = load["profile"][houses.load] == b""
    shapes = library.names(b"H0")
    at = shapes[(draw(houses.id, seed, "archetype") * len(shapes)).astype(int)]
    mixed = library.names(b"household_mix")
    if len(mixed):
        at = np.where(houses.energy > LARGE_KWH, mixed[0], at)
    shift = np.where(houses.energy > LARGE_KWH, 0.0, np.floor(17 * draw(houses.id, seed, "shift")) / 4 - 2)
    rows, old = houses.load[bare], load["p_nom"][houses.load[bare]]
    p_nom = (houses.energy / HOURS / library.mean[at])[bare]
    ratio = np.divide(load["q_nom"][rows], old, out=np.zeros_like(old), where=old > 0)
    load["p_nom"][rows], load["q_nom"][rows] = p_nom, ratio * p_nom
    load["profile"] = _written(load["profile"], rows, library.id[at][bare])
    load["profile_shift"][rows] = shift[bare]
    load["kind"] = _written(load["kind"], houses.load, b"household")


def _written(texts: np.ndarray, rows: np.ndarray, values: Any) -> np.ndarray:
    """Write texts into some rows, widening the array where needed."""
    wide = texts.astype(np.result_type(texts, np.asarray(values)))
    wide[rows] = values
    return wide


def _appended(table: Columns, rows: Columns) -> Columns:
    return {name: np.concatenate([table[name], rows[name]]) for name in table}


def _add_heat_pumps(tables: Tables, houses: Houses, library: Library, share: float, seed: int) -> None:
    load, prosumer, meter = tables["load"], tables["prosumer"], tables["meter"]
    warm = np.isin(houses.meter, positions(meter["id"], load["meter"][load["kind"] == b"heat_pump"]))
    warm |= prosumer["heating"][houses.prosumer] == b"heat_pump"
    chosen = first_ones(warm, draw(houses.id, seed, "heat_pump"), share)
    new = heat_pump_table(houses, chosen & ~warm, library, seed)
    new["meter"] = meter["id"][houses.meter[chosen & ~warm]]
    tables["load"] = _appended(load, new)
    use = np.bincount(houses.prosumer, houses.energy, len(prosumer["id"]))
    extra = np.bincount(houses.prosumer, np.where(chosen & ~warm, houses.heat / 3.2, 0.0), len(prosumer["id"]))
    known = np.isfinite(prosumer["energy_year"])
    is_house = np.isin(np.arange(len(known)), houses.prosumer)
    prosumer["energy_year"] = np.where(
        is_house, np.where(known, prosumer["energy_year"], use) + extra, prosumer["energy_year"]
    )
    heated = np.isin(np.arange(len(known)), houses.prosumer[chosen])
    gas = is_house & ~heated & (prosumer["heating"] == b"unknown")
    prosumer["heating"] = _written(_written(prosumer["heating"], heated, b"heat_pump"), gas, b"gas")
    prosumer["gas_year"] = np.where(heated & (prosumer["gas_year"] > 0), 0.0, prosumer["gas_year"])


def _add_pv_and_batteries(
    tables: Tables, houses: Houses, library: Library, shares: dict[str, float], rule: tuple[int, float | None, float]
) -> None:
    seed, pv_size_kw, battery_hours = rule
    meter = tables["meter"]["id"]
    has_pv, has_store = (np.isin(houses.meter, positions(meter, tables[kind]["meter"])) for kind in ("pv", "store"))
    order = draw(houses.id, seed, "pv")
    sunny = first_ones(has_pv, order, shares["pv_share"])
    size = pv_sizes(houses, seed, pv_size_kw)
    new = pv_tables(houses, sunny & ~has_pv, size, library, seed)
    new["pv"]["meter"] = meter[houses.meter[sunny & ~has_pv]]
    # Houses without PV come last and are cut off: existing PV and batteries may be more than the shares ask for.
    stored = first_ones(has_store, np.where(sunny, order - 2 * has_pv, 2 + order), shares["battery_share"])
    stored &= sunny & ~has_store
    new["store"] = {**battery_table(houses, stored, size, battery_hours), "meter": meter[houses.meter[stored]]}
    for kind, rows in new.items():
        tables[kind] = _appended(tables[kind], rows)


def _set_tariffs(tables: Tables, houses: Houses, rule: TariffRule, feed_in: float, green_only: bool) -> None:
    """Put every house on the scenario's tariff, and PV on meters of its own where the feed-in tariff asks for it."""
    meter, pv = tables["meter"], tables["pv"]
    high = feed_in > rule.lowest
    apart = high and not green_only
    price = {"price_import": rule.price_middle, "network_fee": rule.network_fee, "price_peak": 0.0}
    rows = {HOUSEHOLD: {**price, "price_export": 0.0 if apart else feed_in}}
    at_house = np.unique(houses.meter)
    meter["tariff"] = _written(meter["tariff"], at_house, HOUSEHOLD)
    if green_only:
        meter["green_only"][at_house] = True
    if apart:
        rows[FEED_IN] = {**price, "price_export": feed_in}
        at = positions(meter["id"], pv["meter"])
        own = np.isin(at, at_house)
        hosts = np.unique(at[own])
        new = {name: values[hosts] for name, values in meter.items()}
        new |= {"id": np.char.add(meter["id"][hosts], b"_feed_in"), "tariff": np.full(len(hosts), FEED_IN)}
        new["green_only"] = np.ones(len(hosts), bool)
        pv["meter"] = _written(pv["meter"], own, np.char.add(pv["meter"][own], b"_feed_in"))
        tables["meter"] = _appended(meter, new)
    used = np.isin(tables["tariff"]["id"], tables["meter"]["tariff"]) & ~np.isin(tables["tariff"]["id"], list(rows))
    kept = {name: values[used] for name, values in tables["tariff"].items()}
    added = {name: np.array([row[name] for row in rows.values()]) for name in price | {"price_export": 0.0}}
    tables["tariff"] = _appended(kept, {"id": np.array(list(rows)), **added})


def _built(case: xr.DataTree, tables: Tables, library: Library, rule: TariffRule) -> xr.DataTree:
    """Put the tables together with shapes and prices."""
    tariff = tables["tariff"]
    scenario = np.isin(tariff["id"], [HOUSEHOLD, FEED_IN])
    price = rule.energy_price(library.time, case.attrs["time_zone"])
    used = np.isin(library.id, np.concatenate([tables["load"]["profile"], tables["pv"]["profile"]]))
    time = {"time": library.time}
    tables |= {
        "profile": {"id": library.id[used], "p_pu": library.p_pu[used], "q_pu": library.q_pu[used], **time},
        "forecast": {
            "price_import": np.where(scenario[:, None], price, tariff["price_import"][:, None]),
            "price_export": np.repeat(tariff["price_export"][:, None], len(price), axis=1),
            **time,
        },
    }
    if has(case, "station"):
        tables["station"] = columns(case, "station")
    labels = {name: case.attrs[name] for name in ("title", "time_zone", "currency")}
    filled = {kind: table for kind, table in tables.items() if kind == "forecast" or len(table["id"])}
    built = build_case(filled, **labels)
    prices = built["/forecast"].to_dataset(inherit=False).drop_vars(["q_load", "load"], errors="ignore")
    built["/forecast"] = xr.DataTree(prices)
    return built
