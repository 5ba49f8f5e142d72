"""The part of members' program that is left when only some of their flows may move, as small as it can be stated.

Flows that may not move keep their values. In a step, the balance at the meter gives one of the flows that may move, the
partner, as the others' sum: no column is needed for it, and a row only where several columns share its bounds. The
content is a column only at the end of each run of steps in which it can but rise, or but fall. That is what a general
presolve would find, at a tenth of its time (LV3.101: 174 rows of 4,000 were left, after 50 ms).
"""

from __future__ import annotations

import numpy as np

from kernels._jit import bare_kernel
from kernels.entries import (
    CHARGE,
    CONTENT,
    CURTAILED,
    DISCHARGE,
    EXPORT,
    FLOWS,
    IMPORT,
    LEAST_ROW,
    METER_ROW,
    MISSING,
    SHORTFALL,
    SIGN,
    SPILLED,
    STORE_ROW,
    UNSERVED,
    Entries,
    Members,
    add_column,
    add_row,
    add_value,
    partner_change,
    uncross,
)


@bare_kernel
def add_flow(members: Members, kind: int, partner: int, m: int, t: int, store_row: int, e: Entries) -> int:
    """Write a flow that moves with a partner, or alone (-1); returns its number."""
    cost = members.cost[kind, m, t]
    if partner >= 0:
        cost += partner_change(kind, partner) * members.cost[partner, m, t]
    column = add_column(e, m, t, kind, 0.0, members.upper[kind, m, t], cost)
    e.partner[column] = partner
    if kind == CHARGE:
        add_value(e, store_row, column, -members.gain[m, t])
    elif kind == DISCHARGE:
        add_value(e, store_row, column, members.drain[m, t])
    elif kind == MISSING:
        add_value(e, store_row, column, -1.0)
    return column


@bare_kernel
def choose_partner(free: np.ndarray, m: int, t: int) -> int:
    """Flow at the meter, of those that may move, that closes the balance; -1 where none may."""
    for kind in (EXPORT, IMPORT, CURTAILED, SPILLED, UNSERVED):
        if free[kind, m, t]:
            return kind
    return -1


@bare_kernel
def split_store(members: Members, free: np.ndarray, m: int, t: int) -> int:
    """Charge or discharge if it may move with both import and export and nothing else may, else -1."""
    store, others = -1, 0
    for kind in range(MISSING):
        if free[kind, m, t]:
            others += 1
            if kind <= DISCHARGE:
                store = kind
    both = free[IMPORT, m, t] and free[EXPORT, m, t]
    sound = members.cost[IMPORT, m, t] + members.cost[EXPORT, m, t] >= 0.0
    return store if both and others == 3 and sound else -1


@bare_kernel
def list_split(
    members: Members,
    store: int,
    demand: float,
    base: np.ndarray,
    seen: float,
    m: int,
    t: int,
    store_row: int,
    e: Entries,
) -> None:
    """Write a store's flow in two parts: up to where import and export change places, and beyond.

    Import and export at once never pay, so the second part is used only where the first is full, and no row is needed.
    """
    taken, given = (EXPORT, IMPORT) if store == CHARGE else (IMPORT, EXPORT)
    base[IMPORT, m, t], base[EXPORT, m, t] = max(demand, 0.0), max(-demand, 0.0)
    most = members.upper[store, m, t]
    first = min(most, base[taken, m, t])
    column = add_flow(members, store, taken, m, t, store_row, e)
    e.lower[column], e.upper[column] = max(base[taken, m, t] - members.upper[taken, m, t], 0.0), first
    e.start[column] = min(seen, first)
    uncross(e, column)
    column = add_flow(members, store, given, m, t, store_row, e)
    e.upper[column] = max(min(most - first, members.upper[given, m, t] - base[given, m, t]), 0.0)
    e.start[column] = max(seen - first, 0.0)


@bare_kernel
def list_flows(
    members: Members, free: np.ndarray, last: np.ndarray, base: np.ndarray, m: int, t: int, store_row: int, e: Entries
) -> None:
    """Write the flows of a step that may move, and what holds their partner within its bounds."""
    partner, demand, before = choose_partner(free, m, t), members.demand[m, t], e.size[0]
    for kind in range(FLOWS):
        if free[kind, m, t]:
            base[kind, m, t] = 0.0
        else:
            demand -= SIGN[kind] * base[kind, m, t]
    if free[MISSING, m, t]:
        e.start[add_flow(members, MISSING, -1, m, t, store_row, e)] = last[MISSING, m, t]
        before = e.size[0]
    store = split_store(members, free, m, t)
    if store >= 0:
        list_split(members, store, demand, base, last[store, m, t], m, t, store_row, e)
        return
    for kind in range(MISSING):
        if free[kind, m, t] and kind != partner:
            e.start[add_flow(members, kind, partner, m, t, store_row, e)] = last[kind, m, t]
    if partner >= 0:
        base[partner, m, t] = demand / SIGN[partner]
        bound_partner(members, partner, base[partner, m, t], before, m, t, e)
    elif e.size[0] > before:
        row = add_row(e, m, t, METER_ROW, demand, demand)
        for column in range(before, e.size[0]):
            add_value(e, row, column, SIGN[e.kind[column]])


