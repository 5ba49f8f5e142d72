"""The part of a store's program that is left when only some of its columns may move, and its contents and prices.

A member is one meter with at most one store, whose content may be withdrawn (driving, heat). Columns that may not move
keep their values; the content is then only a column at steps in which the store may work, and each such content answers
for the bounds of all contents up to the next one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel

CHARGE, DISCHARGE, CURTAILED, IMPORT, EXPORT, UNSERVED, SPILLED, MISSING, CONTENT, SHORTFALL = range(10)
FLOWS = 8
"""Kinds of column that a member has in each step, besides its content: powers, and withdrawal that is missing [kWh]."""
SIGN = (-1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.0)
"""Coefficients of the flows in the balance at the meter."""
NEAR = 1e-9
"""Flows and contents this close to a bound, in kW and kWh, are taken to be at it."""
METER_ROW, STORE_ROW, LEAST_ROW = range(3)


class Members(NamedTuple):
    """Constants of all members.

    Attributes
    ----------
    upper : ndarray (kind, member, step)
        Largest flows; the least are 0. [kW; missing withdrawal kWh]
    cost : ndarray (kind, member, step)
        Money per unit of each flow.
    demand : ndarray (member, step)
        Right-hand side of the balance at the meter. [kW]
    gain, drain : ndarray (member, step)
        Content gained for each kW of charge, lost for each kW of discharge. [kWh/kW]
    withdrawn, least : ndarray (member, step)
        Content withdrawn in the step, and content at its end below which shortfall is paid. [kWh]
    retained : ndarray (member,)
        Share of the content that is left after a step.
    capacity, initial : ndarray (member,)
        [kWh]
    price_shortfall : float
        [money/kWh]
    """

    upper: np.ndarray
    cost: np.ndarray
    demand: np.ndarray
    gain: np.ndarray
    drain: np.ndarray
    withdrawn: np.ndarray
    least: np.ndarray
    retained: np.ndarray
    capacity: np.ndarray
    initial: np.ndarray
    price_shortfall: float


class Entries(NamedTuple):
    """Columns, rows and coefficients of the program that is left; written up to `size`.

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
    size : ndarray (3,)
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
    size: np.ndarray


def make_entries(free: np.ndarray, short: np.ndarray) -> Entries:
    """Make room for what `list_entries` writes.

    Parameters
    ----------
    free, short : ndarray of bool
        As for `list_entries`.

    Returns
    -------
    Entries
    """
    flows = int(np.count_nonzero(free))
    working = int(np.count_nonzero(free[CHARGE] | free[DISCHARGE] | free[MISSING]))
    lacking = int(np.count_nonzero(short))
    columns = flows + working + lacking
    rows = int(np.count_nonzero(free.any(axis=0))) + working + lacking
    values = 2 * flows + 2 * working + 2 * lacking
    whole = dict.fromkeys(("member", "step", "kind"), columns) | {"at_row": values, "at_column": values}
    whole |= dict.fromkeys(("row_member", "row_step", "row_kind"), rows)
    real = dict.fromkeys(("lower", "upper", "cost"), columns) | {"row_lower": rows, "row_upper": rows, "value": values}
    arrays = {name: np.empty(n, np.int32) for name, n in whole.items()} | {n: np.empty(k) for n, k in real.items()}
    return Entries(**arrays, size=np.zeros(3, np.int64))


@bare_kernel
def add_column(e: Entries, m: int, t: int, kind: int, lower: float, upper: float, cost: float) -> int:
    """Write a column; returns its number."""
    n = int(e.size[0])
    e.member[n], e.step[n], e.kind[n] = m, t, kind
    e.lower[n], e.upper[n], e.cost[n] = lower, upper, cost
    e.size[0] = n + 1
    return n


@bare_kernel
def add_row(e: Entries, m: int, t: int, kind: int, lower: float, upper: float) -> int:
    """Write a row; returns its number."""
    n = int(e.size[1])
    e.row_member[n], e.row_step[n], e.row_kind[n] = m, t, kind
    e.row_lower[n], e.row_upper[n] = lower, upper
    e.size[1] = n + 1
    return n


@bare_kernel
def add_value(e: Entries, row: int, column: int, value: float) -> None:
    """Write a coefficient, unless it is 0."""
    if value != 0.0:
        n = e.size[2]
        e.at_row[n], e.at_column[n], e.value[n] = row, column, value
        e.size[2] = n + 1


