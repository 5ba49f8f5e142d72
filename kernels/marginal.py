"""Prices of a store's rows that fit its plan: what the content and the power at the meter are worth in each step.

The plan fits prices when each column that lies between its bounds has a reduced cost of 0, each at its lower bound one
of at least 0 and each at its upper bound one of at most 0. With ``v`` the value of content and ``y`` the price at the
meter, the flows of a step leave an interval to `y`, then one to `v`; contents link the values of neighbouring steps.
One walk back intersects the intervals, one walk forward chooses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel, kernel
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, EXPORT, IMPORT, MISSING, NEAR, SIGN, Members


class RowPrices(NamedTuple):
    """Prices of the rows of all members.

    Attributes
    ----------
    at_meter : ndarray (member, step)
        Of the balance at the meter. [money/kW]
    value : ndarray (member, step)
        Value of content: the price of the store's balance with its sign turned. [money/kWh]
    at_least : ndarray (member, step)
        Of the least content. [money/kWh]
    miss : ndarray (member,)
        How far the intervals miss each other at worst; 0 where prices fit exactly.
    """

    at_meter: np.ndarray
    value: np.ndarray
    at_least: np.ndarray
    miss: np.ndarray


class Intervals(NamedTuple):
    """Scratch: ends of the prices at the meter, `low` and `high`, and of the values, `least` and `most`, (step,)."""

    low: np.ndarray
    high: np.ndarray
    least: np.ndarray
    most: np.ndarray


def make_row_prices(members: int, steps: int) -> RowPrices:
    """Room for prices."""
    at_meter, value, at_least = np.empty((3, members, steps))
    return RowPrices(at_meter, value, at_least, np.empty(members))


@bare_kernel
def narrow_to(
    flow: np.ndarray, most: np.ndarray, cost: np.ndarray, weight: np.ndarray, sign: float, passed: float, at: Intervals
) -> None:
    """Narrow the prices at the meter to those that fit one flow, (step,), of which `passed` reaches the bus."""
    low, high = at.low, at.high
    for t in range(len(low)):
        price = sign * (cost[t] - passed * weight[t])  # reduced cost = cost - sign * y
        used, left = (flow[t] > NEAR) & (most[t] != 0.0), (flow[t] < most[t] - NEAR) & (most[t] != 0.0)
        least = price if used else -np.inf
        largest = price if left else np.inf
        if sign < 0.0:
            least, largest = price if left else -np.inf, price if used else np.inf
        low[t] = max(low[t], least)
        high[t] = min(high[t], largest)


@bare_kernel
def meter_intervals(members: Members, flow: np.ndarray, weight: np.ndarray, m: int, at: Intervals) -> None:
    """Write the prices at the meter that fit the flows which the store does not decide, many steps at a time."""
    for t in range(len(at.low)):
        at.low[t], at.high[t] = -np.inf, np.inf
    for kind in range(CURTAILED, MISSING):
        passed = SIGN[kind] if IMPORT <= kind <= EXPORT else 0.0
        narrow_to(flow[kind, m], members.upper[kind, m], members.cost[kind, m], weight, SIGN[kind], passed, at)


@bare_kernel
def uncross(at: Intervals) -> float:
    """Let ends of prices that rounding has turned around meet in the middle; returns how far they miss at worst."""
    crossed, miss = 0, 0.0
    for t in range(len(at.low)):  # counted first, many steps at a time: mostly there are none
        crossed += 1 if at.low[t] > at.high[t] else 0
    if crossed > 0:
        for t in range(len(at.low)):
            miss = max(miss, at.low[t] - at.high[t])
            if at.low[t] > at.high[t]:
                at.low[t] = at.high[t] = 0.5 * (at.low[t] + at.high[t])
    return miss


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
        members.gain[m, t],
        members.drain[m, t],
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
    if c_least and d_most and drain > gain:  # gain v + c0 <= drain v + d0
        least = max(least, (c0 - d0) / (drain - gain))
    if d_least and c_most and drain > gain:  # drain v + d0 <= gain v + c0
        most = min(most, (c0 - d0) / (drain - gain))
    if members.upper[MISSING, m, t] > 0.0:
        if flow[MISSING, m, t] > NEAR:
            least = max(least, members.cost[MISSING, m, t])
        if flow[MISSING, m, t] < members.upper[MISSING, m, t] - NEAR:
            most = min(most, members.cost[MISSING, m, t])
    return least, most


@bare_kernel
def inside(low: float, high: float, wish: float) -> float:
    """Nearest to a wish in an interval; the middle of one that rounding has turned around."""
    if low > high:
        return 0.5 * (low + high)
    return min(max(wish, low), high)


@bare_kernel
def least_interval(members: Members, content: np.ndarray, shortfall: np.ndarray, m: int, t: int) -> tuple[float, float]:
    """Prices of a step's least content that fit the content."""
    price, least = members.price_shortfall, members.least[m, t]
    if least == 0.0:
        return 0.0, 0.0
    return price if shortfall[m, t] > NEAR else 0.0, price if content[m, t] <= least + NEAR else 0.0


