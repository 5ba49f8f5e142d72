"""Cost, violations and a lower bound of plans from bounds, costs and row prices alone, a kind of column at a time.

With prices ``y`` of the balances at the meter, ``-v`` of the contents' balances and ``l`` of the least contents, the
Lagrangian falls apart into one column each: the bound is the rows' right-hand sides at their prices, plus for each
column the least of its reduced cost times what its bounds allow. It is valid for any prices; nothing of how plan or
prices were found enters it.

Arrays are read where they stand, in the case and among a program's columns and rows. Those of one row stand for all
elements, those of one column for all steps. Four figures come back: cost and bound [money], the largest violation of a
row or a bound, relative to 1 plus the bound (*primal*), and the largest natural residual ``|x - projection(x - d)|`` of
a column or row, relative to 1 plus its cost (*dual*).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel
from kernels.store_value import at

LARGEST = float(np.finfo(np.float64).max)
Four = tuple[float, float, float, float]
"""Cost, bound, primal, dual."""


class Held(NamedTuple):
    """Constants of stores of one kind.

    Attributes
    ----------
    charge_max, discharge_max, withdrawn : ndarray (store or 1, step or 1)
        Largest powers, and what is withdrawn from the content. [kW]
    gain, drain : ndarray (store or 1, step or 1)
        Efficiencies of charging and discharging. [1]
    wear : ndarray (store or 1, step or 1)
        [money/kWh]
    least : ndarray (store, step or 1)
        Content below which shortfall is paid, from step `first` on. [kWh]
    retained, capacity, initial : ndarray (store,)
        Share of the content that is left after a step; bounds and start of the content. [1, kWh, kWh]
    first : int
        First step that asks for a content.
    dt : float
        Length of a step. [h]
    price : float
        Of content that is lacking, or withdrawn without being there. [money/kWh]
    """

    charge_max: np.ndarray
    discharge_max: np.ndarray
    withdrawn: np.ndarray
    gain: np.ndarray
    drain: np.ndarray
    wear: np.ndarray
    least: np.ndarray
    retained: np.ndarray
    capacity: np.ndarray
    initial: np.ndarray
    first: int
    dt: float
    price: float


class Holding(NamedTuple):
    """What stores of one kind do, and prices of their rows.

    Attributes
    ----------
    charge, discharge, missing : ndarray (row or 1, step or 1)
        Powers, and withdrawal that is missing. [kW; `unit` kWh]
    content : ndarray (row, step)
        After each step. [kWh]
    shortfall, at_least : ndarray (row, step)
        What that lacks of the least, and the price of the least; of the last steps only where there are fewer columns.
        [kWh, money/kWh]
    value : ndarray (row, step)
        Price of the content's balance, `turn` times. [money/kWh]
    row : ndarray (store,) of int
        Row of each store.
    unit, turn : float
        What `missing` and `value` are multiplied by: kWh, and the value of content.
    """

    charge: np.ndarray
    discharge: np.ndarray
    missing: np.ndarray
    content: np.ndarray
    shortfall: np.ndarray
    at_least: np.ndarray
    value: np.ndarray
    row: np.ndarray
    unit: float
    turn: float


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
def all_inside(value: np.ndarray, lower: np.ndarray, upper: np.ndarray, tolerance: float) -> bool:
    """Whether no value is farther outside its interval than a tolerance relative to 1 plus the bound, or NaN.

    Parameters
    ----------
    value, lower, upper : ndarray (number,)
        Bounds may be infinite.
    tolerance : float
        [1]
    """
    beyond = 0  # counting takes many values at a time
    for i in range(len(value)):
        beyond += 1 if lower[i] - value[i] > tolerance * (1.0 + abs(lower[i])) else 0
        beyond += 1 if value[i] - upper[i] > tolerance * (1.0 + abs(upper[i])) else 0
        beyond += 0 if value[i] == value[i] else 1
    return beyond == 0


@bare_kernel
def all_finite(values: np.ndarray) -> bool:
    """Whether no value is infinite or NaN, for vectors of any length; counting takes many values at a time."""
    off = 0
    for i in range(len(values)):
        off += 0 if abs(values[i]) <= LARGEST else 1
    return off == 0


@bare_kernel
def largest_of_others(values: np.ndarray, own: np.ndarray) -> float:
    """Largest magnitude in rows, (row, step), that are not `own`, (row,) of bool; values are finite."""
    largest = 0.0
    for row in range(len(own)):
        if own[row]:
            continue
        some = 0  # counted first, many steps at a time: most hold nothing
        for t in range(values.shape[1]):
            some += 1 if values[row, t] != 0.0 else 0
        if some > 0:
            for t in range(values.shape[1]):
                largest = max(largest, abs(values[row, t]))
    return largest


@bare_kernel
def natural(value: float, reduced: float, upper: float) -> float:
    """Distance that a step against the reduced cost would really go between 0 and an upper bound."""
    return abs(value - min(max(value - reduced, 0.0), upper))


@bare_kernel
def late(values: np.ndarray, e: int, t: int, steps: int) -> float:
    """Value of an element and step, where there may be columns of the last steps only."""
    k = t - steps + values.shape[1]
    return float(values[e, k]) if k >= 0 else 0.0


@bare_kernel
def prove_column(value: float, upper: float, cost: float, reduced: float) -> Four:
    """Figures of one column between 0 and an upper bound, the residual not yet divided."""
    primal, bound = 0.0, reduced * upper if reduced < 0.0 else 0.0
    if not 0.0 <= value <= upper:
        primal = outside(value, 0.0, upper)
    return cost * value, bound, primal, natural(value, reduced, upper)


@bare_kernel
def prove_flows(
    value: np.ndarray,
    value_row: np.ndarray,
    upper: np.ndarray,
    price: np.ndarray,
    factor: float,
    sign: float,
    y: np.ndarray,
    row: np.ndarray,
    weight: np.ndarray,
    bus: np.ndarray,
    given: float,
    balance: np.ndarray,
) -> Four:
    """Figures of one kind of flow at the meters, and what it adds to their balances.

    Parameters
    ----------
    value : ndarray (row, step)
        The flows. [kW]
    value_row, row, bus : ndarray (element,) of int
        Row of each element among the values, of its meter, and its bus.
    upper, price : ndarray (element or 1, step or 1)
        Bounds and prices. [kW, money/kWh]
    factor : float
        Cost of a kW for each unit of the price. [h]
    sign : float
        Coefficient in the balance at the meter.
    y : ndarray (row, step)
        Price of the balance. [money/kW]
    weight : ndarray (bus, step)
        What a kW given to the bus costs. [money/kW]
    given : float
        How much of the flow is given to the bus: 1, -1 or 0.
    balance : ndarray (row, step)
        Changed in place. [kW]
    """
    steps = y.shape[1]
    cost, bound, primal, dual = 0.0, 0.0, 0.0, 0.0
    for e in range(len(row)):
        m, r = row[e], value_row[e]
        for t in range(steps):
            x, most = value[r, t], at(upper, e, t)
            if x == 0.0 and most == 0.0:
                continue
            own = factor * at(price, e, t)
            reduced = own - sign * y[m, t]
            if given != 0.0:
                reduced += given * weight[bus[e], t]
            paid, least, off, lack = prove_column(x, most, own, reduced)
            cost, bound, primal = cost + paid, bound + least, max(primal, off)
            if not lack <= dual:  # dividing makes it smaller
                dual = max(dual, lack / (1.0 + abs(own)))
            balance[m, t] += sign * x
    return cost, bound, primal, dual


@bare_kernel
def prove_balances(balance: np.ndarray, demand: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Part of the bound, and violation, of the balances at the meters.

    Parameters
    ----------
    balance, demand : ndarray (row, step)
        Left and right sides. [kW]
    y : ndarray (row, step)
        Prices. [money/kW]
    """
    bound, primal = 0.0, 0.0
    for m in range(demand.shape[0]):
        for t in range(demand.shape[1]):
            bound += y[m, t] * demand[m, t]
            off = abs(balance[m, t] - demand[m, t])
            if not off <= primal:
                primal = max(primal, off / (1.0 + abs(demand[m, t])))
    return bound, primal


