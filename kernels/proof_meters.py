"""Figures of meters, and of pv behind them, for the proof of a plan; see `kernels.proof`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernels._jit import bare_kernel
from kernels.entries import CURTAILED, SIGN, SPILLED, UNSERVED
from kernels.proof import fill, larger, prove_alike, prove_columns

if TYPE_CHECKING:
    import numpy as np

    from kernels.proof import Scratch, Two


class Behind(NamedTuple):
    """What loads and pv do whatever is decided.

    Attributes
    ----------
    load, pv : ndarray (element,) of int
        Meter of each.
    p_load, q_load : ndarray (load, step)
        [kW, kvar]
    p_available : ndarray (pv, step)
        [kW]
    q_pv : ndarray (pv, step or 1)
        [kvar]
    """

    load: np.ndarray
    pv: np.ndarray
    p_load: np.ndarray
    q_load: np.ndarray
    p_available: np.ndarray
    q_pv: np.ndarray


class Meters(NamedTuple):
    """Constants of meters.

    Attributes
    ----------
    take_max, give_max, unserved_max, spilled_max : ndarray (meter, step)
        Largest import, export, unserved and spilled power. [kW]
    price_take, price_give : ndarray (meter, step)
        Prices of import and export. [money/kWh]
    demand : ndarray (meter, step)
        Right side of the balance. [kW]
    row, bus : ndarray (meter,) of int
        Row of each meter among what it does, and its bus.
    dt : float
        Length of a step. [h]
    price_unmet : float
        Of unserved and spilled power. [money/kWh]
    """

    take_max: np.ndarray
    give_max: np.ndarray
    unserved_max: np.ndarray
    spilled_max: np.ndarray
    price_take: np.ndarray
    price_give: np.ndarray
    demand: np.ndarray
    row: np.ndarray
    bus: np.ndarray
    dt: float
    price_unmet: float


class Exchange(NamedTuple):
    """What meters do, and prices of their balances.

    Attributes
    ----------
    take, give, unserved, spilled : ndarray (row, step)
        [kW]
    y : ndarray (row, step)
        Price of the balance at the meter. [money/kW]
    """

    take: np.ndarray
    give: np.ndarray
    unserved: np.ndarray
    spilled: np.ndarray
    y: np.ndarray


@bare_kernel
def add_demand(behind: Behind, demand: np.ndarray) -> None:
    """Add what loads ask for at their meters, less what pv has available, to `demand`, (meter, step), in kW."""
    for e in range(len(behind.load)):
        m = behind.load[e]
        for t in range(demand.shape[1]):
            demand[m, t] += behind.p_load[e, t]
    for e in range(len(behind.pv)):
        m = behind.pv[e]
        for t in range(demand.shape[1]):
            demand[m, t] -= behind.p_available[e, t]


@bare_kernel
def curtails(value: np.ndarray, r: int, most: np.ndarray, e: int, y: np.ndarray) -> bool:
    """Whether curtailing is done, pays, or has no room to be nothing; where not, a row's figures are all 0."""
    some = 0
    for t in range(len(y)):
        some += 1 if value[r, t] != 0.0 else 0
        some += 0 if most[e, t] >= 0.0 else 1
        some += 0 if y[t] >= 0.0 else 1
    return some > 0


@bare_kernel
def prove_roofs(
    value: np.ndarray,
    value_row: np.ndarray,
    most: np.ndarray,
    y: np.ndarray,
    row: np.ndarray,
    balance: np.ndarray,
    s: Scratch,
) -> Two:
    """Figures of what is curtailed, and what that adds to the balances at the meters.

    Parameters
    ----------
    value : ndarray (row, step)
        What is curtailed. [kW]
    value_row, row : ndarray (element,) of int
        Row of each element among the values, and of its meter.
    most : ndarray (element, step)
        [kW]
    y : ndarray (row, step)
        Price of the balance at the meter. [money/kW]
    balance : ndarray (row, step)
        Changed in place. [kW]
    s : Scratch
        To which costs and bounds are added.
    """
    found = 0.0, 0.0
    for e in range(len(row)):
        r, m = value_row[e], row[e]
        if curtails(value, r, most, e, y[m]):
            found = prove_alike(value, r, most, e, 0.0, SIGN[CURTAILED], y[m], balance[m], s, found)
    return found


