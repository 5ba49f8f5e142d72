"""Plan households' batteries exactly, by hours of capacity, steps and prices; a million of them on two cores."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import timed
from kernels.store import Plans, Stores, make_plans, plan_stores

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS = 500  # as many as a large feeder has: 7 MB; with thousands, memory is measured and not the kernel
REPEATS = 51  # a core that others share for a second is half as slow again: the median of a moment says little
BATCH = 5000  # members whose plans are in memory at once
MILLION = 1_000_000
THREADS = 2
NUMBERS = ("dt", "price_unmet", "price_shortfall", "price_wasted")
SERIES = ("p_net", "p_curtailed_max", "p_import_max", "p_export_max", "price_import", "price_export")


def households(count: int, *, steps: int = 96, hours: float = 2.0, negative: bool = False, seed: int = 1) -> Stores:
    """Houses with 3 to 9 kW of PV and a battery of 2 to 6 kW, at prices that are noise from step to step.

    Parameters
    ----------
    count, steps : int
        Members, quarter hours.
    hours : float
        Capacity over power. [h]
    negative : bool
        Import prices of 0.10 +- 0.15, export 0.05 less: a third of the steps has one below zero, and as nothing wears
        there, their cost is a hull. Else 0.28 +- 0.08 and 0.08, and wear of 0.02.
    seed : int
        Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    shape, clock = (count, steps), np.arange(steps) / 4 % 24
    load, power = rng.uniform(0.1, 1.5, shape), rng.uniform(2, 6, (count, 1))
    sun = np.clip(np.sin((clock - 6) / 12 * np.pi), 0, None) * (clock < 18)
    pv = rng.uniform(3, 9, (count, 1)) * sun * rng.uniform(0.5, 1, shape)
    noisy = rng.normal(0.10, 0.15, shape) if negative else np.maximum(rng.normal(0.28, 0.08, shape), 0.01)
    export = noisy - 0.05 if negative else np.minimum(noisy, 0.08)
    zero, efficiency, wear = np.zeros((1, 1)), np.full((1, 1), 0.95), np.full((1, 1), 0.0 if negative else 0.02)
    half = power[:, 0] * hours / 2
    return Stores(
        p_net=load - pv,
        p_curtailed_max=pv,
        p_import_max=load + power,
        p_export_max=pv + power,
        p_unserved_max=zero,
        p_spilled_max=zero,
        price_import=noisy,
        price_export=export,
        p_charge_max=power,
        p_discharge_max=power,
        efficiency_charge=efficiency,
        efficiency_discharge=efficiency,
        wear_charge=wear,
        wear_discharge=wear,
        capacity=power * hours,
        content_least=zero,
        inflow=zero,
        retained=np.ones((1, 1)),
        initial=half,
        final_least=half,
        final_most=np.full(1, np.inf),
        final_value=np.zeros(1),
        dt=0.25,
        price_unmet=10.0,
        price_shortfall=10.0,
        price_wasted=0.0,
    )


def as_tree(stores: Stores) -> xr.DataTree:
    """Members as a tree, which is what benchmarks are measured on."""
    arrays = {name: value for name, value in stores._asdict().items() if name not in NUMBERS}
    named = {name: (tuple(f"{name}_{k}" for k in range(a.ndim)), a) for name, a in arrays.items()}
    return xr.DataTree(xr.Dataset(named, attrs={name: getattr(stores, name) for name in NUMBERS}))


def from_tree(tree: xr.DataTree) -> Stores:
    """Members back from a tree."""
    given: dict[str, Any] = {name: tree[name].to_numpy() for name in Stores._fields if name not in NUMBERS}
    given |= {name: float(tree.attrs[name]) for name in NUMBERS}
    return Stores(**given)


def plan_on_one_core(tree: xr.DataTree) -> Timing:
    """Plan every member, one after another."""
    stores = from_tree(tree)
    members, steps = stores.p_net.shape
    plans = make_plans(members, steps)
    fastest = np.inf

    def work() -> None:
        nonlocal fastest
        begin = time.process_time()
        plan_stores(stores, plans)
        fastest = min(fastest, time.process_time() - begin)

    clock, _ = timed(work, REPEATS)
    each, least = clock.cpu_s / members, fastest / members
    note = f"{each * 1e6:.1f} us a store, {each / steps * 1e9:.0f} ns a step; at best {least * 1e6:.1f} us"
    return Timing(*clock, float(plans.cost.sum()), note)


def batches(stores: Stores, size: int) -> Iterator[Stores]:
    """Consecutive members, so many at a time."""
    for first in range(0, len(stores.p_net), size):
        chosen = slice(first, first + size)
        given: dict[str, Any] = {k: v[chosen] if np.ndim(v) and len(v) > 1 else v for k, v in stores._asdict().items()}
        yield Stores(**given)


def plan_a_million(tree: xr.DataTree) -> Timing:
    """Plan the members again and again, in batches on two cores, until there are a million plans (fewer for a test)."""
    stores = from_tree(tree)
    members, steps = stores.p_net.shape
    rounds = MILLION // members if members > MEMBERS else 1
    plans: Plans = make_plans(min(members, BATCH), steps)

    def work() -> float:
        cost = 0.0
        for _, batch in itertools.product(range(rounds), batches(stores, len(plans.cost))):
            cost += float(plan_stores(batch, plans, threads=THREADS).cost.sum())
        return cost / rounds

    plan_stores(next(batches(stores, len(plans.cost))), plans)  # compiles
    begin, begin_cpu = time.perf_counter(), time.process_time()
    cost = work()
    seconds, cpu_s = time.perf_counter() - begin, time.process_time() - begin_cpu
    note = f"{members * rounds} plans of {members} members; half of the processor time is {cpu_s / THREADS:.1f} s"
    return Timing(seconds, cpu_s, cost, note)


def _measure(tree: xr.DataTree) -> Timing:
    return plan_a_million(tree) if len(tree["p_net"]) > MEMBERS else plan_on_one_core(tree)


def _subject(steps: int, hours: int, *, negative: bool = False, count: int = MEMBERS) -> Subject:
    def make() -> xr.DataTree:
        return as_tree(households(count, steps=steps, hours=hours, negative=negative))

    prices = "negative prices" if negative else "noisy prices"
    return Subject(f"{count} households", f"{hours} h, {steps} steps, {prices}", make)


def subjects() -> tuple[Subject, ...]:
    """Targets, growth with steps and hours, and the million."""
    day = [_subject(96, hours, negative=negative) for negative in (False, True) for hours in (2, 8, 40)]
    longer = [_subject(steps, hours) for steps in (192, 384) for hours in (2, 8, 40)]
    return (*day, *longer, _subject(96, 2, count=10 * BATCH))


BENCHMARK = Benchmark(
    name="store",
    about="plan one battery behind one meter (targets for 2, 8, 40 h: 20, 35, 70 us; a million: 15 s on 2 cores)",
    measures={"plan": _measure},
    subjects=subjects,
    small=lambda: (_subject(8, 2, count=3), _subject(8, 2, negative=True, count=3)),
)
