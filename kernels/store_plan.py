"""Forward in time: the plan of one store, from what was filled of each step's pieces, and what its content is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels._jit import bare_kernel
from kernels.meter import CURTAILED, EXPORT, IMPORT, SPILLED, UNSERVED, Meter, meter_flows
from kernels.slopes import SLOTS
from kernels.stage import Hull, hull_powers, plain_powers
from kernels.store_value import (
    METER_PIECES,
    MISSING,
    PIECES,
    POINTS,
    TAKEN,
    TOP,
    WASTED,
    Scratch,
    at,
    content_bounds,
    of,
    terminals_at,
)

if TYPE_CHECKING:
    from kernels.store import Plans, Stores

NEAR = 1e-10  # content this close to a bound, relative to the capacity, is at it


@bare_kernel
def energy_taken(scratch: Scratch, t: int) -> float:
    """Energy, in kWh, that the plan takes from the content in a step."""
    taken = float(scratch.start[t, TAKEN])
    for j in range(scratch.counts[t, PIECES]):
        taken += scratch.segments.filled[t * SLOTS + j]
    return taken


@bare_kernel
def powers(stores: Stores, m: int, t: int, scratch: Scratch, taken: float) -> tuple[float, float]:
    """Charge and discharge, in kW, that take an energy from the content at the least cost."""
    points = scratch.counts[t, POINTS]
    if points == 0:
        return plain_powers(taken, terminals_at(stores, m, t))
    hull = Hull(scratch.taken[t], scratch.cost[t], scratch.charge[t], scratch.discharge[t])
    return hull_powers(taken, hull, points)


@bare_kernel
def meter_flow(t: int, scratch: Scratch, z: float) -> float:
    """Write what flows at the meter when the store draws z into `scratch.flows`; returns its cost in money/h."""
    meter = Meter(scratch.price[t], scratch.width[t], scratch.kind[t])
    return meter_flows(meter, scratch.counts[t, METER_PIECES], scratch.start[t, TOP], z, scratch.flows)


@bare_kernel
def slope_after(turn: np.ndarray, content: float, least: float, most: float, slope: float, shortfall: float) -> float:
    """Marginal cost of content after its bounds, from that before them.

    It is the same unless the content has come to a bound or is short; then it moves no further than it must to lie
    between the slopes of the value function to both sides.

    Parameters
    ----------
    turn : ndarray (6,)
        Slopes of the value function, see `Scratch`. [money/kWh]
    content, least, most : float
        At the end of the step. [kWh]
    slope, shortfall : float
        Marginal cost of the content, price of shortfall. [money/kWh]

    Returns
    -------
    float
        [money/kWh]
    """
    near = NEAR * max(most, NEAR)
    below, above = -np.inf, np.inf
    if content <= near:
        below, above = turn[0], turn[1]
    elif content >= most - near:
        below, above = turn[2], turn[3]
    elif least > 0.0:
        if content < least - near:
            return slope + shortfall
        if content <= least + near:
            below, above = turn[4], turn[5]
    return min(max(slope, below), above)


@bare_kernel
def forward(stores: Stores, m: int, scratch: Scratch, slope: float, plans: Plans) -> None:
    """Write the plan of a member whose pieces are filled and whose content has a marginal cost of `slope` at first."""
    steps, filled, flows = len(scratch.counts), scratch.segments.filled, scratch.flows
    content, cost = of(stores.initial, m), 0.0
    for t in range(steps):
        taken, inflow, kept = energy_taken(scratch, t), at(stores.inflow, m, t), at(stores.retained, m, t)
        missing = max(max(-inflow, 0.0) - filled[t * SLOTS + MISSING], 0.0)
        wasted = filled[t * SLOTS + WASTED]
        charge, discharge = powers(stores, m, t, scratch, taken)
        paid = meter_flow(t, scratch, charge - discharge)
        paid += at(stores.wear_charge, m, t) * charge + at(stores.wear_discharge, m, t) * discharge
        least, most = content_bounds(stores, m, t, steps)
        content = min(max(kept * content + inflow + missing - wasted - taken, 0.0), most)
        shortfall = max(least - content, 0.0)
        cost += stores.dt * paid + stores.price_shortfall * (shortfall + missing) + stores.price_wasted * wasted
        plans.charge[m, t], plans.discharge[m, t], plans.content[m, t] = charge, discharge, content
        plans.shortfall[m, t], plans.missing[m, t], plans.wasted[m, t] = shortfall, missing, wasted
        plans.p_import[m, t], plans.p_export[m, t] = flows[IMPORT], flows[EXPORT]
        plans.p_unserved[m, t], plans.p_spilled[m, t] = flows[UNSERVED], flows[SPILLED]
        plans.p_curtailed[m, t], plans.value[m, t] = flows[CURTAILED], -slope
        if t < steps - 1:
            slope = slope_after(scratch.turn[t], content, least, most, slope, stores.price_shortfall)
            slope /= at(stores.retained, m, t + 1)
    plans.cost[m] = cost - of(stores.final_value, m) * content


@bare_kernel
def no_plan(m: int, plans: Plans) -> None:
    """Write that a member has no plan."""
    plans.charge[m], plans.discharge[m], plans.content[m] = np.nan, np.nan, np.nan
    plans.shortfall[m], plans.missing[m], plans.wasted[m] = np.nan, np.nan, np.nan
    plans.p_import[m], plans.p_export[m], plans.p_unserved[m] = np.nan, np.nan, np.nan
    plans.p_spilled[m], plans.p_curtailed[m], plans.value[m] = np.nan, np.nan, np.nan
    plans.cost[m] = np.inf
