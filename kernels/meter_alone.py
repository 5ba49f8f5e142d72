"""The plan of a meter without a store, each step on its own.

Mostly prices stand in one order in all steps: spilled power is cheapest, then come curtailing, export, import and
unserved power. Then all steps are planned together, kind by kind, to the same numbers as step by step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels._jit import bare_kernel
from kernels.meter import CURTAILED, EXPORT, IMPORT, SPILLED, UNSERVED
from kernels.store_plan import meter_flow
from kernels.store_value import CLOSE, meter_side, of

if TYPE_CHECKING:
    import numpy as np

    from kernels.store import Plans, Stores
    from kernels.store_value import Scratch

NET, PAID, EARNED = 5, 6, 7  # rows of `Scratch.series`, after those of the most of each kind of `kernels.meter`


@bare_kernel
def nothing(values: np.ndarray, m: int) -> bool:
    """Whether a member's values are 0 in all steps."""
    member, other = m if values.shape[0] > 1 else 0, 0
    for t in range(values.shape[1]):
        other += 0 if values[member, t] == 0.0 else 1
    return other == 0


@bare_kernel
def is_meter_alone(stores: Stores, m: int) -> bool:
    """Whether a member has nothing that could hold, take or give energy in any step."""
    if of(stores.initial, m) != 0.0 or of(stores.final_least, m) != 0.0 or not nothing(stores.capacity, m):
        return False
    bounds = nothing(stores.content_least, m) and nothing(stores.inflow, m)
    return bounds and nothing(stores.p_charge_max, m) and nothing(stores.p_discharge_max, m)


@bare_kernel
def read(values: np.ndarray, m: int, row: np.ndarray) -> None:
    """Write a member's values of all steps into a row, (step,)."""
    member = m if values.shape[0] > 1 else 0
    if values.shape[1] > 1:
        for t in range(len(row)):
            row[t] = values[member, t]
    else:
        row[:] = values[member, 0]


@bare_kernel
def out_of_order(series: np.ndarray, price_unmet: float) -> int:
    """Count steps in which prices stand in another order, or in which the bounds at the meter leave no plan."""
    found = 0
    for t in range(series.shape[1]):
        top = series[IMPORT, t] + series[UNSERVED, t] - series[NET, t]
        bottom = -(series[EXPORT, t] + series[SPILLED, t] + series[CURTAILED, t]) - series[NET, t]
        usual = (series[EARNED, t] >= 0.0) & (series[EARNED, t] <= series[PAID, t]) & (series[PAID, t] <= price_unmet)
        found += 0 if usual & (bottom <= CLOSE) & (top >= -CLOSE) else 1
    return found


@bare_kernel
def take_off(unused: np.ndarray, width: np.ndarray, flow: np.ndarray, rest: bool) -> None:
    """Leave unused what can be of one kind, cheaper than those before it; write that, or the `rest`, as its flow."""
    for t in range(len(unused)):
        off = max(0.0, unused[t])
        off = min(width[t], off)
        unused[t] -= off
        flow[t] = width[t] - off if rest else off


@bare_kernel
def plan_meter(stores: Stores, m: int, scratch: Scratch, plans: Plans) -> bool:
    """Write the plan of a meter without a store; returns whether there is one."""
    series = scratch.series
    plans.charge[m], plans.discharge[m], plans.content[m], plans.value[m] = 0.0, 0.0, 0.0, 0.0
    plans.shortfall[m], plans.missing[m], plans.wasted[m] = 0.0, 0.0, 0.0
    read(stores.p_import_max, m, series[IMPORT])
    read(stores.p_export_max, m, series[EXPORT])
    read(stores.p_unserved_max, m, series[UNSERVED])
    read(stores.p_spilled_max, m, series[SPILLED])
    read(stores.p_curtailed_max, m, series[CURTAILED])
    read(stores.p_net, m, series[NET])
    read(stores.price_import, m, series[PAID])
    read(stores.price_export, m, series[EARNED])
    if out_of_order(series, stores.price_unmet) > 0:
        return bool(plan_in_any_order(stores, m, scratch, plans))
    plan_in_order(series, stores.price_unmet, stores.dt, m, plans)
    return True


@bare_kernel
def plan_in_order(series: np.ndarray, price_unmet: float, dt: float, m: int, plans: Plans) -> None:
    """Write what flows in all steps where prices stand in the usual order: the dearest is off first."""
    unused, cost = series[NET], 0.0
    for t in range(len(unused)):
        unused[t] = series[IMPORT, t] + series[UNSERVED, t] - series[NET, t]
    take_off(unused, series[UNSERVED], plans.p_unserved[m], True)
    take_off(unused, series[IMPORT], plans.p_import[m], True)
    take_off(unused, series[EXPORT], plans.p_export[m], False)
    take_off(unused, series[CURTAILED], plans.p_curtailed[m], False)
    take_off(unused, series[SPILLED], plans.p_spilled[m], False)
    for t in range(len(unused)):
        paid = price_unmet * plans.p_unserved[m, t] + series[PAID, t] * plans.p_import[m, t]
        cost += dt * (paid - series[EARNED, t] * plans.p_export[m, t] + price_unmet * plans.p_spilled[m, t])
    plans.cost[m] = cost


@bare_kernel
def plan_in_any_order(stores: Stores, m: int, scratch: Scratch, plans: Plans) -> bool:
    """Write what flows in each step, whatever the order of prices; returns whether there is a plan."""
    steps, flows, cost = len(scratch.counts), scratch.flows, 0.0
    for t in range(steps):
        _, bottom, top = meter_side(stores, m, t, scratch)
        if bottom > CLOSE or top < -CLOSE:
            return False
        cost += stores.dt * meter_flow(t, scratch, 0.0)
        plans.p_import[m, t], plans.p_export[m, t] = flows[IMPORT], flows[EXPORT]
        plans.p_unserved[m, t], plans.p_spilled[m, t] = flows[UNSERVED], flows[SPILLED]
        plans.p_curtailed[m, t] = flows[CURTAILED]
    plans.cost[m] = cost
    return True