@bare_kernel
def list_flows(
    members: Members, free: np.ndarray, flow: np.ndarray, m: int, t: int, store_row: int, e: Entries
) -> None:
    """Write the flows of a step that may move and the balance at the meter, if there are any."""
    row, demand = -1, members.demand[m, t]
    for kind in range(FLOWS):
        if not free[kind, m, t]:
            demand -= SIGN[kind] * flow[kind, m, t]
            continue
        column = add_column(e, m, t, kind, 0.0, members.upper[kind, m, t], members.cost[kind, m, t])
        if kind == MISSING:
            add_value(e, store_row, column, -1.0)
            continue
        if row < 0:
            row = add_row(e, m, t, METER_ROW, 0.0, 0.0)
        add_value(e, row, column, SIGN[kind])
        if kind == CHARGE:
            add_value(e, store_row, column, -members.gain[m, t])
        elif kind == DISCHARGE:
            add_value(e, store_row, column, members.drain[m, t])
    if row >= 0:
        e.row_lower[row] = e.row_upper[row] = demand


@bare_kernel
def list_least(
    members: Members, short: bool, m: int, t: int, last: int, share: float, drift: float, e: Entries
) -> None:
    """Write the least content of a step: as a row if it may be missed, else as a bound of the last content."""
    if short:
        row = add_row(e, m, t, LEAST_ROW, members.least[m, t] - drift, np.inf)
        add_value(e, row, last, share)
        add_value(e, row, add_column(e, m, t, SHORTFALL, 0.0, np.inf, members.price_shortfall), 1.0)
    elif share > 0.0:
        e.lower[last] = max(e.lower[last], (members.least[m, t] - drift) / share)


@bare_kernel
def fixed_gain(members: Members, free: np.ndarray, flow: np.ndarray, m: int, t: int) -> float:
    """Content that the flows which may not move, and what is withdrawn, add in a step."""
    gained = -members.withdrawn[m, t]
    if not free[CHARGE, m, t]:
        gained += members.gain[m, t] * flow[CHARGE, m, t]
    if not free[DISCHARGE, m, t]:
        gained -= members.drain[m, t] * flow[DISCHARGE, m, t]
    if not free[MISSING, m, t]:
        gained += flow[MISSING, m, t]
    return float(gained)


@bare_kernel
def uncross(e: Entries, column: int) -> None:
    """Let no rounding cross the bounds of a content."""
    if e.lower[column] > e.upper[column]:
        e.lower[column] = e.upper[column] = 0.5 * (e.lower[column] + e.upper[column])


@bare_kernel
def list_member(members: Members, free: np.ndarray, short: np.ndarray, flow: np.ndarray, m: int, e: Entries) -> None:
    """Write one member; its content is always ``share * (the last content column) + drift``."""
    steps, last, share, drift = members.demand.shape[1], -1, 1.0, members.initial[m]
    for t in range(steps):
        share *= members.retained[m]
        drift = members.retained[m] * drift + fixed_gain(members, free, flow, m, t)
        row = -1
        if free[CHARGE, m, t] or free[DISCHARGE, m, t] or free[MISSING, m, t]:
            row = add_row(e, m, t, STORE_ROW, drift, drift)
            if last >= 0:
                uncross(e, last)
                add_value(e, row, last, -share)
            last, share, drift = add_column(e, m, t, CONTENT, 0.0, members.capacity[m], 0.0), 1.0, 0.0
            add_value(e, row, last, 1.0)
        list_flows(members, free, flow, m, t, row, e)
        if last >= 0 and share > 0.0:
            e.lower[last] = max(e.lower[last], -drift / share)
            e.upper[last] = min(e.upper[last], (members.capacity[m] - drift) / share)
        if last >= 0 and members.least[m, t] > 0.0:
            list_least(members, short[m, t], m, t, last, share, drift, e)
    if last >= 0:
        uncross(e, last)


@bare_kernel
def list_entries(members: Members, free: np.ndarray, short: np.ndarray, flow: np.ndarray, e: Entries) -> None:
    """Write the program over the flows that may move.

    Parameters
    ----------
    members : Members
        All of them.
    free : ndarray (kind, member, step) of bool
        Flows that may move.
    short : ndarray (member, step) of bool
        Where members may fall short of their least content.
    flow : ndarray (kind, member, step)
        Flows; those that may not move keep these values. [kW]
    e : Entries
        Written.
    """
    for m in range(len(short)):
        list_member(members, free, short, flow, m, e)


@bare_kernel
def contents(members: Members, flow: np.ndarray, content: np.ndarray, shortfall: np.ndarray) -> None:
    """Add up the content after each step, and what it lacks.

    Parameters
    ----------
    members : Members
        All of them.
    flow : ndarray (kind, member, step)
        Their flows. [kW]
    content, shortfall : ndarray (member, step)
        Written. [kWh]
    """
    count, steps = members.demand.shape
    for m in range(count):
        now = members.initial[m]
        for t in range(steps):
            now = members.retained[m] * now + flow[MISSING, m, t] - members.withdrawn[m, t]
            now += members.gain[m, t] * flow[CHARGE, m, t] - members.drain[m, t] * flow[DISCHARGE, m, t]
            content[m, t] = now
            lacking = members.least[m, t] - now
            shortfall[m, t] = lacking if lacking > NEAR else 0.0
