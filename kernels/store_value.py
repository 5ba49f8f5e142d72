"""Backward in time: what the content of one store is worth before each step.

The value function before a step is the infimal convolution of the step's cost and the value function after it: all
their segments, sorted by slope. It is restricted to the contents allowed, which cuts segments off at both ends.
Segments are numbered by the step they came from, and what is cut off at the left is filled whatever happens before:
so when the initial content has cut the last one, every step's energy is known and no value function need be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels._jit import bare_kernel
from kernels.meter import CURTAILED, EXPORT, IMPORT, KINDS, SPILLED, UNSERVED, Meter, add_piece
from kernels.slopes import SLIVER, SLOTS, Segments, cut_left, cut_right, insert, rescale, steepen_left
from kernels.stage import MOST_POINTS, Hull, Terminals, build_hull, is_plain, plain_pieces

if TYPE_CHECKING:
    from kernels.store import Stores

MISSING, WASTED = 20, 21  # piece numbers within a step, after those of its cost
CLOSE = 1e-9  # kW or kWh by which bounds may miss each other through rounding
LEAST_UNIT = 1e-3  # where standing loss has shrunk the unit so far, it is chosen anew
PIECES, POINTS, METER_PIECES = 0, 1, 2  # columns of `Scratch.counts`
TOP, TAKEN = 0, 1  # columns of `Scratch.start`


class Scratch(NamedTuple):
    """What one member needs while it is worked on, and the next one uses again.

    Attributes
    ----------
    segments : Segments
        The value function.
    slope, length : ndarray (MOST_POINTS,)
        Pieces of a step's cost. [money/kWh, kWh]
    price, width, kind : ndarray (step, KINDS)
        Pieces of each step's meter cost.
    taken, cost, charge, discharge : ndarray (step, MOST_POINTS)
        Points of each step's hull, where one was built.
    flows : ndarray (KINDS,)
        What flows at the meter in a step. [kW]
    counts : ndarray (step, 3) of int
        Pieces of the step's cost, points of its hull (0: plain), pieces of its meter cost.
    start : ndarray (step, 2)
        The z at which the meter's pieces end [kW], and the least energy taken [kWh].
    turn : ndarray (step, 6)
        Slopes of the value function beyond and within its ends (low, low, high, high), and below and above the least
        content. [money/kWh]
    series : ndarray (8, step)
        What a meter without a store is read into, see `kernels.meter_alone`. [kW, money/kWh]
    """

    segments: Segments
    slope: np.ndarray
    length: np.ndarray
    price: np.ndarray
    width: np.ndarray
    kind: np.ndarray
    taken: np.ndarray
    cost: np.ndarray
    charge: np.ndarray
    discharge: np.ndarray
    flows: np.ndarray
    counts: np.ndarray
    start: np.ndarray
    turn: np.ndarray
    series: np.ndarray


def make_scratch(steps: int) -> Scratch:
    """Scratch for members with so many steps; one for each thread."""
    room = 2 * ((steps + 1) * (SLOTS + 1) + 1)  # all segments there can ever be, to either side of the middle
    segments = Segments(
        slope=np.empty(room),
        length=np.empty(room),
        piece=np.empty(room, np.int64),
        window=np.zeros(2, np.int64),
        filled=np.zeros((steps + 1) * SLOTS),
        unit=np.ones(steps + 1),
    )
    return Scratch(
        segments=segments,
        slope=np.empty(MOST_POINTS),
        length=np.empty(MOST_POINTS),
        price=np.empty((steps, KINDS)),
        width=np.empty((steps, KINDS)),
        kind=np.empty((steps, KINDS), np.int64),
        taken=np.empty((steps, MOST_POINTS)),
        cost=np.empty((steps, MOST_POINTS)),
        charge=np.empty((steps, MOST_POINTS)),
        discharge=np.empty((steps, MOST_POINTS)),
        flows=np.empty(KINDS),
        counts=np.zeros((steps, 3), np.int64),
        start=np.empty((steps, 2)),
        turn=np.zeros((steps, 6)),
        series=np.empty((8, steps)),
    )


@bare_kernel
def at(values: np.ndarray, m: int, t: int) -> float:
    """Value of a member and step, where an axis of length 1 stands for all."""
    return float(values[m if values.shape[0] > 1 else 0, t if values.shape[1] > 1 else 0])


@bare_kernel
def of(values: np.ndarray, m: int) -> float:
    """Value of a member, where one value stands for all."""
    return float(values[m if values.shape[0] > 1 else 0])


@bare_kernel
def content_bounds(stores: Stores, m: int, t: int, steps: int) -> tuple[float, float]:
    """Content, in kWh, at the end of a step below which shortfall is paid, and the most there may be."""
    least, most = at(stores.content_least, m, t), at(stores.capacity, m, t)
    if t == steps - 1:
        return max(least, of(stores.final_least, m)), min(most, of(stores.final_most, m))
    return least, most


@bare_kernel
def terminals_at(stores: Stores, m: int, t: int) -> Terminals:
    """Read the store's side of a step."""
    return Terminals(
        at(stores.p_charge_max, m, t),
        at(stores.p_discharge_max, m, t),
        stores.dt * at(stores.efficiency_charge, m, t),
        stores.dt / at(stores.efficiency_discharge, m, t),
        at(stores.wear_charge, m, t),
        at(stores.wear_discharge, m, t),
        stores.dt,
    )