@bare_kernel
def prove_powers(
    held: Held, plan: Holding, e: int, t: int, y: float, v: float
) -> tuple[float, float, float, float, float, float]:
    """Figures of a step's powers and missing withdrawal; what the meter gets [kW] and the content gains [kWh]."""
    r, dt = plan.row[e], held.dt
    wear, withdrawn = dt * at(held.wear, e, t), dt * at(held.withdrawn, e, t)
    gain, drain = dt * at(held.gain, e, t), dt / at(held.drain, e, t)
    charge, discharge = at(plan.charge, r, t), at(plan.discharge, r, t)
    missing = plan.unit * at(plan.missing, r, t)
    of_charge = prove_column(charge, at(held.charge_max, e, t), wear, wear + y - v * gain)
    of_discharge = prove_column(discharge, at(held.discharge_max, e, t), wear, wear - y + v * drain)
    of_missing = prove_column(missing, withdrawn, held.price, held.price - v)
    return (
        of_charge[0] + of_discharge[0] + of_missing[0],
        v * withdrawn + of_charge[1] + of_discharge[1] + of_missing[1],
        max(of_charge[2], of_discharge[2], of_missing[2]),
        max(max(of_charge[3], of_discharge[3]) / (1.0 + abs(wear)), of_missing[3] / (1.0 + held.price)),
        discharge - charge,
        missing - withdrawn + gain * charge - drain * discharge,
    )


