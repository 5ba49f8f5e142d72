"""Columns, rows and coefficients of a program over only those flows of members that may move.

A member is one meter with at most one store, whose content may be withdrawn (driving, heat). A column is a flow that
moves, often with a *partner* at the meter that keeps the balance there closed; see `kernels.listing`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel

CHARGE, DISCHARGE, CURTAILED, IMPORT, EXPORT, UNSERVED, SPILLED, MISSING, CONTENT, SHORTFALL = range(10)
KINDS = 10
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
    partner : ndarray (column,)
        Flow that moves with it so that the balance at the meter stays closed, -1 where none does.
    lower, upper, cost : ndarray (column,)
        Its bounds and cost.
    start : ndarray (column,)
        Its value in the plan to start from.
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
    partner: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cost: np.ndarray
    start: np.ndarray
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
    whole = dict.fromkeys(("member", "step", "kind", "partner"), columns) | {"at_row": values, "at_column": values}
    whole |= dict.fromkeys(("row_member", "row_step", "row_kind"), rows)
    real = dict.fromkeys(("lower", "upper", "cost", "start"), columns)
    real |= {"row_lower": rows, "row_upper": rows, "value": values}
    arrays = {name: np.empty(n, np.int32) for name, n in whole.items()} | {n: np.empty(k) for n, k in real.items()}
    return Entries(**arrays, size=np.zeros(3, np.int64))


@bare_kernel
def add_column(e: Entries, m: int, t: int, kind: int, lower: float, upper: float, cost: float) -> int:
    """Write a column without a partner; returns its number."""
    n = int(e.size[0])
    e.member[n], e.step[n], e.kind[n], e.partner[n] = m, t, kind, -1
    e.lower[n], e.upper[n], e.cost[n], e.start[n] = lower, upper, cost, 0.0
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
def uncross(e: Entries, column: int) -> None:
    """Let no rounding cross the bounds of a column."""
    if e.lower[column] > e.upper[column]:
        e.lower[column] = e.upper[column] = 0.5 * (e.lower[column] + e.upper[column])


@bare_kernel
def partner_change(kind: int, partner: int) -> float:
    """By how much a partner moves for each kW of a flow, the balance at the meter staying closed."""
    return -SIGN[kind] / SIGN[partner]


@bare_kernel
def move(e: Entries, columns: np.ndarray, flow: np.ndarray) -> None:
    """Move flows from what they are while all columns are 0, `flow`, to what values of the columns make of them."""
    for n in range(len(columns)):
        kind, partner, m, t = e.kind[n], e.partner[n], e.member[n], e.step[n]
        if kind < FLOWS:
            flow[kind, m, t] += columns[n]
            if partner >= 0:
                flow[partner, m, t] += partner_change(kind, partner) * columns[n]


@bare_kernel
def given_by(e: Entries, column: int) -> float:
    """Say what a unit of a column, and its partner's move, give to the port of the member."""
    kind, partner = e.kind[column], e.partner[column]
    given = 1.0 if kind == EXPORT else -1.0 if kind == IMPORT else 0.0
    if partner == EXPORT:
        given += partner_change(kind, partner)
    elif partner == IMPORT:
        given -= partner_change(kind, partner)
    return given


@bare_kernel
def list_injection(
    e: Entries, columns: int, port: np.ndarray, start: np.ndarray, number: np.ndarray, value: np.ndarray
) -> int:
    """Write what each column gives to the ports as a matrix by rows, in the form of `kernels.matrices`.

    Parameters
    ----------
    e : Entries
        What the columns are.
    columns : int
        How many there are.
    port : ndarray (member, step) of int
        Where each member injects.
    start : ndarray (port + 1,) of int
        Written.
    number, value : ndarray (column,)
        Written.

    Returns
    -------
    int
        How many columns give anything.
    """
    start[:] = 0
    for n in range(columns):
        if given_by(e, n) != 0.0:
            start[port[e.member[n], e.step[n]] + 1] += 1
    total = 0
    for k in range(1, len(start)):  # until they are written, `start[k + 1]` is where the entries of port k begin
        here = start[k]
        start[k] = total
        total += here
    for n in range(columns):
        given = given_by(e, n)
        if given != 0.0:
            at = port[e.member[n], e.step[n]] + 1
            number[start[at]], value[start[at]] = n, given
            start[at] += 1
    return total


@bare_kernel
def clear_rounding(flow: np.ndarray) -> None:
    """Clear what rounding leaves: flows below 0, and next to nothing of both ways of a store or of the meter at once.

    Parameters
    ----------
    flow : ndarray (kind, member, step)
        Changed in place; balances at meters stay as they are. [kW]
    """
    for kind in range(FLOWS):
        for m in range(flow.shape[1]):
            for t in range(flow.shape[2]):
                flow[kind, m, t] = max(flow[kind, m, t], 0.0)
    for one, other in ((CHARGE, DISCHARGE), (IMPORT, EXPORT)):
        for m in range(flow.shape[1]):
            for t in range(flow.shape[2]):
                both = min(flow[one, m, t], flow[other, m, t])
                if both < NEAR:
                    flow[one, m, t] -= both
                    flow[other, m, t] -= both


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
        if steps > 0 and members.gain[m, 0] == 0.0 and members.capacity[m] == 0.0 and members.initial[m] == 0.0:
            content[m], shortfall[m] = 0.0, 0.0  # no store
            continue
        now = members.initial[m]
        for t in range(steps):
            now = members.retained[m] * now + flow[MISSING, m, t] - members.withdrawn[m, t]
            now += members.gain[m, t] * flow[CHARGE, m, t] - members.drain[m, t] * flow[DISCHARGE, m, t]
            content[m, t] = now
            lacking = members.least[m, t] - now
            shortfall[m, t] = lacking if lacking > NEAR else 0.0


@bare_kernel
def free_differing(plan: np.ndarray, answer: np.ndarray, members: np.ndarray, used: float, free: np.ndarray) -> None:
    """Let flows that are in use in either of two plans move where any flow of the member and step differs.

    Parameters
    ----------
    plan, answer : ndarray (kind, member, step)
        Flows. [kW]
    members : ndarray (member,) of bool
        Whose flows are looked at.
    used : float
        Flows, and differences, above this count. [kW]
    free : ndarray (kind, member, step) of bool
        Changed in place.
    """
    for m in range(len(members)):
        if not members[m]:
            continue
        for t in range(plan.shape[2]):
            differs = False
            for kind in range(FLOWS):
                differs |= abs(answer[kind, m, t] - plan[kind, m, t]) > used
            if differs:
                for kind in range(FLOWS):
                    free[kind, m, t] |= answer[kind, m, t] > used or plan[kind, m, t] > used