@bare_kernel
def narrow_back(
    members: Members, flow: np.ndarray, content: np.ndarray, shortfall: np.ndarray, m: int, at: Intervals
) -> float:
    """Intersect the intervals of all steps with what the steps after them allow; returns how far they miss."""
    miss, retained = 0.0, members.retained[m]
    for t in range(len(at.low) - 1, -1, -1):
        least, most = least_interval(members, content, shortfall, m, t)
        if t < len(at.low) - 1:
            least += retained * at.least[t + 1]
            most += retained * at.most[t + 1]
        if content[m, t] <= NEAR:
            most = np.inf
        if content[m, t] >= members.capacity[m] - NEAR:
            least = -np.inf
        here = value_interval(members, flow, m, t, at.low[t], at.high[t])
        least, most = max(least, here[0]), min(most, here[1])
        miss = max(miss, least - most)
        if least > most:
            least = most = 0.5 * (least + most)
        at.least[t], at.most[t] = least, most
    return miss


@bare_kernel
def narrow_meter(members: Members, flow: np.ndarray, m: int, t: int, v: float, at: Intervals) -> None:
    """Narrow the prices at the meter to those that fit the store's flows at a value of content."""
    c0, d0, gain, drain, c_least, c_most, d_least, d_most = store_lines(members, flow, m, t)
    if c_least:
        at.low[t] = max(at.low[t], gain * v + c0)
    if c_most:
        at.high[t] = min(at.high[t], gain * v + c0)
    if d_least:
        at.low[t] = max(at.low[t], drain * v + d0)
    if d_most:
        at.high[t] = min(at.high[t], drain * v + d0)


@bare_kernel
def choose(
    members: Members,
    flow: np.ndarray,
    content: np.ndarray,
    shortfall: np.ndarray,
    m: int,
    at: Intervals,
    prices: RowPrices,
) -> None:
    """Walk forward and choose values of content and prices of least contents, each as near to 0 as it may be."""
    steps, wish = len(at.low), 0.0
    for t in range(steps):
        value = inside(at.least[t], at.most[t], wish)
        prices.value[m, t] = value
        narrow_meter(members, flow, m, t, value, at)
        low, high = least_interval(members, content, shortfall, m, t)
        wish = (value - low) / members.retained[m]
        after = inside(at.least[t + 1], at.most[t + 1], wish) if t < steps - 1 else 0.0
        prices.at_least[m, t] = inside(low, high, value - members.retained[m] * after)


@kernel
def fit_prices(
    members: Members,
    flow: np.ndarray,
    content: np.ndarray,
    shortfall: np.ndarray,
    weight: np.ndarray,
    prices: RowPrices,
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
    prices : RowPrices
        Written.
    """
    count, steps = members.demand.shape
    at = Intervals(np.empty(steps), np.empty(steps), np.empty(steps), np.empty(steps))
    for m in range(count):
        meter_intervals(members, flow, weight[m], m, at)
        prices.miss[m] = uncross(at)
        prices.value[m], prices.at_least[m] = 0.0, 0.0
        if members.capacity[m] > 0.0:
            prices.miss[m] = max(prices.miss[m], narrow_back(members, flow, content, shortfall, m, at))
            choose(members, flow, content, shortfall, m, at, prices)
        for t in range(steps):
            low, high = at.low[t], at.high[t]
            nearest = max(0.0, low)
            nearest = min(nearest, high)
            prices.at_meter[m, t] = 0.5 * (low + high) if low > high else nearest
