"""DOC"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel
from kernels.slopes import SLIVER, SLOTS, Segments, cut_left, cut_right, insert, rescale, steepen_left
from kernels.stage import (
    CLOSE,
    CURTAILED,
    EXPORT,
    IMPORT,
    KINDS,
    MOST_POINTS,
    SPILLED,
    UNSERVED,
    Hull,
    Meter,
    Terminals,
    add_piece,
    build_hull,
    is_plain,
    plain_pieces,
)

MISSING, WASTED = 20, 21  # piece numbers within a step, after those of the stage cost
LEAST_UNIT = 1e-100  # where standing loss has shrunk the unit so far, it is chosen anew
NEAR = 1e-10  # content this close to a bound, relative to the capacity, is at it


class Stores(NamedTuple):
    """Stores."""

    p_net: np.ndarray
    p_curtailed_max: np.ndarray
    p_import_max: np.ndarray
    p_export_max: np.ndarray
    p_unserved_max: np.ndarray
    p_spilled_max: np.ndarray
    price_import: np.ndarray
    price_export: np.ndarray
    p_charge_max: np.ndarray
    p_discharge_max: np.ndarray
    efficiency_charge: np.ndarray
    efficiency_discharge: np.ndarray
    wear_charge: np.ndarray
    wear_discharge: np.ndarray
    capacity: np.ndarray
    content_least: np.ndarray
    inflow: np.ndarray
    retained: np.ndarray
    initial: np.ndarray
    final_least: np.ndarray
    final_most: np.ndarray
    final_value: np.ndarray
    dt: float
    price_unmet: float
    price_shortfall: float
    price_wasted: float


class Plans(NamedTuple):
    """Plans."""

    charge: np.ndarray
    discharge: np.ndarray
    content: np.ndarray
    p_import: np.ndarray
    p_export: np.ndarray
    p_curtailed: np.ndarray
    p_unserved: np.ndarray
    p_spilled: np.ndarray
    shortfall: np.ndarray
    missing: np.ndarray
    wasted: np.ndarray
    value: np.ndarray
    cost: np.ndarray


class Scratch(NamedTuple):
    """What one member needs while it is worked on, and the next one uses again.

    Attributes
    ----------
    segments : Segments
        The value function.
    slope, length : ndarray (MOST_POINTS,)
        Pieces of the stage cost.
    meter_slope, meter_width, meter_kind : ndarray (step, KINDS)
        Pieces of each step's meter cost.
    taken, cost, charge, discharge : ndarray (step, MOST_POINTS)
        Points of each step's hull, where one was built.
    count : ndarray (step, 3) of int
        How many pieces the meter's cost and the stage cost have, and how many points the hull (0: plain).
    start : ndarray (step, 2)
        The z at which the meter's pieces begin [kW], and the least energy taken [kWh].
    turn : ndarray (step, 6)
        Slopes of the value function around its ends and around the least content. [money/kWh]
    """

    segments: Segments
    slope: np.ndarray
    length: np.ndarray
    meter_slope: np.ndarray
    meter_width: np.ndarray
    meter_kind: np.ndarray
    taken: np.ndarray
    cost: np.ndarray
    charge: np.ndarray
    discharge: np.ndarray
    count: np.ndarray
    start: np.ndarray
    turn: np.ndarray


@bare_kernel
def at(values: np.ndarray, m: int, t: int) -> float:
    """Value of a member and step, where an axis of length 1 stands for all."""
    return values[m if values.shape[0] > 1 else 0, t if values.shape[1] > 1 else 0]


@bare_kernel
def of(values: np.ndarray, m: int) -> float:
    """Value of a member, where one value stands for all."""
    return values[m if values.shape[0] > 1 else 0]


@bare_kernel
def capacity_at(stores: Stores, m: int, t: int, steps: int) -> float:
    """Most content at the end of a step. [kWh]"""
    most = at(stores.capacity, m, t)
    return min(most, of(stores.final_most, m)) if t == steps - 1 else most


@bare_kernel
def least_at(stores: Stores, m: int, t: int, steps: int) -> float:
    """Content at the end of a step below which shortfall is paid. [kWh]"""
    least = at(stores.content_least, m, t)
    return max(least, of(stores.final_least, m)) if t == steps - 1 else least


@bare_kernel
def stage(stores: Stores, m: int, t: int, scratch: Scratch) -> tuple[float, float]:
    """Cost of one step: writes its pieces and returns the least and the most energy taken; (1, -1) if it cannot be."""
    meter = Meter(scratch.meter_slope[t], scratch.meter_width[t], scratch.meter_kind[t])
    width_in, width_out = at(stores.p_import_max, m, t), at(stores.p_export_max, m, t)
    unserved, spilled = at(stores.p_unserved_max, m, t), at(stores.p_spilled_max, m, t)
    curtailed = at(stores.p_curtailed_max, m, t)
    count = add_piece(meter, 0, 0.0, curtailed, CURTAILED)
    count = add_piece(meter, count, at(stores.price_export, m, t), width_out, EXPORT)
    count = add_piece(meter, count, at(stores.price_import, m, t), width_in, IMPORT)
    count = add_piece(meter, count, -stores.price_unmet, spilled, SPILLED)
    count = add_piece(meter, count, stores.price_unmet, unserved, UNSERVED)
    net = at(stores.p_net, m, t)
    bottom, top = -(width_out + spilled + curtailed) - net, width_in + unserved - net
    charge, discharge = at(stores.p_charge_max, m, t), at(stores.p_discharge_max, m, t)
    low, high = max(-discharge, bottom), min(charge, top)
    if low > high:
        if low > high + CLOSE:
            return 1.0, -1.0
        low = high = charge if bottom > charge else -discharge
    gain = stores.dt * at(stores.efficiency_charge, m, t)
    drain = stores.dt / at(stores.efficiency_discharge, m, t)
    wear = at(stores.wear_charge, m, t), at(stores.wear_discharge, m, t)
    terminals = Terminals(charge, discharge, gain, drain, wear[0], wear[1], stores.dt)
    scratch.count[t, 0], scratch.start[t, 0] = count, top
    below = -np.inf if bottom > -discharge or count == 0 else meter.slope[0]
    above = np.inf if top < charge or count == 0 else meter.slope[count - 1]
    if is_plain(terminals, below, above):
        scratch.count[t, 1] = plain_pieces(meter, count, top, low, high, terminals, scratch.slope, scratch.length)
        scratch.count[t, 2] = 0
        return -(high * gain if high > 0.0 else high * drain), -(low * gain if low > 0.0 else low * drain)
    hull = Hull(scratch.taken[t], scratch.cost[t], scratch.charge[t], scratch.discharge[t])
    points = build_hull(meter, count, bottom, low, high, terminals, hull)
    for j in range(points - 1):
        scratch.length[j] = hull.taken[j + 1] - hull.taken[j]
        scratch.slope[j] = (hull.cost[j + 1] - hull.cost[j]) / scratch.length[j]
    scratch.count[t, 1], scratch.count[t, 2] = points - 1, points
    return hull.taken[0], hull.taken[points - 1]


@bare_kernel
def clip(stores: Stores, m: int, t: int, scratch: Scratch, low: float, high: float) -> tuple[float, float]:
    """Cut the value function to the contents allowed at the end of a step, and charge for shortfall there.

    Returns
    -------
    float, float
        Its range in units of the segments; the first above the second where no content will do.
    """
    steps, segments, turn = len(scratch.count), scratch.segments, scratch.turn[t]
    unit = segments.unit[t]
    most, sliver = capacity_at(stores, m, t, steps) * unit, SLIVER * (high - low)
    if low > most or high < 0.0:
        if low > most + CLOSE * unit or high < -CLOSE * unit:
            return 1.0, -1.0
        low, high = min(low, most), max(high, 0.0)
    turn[0] = cut_left(segments, -low, sliver) * unit
    turn[3] = cut_right(segments, high - most, sliver) * unit
    first, stop = segments.window[0], segments.window[1]
    turn[1] = segments.slope[first] * unit if first < stop else turn[3]
    turn[2] = segments.slope[stop - 1] * unit if first < stop else turn[0]
    low, high = max(low, 0.0), min(high, most)
    least = least_at(stores, m, t, steps) * unit
    if least > low:
        turn[4], turn[5] = steepen_left(segments, least - low, -stores.price_shortfall / unit, sliver)
        turn[4], turn[5] = turn[4] * unit, turn[5] * unit
    return low, high


@bare_kernel
def add_stage(stores: Stores, m: int, t: int, scratch: Scratch) -> tuple[float, float]:
    """Put the pieces of a step's cost into the value function.

    Returns
    -------
    float, float
        By how much its range grows at both ends, in units of the segments; (1, -1) where the step cannot be.
    """
    segments = scratch.segments
    unit, inflow = segments.unit[t], at(stores.inflow, m, t)
    least, most = stage(stores, m, t, scratch)
    if least > most:
        return 1.0, -1.0
    scratch.start[t, 1] = least
    for j in range(scratch.count[t, 1]):
        segments.filled[t * SLOTS + j] = 0.0
        insert(segments, scratch.slope[j] / unit, scratch.length[j] * unit, t * SLOTS + j)
    segments.filled[t * SLOTS + MISSING] = segments.filled[t * SLOTS + WASTED] = 0.0
    if inflow < 0.0:
        insert(segments, -stores.price_shortfall / unit, -inflow * unit, t * SLOTS + MISSING)
        return least * unit, (most - inflow) * unit
    if inflow > 0.0:
        insert(segments, stores.price_wasted / unit, inflow * unit, t * SLOTS + WASTED)
        return (least - inflow) * unit, most * unit
    return least * unit, most * unit


@bare_kernel
def backward(stores: Stores, m: int, scratch: Scratch) -> float:
    """Work out the value of the content before each step, from the last to the first.

    Returns
    -------
    float
        Marginal cost of the content in the first step (negative where it is worth something) [money/kWh]; NaN where
        there is no plan.
    """
    steps, segments = len(scratch.count), scratch.segments
    unit, low, high = 1.0, 0.0, capacity_at(stores, m, steps - 1, steps)
    segments.window[:] = len(segments.slope) // 2
    segments.unit[steps] = 1.0
    if high > 0.0:
        insert(segments, -of(stores.final_value, m), high, steps * SLOTS)
    for t in range(steps - 1, -1, -1):
        segments.unit[t] = unit
        low, high = clip(stores, m, t, scratch, low, high)
        if low > high:
            return np.nan
        less, more = add_stage(stores, m, t, scratch)
        if less > more:
            return np.nan
        low, high = low + less, high + more
        unit *= at(stores.retained, m, t)
        if unit < LEAST_UNIT:
            rescale(segments, 1.0 / unit)
            low, high, unit = low / unit, high / unit, 1.0
    return settle(segments, of(stores.initial, m) * unit - low, high - low) * segments.unit[0]


@bare_kernel
def settle(segments: Segments, amount: float, width: float) -> float:
    """Fill the first `amount` of a function that is `width` wide; the slope there, or NaN if it lies outside."""
    near = 1e-12 * (abs(amount) + abs(width))
    if amount < -near or amount > width + near:
        return np.nan
    slope = cut_left(segments, amount, SLIVER * width)
    if np.isfinite(slope):
        return slope
    first = segments.window[0]
    return segments.slope[first] if first < segments.window[1] else 0.0


@bare_kernel
def terminal_powers(stores: Stores, m: int, t: int, scratch: Scratch, taken: float) -> tuple[float, float]:
    """Charge and discharge that take an energy from the content at the least cost. [kW]"""
    points = scratch.count[t, 2]
    if points == 0:
        if taken < 0.0:
            charge = -taken / (stores.dt * at(stores.efficiency_charge, m, t))
            return min(charge, at(stores.p_charge_max, m, t)), 0.0
        discharge = taken * at(stores.efficiency_discharge, m, t) / stores.dt
        return 0.0, min(discharge, at(stores.p_discharge_max, m, t))
    j = 1
    while j < points - 1 and scratch.taken[t, j] < taken:
        j += 1
    left, right = scratch.taken[t, j - 1], scratch.taken[t, j]
    share = min(max((taken - left) / (right - left), 0.0), 1.0)
    c, d = scratch.charge[t], scratch.discharge[t]
    return (1.0 - share) * c[j - 1] + share * c[j], (1.0 - share) * d[j - 1] + share * d[j]


@bare_kernel
def meter_powers(stores: Stores, m: int, t: int, scratch: Scratch, z: float, plans: Plans) -> float:
    """Write what flows through the meter at the store's net charge z; returns its cost. [money/h]"""
    unused = scratch.start[t, 0] - z
    plans.p_curtailed[m, t] = plans.p_import[m, t] = plans.p_unserved[m, t] = 0.0
    plans.p_export[m, t] = plans.p_spilled[m, t] = 0.0
    cost = 0.0
    for j in range(scratch.count[t, 0] - 1, -1, -1):
        width, kind = scratch.meter_width[t, j], scratch.meter_kind[t, j]
        off = min(max(unused, 0.0), width)
        unused -= off
        price = scratch.meter_slope[t, j]
        if kind == IMPORT:
            plans.p_import[m, t] = width - off
        elif kind == UNSERVED:
            plans.p_unserved[m, t] = width - off
        elif kind == EXPORT:
            plans.p_export[m, t] = off
        elif kind == SPILLED:
            plans.p_spilled[m, t] = off
        else:
            plans.p_curtailed[m, t] = off
        cost += price * (width - off if kind <= UNSERVED else -off)
    return cost


