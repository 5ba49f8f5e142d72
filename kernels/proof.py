"""Cost, violations and a lower bound of plans from bounds, costs and row prices alone, a kind of column at a time.

With prices ``y`` of the balances at the meter, ``-v`` of the contents' balances and ``l`` of the least contents, the
Lagrangian falls apart into one column each: the bound is the rows' right-hand sides at their prices, plus for each
column the least of its reduced cost times what its bounds allow. It is valid for any prices; nothing of how plan or
prices were found enters it.

Arrays are read where they stand, in the case and among a program's columns and rows. Those of one row stand for all
elements, those of one column for all steps. Costs and bounds [money] are added up step by step; what comes back is the
largest violation of a row or a bound, relative to 1 plus the bound (*primal*), and the largest natural residual
``|x - projection(x - d)|`` of a column or row, relative to 1 plus its cost (*dual*).

A row of columns is one element's in all steps. Each loop over it is short enough to take many steps at a time; those
beyond the largest figure so far are counted before any of them is divided.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel

LARGEST = float(np.finfo(np.float64).max)
Two = tuple[float, float]
"""Primal, dual."""


class Scratch(NamedTuple):
    """Sums over all elements, and room for one row of columns.

    Attributes
    ----------
    cost, bound : ndarray (step,)
        Of all that has been looked at. [money]
    own, reduced, most : ndarray (step,)
        Cost, reduced cost and upper bound of a row of columns.
    worth, gain, drain, value : ndarray (step,)
        What is common to rows of one element.
    """

    cost: np.ndarray
    bound: np.ndarray
    own: np.ndarray
    reduced: np.ndarray
    most: np.ndarray
    worth: np.ndarray
    gain: np.ndarray
    drain: np.ndarray
    value: np.ndarray


def make_scratch(steps: int) -> Scratch:
    """Make sums of nothing yet."""
    return Scratch(*np.zeros((len(Scratch._fields), steps)))


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
def larger(one: float, other: float) -> float:
    """Larger of two numbers; NaN where either is."""
    return one if one >= other or np.isnan(one) else other


@bare_kernel
def natural(value: float, reduced: float, upper: float) -> float:
    """Distance that a step against the reduced cost would really go between 0 and an upper bound."""
    return abs(value - min(max(value - reduced, 0.0), upper))


@bare_kernel
def fill(target: np.ndarray, values: np.ndarray, e: int, factor: float) -> None:
    """Write a factor times values of an element, (element or 1, step or 1), to all steps of `target`."""
    row = e if values.shape[0] > 1 else 0
    if values.shape[1] == 1:
        target[:] = factor * values[row, 0]
        return
    for t in range(len(target)):
        target[t] = factor * values[row, t]


@bare_kernel
def worst_column(x: np.ndarray, s: Scratch, largest: Two) -> Two:
    """Violation and residual of a row of columns `x`, (step,), where they are above the largest so far."""
    own, reduced, most, (primal, dual) = s.own, s.reduced, s.most, largest
    beyond = 0
    for t in range(len(x)):
        beyond += 0 if x[t] >= 0.0 else 1
        beyond += 0 if x[t] <= most[t] else 1
        beyond += 0 if natural(x[t], reduced[t], most[t]) <= dual else 1
    if beyond == 0:
        return largest
    for t in range(len(x)):
        if not 0.0 <= x[t] <= most[t]:
            primal = larger(primal, outside(x[t], 0.0, most[t]))
        dual = larger(dual, natural(x[t], reduced[t], most[t]) / (1.0 + abs(own[t])))
    return primal, dual


@bare_kernel
def prove_columns(x: np.ndarray, s: Scratch, largest: Two) -> Two:
    """Add cost and bound of a row of columns, and find the largest violation and residual.

    Parameters
    ----------
    x : ndarray (step,)
        Their values, at least 0.
    s : Scratch
        With their costs, reduced costs and upper bounds.
    largest : float, float
        Primal and dual so far.
    """
    cost, bound, own, reduced, most = s.cost, s.bound, s.own, s.reduced, s.most
    for t in range(len(x)):
        cost[t] += own[t] * x[t]
    for t in range(len(x)):
        bound[t] += reduced[t] * most[t] if reduced[t] < 0.0 else 0.0
    return worst_column(x, s, largest)


@bare_kernel
def prove_alike(
    value: np.ndarray,
    r: int,
    most: np.ndarray,
    e: int,
    own: float,
    sign: float,
    y: np.ndarray,
    balance: np.ndarray,
    s: Scratch,
    largest: Two,
) -> Two:
    """Figures of flows at one meter that all cost the same, and what they add to its balance.

    Parameters
    ----------
    value, r : ndarray (row, step), int
        The flows, and which row of them. [kW]
    most, e : ndarray (element, step), int
        Their bounds, and which row. [kW]
    own : float
        What a kW costs. [money]
    sign : float
        Coefficient in the balance.
    y, balance : ndarray (step,)
        Price of the balance [money/kW]; its left side [kW], changed in place.
    s, largest
        See `prove_columns`.
    """
    s.own[:] = own
    fill(s.most, most, e, 1.0)
    for t in range(len(y)):
        s.reduced[t] = own - sign * y[t]
    for t in range(len(y)):
        balance[t] += sign * value[r, t]
    return prove_columns(value[r], s, largest)
