"""Cost, violations and a lower bound of members' plans from their constants and row prices alone.

With prices ``y`` of the balances at the meter, ``-v`` of the contents' balances and ``l`` of the least contents, the
Lagrangian falls apart into one column each: the bound is the rows' right-hand sides at their prices, plus for each
column the least of its reduced cost times what its bounds allow. It is valid for any prices; nothing of how plan or
prices were found enters it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels._jit import bare_kernel
from kernels.entries import CHARGE, DISCHARGE, EXPORT, FLOWS, IMPORT, MISSING, SIGN, Members

if TYPE_CHECKING:
    from kernels.marginal import RowPrices


class Plans(NamedTuple):
    """Plans of members.

    Attributes
    ----------
    flow : ndarray (kind, member, step)
        In the order of `kernels.entries`. [kW; missing withdrawal kWh]
    content, shortfall : ndarray (member, step)
        After each step, and what that lacks of the least. [kWh]
    """

    flow: np.ndarray
    content: np.ndarray
    shortfall: np.ndarray


class Proof(NamedTuple):
    """Figures of each member, (member,).

    Attributes
    ----------
    cost, bound : ndarray
        Of the plan, and what no plan can cost less than, at the prices of its port. [money]
    primal : ndarray
        Largest violation of a row or a bound, relative to 1 plus the bound.
    dual : ndarray
        Largest natural residual ``|x - projection(x - d)|`` of a column, relative to 1 plus its cost.
    """

    cost: np.ndarray
    bound: np.ndarray
    primal: np.ndarray
    dual: np.ndarray


def make_proof(members: int) -> Proof:
    """Room for the figures of so many members."""
    return Proof(*np.empty((4, members)))


@bare_kernel
def outside(value: float, lower: float, upper: float) -> float:
    """Distance to an interval, relative to 1 plus the bound."""
    return max((lower - value) / (1.0 + abs(lower)), (value - upper) / (1.0 + abs(upper)))


@bare_kernel
def worst_outside(value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Largest distance to intervals, relative to 1 plus the bound; NaN where a value is.

    Parameters
    ----------
    value, lower, upper : ndarray (number,)
        Bounds may be infinite.
    """
    worst = 0.0
    for i in range(len(value)):
        if value[i] < lower[i]:
            worst = max(worst, (lower[i] - value[i]) / (1.0 + abs(lower[i])))
        elif value[i] > upper[i]:
            worst = max(worst, (value[i] - upper[i]) / (1.0 + abs(upper[i])))
        elif np.isnan(value[i]):
            return np.nan
    return worst


@bare_kernel
def natural(value: float, reduced: float, upper: float) -> float:
    """Distance that a step against the reduced cost would really go between 0 and an upper bound."""
    return abs(value - min(max(value - reduced, 0.0), upper))


@bare_kernel
def reduced_cost(members: Members, kind: int, weight: float, y: float, v: float, m: int, t: int) -> float:
    """Cost of a unit of a flow less what it is worth at the prices of its rows and of its port."""
    reduced = members.cost[kind, m, t] - SIGN[kind] * y
    if kind == CHARGE:
        return float(reduced - v * members.gain[m, t])
    if kind == DISCHARGE:
        return float(reduced + v * members.drain[m, t])
    if kind == MISSING:
        return float(reduced - v)
    if kind == EXPORT:
        return float(reduced + weight)
    return float(reduced - weight if kind == IMPORT else reduced)


