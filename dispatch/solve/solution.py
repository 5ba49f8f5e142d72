"""What a solve ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

NOTICED = 1e-9
"""Relaxations below this share of a limit's rating are rounding."""


@dataclass(frozen=True)
class Prices:
    """Prices of rows and limits, from which a lower bound follows without any plan.

    Attributes
    ----------
    rows : ndarray (row,)
        Change of the optimum per unit of the right-hand side of each row of the prosumers' program. [money per unit]
    keys : ndarray (limit,) of KEY
        The limits that were stated, sorted; all others have no price.
    limits : ndarray (limit,)
        Price of each, at least 0. [money per unit and hour]
    """

    rows: np.ndarray
    keys: np.ndarray
    limits: np.ndarray


@dataclass(frozen=True)
class Solution:
    """An optimum of the elastic program.

    Attributes
    ----------
    columns : ndarray (column,)
        Values of the prosumers' columns: those of the program compiled without the network.
    prices : Prices
        Dual values.
    slacks : ndarray (limit,)
        Relaxation of each limit of `prices.keys`, in its own unit.
    relaxation : float
        Sum over limits and steps of ``dt * slack / rating``, rounding left out. [h]
    objective : float
        Optimum, the program's constant included. [money]
    limit_penalty : float
        Penalty it holds for. [money h-1]
    rounds : int
        Solves until no limit was violated any more.
    method : str
        Which way, and how the last of them was found.
    entries : int
        Pairs of meter and step in the last program of HiGHS.
    by_program : int
        Meters that are priced by a linear program, not by the store kernel.
    """

    columns: np.ndarray
    prices: Prices
    slacks: np.ndarray
    relaxation: float
    objective: float
    limit_penalty: float
    rounds: int
    method: str
    entries: int
    by_program: int


@dataclass(frozen=True)
class Relaxation:
    """The least relaxation of all limits together that lets the rest be met.

    Attributes
    ----------
    total : float
        Sum over limits and steps of ``dt * slack / rating``. [h]
    keys : ndarray (limit,) of KEY
        The limits that are relaxed in it.
    slacks : ndarray (limit,)
        By how much, in the limit's own unit.
    columns : ndarray (column,) or None
        Values of the prosumers' columns in it.
    """

    total: float
    keys: np.ndarray
    slacks: np.ndarray
    columns: np.ndarray | None = None