@bare_kernel
def bound_partner(members: Members, partner: int, base: float, first: int, m: int, t: int, e: Entries) -> None:
    """Hold the partner of the columns from `first` on within its bounds: by those of a single one, else by a row."""
    low, high = -base, members.upper[partner, m, t] - base
    if e.size[0] == first + 1:
        if partner_change(e.kind[first], partner) < 0.0:
            low, high = -high, -low
        e.lower[first], e.upper[first] = max(e.lower[first], low), min(e.upper[first], high)
        uncross(e, first)
    elif e.size[0] > first:
        row = add_row(e, m, t, METER_ROW, low, high)
        for column in range(first, e.size[0]):
            add_value(e, row, column, partner_change(e.kind[column], partner))


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
def direction(free: np.ndarray, m: int, t: int) -> int:
    """Which way the flows that may move take the content: 1 up, -1 down, 0 either way."""
    up = free[CHARGE, m, t] or free[MISSING, m, t]
    return 0 if up and free[DISCHARGE, m, t] else 1 if up else -1


@bare_kernel
def list_member(
    members: Members, free: np.ndarray, short: np.ndarray, last: np.ndarray, content: np.ndarray, base: np.ndarray,
    m: int, e: Entries,
) -> None:  # fmt: skip
    """Write one member; its content is always ``share * (the last content column) + drift``.

    Steps between which the content can only rise, or only fall, have one row and one content together: what lies
    between is within bounds if both ends are. Standing loss breaks such a run, and so does a least content.
    """
    steps, now, row, run, share, drift = members.demand.shape[1], -1, -1, 0, 1.0, members.initial[m]
    for t in range(steps):
        gained = fixed_gain(members, free, base, m, t)
        share *= members.retained[m]
        drift = members.retained[m] * drift + gained
        if run * gained < 0.0:
            run = 0
        if free[CHARGE, m, t] or free[DISCHARGE, m, t] or free[MISSING, m, t]:
            turn = direction(free, m, t)
            if run != 0 and run == turn and members.retained[m] == 1.0:
                e.row_lower[row] += drift
                e.row_upper[row] += drift
                e.step[now], e.lower[now], e.upper[now] = t, 0.0, members.capacity[m]
            else:
                row = add_row(e, m, t, STORE_ROW, drift, drift)
                if now >= 0:
                    uncross(e, now)
                    add_value(e, row, now, -share)
                now = add_column(e, m, t, CONTENT, 0.0, members.capacity[m], 0.0)
                add_value(e, row, now, 1.0)
                run = 0 if turn * gained < 0.0 else turn
            share, drift, e.start[now] = 1.0, 0.0, content[m, t]
        list_flows(members, free, last, base, m, t, row, e)
        if now >= 0 and share > 0.0:
            e.lower[now] = max(e.lower[now], -drift / share)
            e.upper[now] = min(e.upper[now], (members.capacity[m] - drift) / share)
        if now >= 0 and members.least[m, t] > 0.0:
            list_least(members, short[m, t], m, t, now, share, drift, e)
            run = 0
    if now >= 0:
        uncross(e, now)


@bare_kernel
def list_entries(
    members: Members, free: np.ndarray, short: np.ndarray, last: np.ndarray, content: np.ndarray, base: np.ndarray,
    e: Entries,
) -> None:  # fmt: skip
    """Write the program over the flows that may move.

    Parameters
    ----------
    members : Members
        All of them.
    free : ndarray (kind, member, step) of bool
        Flows that may move.
    short : ndarray (member, step) of bool
        Where members may fall short of their least content.
    last, content : ndarray (kind, member, step), (member, step)
        Flows and contents of a plan to start from. [kW, kWh]
    base : ndarray (kind, member, step)
        Flows; those that may not move keep these values. Of the others it is written what they are while all columns
        are 0. [kW]
    e : Entries
        Written.
    """
    for m in range(len(short)):
        list_member(members, free, short, last, content, base, m, e)
