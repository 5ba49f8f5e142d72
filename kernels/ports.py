"""Members' flows and prices at the buses of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels._jit import bare_kernel
from kernels.entries import EXPORT, FLOWS, IMPORT

if TYPE_CHECKING:
    import numpy as np

    from kernels.entries import Members


@bare_kernel
def add_prices(
    paid: np.ndarray,
    earned: np.ndarray,
    price: np.ndarray,
    bus: np.ndarray,
    dt: float,
    paid_now: np.ndarray,
    earned_now: np.ndarray,
) -> None:
    """Take what each kW injected costs off members' prices.

    Parameters
    ----------
    paid, earned : ndarray (member, step)
        Prices of import and of export. [money/kWh]
    price : ndarray (bus, step)
        What each kW injected costs. [money/kW]
    bus : ndarray (member,) of int
        Where each injects.
    dt : float
        Length of a step. [h]
    paid_now, earned_now : ndarray (member, step)
        Written. [money/kWh]
    """
    members, steps = paid.shape
    for m in range(members):
        at = bus[m]
        for t in range(steps):
            off = price[at, t] / dt
            paid_now[m, t], earned_now[m, t] = paid[m, t] - off, earned[m, t] - off


@bare_kernel
def add_injection(flow: np.ndarray, bus: np.ndarray, x: np.ndarray) -> None:
    """Add what members give to their buses.

    Parameters
    ----------
    flow : ndarray (kind, member, step)
        In the order of `kernels.entries`. [kW]
    bus : ndarray (member,) of int
        Where each injects.
    x : ndarray (bus, step)
        Changed in place. [kW]
    """
    members, steps = flow.shape[1:]
    for m in range(members):
        for t in range(steps):
            x[bus[m], t] += flow[EXPORT, m, t] - flow[IMPORT, m, t]


@bare_kernel
def add_costs(
    members: Members,
    flow: np.ndarray,
    shortfall: np.ndarray,
    price: np.ndarray,
    bus: np.ndarray,
    by_step: np.ndarray,
    cost: np.ndarray,
) -> None:
    """Add up what members' plans cost, and what they give to their buses.

    Parameters
    ----------
    members : Members
        All of them.
    flow, shortfall : ndarray
        Their plan, as in `kernels.entries`.
    price : ndarray (bus, step)
        What each kW injected costs. [money/kW]
    bus : ndarray (member,) of int
        Where each injects.
    by_step : ndarray (step,)
        Scratch.
    cost : ndarray (member,)
        Written. [money]
    """
    count, steps = shortfall.shape
    for m in range(count):
        for t in range(steps):
            given = flow[EXPORT, m, t] - flow[IMPORT, m, t]
            by_step[t] = members.price_shortfall * shortfall[m, t] + price[bus[m], t] * given
        for kind in range(FLOWS):  # kind by kind, many steps at a time
            for t in range(steps):
                by_step[t] += members.cost[kind, m, t] * flow[kind, m, t]
        total = 0.0
        for t in range(steps):
            total += by_step[t]
        cost[m] = total


@bare_kernel
def widen(flow: np.ndarray, members: int, low: np.ndarray, high: np.ndarray) -> None:
    """Widen ranges of the first members' flows by one more plan.

    Parameters
    ----------
    flow : ndarray (kind, member, step)
        The plan. [kW]
    members : int
        How many.
    low, high : ndarray (kind, member, step)
        Changed in place. [kW]
    """
    steps = flow.shape[2]
    for kind in range(FLOWS):
        for m in range(members):
            for t in range(steps):
                low[kind, m, t] = min(low[kind, m, t], flow[kind, m, t])
                high[kind, m, t] = max(high[kind, m, t], flow[kind, m, t])