@bare_kernel
def meter_side(stores: Stores, m: int, t: int, scratch: Scratch) -> tuple[int, float, float]:
    """Write the pieces of a step's meter cost; returns how many there are, and where they begin and end [kW]."""
    meter = Meter(scratch.price[t], scratch.width[t], scratch.kind[t])
    most_in, most_out = at(stores.p_import_max, m, t), at(stores.p_export_max, m, t)
    unserved, spilled = at(stores.p_unserved_max, m, t), at(stores.p_spilled_max, m, t)
    curtailed, net = at(stores.p_curtailed_max, m, t), at(stores.p_net, m, t)
    count = add_piece(meter, 0, 0.0, curtailed, CURTAILED)
    count = add_piece(meter, count, at(stores.price_export, m, t), most_out, EXPORT)
    count = add_piece(meter, count, at(stores.price_import, m, t), most_in, IMPORT)
    count = add_piece(meter, count, -stores.price_unmet, spilled, SPILLED)
    count = add_piece(meter, count, stores.price_unmet, unserved, UNSERVED)
    bottom, top = -(most_out + spilled + curtailed) - net, most_in + unserved - net
    scratch.counts[t, METER_PIECES], scratch.start[t, TOP] = count, top
    return count, bottom, top


@bare_kernel
def stage_cost(stores: Stores, m: int, t: int, scratch: Scratch) -> tuple[float, float]:
    """Write the pieces of a step's cost; returns the least and the most energy taken [kWh], (1, -1) if it cannot be."""
    meter = Meter(scratch.price[t], scratch.width[t], scratch.kind[t])
    count, bottom, top = meter_side(stores, m, t, scratch)
    store = terminals_at(stores, m, t)
    low, high = max(-store.discharge, bottom), min(store.charge, top)
    if low > high + CLOSE:
        return 1.0, -1.0
    if low > high:
        low = high = store.charge if bottom > store.charge else -store.discharge
    cheapest = meter.price[0] if count > 0 and bottom <= -store.discharge else -np.inf
    dearest = meter.price[count - 1] if count > 0 and top >= store.charge else np.inf
    if is_plain(store, cheapest, dearest):
        pieces = plain_pieces(meter, count, top, low, high, store, scratch.slope, scratch.length)
        scratch.counts[t, PIECES], scratch.counts[t, POINTS] = pieces, 0
        return -high * (store.gain if high > 0.0 else store.drain), -low * (store.gain if low > 0.0 else store.drain)
    hull = Hull(scratch.taken[t], scratch.cost[t], scratch.charge[t], scratch.discharge[t])
    points = build_hull(meter, count, bottom, low, high, store, hull)
    for j in range(points - 1):
        scratch.length[j] = hull.taken[j + 1] - hull.taken[j]
        scratch.slope[j] = (hull.cost[j + 1] - hull.cost[j]) / scratch.length[j]
    scratch.counts[t, PIECES], scratch.counts[t, POINTS] = points - 1, points
    return hull.taken[0], hull.taken[points - 1]


