"""Heat pumps with a tank and cars of the chosen houses, on meters of their own or behind the house's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import positions
from dispatch.scenario.houses import HOURS, draw, first_ones

if TYPE_CHECKING:
    from dispatch.case.schema import Columns
    from dispatch.scenario.houses import Houses

HOT_WATER_SHARE = 0.2  # of a house's heat (Ruhnau et al. 2019, :doi:`10.1038/s41597-019-0199-y`)
DEGREE_DAYS = 3000.0  # K d a year in Germany, as Eurostat counts them, rounded
DESIGN_LIFT = 30.0  # K between 18 degree C indoors and a design temperature of -12 degree C
DESIGN_PERFORMANCE = 2.0  # at -12 degree C
TANK_LOSS = 0.01  # of its content in an hour
CAR_KWH, CAR_KW, CAR_EFFICIENCY = 60.0, 11.0, 0.9
CAR_KM, CAR_KM_SPREAD = 37.0, 0.6  # a day (13,600 km a year, KBA 2019); standard deviation of the logarithm
CAR_USE, CAR_LEAVES_WITH = 0.18, 0.8  # kWh/km; part of its capacity
LEAVES, RETURNS = (7.5, 1.0, 5.0, 10.0), (17.0, 1.5, 13.0, 21.0)  # mean, standard deviation, least and most, in h
HEAT_PUMP, CAR = b"heat_pump", b"car"


@dataclass(frozen=True)
class FlexibleRule:
    """Which houses have flexible heat pumps and cars, and where these are connected.

    Attributes
    ----------
    heat_pump_share, car_share : float
        Parts of all houses. [1]
    tank_hours : float
        Content of a tank over the heat pump's largest heat output; 0: heat pumps are loads with a shape. [h]
    shared_meter : bool
        Whether they are connected behind the house's meter instead of one of their own.
    """

    heat_pump_share: float = 0.0
    car_share: float = 0.0
    tank_hours: float = 1.0
    shared_meter: bool = False


def _stores(names: np.ndarray, kind: bytes, **columns: np.ndarray | float) -> Columns:
    """Columns of the kind `store`, what is not given being of no concern."""
    count, unknown = (
        len(names),
        dict.fromkeys(
            ("p_discharge_nom", "state_of_charge_initial", "state_of_charge_final", "leaves_at", "returns_at"), np.nan
        ),
    )
    nothing = dict.fromkeys(
        ("standing_loss", "wear_cost", "energy_trip", "state_of_charge_leave", "heat_loss", "p_hot_water"), 0.0
    )
    values = {"efficiency_charge": 1.0, "efficiency_discharge": 1.0, **unknown, **nothing, **columns}
    filled = {name: np.broadcast_to(np.asarray(value, float), count).copy() for name, value in values.items()}
    return {"id": names, "kind": np.full(count, kind), **filled}


def tank_table(houses: Houses, chosen: np.ndarray, tank_hours: float) -> Columns:
    """Heat pumps of the chosen houses with their tanks, as stores.

    A fifth of the heat is hot water; the building's heat loss is the rest over 3,000 K d. The heat pump gives the heat
    of a day at -12 degree C, with a performance of 2. The tank holds `tank_hours` of that and loses 1 % an hour. It is
    full at the start and must be half full at the end.

    Parameters
    ----------
    houses : Houses
    chosen : ndarray (house,) of bool
        Who gets a heat pump.
    tank_hours : float
        [h]

    Returns
    -------
    Columns
        Of kind ``store``; without meters.
    """
    heat = houses.heat[chosen]
    water, loss = HOT_WATER_SHARE * heat / HOURS, (1 - HOT_WATER_SHARE) * heat / (24 * DEGREE_DAYS)
    largest = np.round(loss * DESIGN_LIFT + water, 1)
    energy = np.maximum(np.round(tank_hours * largest, 1), 0.1)
    return _stores(
        np.char.add(houses.id, b"_heat_pump")[chosen], b"tank", energy_nom=energy, p_nom=largest / DESIGN_PERFORMANCE,
        standing_loss=TANK_LOSS, state_of_charge_initial=energy, state_of_charge_final=energy / 2,
        heat_loss=loss, p_hot_water=water,
    )  # fmt: skip


def car_table(houses: Houses, chosen: np.ndarray, seed: int) -> Columns:
    """Cars of the chosen houses, as stores.

    60 kWh behind a charging point of 11 kW with an efficiency of 90 %; nothing is fed back. A car leaves every day at
    7:30 and returns at 17:00, give or take an hour and an hour and a half (normal, quarter hours, within 5 to 10 and 13
    to 21), drives 37 km in the mean (lognormal) at 0.18 kWh/km and leaves with 80 %. It is full at the start and must
    end with no less than it comes home with after a night that filled it to 80 %.

    Parameters
    ----------
    houses : Houses
    chosen : ndarray (house,) of bool
        Who gets a car.
    seed : int
        Of the scenario.

    Returns
    -------
    Columns
        Of kind ``store``; without meters.
    """
    leaves, returns = (
        np.clip(np.round(4 * (mean + spread * draw(houses.id, seed, purpose, normal=True))) / 4, least, most)[chosen]
        for purpose, (mean, spread, least, most) in (("leaves", LEAVES), ("returns", RETURNS))
    )
    far = np.exp(CAR_KM_SPREAD * draw(houses.id, seed, "trip", normal=True)[chosen] - CAR_KM_SPREAD**2 / 2)
    full = CAR_LEAVES_WITH * CAR_KWH
    trip = np.minimum(np.round(CAR_USE * CAR_KM * far, 1), full)
    return _stores(
        np.char.add(houses.id, b"_car")[chosen], b"car", energy_nom=CAR_KWH, p_nom=CAR_KW,
        efficiency_charge=CAR_EFFICIENCY, efficiency_discharge=CAR_EFFICIENCY, leaves_at=leaves, returns_at=returns,
        energy_trip=trip, state_of_charge_leave=full, state_of_charge_initial=CAR_KWH,
        state_of_charge_final=full - trip,
    )  # fmt: skip


def owners_of(tables: dict[str, Columns], houses: Houses, kind: bytes) -> np.ndarray:
    """Houses whose prosumer has a store of a kind.

    Parameters
    ----------
    tables : dict of str to Columns
    houses : Houses
    kind : bytes
        ``b"car"`` or ``b"tank"``.

    Returns
    -------
    ndarray (house,) of bool
    """
    meter, store = tables["meter"], tables["store"]
    at = positions(meter["id"], store["meter"][store["kind"] == kind])
    return np.isin(houses.prosumer, positions(tables["prosumer"]["id"], meter["prosumer"][at]))


def meters_for(
    tables: dict[str, Columns], houses: Houses, chosen: np.ndarray, tariff: bytes, *, shared: bool
) -> tuple[np.ndarray, Columns]:
    """Meters of the chosen houses' heat pumps or cars.

    Parameters
    ----------
    tables : dict of str to Columns
    houses : Houses
    chosen : ndarray (house,) of bool
    tariff : bytes
        Name of their tariff, and end of the meters' ids.
    shared : bool
        Whether that is the house's own meter.

    Returns
    -------
    id : ndarray (chosen house,) of bytes
    new : Columns
        Rows to be added to the meters, none where they are shared.
    """
    meter, at = tables["meter"], houses.meter[chosen]
    new = {name: values[at[:0] if shared else at] for name, values in meter.items()}
    if shared:
        return meter["id"][at], new
    new |= {"id": np.char.add(houses.id[chosen], b"_" + tariff), "tariff": np.full(len(at), tariff)}
    new |= {"green_only": np.zeros(len(at), bool), "p_import_max": np.full(len(at), np.inf)}
    return new["id"], new | {"p_export_max": np.full(len(at), np.inf)}


def chosen_cars(tables: dict[str, Columns], houses: Houses, share: float, seed: int) -> np.ndarray:
    """Houses that get a car in addition to those that have one, (house,) of bool."""
    has_car = owners_of(tables, houses, CAR)
    return np.asarray(first_ones(has_car, draw(houses.id, seed, "car"), share) & ~has_car)
