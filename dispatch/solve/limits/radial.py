"""Voltage and rating limits of a network with at most a few closed loops, as sweeps and as rows over ports."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.case.offsets import Offsets
from dispatch.model.linear import LinearFlow, linear_flow, rating_left, reactive_flow
from dispatch.solve.limits.branches import voltage_groups
from dispatch.solve.limits.excess import FORWARD, REVERSE, V_MAX, V_MIN, Excess
from dispatch.solve.limits.known_rows import KnownRows
from dispatch.solve.limits.worth import worth_by_sweep, worth_in_steps
from dispatch.solve.protocols import KEY, Rows, key_order
from kernels.network_limits import (
    flows_beyond,
    over_ports,
    relaxed_flows,
    relaxed_voltages,
    voltages_beyond,
    worst_of_group,
)

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program

MANY = 200
"""So many violated voltages of known branches and steps of a feeder are stated at once."""


class RadialLimits:
    """Limits of every bus and branch, shifted by offsets; see docs/formulation.md, section Network rows.

    Ports are ``(carrier * buses + bus) * steps + step`` with carrier 0 = p (kW), 1 = q (kvar), injections positive.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    v_min_pu, v_max_pu : ndarray (bus,)
        Limits of the voltage magnitude. [1]
    q : ndarray (bus, time)
        Net reactive injections: all reactive power is given. [kvar]
    offsets : Offsets
        What the AC check adds.
    """

    kinds = ("v_max", "v_min", "forward", "reverse")

    def __init__(
        self, network: Network, v_min_pu: np.ndarray, v_max_pu: np.ndarray, q: np.ndarray, offsets: Offsets
    ) -> None:
        self.network = network
        self.rating = (v_max_pu**2, v_min_pu**2, network.s_nom, network.s_nom)
        self.steps = q.shape[1]
        self._q = q
        self.shift(offsets)

    def shift(self, offsets: Offsets) -> None:
        """Have these offsets from now on; `with_offsets` leaves the limits as they are."""
        self.offsets = offsets
        for name in ("p_max", "_left"):
            vars(self).pop(name, None)

    @cached_property
    def p_max(self) -> np.ndarray:
        """Active power that the rating of each branch leaves beside reactive power and offsets, (branch, time), kW."""
        return rating_left(self.network.s_nom, self.q_flow, self.offsets.s)

    @cached_property
    def _left(self) -> tuple[np.ndarray, np.ndarray]:
        """What of that is not kept free, forward and back; NaN out of service."""
        left = self.p_max if self.network.in_service.all() else self.p_max.copy()
        left[~self.network.in_service] = np.nan
        return _less(left, self.offsets.forward), _less(left, self.offsets.reverse)

    def with_offsets(self, offsets: Offsets) -> RadialLimits:
        """Shift the limits by other offsets."""
        other = copy(self)
        other.shift(offsets)
        return other

    @property
    def _groups(self) -> np.ndarray:
        return self.network.once(voltage_groups)

    @cached_property
    def q_flow(self) -> np.ndarray:
        """Reactive flow at `bus_from` of each branch, as it enters the ratings, (branch, time), kvar."""
        return reactive_flow(self.network, self._q)

    @property
    def ports(self) -> int:
        """How many ports there are."""
        return int(2 * self.network.buses * self.steps)

    def flow(self, x: np.ndarray) -> LinearFlow:
        """Linear state of the network when `x` enters at the ports."""
        p, q = x.reshape(2, self.network.buses, self.steps)
        return linear_flow(self.network, p, q)

    def excess(self, x: np.ndarray) -> Excess:
        """Sweep all limits: by how much each is exceeded."""
        flow = self.flow(x)
        return Excess(*(self._excess(kind, flow) for kind in range(len(self.kinds))))

    def excess_at(self, keys: np.ndarray, flow: LinearFlow) -> np.ndarray:
        """By how much given limits are exceeded (negative: what is left), (limit,)."""
        voltage, sign = keys["kind"] <= V_MIN, _sign(keys)
        found = np.empty(len(keys))
        for values, here in ((flow.v_squared, voltage), (flow.p, ~voltage)):
            found[here] = values[keys["element"][here], keys["step"][here]]
        return np.asarray(sign * found - self.bound(keys))

    def relaxed(self, flow: LinearFlow) -> float:
        """By how much all limits are exceeded, each in units of its rating, steps added up."""
        v_max, v_min, s_nom, _ = self.rating
        of_voltages = relaxed_voltages(flow.v_squared, self.offsets.v_max, v_max, self.offsets.v_min, v_min)
        return float(of_voltages + relaxed_flows(flow.p, *self._left, s_nom))

    def _excess(self, kind: int, flow: LinearFlow) -> np.ndarray:
        """By how much each limit of a kind is exceeded."""
        rating, offsets = self.rating[kind][:, None], self.offsets
        if kind == V_MAX:
            return np.asarray(flow.v_squared + offsets.v_max - rating)
        if kind == V_MIN:
            return np.asarray(rating - flow.v_squared - offsets.v_min)
        return np.asarray(flow.p - self._left[0] if kind == FORWARD else -flow.p - self._left[1])

    def _beyond(self, flow: LinearFlow, tolerance: float) -> list[int]:
        """Kinds of which any limit is exceeded by more than a tolerance: counts say of most that none is."""
        v_max, v_min, s_nom, _ = self.rating
        shifts = self.offsets.v_max, v_max, self.offsets.v_min, v_min
        counts = voltages_beyond(flow.v_squared, *shifts, tolerance) + flows_beyond(
            flow.p, *self._left, s_nom, tolerance
        )
        return [kind for kind, count in enumerate(counts) if count]

    def violated(self, x: np.ndarray, tolerance: float, most: int, known: np.ndarray) -> np.ndarray:
        """Sweep all limits: the worst bus of each branch of the feeder and step, and each overloaded line.

        Where a voltage limit of a branch and step is known already, all of the violated buses are named at once: one
        bus a sweep would take twice as many solves (LV3.101, narrow band: 8 for 3). Where these are many, only those
        that exceed their limits more than the buses next to them are (an area of the town with little room: 5,370 rows
        else, and half as much time again).

        Parameters
        ----------
        x : ndarray (port,)
            What enters. [kW, kvar]
        tolerance : float
            In units of each limit's rating.
        most : int
            How many keys to return at most: the worst.
        known : ndarray of KEY
            Limits that are stated already.

        Returns
        -------
        ndarray of KEY
            Sorted by kind, element and step, none of `known`; empty if and only if no other limit is violated.
        """
        found, amounts = [], []
        flow = self.flow(x)
        for kind in self._beyond(flow, tolerance):
            excess, stated = self._excess(kind, flow), known[known["kind"] == kind]
            chosen = excess > tolerance * self.rating[kind][:, None]
            chosen[stated["element"], stated["step"]] = False
            if not chosen.any():
                continue
            relative = np.where(chosen, excess / self.rating[kind][:, None], -np.inf)
            if kind in {V_MAX, V_MIN}:
                chosen &= self._worst(relative, tolerance, stated)
            element, step = np.nonzero(chosen)
            keys = np.empty(len(element), KEY)
            keys["kind"], keys["element"], keys["step"] = kind, element, step
            found.append(keys)
            amounts.append(relative[element, step])
        if not found:
            return np.zeros(0, KEY)
        keys, amount = np.concatenate(found), np.concatenate(amounts)
        if len(keys) > most:
            keys = keys[np.argsort(-amount, kind="stable")[:most]]
        return np.asarray(keys[key_order(keys)])

    def exceeded(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Name every limit that is exceeded, sorted, and by how much in its own unit."""
        found, amounts = [], []
        for kind, excess in enumerate(self.excess(x).by_kind):
            element, step = np.nonzero(excess > 0)
            keys = np.empty(len(element), KEY)
            keys["kind"], keys["element"], keys["step"] = kind, element, step
            found.append(keys)
            amounts.append(excess[element, step])
        return np.concatenate(found), np.concatenate(amounts)

    def _worst(self, relative: np.ndarray, tolerance: float, stated: np.ndarray) -> np.ndarray:
        """Mark the worst bus of each group and step, and all buses of groups in which a limit is stated."""
        groups = int(self._groups.max(initial=-1)) + 1
        winner, _ = worst_of_group(relative, self._groups, groups, tolerance)
        group, step = np.nonzero(winner >= 0)
        whole = np.zeros((groups, self.steps), np.bool_)
        whole[self._groups[stated["element"]], stated["step"]] = True
        chosen: np.ndarray = whole[self._groups] & (relative > tolerance)
        feeder = np.maximum(self.network.feeder, 0)
        many = np.bincount(feeder, chosen.sum(axis=1))[feeder] > MANY
        if many.any():
            chosen &= self._peaks(relative) | ~many[:, None]
        chosen[winner[group, step], step] = True
        return chosen

    def _peaks(self, relative: np.ndarray) -> np.ndarray:
        """Mark buses that exceed their limits by no less than the buses next to them in the forest."""
        inner = np.nonzero(self.network.parent >= 0)[0]
        above = self.network.parent[inner]
        least = np.full_like(relative, -np.inf)
        least[inner] = relative[above]
        np.maximum.at(least, above, relative[inner])
        return np.asarray(relative >= least)

    def rows(self, keys: np.ndarray) -> Rows:
        """State limits as one-sided rows over ports.

        Parameters
        ----------
        keys : ndarray (row,) of KEY
            Which limits.

        Returns
        -------
        Rows
            In the order of the keys; lower voltage limits with the sign turned.
        """
        voltage, element = keys["kind"] <= V_MIN, keys["element"]
        known, at, constant = self.network.once(KnownRows).rows(voltage, element)
        sign = _sign(keys)
        start = np.zeros(len(keys) + 1, np.int32)
        np.cumsum(np.diff(known.indptr)[at], out=start[1:])
        number, value = np.empty(start[-1], np.int32), np.empty(start[-1])
        step = np.ascontiguousarray(keys["step"])
        over_ports(known.indptr, known.indices, known.data, at, sign, step, self.steps, start, number, value)
        rows = sp.csr_matrix((value, number, start), (len(keys), self.ports))
        return Rows(rows, self.bound(keys) - sign * constant, self.rating_of(keys))

    def worth(self, keys: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, float]:
        """Say what limits are worth at prices, without stating a row for each step.

        Parameters
        ----------
        keys : ndarray (limit,) of KEY
            Which limits.
        prices : ndarray (limit,)
            Money per unit of each.

        Returns
        -------
        ndarray (port,)
            What a unit injected costs.
        float
            Sum of the rows' bounds at their prices.
        """
        priced = (keys["kind"] <= V_MIN, keys, _sign(keys) * prices, self.steps)
        weight, fixed = worth_by_sweep(self.network, *priced)
        return weight, float(np.sum(self.bound(keys) * prices)) - fixed

    def worth_by_step(self, keys: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Do the same for the steps alone in which anything has a price.

        Returns
        -------
        ndarray (number,) of int
            These steps.
        ndarray (bus, number), ndarray (bus, number)
            What a unit of p and of q injected costs in them.
        float
            As in `worth`.
        """
        steps, p, q, fixed = worth_in_steps(self.network, keys["kind"] <= V_MIN, keys, _sign(keys) * prices)
        return steps, p, q, float(np.sum(self.bound(keys) * prices)) - fixed

    def bound(self, keys: np.ndarray) -> np.ndarray:
        """Shifted limits themselves: bounds on V, -V, p and -p."""
        found = np.empty(len(keys))
        v_max, v_min, offsets = self.rating[V_MAX], self.rating[V_MIN], self.offsets
        forward, reverse = (np.broadcast_to(way, self.p_max.shape) for way in (offsets.forward, offsets.reverse))
        for kind in range(len(self.kinds)):
            here = np.nonzero(keys["kind"] == kind)[0]
            if not len(here):
                continue
            e, t = keys["element"][here], keys["step"][here]
            if kind == V_MAX:
                found[here] = v_max[e] - offsets.v_max[e, t]
            elif kind == V_MIN:
                found[here] = offsets.v_min[e, t] - v_min[e]
            else:
                found[here] = np.maximum(self.p_max[e, t] - (forward if kind == FORWARD else reverse)[e, t], 0.0)
        return found

    def rating_of(self, keys: np.ndarray) -> np.ndarray:
        """Rating of each limit, by which its relaxation is measured."""
        found = np.empty(len(keys))
        for kind, rating in enumerate(self.rating):
            here = keys["kind"] == kind
            found[here] = rating[keys["element"][here]]
        return found


def _sign(keys: np.ndarray) -> np.ndarray:
    """Say of each limit whether it bounds its quantity from above (1) or from below (-1)."""
    return np.where((keys["kind"] == V_MIN) | (keys["kind"] == REVERSE), -1.0, 1.0)


def _less(left: np.ndarray, kept: float | np.ndarray) -> np.ndarray:
    """Active power that is left beside what is kept free of it."""
    nothing = kept == 0.0 if isinstance(kept, float) else not np.any(kept)
    return left if nothing else np.maximum(left - kept, 0.0)


def limits_of(program: Program, network: Network, inputs: Inputs, offsets: Offsets | None = None) -> RadialLimits:
    """Limits of a network over the ports of a program.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    network : Network
        Of the same case.
    inputs : Inputs
        From which the program was compiled.
    offsets : Offsets, optional
        None: none.

    Returns
    -------
    RadialLimits
    """
    return limits_over(program.injection_constant, network, inputs, offsets)


def limits_over(given: np.ndarray, network: Network, inputs: Inputs, offsets: Offsets | None = None) -> RadialLimits:
    """Do the same where what enters at the ports whatever is decided, (port,), is known otherwise."""
    bus = inputs.kinds["bus"].parameters
    q = given.reshape(2, network.buses, inputs.steps)[1]
    v_min, v_max = (np.broadcast_to(bus[name], (network.buses, 1))[:, 0] for name in ("v_min_pu", "v_max_pu"))
    offsets = offsets or Offsets.zero(network.buses, network.branches, inputs.steps)
    return RadialLimits(network, v_min, v_max, q, offsets)
