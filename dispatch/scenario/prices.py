"""Tariffs of a scenario and the prices that vary by the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

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
    """

    price_low: float = LOW
    price_middle: float = MIDDLE
    price_high: float = HIGH
    network_fee: float = 0.12
    price_export: float = 0.08

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
