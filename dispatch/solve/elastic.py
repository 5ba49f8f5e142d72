"""What limits cost: their relaxation by a fresh sweep, and what they are worth at their prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatch.model.linear import LinearFlow
    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits


@dataclass(frozen=True)
class AtPrices:
    """Limits at given prices, those cut that are negative or above the penalty.

    Attributes
    ----------
    weight : ndarray (port,)
        What a unit injected costs. [money]
    worth : float
        Sum of all bounds at their prices, which a lower bound loses. [money]
    residual : float
        How far prices miss what is injected, and what was cut of them, relative to 1 plus the penalty.
    """

    weight: np.ndarray
    worth: float
    residual: float


def at_prices(
    limits: RadialLimits, dt: float, limit_penalty: float, keys: np.ndarray, prices: np.ndarray, flow: LinearFlow
) -> AtPrices:
    """Say what limits are worth at prices, and whether these fit what is injected.

    Parameters
    ----------
    limits : RadialLimits
        All limits, with their offsets.
    dt : float
        Length of a step. [h]
    limit_penalty : float
        Penalty of relaxing a limit by its own rating for an hour. [money h-1]
    keys : ndarray (limit,) of KEY
        Limits with a price.
    prices : ndarray (limit,)
        Money per unit and hour.
    flow : LinearFlow
        State of the network, by a sweep.
    """
    if not len(keys):
        return AtPrices(np.zeros(limits.ports), 0.0, 0.0)
    m, residual = cut_prices(limits, limit_penalty, keys, prices, flow)
    return AtPrices(*limits.worth(keys, dt * m), residual)


def cut_prices(
    limits: RadialLimits, limit_penalty: float, keys: np.ndarray, prices: np.ndarray, flow: LinearFlow
) -> tuple[np.ndarray, float]:
    """Cut prices to what the penalty allows, and say how far they miss what is injected; see `at_prices`."""
    rating = limits.rating_of(keys)
    m = np.clip(prices, 0.0, limit_penalty / rating)
    over, price = limits.excess_at(keys, flow) / rating, prices * rating
    fit = np.abs(price - np.clip(price + over, 0.0, limit_penalty))
    cut = np.abs(prices - m) * rating / (1 + limit_penalty)
    return m, float(max(fit.max(), cut.max()))


def elastic_cost(program: Program, limits: RadialLimits, dt: float, limit_penalty: float, plan: np.ndarray) -> float:
    """Cost of a plan: the prosumers', and every limit's relaxation by a fresh sweep.

    Parameters
    ----------
    program : Program
        Of the prosumers.
    limits : RadialLimits
        All limits, with their offsets.
    dt : float
        Length of a step. [h]
    limit_penalty : float
        Penalty of relaxing a limit by its own rating for an hour. [money h-1]
    plan : ndarray (column,)
        Value of every column.

    Returns
    -------
    float
        [money]
    """
    relaxed = limits.relaxed(limits.flow(program.injection @ plan + program.injection_constant))
    return float(np.sum(program.cost * plan)) + program.constant + dt * limit_penalty * relaxed