@bare_kernel
def price_after(stores: Stores, m: int, t: int, scratch: Scratch, content: float, slope: float) -> float:
    """Marginal cost of content beyond the end of a step, from that before it and where the content has come to."""
    steps, turn = len(scratch.count), scratch.turn[t]
    most, least = capacity_at(stores, m, t, steps), least_at(stores, m, t, steps)
    near = NEAR * max(most, NEAR)
    below, above = content <= near, content >= most - near
    if below and above:
        return min(max(slope, turn[0]), turn[3])
    if below:
        return min(max(slope, turn[0]), turn[1])
    if above:
        return min(max(slope, turn[2]), turn[3])
    if least > 0.0:
        if content < least - near:
            return slope + stores.price_shortfall
        if content <= least + near:
            return min(max(slope, turn[4]), turn[5])
    return slope


@bare_kernel
def forward(stores: Stores, m: int, scratch: Scratch, slope: float, plans: Plans) -> None:
    """Add up what was filled of each step's pieces and write the plan."""
    steps, filled = len(scratch.count), scratch.segments.filled
    content, cost = of(stores.initial, m), 0.0
    for t in range(steps):
        base = t * SLOTS
        taken, inflow = scratch.start[t, 1], at(stores.inflow, m, t)
        for j in range(scratch.count[t, 1]):
            taken += filled[base + j]
        missing, wasted = max(-inflow, 0.0) - filled[base + MISSING], filled[base + WASTED]
        missing = missing if missing > 0.0 else 0.0
        charge, discharge = terminal_powers(stores, m, t, scratch, taken)
        flow = meter_powers(stores, m, t, scratch, charge - discharge, plans)
        flow += at(stores.wear_charge, m, t) * charge + at(stores.wear_discharge, m, t) * discharge
        content = at(stores.retained, m, t) * content + inflow + missing - wasted - taken
        content = min(max(content, 0.0), capacity_at(stores, m, t, steps))
        shortfall = max(least_at(stores, m, t, steps) - content, 0.0)
        cost += stores.dt * flow + stores.price_shortfall * (shortfall + missing) + stores.price_wasted * wasted
        plans.charge[m, t], plans.discharge[m, t], plans.content[m, t] = charge, discharge, content
        plans.shortfall[m, t], plans.missing[m, t], plans.wasted[m, t] = shortfall, missing, wasted
        plans.value[m, t] = -slope
        if t < steps - 1:
            slope = price_after(stores, m, t, scratch, content, slope) / at(stores.retained, m, t + 1)
    plans.cost[m] = cost - of(stores.final_value, m) * content


