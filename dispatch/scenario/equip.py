"""What if 60 % of the houses had PV: equipping a case by rule and seed."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.instant import instant
from dispatch.case.schema import Columns, build_case, columns, has
from dispatch.case.trees import tree_of
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.scenario.attach import (
    Tables,
    add_cars,
    add_heat_pumps,
    add_pv_and_batteries,
    attach_shapes,
    let_gas_follow,
    take_out_possible_heat_pumps,
)
from dispatch.scenario.devices import shape_existing_pv
from dispatch.scenario.flexible import FlexibleRule
from dispatch.scenario.houses import houses_of
from dispatch.scenario.library import Library, library_of, weather_of
from dispatch.scenario.prices import TariffRule, price_series, set_tariffs

if TYPE_CHECKING:
    from datetime import datetime

    import xarray as xr

SHAPED = ("load", "pv", "consumer", "injection")
"""Kinds whose rows can name a profile."""


def equip(
    case: xr.DataTree,
    *,
    pv_share: float = 0.6,
    battery_share: float = 0.4,
    heat_pump_share: float = 0.0,
    car_share: float = 0.0,
    seed: int = 1,
    pv_size_kw: float | None = None,
    battery_hours: float = 2.0,
    tank_hours: float = 1.0,
    shared_meter: bool = False,
    season: str = "summer",
    start: str | datetime | np.datetime64 | None = None,
    days: int | None = None,
    feed_in_tariff: float = 0.08,
    green_only: bool = False,
    tariff: TariffRule | None = None,
    profiles: xr.DataTree | None = None,
) -> xr.DataTree:
    """Equip the houses of a case with PV, batteries, heat pumps, cars, shapes and tariffs, by one reproducible rule.

    Every house draws its numbers once, whatever the shares; a larger share only adds to the houses chosen, and the
    houses that have a thing already are chosen first and keep it. Batteries go to the PV houses in the order in which
    these got PV. See `houses_of` for what counts as a house and its yearly use, `pv_sizes`, `pv_tables`,
    `battery_table`, `tank_table`, `car_table` and `heat_pump_table` for sizes, `library_of` for shapes.
    A house whose load has no profile gets one of the library's household shapes, moved by up to two hours either way,
    scaled to its yearly use with the reactive share that its load has. Loads of kind ``heat_pump`` without a profile
    stand for possible heat pumps: they are taken out, and `heat_pump_share` says how many houses have one. A house
    heats with a heat pump or with gas: consumers of gas of houses with a heat pump take nothing, and those of others
    without a profile the embedded shape by temperature, unless ``/forecast`` says what consumers take.

    Parameters
    ----------
    case : DataTree
        A valid case; it is not changed.
    pv_share, battery_share, heat_pump_share, car_share : float
        Parts of all houses; `battery_share` at most `pv_share`. [1]
    seed : int
        Not negative.
    pv_size_kw : float, optional
        Mean peak power of the PV of a house; default: by yearly use alone. [kW]
    battery_hours : float
        Capacity over power. [h]
    tank_hours : float
        What a tank holds over the heat pump's largest heat output; 0: heat pumps are loads with a shape. [h]
    shared_meter : bool
        Connect heat pumps and cars behind the house's meter, not on meters and tariffs of their own.
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
    flexible = FlexibleRule(heat_pump_share, car_share, tank_hours, shared_meter)
    shares = {"pv_share": pv_share, "battery_share": battery_share, "heat_pump_share": heat_pump_share}
    shares["car_share"] = car_share
    numbers = shares | {"battery_hours": battery_hours, "tank_hours": tank_hours, "feed_in_tariff": feed_in_tariff}
    raise_if_any(_not_numbers(numbers | ({} if pv_size_kw is None else {"pv_size_kw": pv_size_kw}), seed))
    problems = _bad_settings(shares, seed, season, battery_hours, pv_size_kw)
    raise_if_any([*problems, *_bad_flexible(flexible, green_only), *_unfit(case)])
    first = None if start is None else instant(start, "/profile")
    library = library_of(case, season=season, start=first, days=days, profiles=profiles)
    kinds = [k for k, section in attribute_table().items() if section.has_elements and k != "profile"]
    tables: Tables = {kind: columns(case, kind) for kind in kinds}
    take_out_possible_heat_pumps(tables)
    houses = houses_of(tables, library, seed)
    if not len(houses.id):
        hint = "Give loads the kind 'household', or 'other' with p_nom above 0."
        raise InputError([Problem("no-houses", "/prosumer/load", "kind", value="without a house", hint=hint)])
    rule = tariff or TariffRule()
    attach_shapes(tables["load"], houses, library, seed)
    shape_existing_pv(tables["pv"], library, seed)
    add_heat_pumps(tables, houses, library, flexible, seed)
    let_gas_follow(tables, houses, library, shaped="flow_consumer" not in columns(case, "forecast"))
    add_cars(tables, houses, flexible, seed)
    shares = {"pv_share": pv_share, "battery_share": battery_share}
    add_pv_and_batteries(tables, houses, library, seed, pv_size_kw=pv_size_kw, battery_hours=battery_hours, **shares)
    set_tariffs(tables, houses, rule, feed_in_tariff, green_only)
    prices = price_series(tables, rule, _old_prices(case), library.time, case.attrs["time_zone"])
    if not has(case, "station") and (tables["store"]["heat_loss"] > 0).any():
        tables["station"] = weather_of(season, library.time)
    return _built(case, tables, library, prices)


