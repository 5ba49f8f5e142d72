"""Figures of stores for the proof of a plan; see `kernels.proof`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import bare_kernel
from kernels.proof import Scratch, Two, fill, larger, natural, outside, prove_columns
from kernels.store_value import at


class Held(NamedTuple):
    """Constants of stores of one kind.

    Attributes
    ----------
    charge_max, discharge_max, withdrawn : ndarray (store or 1, step or 1)
        Largest powers, and what is withdrawn from the content. [kW]
    gain, drain : ndarray (store or 1, step or 1)
        Efficiencies of charging and discharging. [1]
    wear : ndarray (store or 1, step or 1)
        [money/kWh]
    least : ndarray (store, step or 1)
        Content below which shortfall is paid, from step `first` on. [kWh]
    lost, capacity, initial : ndarray (store, 1)
        Share of the content that is lost in an hour; bounds and start of the content. [1, kWh, kWh]
    first : int
        First step that asks for a content.
    dt : float
        Length of a step. [h]
    price : float
        Of content that is lacking, or withdrawn without being there. [money/kWh]
    gives, withdraws : bool
        Whether they discharge, and whether something is withdrawn from the content.
    """

    charge_max: np.ndarray
    discharge_max: np.ndarray
    withdrawn: np.ndarray
    gain: np.ndarray
    drain: np.ndarray
    wear: np.ndarray
    least: np.ndarray
    lost: np.ndarray
    capacity: np.ndarray
    initial: np.ndarray
    first: int
    dt: float
    price: float
    gives: bool
    withdraws: bool


class Holding(NamedTuple):
    """What stores of one kind do, and prices of their rows.

    Attributes
    ----------
    charge, discharge, missing : ndarray (row or 1, step or 1)
        Powers, and withdrawal that is missing. [kW; `unit` kWh]
    content : ndarray (row, step)
        After each step. [kWh]
    shortfall, at_least : ndarray (row, step)
        What that lacks of the least, and the price of the least; of the last steps only where there are fewer columns.
        [kWh, money/kWh]
    value : ndarray (row, step)
        Price of the content's balance, `turn` times. [money/kWh]
    row : ndarray (store,) of int
        Row of each store.
    unit, turn : float
        What `missing` and `value` are multiplied by: kWh, and the value of content.
    """

    charge: np.ndarray
    discharge: np.ndarray
    missing: np.ndarray
    content: np.ndarray
    shortfall: np.ndarray
    at_least: np.ndarray
    value: np.ndarray
    row: np.ndarray
    unit: float
    turn: float


@bare_kernel
def late(values: np.ndarray, e: int, t: int, steps: int) -> float:
    """Value of an element and step, where there may be columns of the last steps only."""
    k = t - steps + values.shape[1]
    return float(values[e, k]) if k >= 0 else 0.0


@bare_kernel
def prove_charge(
    held: Held, charge: np.ndarray, e: int, left: np.ndarray, y: np.ndarray, s: Scratch, found: Two
) -> Two:
    """Figures of what a store charges, (step,); what that takes at the meter, and `s.gain`, what the content gains.

    Parameters
    ----------
    left, y : ndarray (step,)
        Left side of the balance at the meter [kW], changed in place, and its price [money/kW].
    s : Scratch
        `value` is that of the content.
    found : float, float
        Primal and dual so far.
    """
    fill(s.gain, held.gain, e, held.dt)
    fill(s.own, held.wear, e, held.dt)
    fill(s.most, held.charge_max, e, 1.0)
    for t in range(len(y)):
        s.reduced[t] = s.own[t] + y[t] - s.value[t] * s.gain[t]
    for t in range(len(y)):
        left[t] -= charge[t]
    for t in range(len(y)):
        s.gain[t] *= charge[t]
    return prove_columns(charge, s, found)


@bare_kernel
def prove_discharge(
    held: Held, discharge: np.ndarray, e: int, left: np.ndarray, y: np.ndarray, s: Scratch, found: Two
) -> Two:
    """Do the same for what it discharges."""
    fill(s.drain, held.drain, e, 1.0)
    fill(s.own, held.wear, e, held.dt)
    fill(s.most, held.discharge_max, e, 1.0)
    for t in range(len(y)):
        s.drain[t] = held.dt / s.drain[t]
    for t in range(len(y)):
        s.reduced[t] = s.own[t] - y[t] + s.value[t] * s.drain[t]
    for t in range(len(y)):
        left[t] += discharge[t]
    for t in range(len(y)):
        s.gain[t] -= s.drain[t] * discharge[t]
    return prove_columns(discharge, s, found)


@bare_kernel
def prove_withdrawal(held: Held, plan: Holding, e: int, s: Scratch, found: Two) -> Two:
    """Figures of what is missing of a withdrawal, `s.most` in kWh; the content gains the one and loses the other."""
    fill(s.most, held.withdrawn, e, held.dt)
    fill(s.worth, plan.missing, plan.row[e], plan.unit)
    s.own[:] = held.price
    for t in range(len(s.most)):
        s.bound[t] += s.value[t] * s.most[t]
    for t in range(len(s.most)):
        s.reduced[t] = held.price - s.value[t]
    for t in range(len(s.most)):
        s.gain[t] += s.worth[t] - s.most[t]
    return prove_columns(s.worth, s, found)


@bare_kernel
def prove_kept(content: np.ndarray, kept: float, initial: float, s: Scratch, found: Two) -> Two:
    """Find the largest violation of the content's balance, (step,), relative to 1 plus the withdrawal `s.most`."""
    off, gain, (primal, dual) = s.worth, s.gain, found
    off[0] = content[0] - kept * initial - gain[0]
    for t in range(1, len(content)):
        off[t] = content[t] - kept * content[t - 1] - gain[t]
    beyond = 0
    for t in range(len(content)):
        beyond += 0 if abs(off[t]) <= primal else 1
    if beyond > 0:
        for t in range(len(content)):
            primal = larger(primal, abs(off[t]) / (1.0 + s.most[t]))
    return primal, dual


