"""Slow twin of the store kernel: brute enumeration of points, a convex hull for every sum.

Functions are lists of (argument, cost) corners of a convex piecewise-linear function.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kernels.store import Stores

Corners = list[tuple[float, float]]
SIDES = np.array(list(itertools.product((0.0, 1.0), repeat=5)))


class Member:
    """One member's numbers by name, series as arrays over the steps."""

    def __init__(self, stores: Stores, m: int, steps: int) -> None:
        for name, value in stores._asdict().items():
            if np.ndim(value) == 2:
                setattr(self, name, np.broadcast_to(value[m if len(value) > 1 else 0], steps))
            else:
                setattr(self, name, float(value[m if len(value) > 1 else 0]) if np.ndim(value) else value)
        self.steps = steps
        self.points: dict[int, np.ndarray] = {}
        self.capacity = np.append(self.capacity[:-1], min(self.capacity[-1], self.final_most))
        self.content_least = np.append(self.content_least[:-1], max(self.content_least[-1], self.final_least))


def lower_hull(points: Corners) -> Corners:
    """Lower convex hull, ascending."""
    kept: Corners = []
    for x, y in sorted(points):
        if kept and x - kept[-1][0] < 1e-12:
            if y >= kept[-1][1]:
                continue
            kept.pop()
        while len(kept) > 1:
            (x0, y0), (x1, y1) = kept[-2:]
            if (y1 - y0) * (x - x0) < (y - y0) * (x1 - x0):
                break
            kept.pop()
        kept.append((x, y))
    return kept


def stage_points(p: Member, t: int) -> np.ndarray:
    """Points of a step, worked out once."""
    if t not in p.points:
        p.points[t] = enumerate_points(p, t)
    return p.points[t]


def enumerate_points(p: Member, t: int) -> np.ndarray:
    """All (taken, cost, charge, discharge) among which every vertex of the step's program lies.

    Each of five flows is at a bound or makes up the balance; where all are at bounds, charge - discharge is given.
    """
    most = np.array([p.p_import_max[t], p.p_unserved_max[t], p.p_export_max[t], p.p_spilled_max[t],
                     p.p_curtailed_max[t]])  # fmt: skip
    sign = np.array([1.0, 1.0, -1.0, -1.0, -1.0])
    price = np.array([p.price_import[t], p.price_unmet, -p.price_export[t], p.price_unmet, 0.0])
    charge, discharge = p.p_charge_max[t], p.p_discharge_max[t]
    lines = [(SIDES * most) @ sign - p.p_net[t], [0.0, charge, -discharge, charge - discharge]]
    found = []
    for z in np.unique(np.concatenate(lines)):
        cost = cheapest_flows(z + p.p_net[t], most, sign, price)
        edges = {(c, c - z) for c in (0.0, charge)} | {(z + d, d) for d in (0.0, discharge)}
        for c, d in edges if cost < np.inf else ():
            if -1e-12 <= c <= charge + 1e-12 and -1e-12 <= d <= discharge + 1e-12:
                taken = p.dt * (d / p.efficiency_discharge[t] - c * p.efficiency_charge[t])
                found.append((taken, p.dt * (cost + p.wear_charge[t] * c + p.wear_discharge[t] * d), c, d))
    return np.array(found)


def cheapest_flows(drawn: float, most: np.ndarray, sign: np.ndarray, price: np.ndarray) -> float:
    """Least cost of flows within their bounds that add up to what is drawn through the meter, by enumeration."""
    best = np.inf
    for free in range(5):
        flows = SIDES * most
        flows[:, free] = 0
        flows[:, free] = (drawn - flows @ sign) * sign[free]
        fits = (flows[:, free] >= -1e-9) & (flows[:, free] <= most[free] + 1e-9)
        best = min(best, float((flows @ price)[fits].min(initial=np.inf)))
    return best


def clip(corners: Corners, low: float, high: float) -> Corners:
    """Restrict a function to a range."""
    x, y = np.array(corners).T
    low, high = max(low, x[0]), min(high, x[-1])
    inside = [(a, b) for a, b in corners if low < a < high]
    return [(low, float(np.interp(low, x, y))), *inside, (high, float(np.interp(high, x, y)))]


def add_shortfall(corners: Corners, least: float, price: float) -> Corners:
    """Charge for what is missing to the least content."""
    x, y = np.array(corners).T
    places = np.unique(np.append(x, np.clip(least, x[0], x[-1])))
    return [(a, float(np.interp(a, x, y)) + price * max(least - a, 0.0)) for a in places]


def value_functions(p: Member) -> list[Corners]:
    """Cost from each step on as a function of the content before it."""
    found = [[(0.0, 0.0), (p.capacity[-1], -p.final_value * p.capacity[-1])]]
    for t in range(p.steps - 1, -1, -1):
        later = add_shortfall(clip(found[0], 0.0, p.capacity[t]), p.content_least[t], p.price_shortfall)
        step = [(a, b) for a, b, _, _ in stage_points(p, t)]
        inflow = p.inflow[t]
        outside = [(0.0, 0.0)]
        outside += [(inflow, -p.price_shortfall * inflow)] if inflow < 0 else [(inflow, p.price_wasted * inflow)]
        both = lower_hull([(a + c, b + d) for a, b in lower_hull(step) for c, d in outside])
        total = lower_hull([(a + c, b + d) for a, b in later for c, d in both])
        found.insert(0, [((a - inflow) / p.retained[t], b) for a, b in total])
    return found


def least_cost(p: Member) -> float:
    """Cost of the best plan."""
    x, y = np.array(value_functions(p)[0]).T
    assert x[0] - 1e-9 <= p.initial <= x[-1] + 1e-9
    return float(np.interp(p.initial, x, y))


def lower_bound(p: Member, value: np.ndarray) -> float:
    """Least cost when content may be had from and given to anywhere at these values: the Lagrangian's minimum."""
    bound = -value[0] * p.retained[0] * p.initial
    for t in range(p.steps):
        bound += min(cost + value[t] * taken for taken, cost, _, _ in stage_points(p, t)) - value[t] * p.inflow[t]
        bound += min(p.price_shortfall - value[t], 0.0) * max(-p.inflow[t], 0.0)
        bound += min(p.price_wasted + value[t], 0.0) * max(p.inflow[t], 0.0)
        next_value = p.final_value if t == p.steps - 1 else p.retained[t + 1] * value[t + 1]
        contents = (0.0, min(p.content_least[t], p.capacity[t]), p.capacity[t])
        bound += min(
            (value[t] - next_value) * e + p.price_shortfall * max(p.content_least[t] - e, 0.0) for e in contents
        )
    return bound