def _not_numbers(numbers: dict[str, Any], seed: Any) -> list[Problem]:
    """Name settings that cannot be compared with anything."""

    def refused(name: str, value: Any, allowed: str) -> Problem:
        hint = "See the parameters of `dispatch.equip`."
        return Problem("setting", "scenario", name, value=repr(value), allowed=allowed, hint=hint)

    found = [refused(n, v, "a number") for n, v in numbers.items() if isinstance(v, bool) or not isinstance(v, Real)]
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    return found if whole else [*found, refused("seed", seed, "a whole number")]


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
        refuse(
            "pv_size_kw",
            pv_size_kw,
            "(0, inf)",
            "Mean peak power of a house's PV; leave it out for sizes by yearly use.",
        )
    return problems


def _bad_flexible(rule: FlexibleRule, green_only: bool) -> list[Problem]:
    problems = []
    if not 0 <= rule.tank_hours < np.inf:
        hint = "Hours of the heat pump's largest output, usually 0.5 to 3; 0 for heat pumps without a tank."
        value = str(rule.tank_hours)
        problems.append(Problem("setting", "scenario", "tank_hours", value=value, allowed="[0, inf)", hint=hint))
    flexible = rule.car_share > 0 or (rule.heat_pump_share > 0 and rule.tank_hours > 0)
    if green_only and rule.shared_meter and flexible:
        hint = "Cars and heat pumps need a meter of their own beside a green-only one: leave out one of the two."
        problems.append(
            Problem("setting", "scenario", "shared_meter", value="with green_only", allowed="one of them", hint=hint)
        )
    return problems


def _unfit(case: xr.DataTree) -> list[Problem]:
    given = [name for name in ("p_load", "p_available") if name in columns(case, "forecast")]
    if not given:
        return []
    hint = "A scenario attaches shapes: remove the group, or give the series as /profile."
    return [Problem("has-series", "/forecast", ", ".join(given), value="already there", hint=hint)]


def _old_prices(case: xr.DataTree) -> Columns:
    given = columns(case, "forecast")
    return {**given, "tariff": columns(case, "tariff")["id"]}


def _built(case: xr.DataTree, tables: Tables, library: Library, prices: Columns) -> xr.DataTree:
    """Put the tables together with shapes and prices."""
    used = np.isin(library.id, np.concatenate([tables[kind]["profile"] for kind in SHAPED]))
    shapes = {"id": library.id[used], "p_pu": library.p_pu[used], "q_pu": library.q_pu[used], "time": library.time}
    tables |= {"profile": shapes, "forecast": {**prices, "time": library.time}}
    tables["history"] = _still_meant(tables["history"], shapes["id"])
    for kind in ("station", "gas_network"):
        if has(case, kind):
            tables[kind] = columns(case, kind)
    labels = {name: case.attrs[name] for name in ("title", "time_zone", "currency")}
    filled = {kind: table for kind, table in tables.items() if kind in ("forecast", "gas_network") or len(table["id"])}
    built = build_case(filled, **labels)
    groups = {node.path: node.to_dataset(inherit=False) for node in built.subtree}
    groups["/forecast"] = groups["/forecast"].drop_vars(["q_load", "load"], errors="ignore")
    return tree_of(groups)


def _still_meant(history: Columns, shapes: np.ndarray) -> Columns:
    """Leave out histories of shapes that no load has any more."""
    keep = (history["profile"] == b"") | np.isin(history["profile"], shapes)
    axis = ("time", "time_step")
    return {name: values if name in axis else values[keep] for name, values in history.items()}
