"""Tariffs of a scenario and the prices that vary by the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from dispatch.case.schema import Columns, positions
from dispatch.errors import InputError, Problem
from dispatch.scenario.attach import Tables, appended, written
from dispatch.scenario.flexible import CAR, HEAT_PUMP

if TYPE_CHECKING:
    from dispatch.scenario.houses import Houses

HOUSEHOLD, FEED_IN = b"household", b"feed_in"
RULED = (HOUSEHOLD, FEED_IN, HEAT_PUMP, CAR)
LOW, MIDDLE, HIGH = 0.12, 0.18, 0.26


@dataclass(frozen=True)
class TariffRule:
    """What houses pay and are paid.

    Attributes
    ----------
    price_low, price_middle, price_high : float
        Energy price from 23:00 to 06:00, otherwise, and from 17:00 to 21:00, local time. [currency/kWh]
    network_fee : float
        Fees and taxes added to the energy price. [currency/kWh]
    price_export : float
        Paid for what is exported. [currency/kWh]
    network_fee_flexible : float
        In place of `network_fee` for heat pumps and cars on meters of their own. [currency/kWh]
    """

    price_low: float = LOW
    price_middle: float = MIDDLE
    price_high: float = HIGH
    network_fee: float = 0.12
    price_export: float = 0.08
    network_fee_flexible: float = 0.08

    @property
    def lowest(self) -> float:
        """Lowest price of import, fee included. [currency/kWh]."""
        return min(self.price_low, self.price_middle, self.price_high) + self.network_fee

    def energy_price(self, time: np.ndarray, time_zone: str) -> np.ndarray:
        """Energy price of import in each step.

        Parameters
        ----------
        time : ndarray (time,) of datetime64
            Left edges, UTC.
        time_zone : str
            In which the day is divided.

        Returns
        -------
        ndarray (time,)
            Without the fee. [currency/kWh]
        """
        local = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(ZoneInfo(time_zone))
        hour = np.asarray(local.hour)
        evening, night = (hour >= 17) & (hour < 21), (hour >= 23) | (hour < 6)
        return np.select([evening, night], [self.price_high, self.price_low], self.price_middle)


def set_tariffs(tables: Tables, houses: Houses, rule: TariffRule, feed_in: float, green_only: bool) -> None:
    """Put every house on the scenario's tariff, and PV on meters of its own where the feed-in tariff asks for it."""
    meter, pv = tables["meter"], tables["pv"]
    high = feed_in > rule.lowest
    apart = high and not green_only
    price = {"price_import": rule.price_middle, "network_fee": rule.network_fee, "price_peak": 0.0}
    rows = {HOUSEHOLD: {**price, "price_export": 0.0 if apart else feed_in}}
    at_house = np.unique(houses.meter)
    meter["tariff"] = written(meter["tariff"], at_house, HOUSEHOLD)
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
        pv["meter"] = written(pv["meter"], own, np.char.add(pv["meter"][own], b"_feed_in"))
        tables["meter"] = appended(meter, new)
    for name in (HEAT_PUMP, CAR):
        if (tables["meter"]["tariff"] == name).any():
            rows[name] = {**price, "network_fee": rule.network_fee_flexible, "price_export": 0.0}
    used = np.isin(tables["tariff"]["id"], tables["meter"]["tariff"]) & ~np.isin(tables["tariff"]["id"], list(rows))
    kept = {name: values[used] for name, values in tables["tariff"].items()}
    added = {name: np.array([row[name] for row in rows.values()]) for name in price | {"price_export": 0.0}}
    tables["tariff"] = appended(kept, {"id": np.array(list(rows)), **added})


def price_series(tables: Tables, rule: TariffRule, given: Columns, time: np.ndarray, time_zone: str) -> Columns:
    """Prices of all tariffs on a time axis.

    Parameters
    ----------
    tables : dict of str to Columns
        With the scenario's tariffs in place.
    rule : TariffRule
        Prices of the scenario's tariffs.
    given : Columns
        ``/forecast`` of the case; its prices of the other tariffs are kept.
    time : ndarray (time,) of datetime64
        Left edges, UTC.
    time_zone : str
        In which the day is divided.

    Returns
    -------
    Columns
        ``price_import`` and ``price_export`` (tariff, time). [currency/kWh]

    Raises
    ------
    InputError
        If prices that are to be kept do not cover the times.
    """
    tariff, found = tables["tariff"], {}
    others = ~np.isin(tariff["id"], RULED)
    for name in ("price_import", "price_export"):
        found[name] = np.repeat(tariff[name][:, None], len(time), axis=1)
        if not others.any() or name not in given:
            continue
        if not np.isin(time, given["time"]).all():
            allowed, hint = (
                f"all of {time[0]} to {time[-1]} UTC",
                "Choose start and days inside /forecast, or remove it.",
            )
            raise InputError([Problem("span", "/forecast", name, value="shorter", allowed=allowed, hint=hint)])
        found[name][others] = given[name][positions(given["tariff"], tariff["id"][others])][
            :, np.searchsorted(given["time"], time)
        ]
    found["price_import"][~others] = rule.energy_price(time, time_zone)
    return found