@bare_kernel
def prove_flows(
    members: Members, flow: np.ndarray, weight: float, y: float, v: float, m: int, t: int
) -> tuple[float, float, float, float]:
    """Cost of a step's flows, their part of the bound, and their violations, as in `Proof`."""
    cost, primal, dual, balance = 0.0, 0.0, 0.0, 0.0
    bound = y * members.demand[m, t] + v * members.withdrawn[m, t]
    for kind in range(FLOWS):
        upper, value = members.upper[kind, m, t], flow[kind, m, t]
        if upper == 0.0 and value == 0.0:
            continue
        own = members.cost[kind, m, t]
        reduced = reduced_cost(members, kind, weight, y, v, m, t)
        if reduced < 0.0:
            bound += reduced * upper
        balance += SIGN[kind] * value
        cost += own * value
        # Here and below what is not beyond the largest so far, which dividing can only make smaller, is not divided.
        if not 0.0 <= value <= upper:
            primal = max(primal, outside(value, 0.0, upper))
        lack = natural(value, reduced, upper)
        if not lack <= dual:
            dual = max(dual, lack / (1.0 + abs(own)))
    off = abs(balance - members.demand[m, t])
    if not off <= primal:
        primal = max(primal, off / (1.0 + abs(members.demand[m, t])))
    return cost, bound, primal, dual


@bare_kernel
def prove_content(
    members: Members, content: float, short: float, reduced: float, y: float, m: int, t: int
) -> tuple[float, float, float, float]:
    """Do the same for a step's content, its least one and what it lacks of that, at a price `y` of the least."""
    least, capacity, price = members.least[m, t], members.capacity[m], members.price_shortfall
    at_least, lacking = max(y, 0.0), content + short - least
    bound = at_least * least + min(reduced, 0.0) * capacity + min(price - at_least, 0.0) * least
    primal, dual = 0.0, natural(content, reduced, capacity)
    if not (0.0 <= content <= capacity and 0.0 <= short <= least and lacking >= 0.0):
        primal = max(outside(content, 0.0, capacity), outside(short, 0.0, least), -lacking / (1.0 + least))
    lack = natural(short, price - at_least, least)
    if not lack <= dual:
        dual = max(dual, lack / (1.0 + price))
    return price * short, bound, primal, max(dual, abs(y - at_least), natural(at_least, lacking, np.inf))


@bare_kernel
def prove_member(
    members: Members, plan: Plans, weight: np.ndarray, prices: RowPrices, m: int
) -> tuple[float, float, float, float]:
    """Figures of one member."""
    steps, kept, flow = members.demand.shape[1], members.retained[m], plan.flow
    before, cost, primal, dual = members.initial[m], 0.0, 0.0, 0.0
    bound = -prices.value[m, 0] * kept * before
    for t in range(steps):
        v, content, short = prices.value[m, t], plan.content[m, t], plan.shortfall[m, t]
        paid, part, off, lack = prove_flows(members, flow, weight[m, t], prices.at_meter[m, t], v, m, t)
        gained = flow[MISSING, m, t] - members.withdrawn[m, t]
        gained += members.gain[m, t] * flow[CHARGE, m, t] - members.drain[m, t] * flow[DISCHARGE, m, t]
        missed = abs(content - kept * before - gained)
        if not missed <= off:
            off = max(off, missed / (1.0 + members.withdrawn[m, t]))
        after = kept * prices.value[m, t + 1] if t < steps - 1 else 0.0
        reduced = v - after - max(prices.at_least[m, t], 0.0)
        held = prove_content(members, content, short, reduced, prices.at_least[m, t], m, t)
        cost, bound = cost + paid + held[0], bound + part + held[1]
        primal, dual = max(primal, off, held[2]), max(dual, lack, held[3])
        before = content
    return cost, bound, primal, dual


@bare_kernel
def prove_members(members: Members, plan: Plans, weight: np.ndarray, prices: RowPrices, proof: Proof) -> None:
    """Work out the figures of all members.

    Parameters
    ----------
    members : Members
        Their constants.
    plan : Plans
        Of all of them.
    weight : ndarray (member, step)
        What a kW given to the bus costs. [money]
    prices : RowPrices
        Prices of their rows.
    proof : Proof
        Written.
    """
    for m in range(len(proof.cost)):
        cost, bound, primal, dual = prove_member(members, plan, weight, prices, m)
        proof.cost[m], proof.bound[m], proof.primal[m], proof.dual[m] = cost, bound, primal, dual
