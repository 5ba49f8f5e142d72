"""Prices of a store's rows that fit its plan: what the content and the power at the meter are worth in each step.

The plan fits prices when each column that lies between its bounds has a reduced cost of 0, each at its lower bound one
of at least 0 and each at its upper bound one of at most 0. With ``v`` the value of content and ``y`` the price at the
meter, the flows of a step leave an interval to `y`, then one to `v`; contents link the values of neighbouring steps. One
walk back intersects the intervals, one walk forward chooses.
"""

from __future__ import annotations

import numpy as np

from kernels._jit import bare_kernel, kernel
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, FLOWS, NEAR, SIGN, Members


@bare_kernel
def meter_interval(members: Members, flow: np.ndarray, weight: np.ndarray, m: int, t: int) -> tuple[float, float]:
    """Prices at the meter that fit the flows which the store does not decide."""
    low, high = -np.inf, np.inf
    for kind in range(CURTAILED, FLOWS):
        most = members.upper[kind, m, t]
        if most == 0.0:
            continue
        sign = SIGN[kind]
        cost = members.cost[kind, m, t]
        if kind > CURTAILED and kind < CURTAILED + 3:  # import and export pass the bus
            cost -= sign * weight[m, t]
        # reduced cost = cost - sign * y
        above, below = flow[kind, m, t] > NEAR, flow[kind, m, t] < most - NEAR
        if sign > 0.0:
            if above:
                low = max(low, cost)
            if below:
                high = min(high, cost)
        else:
            if above:
                high = min(high, -cost)
            if below:
                low = max(low, -cost)
    return low, high


@bare_kernel
def store_lines(
    members: Members, flow: np.ndarray, m: int, t: int
) -> tuple[float, float, float, float, bool, bool, bool, bool]:
    """Slope and offset of both lines ``y = slope * v + offset``, and on which sides of them y may lie.

    Returns
    -------
    float, float, float, float
        Of charging: ``y = gain v - cost``; of discharging: ``y = drain v + cost``.
    bool, bool, bool, bool
        Whether y must be at least, and at most, the line of charging; the same of discharging.
    """
    c, d = flow[CHARGE, m, t], flow[DISCHARGE, m, t]
    c_most, d_most = members.upper[CHARGE, m, t], members.upper[DISCHARGE, m, t]
    return (
        -members.cost[CHARGE, m, t],
        members.cost[DISCHARGE, m, t],
        members.gain[m],
        members.drain[m],
        c_most > 0.0 and c < c_most - NEAR,
        c_most > 0.0 and c > NEAR,
        d_most > 0.0 and d > NEAR,
        d_most > 0.0 and d < d_most - NEAR,
    )


@bare_kernel
def value_interval(members: Members, flow: np.ndarray, m: int, t: int, low: float, high: float) -> tuple[float, float]:
    """Values of content for which some price at the meter between `low` and `high` fits the store's flows."""
    c0, d0, gain, drain, c_least, c_most, d_least, d_most = store_lines(members, flow, m, t)
    least, most = -np.inf, np.inf
    if c_least:  # y >= gain v + c0, y <= high
        most = min(most, (high - c0) / gain)
    if c_most:  # y <= gain v + c0, y >= low
        least = max(least, (low - c0) / gain)
    if d_least:  # y >= drain v + d0
        most = min(most, (high - d0) / drain)
    if d_most:  # y <= drain v + d0
        least = max(least, (low - d0) / drain)
    if c_least and d_most:  # gain v + c0 <= drain v + d0
        if drain > gain:
            least = max(least, (c0 - d0) / (drain - gain))
    if d_least and c_most:  # drain v + d0 <= gain v + c0
        if drain > gain:
            most = min(most, (c0 - d0) / (drain - gain))
    return least, most


@bare_kernel
def inside(low: float, high: float, wish: float) -> float:
    """Nearest to a wish in an interval; the middle of one that rounding has turned around."""
    if low > high:
        return 0.5 * (low + high)
    return min(max(wish, low), high)


@kernel
def fit_prices(
    members: Members,
    flow: np.ndarray,
    content: np.ndarray,
    shortfall: np.ndarray,
    weight: np.ndarray,
    at_meter: np.ndarray,
    value: np.ndarray,
    at_end: np.ndarray,
    miss: np.ndarray,
) -> None:
    """Find prices of all rows that fit a plan.

    Parameters
    ----------
    members : Members
        All of them.
    flow, content, shortfall : ndarray
        Their plan, as in `kernels.entries`.
    weight : ndarray (member, step)
        What a kW given to the bus costs. [money]
    at_meter : ndarray (member, step)
        Written: price of the balance at the meter. [money/kW]
    value : ndarray (member, step)
        Written: value of content, the price of the store's balance with its sign turned. [money/kWh]
    at_end : ndarray (member,)
        Written: price of the final content. [money/kWh]
    miss : ndarray (member,)
        Written: how far the intervals miss each other at worst, 0 where prices fit exactly.
    """
    count, steps = members.demand.shape
    low, high = np.empty(steps), np.empty(steps)
    least, most = np.empty(steps), np.empty(steps)
    for m in range(count):
        miss[m] = 0.0
        store = members.capacity[m] > 0.0
        end_low, end_high = 0.0, 0.0
        if store:
            if content[m, steps - 1] <= members.final[m] + NEAR:
                end_high = members.price_shortfall
            if shortfall[m] > NEAR:
                end_low = members.price_shortfall
        for t in range(steps - 1, -1, -1):
            low[t], high[t] = meter_interval(members, flow, weight, m, t)
            miss[m] = max(miss[m], low[t] - high[t])
            if low[t] > high[t]:
                low[t] = high[t] = 0.5 * (low[t] + high[t])
            if not store:
                continue
            a, b = end_low, end_high
            if t < steps - 1:
                a, b = members.retained[m] * least[t + 1], members.retained[m] * most[t + 1]
            if content[m, t] <= NEAR:
                b = np.inf
            if content[m, t] >= members.capacity[m] - NEAR:
                a = -np.inf
            p, q = value_interval(members, flow, m, t, low[t], high[t])
            least[t], most[t] = max(a, p), min(b, q)
            miss[m] = max(miss[m], least[t] - most[t])
            if least[t] > most[t]:
                least[t] = most[t] = 0.5 * (least[t] + most[t])
        wish = 0.0
        for t in range(steps):
            v = 0.0
            if store:
                v = inside(least[t], most[t], wish)
                value[m, t] = v
                c0, d0, gain, drain, c_least, c_most, d_least, d_most = store_lines(members, flow, m, t)
                if c_least:
                    low[t] = max(low[t], gain * v + c0)
                if c_most:
                    high[t] = min(high[t], gain * v + c0)
                if d_least:
                    low[t] = max(low[t], drain * v + d0)
                if d_most:
                    high[t] = min(high[t], drain * v + d0)
                wish = v / members.retained[m] if members.retained[m] > 0.0 else 0.0
            else:
                value[m, t] = 0.0
            at_meter[m, t] = inside(low[t], high[t], 0.0)
        at_end[m] = inside(end_low, end_high, value[m, steps - 1]) if store else 0.0