@bare_kernel
def prove_content(held: Held, e: int, t: int, content: float, short: float, reduced: float, l: float) -> Four:
    """Figures of a step's content, its least one and what it lacks of that, at a price `l` of the least."""
    capacity, price = held.capacity[e], held.price
    least = at(held.least, e, t) if t >= held.first else 0.0
    at_least, lacking = max(l, 0.0), content + short - least
    bound = at_least * least + min(reduced, 0.0) * capacity + min(price - at_least, 0.0) * least
    primal, dual = 0.0, natural(content, reduced, capacity)
    if not (0.0 <= content <= capacity and 0.0 <= short <= least and lacking >= 0.0):
        primal = max(outside(content, 0.0, capacity), outside(short, 0.0, least), -lacking / (1.0 + least))
    dual = max(dual, natural(short, price - at_least, least) / (1.0 + price))
    return price * short, bound, primal, max(dual, abs(l - at_least), natural(at_least, lacking, np.inf))


@bare_kernel
def prove_stores(held: Held, plan: Holding, y: np.ndarray, row: np.ndarray, balance: np.ndarray) -> Four:
    """Figures of all stores of one kind, and what they add to the balances at their meters.

    Parameters
    ----------
    held : Held
        Their constants.
    plan : Holding
        What they do, and prices of their rows.
    y : ndarray (row, step)
        Price of the balance at the meter. [money/kW]
    row : ndarray (store,) of int
        Row of each store's meter.
    balance : ndarray (row, step)
        Changed in place. [kW]
    """
    steps = y.shape[1]
    cost, bound, primal, dual = 0.0, 0.0, 0.0, 0.0
    for e in range(len(row)):
        m, r, kept, before = row[e], plan.row[e], held.retained[e], held.initial[e]
        v = plan.turn * plan.value[r, 0]
        bound -= v * kept * before
        for t in range(steps):
            paid, part, off, lack, given, gained = prove_powers(held, plan, e, t, y[m, t], v)
            balance[m, t] += given
            content, short = plan.content[r, t], late(plan.shortfall, r, t, steps)
            missed = abs(content - kept * before - gained) / (1.0 + held.dt * at(held.withdrawn, e, t))
            value_next = plan.turn * plan.value[r, t + 1] if t < steps - 1 else 0.0
            l = late(plan.at_least, r, t, steps)
            reduced = v - kept * value_next - max(l, 0.0)
            of_content = prove_content(held, e, t, content, short, reduced, l)
            cost, bound = cost + paid + of_content[0], bound + part + of_content[1]
            primal, dual = max(primal, off, missed, of_content[2]), max(dual, lack, of_content[3])
            before, v = content, value_next
    return cost, bound, primal, dual


@bare_kernel
def give(take: np.ndarray, export: np.ndarray, value_row: np.ndarray, bus: np.ndarray, x: np.ndarray) -> None:
    """Add what meters give to their buses.

    Parameters
    ----------
    take, export : ndarray (row, step)
        Import and export. [kW]
    value_row, bus : ndarray (meter,) of int
        Row of each meter among them, and its bus.
    x : ndarray (bus, step)
        Changed in place. [kW]
    """
    for m in range(len(bus)):
        for t in range(x.shape[1]):
            x[bus[m], t] += export[value_row[m], t] - take[value_row[m], t]