@bare_kernel
def prove_content(
    capacity: float, content: np.ndarray, kept: float, initial: float, at_least: np.ndarray, s: Scratch, found: Two
) -> Two:
    """Figures of the content, (step,), given prices of the least of it in the last steps, `at_least`."""
    steps, value = len(content), s.value
    s.own[:], s.most[:] = 0.0, capacity
    for t in range(steps - 1):
        s.reduced[t] = value[t] - kept * value[t + 1]
    s.reduced[steps - 1] = value[steps - 1]
    first = steps - len(at_least)
    for k in range(len(at_least)):
        s.reduced[first + k] -= max(at_least[k], 0.0)
    s.bound[0] -= value[0] * kept * initial
    return prove_columns(content, s, found)


@bare_kernel
def prove_least(held: Held, plan: Holding, e: int, s: Scratch, found: Two) -> Two:
    """Figures of the least content and of what is lacking of it, where there is any, or a price of it."""
    r, steps, price, (primal, dual) = plan.row[e], len(s.own), held.price, found
    for t in range(steps - max(plan.shortfall.shape[1], plan.at_least.shape[1]), steps):
        short, l = late(plan.shortfall, r, t, steps), late(plan.at_least, r, t, steps)
        least = at(held.least, e, t) if t >= held.first else 0.0
        if short == 0.0 and least == 0.0 and l == 0.0:
            continue
        at_least, lacking = max(l, 0.0), plan.content[r, t] + short - least
        s.cost[t] += price * short
        s.bound[t] += at_least * least + min(price - at_least, 0.0) * least
        if not (0.0 <= short <= least and lacking >= 0.0):
            primal = larger(primal, larger(outside(short, 0.0, least), -lacking / (1.0 + least)))
        dual = larger(dual, natural(short, price - at_least, least) / (1.0 + price))
        dual = larger(dual, larger(abs(l - at_least), natural(at_least, lacking, np.inf)))
    return primal, dual


@bare_kernel
def prove_store(held: Held, plan: Holding, e: int, left: np.ndarray, y: np.ndarray, s: Scratch, largest: Two) -> Two:
    """Figures of one store, and what it adds to the balance at its meter, `left`, (step,), of price `y`."""
    r, found = plan.row[e], largest
    content, initial = plan.content[r], held.initial[e, 0]
    kept = (1.0 - held.lost[e, 0]) ** held.dt
    fill(s.value, plan.value, r, plan.turn)
    found = prove_charge(held, plan.charge[r], e, left, y, s, found)
    if held.gives:
        found = prove_discharge(held, plan.discharge[r], e, left, y, s, found)
    s.most[:] = 0.0
    if held.withdraws:
        found = prove_withdrawal(held, plan, e, s, found)
    found = prove_kept(content, kept, initial, s, found)
    found = prove_content(held.capacity[e, 0], content, kept, initial, plan.at_least[r], s, found)
    return prove_least(held, plan, e, s, found)


@bare_kernel
def prove_stores(held: Held, plan: Holding, y: np.ndarray, row: np.ndarray, balance: np.ndarray, s: Scratch) -> Two:
    """Figures of all stores of one kind, and what they add to the balances at their meters.

    Parameters
    ----------
    held : Held
        Their constants.
    plan : Holding
        What they do, and prices of their rows.
    y : ndarray (row, step)
        Price of the balance at the meter. [money/kW]
    row : ndarray (store,) of int
        Row of each store's meter.
    balance : ndarray (row, step)
        Changed in place. [kW]
    s : Scratch
        To which costs and bounds are added.
    """
    found = 0.0, 0.0
    for e in range(len(row)):
        found = prove_store(held, plan, e, balance[row[e]], y[row[e]], s, found)
    return found
