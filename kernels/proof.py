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
        if not 0.0 <= value <= upper:
            primal = max(primal, outside(value, 0.0, upper))
        lack = natural(value, reduced, upper)
        if not lack <= dual:  # no division where it would change nothing
            dual = max(dual, lack / (1.0 + abs(own)))
    primal = max(primal, abs(balance - members.demand[m, t]) / (1.0 + abs(members.demand[m, t])))
    return cost, bound, primal, dual


@bare_kernel
def prove_member(
    members: Members, flow: np.ndarray, weight: np.ndarray, prices: RowPrices, m: int
) -> tuple[float, float, float, float]:
    """Figures of one member; its contents follow from its flows."""
    steps, kept, capacity = members.demand.shape[1], members.retained[m], members.capacity[m]
    content, short_price = members.initial[m], members.price_shortfall
    cost, primal, dual = 0.0, 0.0, 0.0
    bound = -prices.value[m, 0] * kept * content
    for t in range(steps):
        v, least = prices.value[m, t], members.least[m, t]
        at_least = min(max(prices.at_least[m, t], 0.0), short_price) if least > 0.0 else 0.0
        paid, part, off, lack = prove_flows(members, flow, weight[m, t], prices.at_meter[m, t], v, m, t)
        content = kept * content + flow[MISSING, m, t] - members.withdrawn[m, t]
        content += members.gain[m, t] * flow[CHARGE, m, t] - members.drain[m, t] * flow[DISCHARGE, m, t]
        after = kept * prices.value[m, t + 1] if t < steps - 1 else 0.0
        reduced = v - after - at_least
        bound += part + at_least * least + min(reduced, 0.0) * capacity
        short = max(least - content, 0.0)
        cost += paid + short_price * short
        primal = max(primal, off, outside(content, 0.0, capacity))
        dual = max(dual, lack, natural(content, reduced, capacity), abs(prices.at_least[m, t] - at_least))
        if least > 0.0:
            dual = max(dual, natural(short, short_price - at_least, np.inf) / (1.0 + short_price))
            dual = max(dual, natural(at_least, content + short - least, short_price))
    return cost, bound, primal, dual


@bare_kernel
def prove_members(members: Members, flow: np.ndarray, weight: np.ndarray, prices: RowPrices, proof: Proof) -> None:
    """Work out the figures of all members.

    Parameters
    ----------
    members : Members
        Their constants.
    flow : ndarray (kind, member, step)
        Their plans. [kW; missing withdrawal kWh]
    weight : ndarray (member, step)
        What a kW given to the bus costs. [money]
    prices : RowPrices
        Prices of their rows.
    proof : Proof
        Written.
    """
    for m in range(len(proof.cost)):
        cost, bound, primal, dual = prove_member(members, flow, weight, prices, m)
        proof.cost[m], proof.bound[m], proof.primal[m], proof.dual[m] = cost, bound, primal, dual
