"""What one step of a store costs, as a convex function of the energy taken from its content.

With charge c and discharge d the store draws z = c - d at its meter, where that costs h(z) (`kernels.meter`). Taking
u = dt (d / efficiency_discharge - efficiency_charge c) from the content costs

    g(u) = min dt (h(c - d) + wear_charge c + wear_discharge d)   over [0, charge] x [0, discharge].

The creases of h are lines c - d = z across that box, so every corner of the graph of g is among the points at which
they, or the box's own corners, lie on its edge: two for each line, at most 20 in all, of which g is the lower hull.
Where charging and discharging at once cannot pay, the point nearer to the origin is enough for each line, and the path
of these points is convex as it stands: then no hull is built ("plain").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernels._jit import bare_kernel
from kernels.meter import Meter, meter_cost

if TYPE_CHECKING:
    import numpy as np

MOST_POINTS = 20  # two for each of six edges of meter pieces and four corners of the box
SAME = 1e-13  # points of the hull closer than this share of its width are one


class Terminals(NamedTuple):
    """The store's side of one step.

    Attributes
    ----------
    charge, discharge : float
        Most power. [kW]
    gain, drain : float
        Content gained for each kW of charge, and lost for each kW of discharge. [kWh/kW]
    wear_charge, wear_discharge : float
        [money/kWh]
    dt : float
        [h]
    """

    charge: float
    discharge: float
    gain: float
    drain: float
    wear_charge: float
    wear_discharge: float
    dt: float


@bare_kernel
def is_plain(t: Terminals, least_price: float, most_price: float) -> bool:
    """Whether charging and discharging at once cannot pay at marginal prices in a range.

    Less of both that leaves the content alone changes c by -1 and d by -gain / drain: what that saves is linear in the
    price, so the ends of the range tell. Infinite ends stand for a bound of z that cuts the box.
    """
    if t.charge == 0.0:
        return True
    if not t.gain > 0.0:
        return False
    if t.discharge == 0.0:
        return True
    ratio = t.gain / t.drain
    worn = t.wear_charge + ratio * t.wear_discharge
    lost = 1.0 - ratio
    if lost == 0.0:
        return worn >= 0.0
    return lost * least_price + worn >= 0.0 and lost * most_price + worn >= 0.0


@bare_kernel
def plain_pieces(
    meter: Meter, count: int, top: float, low: float, high: float, t: Terminals, slope: np.ndarray, length: np.ndarray
) -> int:
    """Pieces of g along charging or discharging alone, for z from `high` down to `low`.

    Parameters
    ----------
    meter, count, top : Meter, int, float
        Pieces of h and the z at which the last ends. [kW]
    low, high : float
        Range of z. [kW]
    t : Terminals
        The store.
    slope, length : ndarray (piece,)
        Written, in ascending order of slope. [money/kWh, kWh]

    Returns
    -------
    int
        How many pieces there are.
    """
    per_charge = t.dt / t.gain if t.charge > 0.0 else 0.0
    per_discharge = t.dt / t.drain
    written = 0
    top = max(top, high)  # rounding must not leave a gap below `high`
    for j in range(count - 1, -1, -1):
        bottom = top - meter.width[j]
        if j == 0:
            bottom = min(bottom, low)
        above, below = min(top, high), max(bottom, low)
        top = bottom
        if above <= below:
            continue
        if above > 0.0:
            slope[written] = -(meter.price[j] + t.wear_charge) * per_charge
            length[written] = (above - max(below, 0.0)) * t.gain
            written += 1
        if below < 0.0:
            slope[written] = -(meter.price[j] - t.wear_discharge) * per_discharge
            length[written] = (min(above, 0.0) - below) * t.drain
            written += 1
    return written


class Hull(NamedTuple):
    """Points of the graph of g, ascending: energy taken, cost, charge, discharge.

    Attributes
    ----------
    taken, cost : ndarray (MOST_POINTS,)
        [kWh, money]
    charge, discharge : ndarray (MOST_POINTS,)
        How it is done. [kW]
    """

    taken: np.ndarray
    cost: np.ndarray
    charge: np.ndarray
    discharge: np.ndarray


@bare_kernel
def add_point(hull: Hull, count: int, h: float, charge: float, discharge: float, t: Terminals) -> int:
    """Put a point in its place by energy taken."""
    taken = discharge * t.drain - charge * t.gain
    cost = t.dt * (h + t.wear_charge * charge + t.wear_discharge * discharge)
    at = count
    while at > 0 and hull.taken[at - 1] > taken:
        hull.taken[at], hull.cost[at] = hull.taken[at - 1], hull.cost[at - 1]
        hull.charge[at], hull.discharge[at] = hull.charge[at - 1], hull.discharge[at - 1]
        at -= 1
    hull.taken[at], hull.cost[at], hull.charge[at], hull.discharge[at] = taken, cost, charge, discharge
    return count + 1


@bare_kernel
def add_crease(hull: Hull, count: int, z: float, h: float, t: Terminals) -> int:
    """Add the two points at which the line c - d = z leaves the box."""
    count = add_point(hull, count, h, max(z, 0.0), max(-z, 0.0), t)
    charge = min(t.charge, z + t.discharge)
    if charge > max(z, 0.0):
        count = add_point(hull, count, h, charge, charge - z, t)
    return count


@bare_kernel
def keep_lower(hull: Hull, count: int) -> int:
    """Keep the lower convex hull of points that ascend; returns how many are left."""
    same = SAME * (hull.taken[count - 1] - hull.taken[0])
    kept = 0
    for i in range(count):
        taken, cost = hull.taken[i], hull.cost[i]
        if kept > 0 and taken - hull.taken[kept - 1] <= same:
            if cost >= hull.cost[kept - 1]:
                continue
            kept -= 1
        while kept > 1:
            run, rise = taken - hull.taken[kept - 2], cost - hull.cost[kept - 2]
            if (hull.cost[kept - 1] - hull.cost[kept - 2]) * run < rise * (hull.taken[kept - 1] - hull.taken[kept - 2]):
                break
            kept -= 1
        hull.taken[kept], hull.cost[kept] = taken, cost
        hull.charge[kept], hull.discharge[kept] = hull.charge[i], hull.discharge[i]
        kept += 1
    return kept


@bare_kernel
def build_hull(meter: Meter, count: int, bottom: float, low: float, high: float, t: Terminals, hull: Hull) -> int:
    """Points of g where charging and discharging at once may pay.

    Parameters
    ----------
    meter, count, bottom : Meter, int, float
        Pieces of h and the z at which the first begins. [kW]
    low, high : float
        Range of z. [kW]
    t : Terminals
        The store.
    hull : Hull
        Written.

    Returns
    -------
    int
        How many points there are.
    """
    points = add_crease(hull, 0, low, meter_cost(meter, count, bottom, low), t)
    if high > low:
        points = add_crease(hull, points, high, meter_cost(meter, count, bottom, high), t)
    for z in (0.0, t.charge - t.discharge):
        if low < z < high:
            points = add_crease(hull, points, z, meter_cost(meter, count, bottom, z), t)
    edge, cost = bottom, 0.0
    for j in range(count - 1):
        edge, cost = edge + meter.width[j], cost + meter.width[j] * meter.price[j]
        if low < edge < high:
            points = add_crease(hull, points, edge, cost, t)
    return keep_lower(hull, points)


@bare_kernel
def plain_powers(taken: float, t: Terminals) -> tuple[float, float]:
    """Charge or discharge, in kW, that takes an energy from the content."""
    if taken < 0.0:
        return min(-taken / t.gain, t.charge), 0.0
    return 0.0, min(taken / t.drain, t.discharge)


@bare_kernel
def hull_powers(taken: float, hull: Hull, points: int) -> tuple[float, float]:
    """Charge and discharge, in kW, of the point of the hull at which an energy is taken from the content."""
    j = min(1, points - 1)
    while j < points - 1 and hull.taken[j] < taken:
        j += 1
    left, right = hull.taken[max(j - 1, 0)], hull.taken[j]
    share = min(max((taken - left) / (right - left), 0.0), 1.0) if right > left else 1.0
    i, rest = max(j - 1, 0), 1.0 - share
    return rest * hull.charge[i] + share * hull.charge[j], rest * hull.discharge[i] + share * hull.discharge[j]
