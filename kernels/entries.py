"""The part of a store's program that is left when only some of its columns may move, and its contents and prices.

A member is one meter with at most one store. Columns that may not move keep their values; the content is then only a
column at steps in which the store may work, and each such content answers for the bounds of all contents up to the
next one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel

CHARGE, DISCHARGE, CURTAILED, IMPORT, EXPORT, UNSERVED, SPILLED, CONTENT, SHORTFALL = range(9)
FLOWS = 7
"""Kinds of column that a member has in each step, besides its content."""
SIGN = (-1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0)
"""Coefficients of the flows in the balance at the meter."""
NEAR = 1e-9
"""Flows and contents this close to a bound, in kW and kWh, are taken to be at it."""
METER_ROW, STORE_ROW, FINAL_ROW = range(3)


class Members(NamedTuple):
    """Constants of all members.

    Attributes
    ----------
    upper : ndarray (kind, member, step)
        Largest flows; the least are 0. [kW]
    cost : ndarray (kind, member, step)
        Money per unit of each flow.
    demand : ndarray (member, step)
        Right-hand side of the balance at the meter. [kW]
    gain, drain : ndarray (member,)
        Content gained for each kW of charge, lost for each kW of discharge. [kWh/kW]
    retained : ndarray (member,)
        Share of the content that is left after a step.
    capacity, initial, final : ndarray (member,)
        [kWh]
    price_shortfall : float
        [money/kWh]
    """

    upper: np.ndarray
    cost: np.ndarray
    demand: np.ndarray
    gain: np.ndarray
    drain: np.ndarray
    retained: np.ndarray
    capacity: np.ndarray
    initial: np.ndarray
    final: np.ndarray
    price_shortfall: float


class Entries(NamedTuple):
    """Columns, rows and coefficients of the program that is left; written up to `count`.

    Attributes
    ----------
    member, step, kind : ndarray (column,)
        What each column is.
    lower, upper, cost : ndarray (column,)
        Its bounds and cost.
    row_member, row_step, row_kind : ndarray (row,)
        What each row is.
    row_lower, row_upper : ndarray (row,)
        Its bounds.
    at_row, at_column, value : ndarray (coefficient,)
        Coefficients.
    count : ndarray (3,)
        How many columns, rows and coefficients there are.
    """

    member: np.ndarray
    step: np.ndarray
    kind: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cost: np.ndarray
    row_member: np.ndarray
    row_step: np.ndarray
    row_kind: np.ndarray
    row_lower: np.ndarray
    row_upper: np.ndarray
    at_row: np.ndarray
    at_column: np.ndarray
    value: np.ndarray
    count: np.ndarray


def make_entries(free: np.ndarray, short: np.ndarray) -> Entries:
    """Make room for what `list_entries` writes."""
    flows = int(np.count_nonzero(free))
    working = int(np.count_nonzero(free[CHARGE] | free[DISCHARGE]))
    rows = int(np.count_nonzero(free.any(axis=0))) + working + len(short)
    columns, values = flows + working + len(short), 2 * flows + 2 * working + 2 * len(short)
    whole = [np.empty(columns, np.int32) for _ in range(3)]
    real = [np.empty(columns) for _ in range(3)]
    row_whole = [np.empty(rows, np.int32) for _ in range(3)]
    row_real = [np.empty(rows) for _ in range(2)]
    at = [np.empty(values, np.int32) for _ in range(2)]
    return Entries(*whole, *real, *row_whole, *row_real, *at, np.empty(values), np.zeros(3, np.int64))


@bare_kernel
def add_column(e: Entries, m: int, t: int, kind: int, lower: float, upper: float, cost: float) -> int:
    """Write a column; returns its number."""
    n = e.count[0]
    e.member[n], e.step[n], e.kind[n] = m, t, kind
    e.lower[n], e.upper[n], e.cost[n] = lower, upper, cost
    e.count[0] = n + 1
    return n


@bare_kernel
def add_row(e: Entries, m: int, t: int, kind: int, lower: float, upper: float) -> int:
    """Write a row; returns its number."""
    n = e.count[1]
    e.row_member[n], e.row_step[n], e.row_kind[n] = m, t, kind
    e.row_lower[n], e.row_upper[n] = lower, upper
    e.count[1] = n + 1
    return n


@bare_kernel
def add_value(e: Entries, row: int, column: int, value: float) -> None:
    """Write a coefficient, unless it is 0."""
    if value != 0.0:
        n = e.count[2]
        e.at_row[n], e.at_column[n], e.value[n] = row, column, value
        e.count[2] = n + 1


@bare_kernel
def list_entries(members: Members, free: np.ndarray, short: np.ndarray, flow: np.ndarray, e: Entries) -> None:
    """Write the program over the flows that may move.

    Parameters
    ----------
    members : Members
        All of them.
    free : ndarray (kind, member, step) of bool
        Flows that may move.
    short : ndarray (member,) of bool
        Members that may fall short of their final content.
    flow : ndarray (kind, member, step)
        Flows; those that may not move keep these values. [kW]
    e : Entries
        Written.
    """
    count, steps = members.demand.shape
    for m in range(count):
        last, share, drift = -1, 1.0, members.initial[m]  # content = share * (content column `last`) + drift
        low, high = -np.inf, np.inf
        for t in range(steps):
            share *= members.retained[m]
            drift *= members.retained[m]
            row = -1
            demand = members.demand[m, t]
            store_row = -1
            if free[CHARGE, m, t] or free[DISCHARGE, m, t]:
                if last >= 0:
                    close_content(e, last, low, high)
                store_row = add_row(e, m, t, STORE_ROW, drift, drift)
                if last >= 0:
                    add_value(e, store_row, last, -share)
                last = add_column(e, m, t, CONTENT, 0.0, members.capacity[m], 0.0)
                add_value(e, store_row, last, 1.0)
                share, drift, low, high = 1.0, 0.0, 0.0, members.capacity[m]
            any_free = False
            for kind in range(FLOWS):
                any_free = any_free or free[kind, m, t]
            if any_free:
                row = add_row(e, m, t, METER_ROW, 0.0, 0.0)
            for kind in range(FLOWS):
                sign = SIGN[kind]
                if free[kind, m, t]:
                    column = add_column(e, m, t, kind, 0.0, members.upper[kind, m, t], members.cost[kind, m, t])
                    add_value(e, row, column, sign)
                    if kind == CHARGE:
                        add_value(e, store_row, column, -members.gain[m])
                    elif kind == DISCHARGE:
                        add_value(e, store_row, column, members.drain[m])
                else:
                    value = flow[kind, m, t]
                    demand -= sign * value
                    moved = members.gain[m] * value if kind == CHARGE else -members.drain[m] * value
                    if kind == CHARGE or kind == DISCHARGE:
                        if store_row >= 0:
                            e.row_lower[store_row] += moved
                            e.row_upper[store_row] += moved
                        else:
                            drift += moved
            if row >= 0:
                e.row_lower[row] = e.row_upper[row] = demand
            if last >= 0 and share > 0.0:
                low, high = max(low, -drift / share), min(high, (members.capacity[m] - drift) / share)
        if last >= 0:
            if short[m]:
                final = add_row(e, m, steps - 1, FINAL_ROW, members.final[m] - drift, np.inf)
                add_value(e, final, last, share)
                column = add_column(e, m, steps - 1, SHORTFALL, 0.0, np.inf, members.price_shortfall)
                add_value(e, final, column, 1.0)
            elif share > 0.0:
                low = max(low, (members.final[m] - drift) / share)
            close_content(e, last, low, high)


@bare_kernel
def close_content(e: Entries, column: int, low: float, high: float) -> None:
    """Give a content the bounds that it answers for; rounding must not let them cross."""
    if low > high:
        low = high = 0.5 * (low + high)
    e.lower[column], e.upper[column] = low, high


@bare_kernel
def contents(members: Members, flow: np.ndarray, content: np.ndarray, shortfall: np.ndarray) -> None:
    """Add up the content after each step, and what is missing at the end."""
    count, steps = members.demand.shape
    for m in range(count):
        now = members.initial[m]
        for t in range(steps):
            now *= members.retained[m]
            now += members.gain[m] * flow[CHARGE, m, t] - members.drain[m] * flow[DISCHARGE, m, t]
            content[m, t] = now
        shortfall[m] = members.final[m] - now if members.final[m] - now > NEAR else 0.0