@bare_kernel
def solve_members(stores: Stores, first: int, stop: int, scratch: Scratch, plans: Plans) -> None:
    """Plan the members from `first` to `stop`, one after another."""
    for m in range(first, stop):
        slope = backward(stores, m, scratch)
        if np.isnan(slope):
            give_up(m, plans)
        else:
            forward(stores, m, scratch, slope, plans)


@bare_kernel
def give_up(m: int, plans: Plans) -> None:
    """Write that a member has no plan."""
    for series in (plans.charge, plans.discharge, plans.content, plans.shortfall, plans.missing, plans.wasted,
        plans.p_import, plans.p_export, plans.p_curtailed, plans.p_unserved, plans.p_spilled, plans.value):
        series[m, :] = np.nan
    plans.cost[m] = np.inf


def make_scratch(steps: int) -> Scratch:
    """Scratch for members with so many steps; one for each thread."""
    room = 2 * ((steps + 1) * (SLOTS + 1) + 1)
    segments = Segments(
        slope=np.empty(room),
        length=np.empty(room),
        piece=np.empty(room, np.int64),
        window=np.zeros(2, np.int64),
        filled=np.zeros((steps + 1) * SLOTS),
        unit=np.ones(steps + 1),
    )
    meter, hull = (np.empty((steps, KINDS)) for _ in range(2)), (np.empty((steps, MOST_POINTS)) for _ in range(4))
    return Scratch(
        segments,
        np.empty(MOST_POINTS),
        np.empty(MOST_POINTS),
        *meter,
        np.empty((steps, KINDS), np.int64),
        *hull,
        np.zeros((steps, 3), np.int64),
        np.empty((steps, 2)),
        np.empty((steps, 6)),
    )


def make_plans(members: int, steps: int) -> Plans:
    """Make room for the plans of so many members; may be used again for other prices."""
    return Plans(*(np.empty((members, steps)) for _ in range(len(Plans._fields) - 1)), np.empty(members))


def shape_of(stores: Stores) -> tuple[int, int]:
    """How many members and steps there are."""
    arrays = [a for a in stores if isinstance(a, np.ndarray)]
    return max(len(a) for a in arrays), max(a.shape[1] for a in arrays if a.ndim == 2)


def solve_stores(stores: Stores, plans: Plans | None = None, *, threads: int = 1) -> Plans:
    """Cheapest plan of every member."""
    stores = Stores(*(np.require(v, np.float64, ["C", "W"]) if isinstance(v, np.ndarray) else float(v) for v in stores))
    members, steps = shape_of(stores)
    plans = make_plans(members, steps) if plans is None else plans
    bounds = np.linspace(0, members, threads + 1).astype(int)

    def work(k: int) -> None:
        solve_members(stores, int(bounds[k]), int(bounds[k + 1]), make_scratch(steps), plans)

    if threads == 1:
        work(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(threads)))
    return plans
