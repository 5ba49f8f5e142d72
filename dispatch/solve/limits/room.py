"""How far errors of the forecast move each limit, by the sensitivities of the linear rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.limits.sensitivity import Sensitivity

if TYPE_CHECKING:
    from dispatch.case.network import Network

LOAD_CORRELATION = 0.2
"""Between the errors of any two loads. Day-ahead errors of nine homes (CityLearn, 40 days) have 0.13 on average; with
0.2 their sum is below its 90 % quantile in 88 % and above its 10 % quantile in 92 % of hours, with 0 in 78 and 84 %."""
ROWS = 512
"""Limits whose sensitivities are in memory at once."""


@dataclass(frozen=True)
class Deviations:
    """How much more or less than expected comes at each bus at the quantile.

    Attributes
    ----------
    load_up, load_down : ndarray (bus, time)
        Sums over loads. [kW]
    load_up_squared, load_down_squared : ndarray (bus, time)
        Sums of squares over loads. [kW2]
    pv_up, pv_down : ndarray (bus, time)
        Sums over pv. [kW]
    pv_up_fixed : ndarray (bus, time)
        Part of `pv_up` that cannot be curtailed. [kW]
    """

    load_up: np.ndarray
    load_down: np.ndarray
    load_up_squared: np.ndarray
    load_down_squared: np.ndarray
    pv_up: np.ndarray
    pv_down: np.ndarray
    pv_up_fixed: np.ndarray

    @property
    def any(self) -> bool:
        """Whether anything deviates at all."""
        return bool(self.load_up.any() or self.load_down.any() or self.pv_up.any() or self.pv_down.any())


def rooms(network: Network, deviations: Deviations, *, curtailed: bool) -> list[np.ndarray]:
    """Room that each limit needs so that it holds at the quantile.

    Errors of PV move together, those of any two loads with `LOAD_CORRELATION`, PV and loads apart from each other.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    deviations : Deviations
        Of the same buses.
    curtailed : bool
        Leave out what more of PV can come where it can be curtailed.

    Returns
    -------
    list of ndarray (bus or branch, time)
        Of the upper and the lower voltage limit (squared), and of flows from `bus_from` to `bus_to` and back. [1, kW]
    """
    sensitivity = Sensitivity(network)
    found = []
    for of, count in ((sensitivity.voltage, network.buses), (sensitivity.flow, network.branches)):
        both = np.zeros((2, count, deviations.load_up.shape[1]))
        for first in range(0, count, ROWS):
            some = np.arange(first, min(first + ROWS, count))
            rows = sp.csr_matrix(np.nan_to_num(of(some)[:, : network.buses]))
            both[0, some] = _room(rows, deviations, curtailed)
            both[1, some] = _room(-rows, deviations, curtailed)
        found += list(both)
    return found


def _room(rows: sp.csr_matrix, d: Deviations, curtailed: bool) -> np.ndarray:
    """Room of rows that must not rise, (row, time): more injected where they rise by it, less where they fall."""
    rise, fall = rows.maximum(0), (-rows).maximum(0)
    together = np.maximum(np.maximum(rows @ d.load_down, -(rows @ d.load_up)), 0.0)
    alone = rise.power(2) @ d.load_down_squared + fall.power(2) @ d.load_up_squared
    more = d.pv_up_fixed if curtailed else d.pv_up
    sun = np.maximum(np.maximum(rows @ more, -(rows @ d.pv_down)), 0.0)
    loads = LOAD_CORRELATION * together**2 + (1 - LOAD_CORRELATION) * alone
    return np.asarray(np.sqrt(sun**2 + loads))
