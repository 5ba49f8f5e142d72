"""The cheapest plan of a store behind a meter, exactly, for many members at once.

One store, its content e, and steps t = 1 … T. With u the energy taken from the content in a step, the cost from t on is

    V_t(e) = min_u g_t(u) + V_t+1(retained e + inflow - u),    0 <= content <= capacity,

where g_t is the least cost of a step at the store's terminals and at the meter (`kernels.stage`, `kernels.meter`).
Every V and g is convex and piecewise linear, so the minimum is an infimal convolution [1]_: the segments of both,
sorted by slope. `kernels.store_value` walks backward with one sorted list of segments (`kernels.slopes`), into which
each step puts a few and from whose ends the bounds of the content cut as many; `kernels.store_plan` reads the plan from
where each segment was cut. The slope at the content is its marginal value, the multiplier of Lagrangian theory [2]_.
Work grows with steps x hours of capacity, because the list is as long as the steps that fit into the capacity.

It is the optimum of the linear program of ``docs/formulation.md`` for a meter with one store, to rounding, for prices
of any sign and order; charging and discharging at once occurs where it pays, as there. What the program has not, is:

- content: ``content[t] = retained content[t-1] + inflow + missing - wasted + dt (efficiency_charge charge - discharge
  / efficiency_discharge)`` within ``[0, capacity]``
- ``missing`` in ``[0, max(-inflow, 0)]`` and ``shortfall >= content_least - content`` at `price_shortfall`, ``wasted``
  in ``[0, max(inflow, 0)]`` at `price_wasted`; content at the end is worth `final_value`.

=====================  =================================================================================================
what it plans          how it is stated
=====================  =================================================================================================
household battery      as in the formulation; ``retained = (1 - standing_loss) ** dt``; green-only: bounds by step
meter without store    no power and no capacity
electric car           power 0 while away, driving as negative `inflow` (what the battery cannot give is charged
                       elsewhere: `missing`), `content_least` at the step before it leaves; no discharge if it cannot
heat pump with tank    heat is the content: charge is the electric power, `efficiency_charge` the step's coefficient of
                       performance, heat demand negative `inflow`, solar heat positive `inflow`
hot-water tank         the same with a heating rod of efficiency 1
gas holder with two    gas is the content, raw gas the `inflow`, `wasted` the flare. First outlet: discharge, the
outlets                electricity of an engine. Second outlet: charge with ``efficiency_charge < 0``, upgrading, which
                       draws 1 kW for each ``-efficiency_charge`` kW of gas and earns a negative `wear_charge`
=====================  =================================================================================================

What does not fit, because it needs a second state or is not convex: two stores behind one meter, a price on the highest
import, ramps, least power or other on-off decisions, a third outlet, efficiency or losses that depend on the content.

References
----------
.. [1] R. T. Rockafellar, *Convex Analysis*, 1970, :doi:`10.1515/9781400873173` (§5, §16).
.. [2] J. Cruise, L. Flatley, R. Gibbens, S. Zachary, *Control of energy storage with market impact: Lagrangian approach
   and horizons*, 2019, :doi:`10.1287/opre.2018.1761`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from kernels._jit import bare_kernel
from kernels.meter_alone import is_meter_alone, plan_meter
from kernels.store_plan import forward, no_plan
from kernels.store_value import Scratch, backward, make_scratch

PARTS = 8  # for each thread, so that none waits long for another on a busy machine


class Stores(NamedTuple):
    """What is behind each meter, and what it costs.

    Arrays have two dims (member or 1, step or 1), where 1 stands for all, or one (member or 1,). All are finite unless
    noted, and bounds are not negative.

    Attributes
    ----------
    p_net : ndarray (member, step)
        Load less available generation, nothing curtailed. [kW]
    p_curtailed_max : ndarray (member, step)
        Part of the generation that may be curtailed. [kW]
    p_import_max, p_export_max, p_unserved_max, p_spilled_max : ndarray (member, step)
        Bounds at the meter. [kW]
    price_import, price_export : ndarray (member, step)
        [money/kWh]
    p_charge_max, p_discharge_max : ndarray (member, step)
        [kW]
    efficiency_charge : ndarray (member, step)
        Content gained per energy charged; above 1 for a heat pump, below 0 for a second outlet. [1]
    efficiency_discharge : ndarray (member, step)
        Energy discharged per content lost, above 0. [1]
    wear_charge, wear_discharge : ndarray (member, step)
        Cost per energy through the terminals. [money/kWh]
    capacity : ndarray (member, step)
        Most content at the end of the step. [kWh]
    content_least : ndarray (member, step)
        Content at the end of the step below which shortfall is paid. [kWh]
    inflow : ndarray (member, step)
        Content that arrives (positive) or is withdrawn (negative) in the step. [kWh]
    retained : ndarray (member, step)
        Part of the content that is left after the step without use, above 0. [1]
    initial : ndarray (member,)
        Content before the first step. [kWh]
    final_least, final_most : ndarray (member,)
        As `content_least` and `capacity`, for the last step; equal for a fixed content, infinite `final_most` for none.
        [kWh]
    final_value : ndarray (member,)
        What content at the end is worth. [money/kWh]
    dt : float
        Length of a step. [h]
    price_unmet : float
        Price of unserved and spilled power. [money/kWh]
    price_shortfall : float
        Price of content below the least, and of withdrawal that is missing. [money/kWh]
    price_wasted : float
        Price of inflow that is wasted. [money/kWh]
    """

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
    """The cheapest plan of each member; NaN, and infinite cost, for those whose bounds leave no plan.

    Attributes
    ----------
    charge, discharge : ndarray (member, step)
        At the terminals; both where that pays. [kW]
    content : ndarray (member, step)
        At the end of the step. [kWh]
    p_import, p_export, p_curtailed, p_unserved, p_spilled : ndarray (member, step)
        At the meter. [kW]
    shortfall, missing, wasted : ndarray (member, step)
        Content below the least, withdrawal that was not there, inflow that was not kept. [kWh]
    value : ndarray (member, step)
        What one more kWh of inflow in the step would save: the price of the content's balance; 0 without a store.
        [money/kWh]
    cost : ndarray (member,)
        All of it, less the value of the final content. [money]
    """

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


def plan_members(stores: Stores, first: int, stop: int, scratch: Scratch, plans: Plans) -> None:
    """Plan the members from `first` to `stop`, one after another, in the same scratch.

    Meters alone and stores are planned apart: in one kernel with the stores' the few loops of the meters would not be
    done many steps at a time, and take three times as long.
    """
    plan_meters(stores, first, stop, scratch, plans)
    plan_holders(stores, first, stop, scratch, plans)


@bare_kernel
def plan_meters(stores: Stores, first: int, stop: int, scratch: Scratch, plans: Plans) -> None:
    """Plan those members that have no store."""
    for m in range(first, stop):
        if is_meter_alone(stores, m) and not plan_meter(stores, m, scratch, plans):
            no_plan(m, plans)


@bare_kernel
def plan_holders(stores: Stores, first: int, stop: int, scratch: Scratch, plans: Plans) -> None:
    """Plan those members that have a store."""
    for m in range(first, stop):
        if is_meter_alone(stores, m):
            continue
        slope = backward(stores, m, scratch)
        if np.isnan(slope):
            no_plan(m, plans)
        else:
            forward(stores, m, scratch, slope, plans)


def shape_of(stores: Stores) -> tuple[int, int]:
    """How many members and steps there are: lengths other than 1 (none at all is one)."""
    shapes = [np.shape(values) for values in stores if np.ndim(values) > 0]
    members, steps = {shape[0] for shape in shapes} - {1}, {shape[1] for shape in shapes if len(shape) > 1} - {1}
    return max(members, default=1), max(steps, default=1)


def make_plans(members: int, steps: int) -> Plans:
    """Room for the plans of so many members."""
    series = {name: np.empty((members, steps)) for name in Plans._fields[:-1]}
    return Plans(**series, cost=np.empty(members))


@bare_kernel
def never_changes(values: np.ndarray) -> bool:
    """Whether each member's values, (member, step), are the same in all steps; NaN is no value's like."""
    other = 0
    for m in range(values.shape[0]):
        first = values[m, 0]
        for t in range(values.shape[1]):
            other += 0 if values[m, t] == first else 1
    return other == 0


def as_compiled(stores: Stores) -> Stores:
    """Bring arrays to the one kind that the kernel is compiled for: contiguous and writeable, though it writes none."""
    ready: dict[str, Any] = {
        name: _compiled(value) if isinstance(value, np.ndarray) else float(value)
        for name, value in stores._asdict().items()
    }
    return Stores(**ready)


def _compiled(values: np.ndarray) -> np.ndarray:
    """Ask first: that is ten times as fast as `np.require` where there is nothing to do."""
    if values.dtype == np.float64 and values.flags.carray:
        return values
    return np.require(values, np.float64, ["C", "W"])


def plan_stores(stores: Stores, plans: Plans | None = None, *, threads: int = 1) -> Plans:
    """Cheapest plan of every member.

    Parameters
    ----------
    stores : Stores
        The members; shapes are not checked.
    plans : Plans, optional
        Room for the plans, to be written again, as for the same members at other prices.
    threads : int
        Among how many threads the members are shared out; it changes nothing but the time.

    Returns
    -------
    Plans
        `plans` if given.
    """
    members, steps = shape_of(stores)
    ready = as_compiled(stores)
    written = make_plans(members, steps) if plans is None else plans
    parts = 1 if threads == 1 else PARTS * threads
    bounds = [members * k // parts for k in range(parts + 1)]

    def work(k: int) -> None:
        plan_members(ready, bounds[k], bounds[k + 1], make_scratch(steps), written)

    if threads == 1:
        work(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(parts)))
    return written