@bare_kernel
def add_stage(stores: Stores, m: int, t: int, scratch: Scratch) -> tuple[float, float]:
    """Put the pieces of a step's cost, and of what is missing or wasted in it, into the value function.

    Returns
    -------
    float, float
        By how much its range grows at both ends, in units of the segments; (1, -1) where the step cannot be.
    """
    segments = scratch.segments
    unit, inflow, base = segments.unit[t], at(stores.inflow, m, t), t * SLOTS
    least, most = stage_cost(stores, m, t, scratch)
    if least > most:
        return 1.0, -1.0
    scratch.start[t, TAKEN] = least
    for j in range(scratch.counts[t, PIECES]):
        segments.filled[base + j] = 0.0
        insert(segments, scratch.slope[j] / unit, scratch.length[j] * unit, base + j)
    segments.filled[base + MISSING] = segments.filled[base + WASTED] = 0.0
    if inflow < 0.0:
        insert(segments, -stores.price_shortfall / unit, -inflow * unit, base + MISSING)
    elif inflow > 0.0:
        insert(segments, stores.price_wasted / unit, inflow * unit, base + WASTED)
    return (least - max(inflow, 0.0)) * unit, (most + max(-inflow, 0.0)) * unit


@bare_kernel
def clip(segments: Segments, turn: np.ndarray, low: float, high: float, most: float) -> tuple[float, float]:
    """Cut the value function to contents from 0 to `most`, and note the slopes around both ends.

    Returns
    -------
    float, float
        Its range, in units of the segments as `low`, `high` and `most`.
    """
    sliver = SLIVER * (high - low)
    turn[0] = cut_left(segments, -low, sliver)
    turn[3] = cut_right(segments, high - most, sliver)
    first, stop = segments.window[0], segments.window[1]
    turn[1] = segments.slope[first] if first < stop else turn[3]
    turn[2] = segments.slope[stop - 1] if first < stop else turn[0]
    return min(max(low, 0.0), most), max(min(high, most), 0.0)


@bare_kernel
def backward(stores: Stores, m: int, scratch: Scratch) -> float:
    """Work out the value functions from the last step to the first, and fill each step's pieces.

    Returns
    -------
    float
        Marginal cost of the content in the first step [money/kWh]: negative where it is worth something, NaN where
        there is no plan.
    """
    steps, segments = len(scratch.counts), scratch.segments
    unit, low, high = 1.0, 0.0, content_bounds(stores, m, steps - 1, steps)[1]
    segments.window[:] = len(segments.slope) // 2
    segments.unit[steps] = 1.0
    if high > 0.0:
        insert(segments, -of(stores.final_value, m), high, steps * SLOTS)
    for t in range(steps - 1, -1, -1):
        segments.unit[t] = unit
        least, most = content_bounds(stores, m, t, steps)
        if low > (most + CLOSE) * unit or high < -CLOSE * unit:
            return np.nan
        low, high = clip(segments, scratch.turn[t], low, high, most * unit)
        if least * unit > low:
            steeper, short = -stores.price_shortfall / unit, least * unit - low
            below, above = steepen_left(segments, short, steeper, SLIVER * (high - low))
            scratch.turn[t, 4], scratch.turn[t, 5] = below, above
        for k in range(scratch.turn.shape[1]):
            scratch.turn[t, k] *= unit
        less, more = add_stage(stores, m, t, scratch)
        if less > more:
            return np.nan
        low, high = low + less, high + more
        unit *= at(stores.retained, m, t)
        if unit < LEAST_UNIT:
            rescale(segments, 1.0 / unit, high - low)
            low, high, unit = low / unit, high / unit, 1.0
    return fill(segments, of(stores.initial, m) * unit - low, high - low) * float(segments.unit[0])


@bare_kernel
def fill(segments: Segments, amount: float, width: float) -> float:
    """Fill the first `amount` of a function that is `width` wide; returns the slope there, NaN if it lies outside."""
    near = CLOSE * segments.unit[0]
    if amount < -near or amount > width + near:
        return np.nan
    slope = cut_left(segments, amount, SLIVER * width)
    if np.isfinite(slope):
        return slope
    first = segments.window[0]
    return float(segments.slope[first]) if first < segments.window[1] else 0.0