@bare_kernel
def moves(value: np.ndarray, r: int, most: np.ndarray, e: int) -> bool:
    """Whether anything in a row of flows, or in one of their bounds, is not 0."""
    some = 0
    for t in range(value.shape[1]):
        some += 1 if value[r, t] != 0.0 else 0
        some += 1 if most[e, t] != 0.0 else 0
    return some > 0


@bare_kernel
def prove_unmet(meters: Meters, plan: Exchange, e: int, balance: np.ndarray, s: Scratch, largest: Two) -> Two:
    """Figures of a meter's unserved and spilled power, and what they add to its balance, (step,)."""
    m, own, found = meters.row[e], meters.dt * meters.price_unmet, largest
    y = plan.y[m]
    if moves(plan.unserved, m, meters.unserved_max, e):
        found = prove_alike(plan.unserved, m, meters.unserved_max, e, own, SIGN[UNSERVED], y, balance, s, found)
    if moves(plan.spilled, m, meters.spilled_max, e):
        found = prove_alike(plan.spilled, m, meters.spilled_max, e, own, SIGN[SPILLED], y, balance, s, found)
    return found


@bare_kernel
def prove_balance(left: np.ndarray, right: np.ndarray, y: np.ndarray, s: Scratch, largest: Two) -> Two:
    """Add the part of the bound of a meter's balance, and find its largest violation; all (step,)."""
    bound, (primal, dual) = s.bound, largest
    for t in range(len(y)):
        bound[t] += y[t] * right[t]
    beyond = 0
    for t in range(len(y)):
        beyond += 0 if abs(left[t] - right[t]) <= primal else 1
    if beyond > 0:
        for t in range(len(y)):
            primal = larger(primal, abs(left[t] - right[t]) / (1.0 + abs(right[t])))
    return primal, dual


@bare_kernel
def prove_way(
    x: np.ndarray, most: np.ndarray, price: np.ndarray, e: int, factor: float, sign: float, s: Scratch, largest: Two
) -> Two:
    """Figures of what one meter imports, or exports, `x` (step,), given what a kW at it is worth.

    Parameters
    ----------
    most, price, e : ndarray (meter, step), ndarray (meter, step), int
        Bounds [kW] and prices [money/kWh], and which row.
    factor : float
        Cost of a kW for each unit of the price. [h]
    sign : float
        Coefficient in the balance at the meter, and of what is taken from the bus.
    """
    fill(s.own, price, e, factor)
    fill(s.most, most, e, 1.0)
    for t in range(len(x)):
        s.reduced[t] = s.own[t] - sign * s.worth[t]
    return prove_columns(x, s, largest)


@bare_kernel
def prove_meters(
    meters: Meters, plan: Exchange, weight: np.ndarray, priced: np.ndarray, balance: np.ndarray, s: Scratch
) -> Two:
    """Figures of what meters import, export, leave unserved and spill, and of the balances that this closes.

    Parameters
    ----------
    meters : Meters
        Their constants.
    plan : Exchange
        What they do, and prices of their balances.
    weight, priced : ndarray (bus, number), ndarray (number,) of int
        What a kW given to each bus costs [money/kW], and in which steps; nothing in all others.
    balance : ndarray (row, step)
        What all else adds to the left side of the balances; changed in place. [kW]
    s : Scratch
        To which costs and bounds are added.
    """
    dt, found = meters.dt, (0.0, 0.0)
    for e in range(len(meters.row)):
        m = meters.row[e]
        left, take, give, y = balance[m], plan.take[m], plan.give[m], plan.y[m]
        found = prove_unmet(meters, plan, e, left, s, found)
        for t in range(len(y)):
            s.worth[t] = y[t]
        for k in range(len(priced)):
            s.worth[priced[k]] += weight[meters.bus[e], k]
        found = prove_way(take, meters.take_max, meters.price_take, e, dt, 1.0, s, found)
        found = prove_way(give, meters.give_max, meters.price_give, e, -dt, -1.0, s, found)
        for t in range(len(y)):
            left[t] += take[t] - give[t]
        found = prove_balance(left, meters.demand[e], y, s, found)
    return found
