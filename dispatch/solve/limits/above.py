"""Limits of a network above feeders that are solved apart, as rows over what each feeder takes.

Where a feeder hangs, what it takes leaves the network. A row is divided by the largest of its coefficients, so that all
are in kW: at which power through a branch, or by how much taken at the bus itself, the limit is exceeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.limits.excess import V_MAX, V_MIN
from dispatch.solve.limits.known_rows import KnownRows
from dispatch.solve.limits.radial import RadialLimits
from dispatch.solve.protocols import KEY

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets

NOTHING = 1e-12
"""Smaller coefficients are none. [pu2 kW-1, 1]"""
ALLOWED_V, ALLOWED_S = 2.0, 5.0
"""A thousandth of so many times a voltage's square, or of a rating, is what AC may exceed it by: 1e-3 pu, 0.5 %."""


@dataclass(frozen=True)
class RowsAbove:
    """Rows ``sign * sum of share * taken <= bound`` of one network, a limit each over all steps.

    Attributes
    ----------
    kind, element : ndarray (limit,) of int
        As in the keys of `RadialLimits`.
    size : ndarray (limit,)
        By what rows were divided: unit of the limit for a kW. [kW-1, 1]
    share : ndarray (limit, feeder)
        The largest of each limit is 1.
    sign : ndarray (limit,)
        1 or -1.
    bound : ndarray (limit, step)
        [kW]
    scale : ndarray (limit,)
        Of which a thousandth may be exceeded. [kW]
    penalty : float
        Cost of a kWh beyond. [money]
    """

    kind: np.ndarray
    element: np.ndarray
    size: np.ndarray
    share: np.ndarray
    sign: np.ndarray
    bound: np.ndarray
    scale: np.ndarray
    penalty: float


@dataclass(frozen=True)
class Above:
    """A network above feeders.

    Attributes
    ----------
    network : Network
        With one source or several.
    v_min_pu, v_max_pu : ndarray (bus,)
        Limits of the voltage magnitude. [1]
    bus : ndarray (feeder,) of int
        Bus on which each hangs; -1: it does not.
    p, q : ndarray (bus, step)
        What else is injected. [kW, kvar]
    penalty : float
        Cost of a kWh beyond a limit. [money]
    """

    network: Network
    v_min_pu: np.ndarray
    v_max_pu: np.ndarray
    bus: np.ndarray
    p: np.ndarray
    q: np.ndarray
    penalty: float

    def injected(self, taken: np.ndarray, reactive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Add up what is injected at each bus, (bus, step), when feeders take powers (feeder, step)."""
        own = self.bus >= 0
        p, q = self.p.copy(), self.q.copy()
        np.subtract.at(p, self.bus[own], taken[own])
        np.subtract.at(q, self.bus[own], reactive[own])
        return p, q

    def limits(self, q: np.ndarray, offsets: Offsets) -> RadialLimits:
        """Limits under reactive injections (bus, step), with what AC adds."""
        return RadialLimits(self.network, self.v_min_pu, self.v_max_pu, q, offsets)

    def rows(self, limits: RadialLimits, q: np.ndarray) -> RowsAbove:
        """State every limit that any feeder can move.

        Parameters
        ----------
        limits : RadialLimits
            As `limits` makes them.
        q : ndarray (bus, step)
            Reactive injections. [kvar]
        """
        keys = self._keys()
        known, at, constant = self.network.once(KnownRows).rows(keys["kind"] <= V_MIN, keys["element"])
        turned = np.where((keys["kind"] == V_MIN) | (keys["kind"] == 3), -1.0, 1.0)
        of_p, of_q = known[at][:, : self.network.buses], known[at][:, self.network.buses :]
        own = self.bus >= 0
        share = np.zeros((len(keys), len(self.bus)))
        share[:, own] = -turned[:, None] * of_p.toarray()[:, self.bus[own]]
        left = self._bounds(limits, keys) - turned[:, None] * (constant[:, None] + of_p @ self.p + of_q @ q)
        size = np.abs(share).max(axis=1, initial=0.0)
        chosen = size > NOTHING
        keys, share, left, size = keys[chosen], share[chosen], left[chosen], size[chosen]
        largest = share[np.arange(len(share)), np.abs(share).argmax(axis=1)] if len(share) else np.zeros(0)
        sign = np.sign(largest)
        return RowsAbove(
            keys["kind"].astype(int), keys["element"].astype(int), size, share * (sign / size)[:, None], sign,
            left / size[:, None], self._scale(keys) / size, self.penalty,
        )  # fmt: skip

    def _keys(self) -> np.ndarray:
        """Limits of all buses with anything connected and of all branches in service, in the first step."""
        connected = np.zeros(self.network.buses, bool)
        connected[self.bus[self.bus >= 0]] = True
        connected |= (self.p != 0).any(axis=1) | (self.q != 0).any(axis=1)
        bus = np.nonzero(connected & (self.network.feeder >= 0))[0]
        branch = np.nonzero(self.network.in_service & (self.network.feeder[self.network.branch_from] >= 0))[0]
        elements = (bus, bus, branch, branch)
        keys = np.zeros(sum(map(len, elements)), KEY)
        keys["kind"] = np.repeat(np.arange(4), [len(e) for e in elements])
        keys["element"] = np.concatenate(elements)
        return keys

    def _bounds(self, limits: RadialLimits, keys: np.ndarray) -> np.ndarray:
        """Bounds of limits in all steps, (limit, step)."""
        every = np.repeat(keys, limits.steps)
        every["step"] = np.tile(np.arange(limits.steps), len(keys))
        return limits.bound(every).reshape(len(keys), limits.steps)

    def _scale(self, keys: np.ndarray) -> np.ndarray:
        """Of which a thousandth may be exceeded, in the unit of each limit."""
        voltage, element = keys["kind"] <= V_MIN, keys["element"]
        found = np.empty(len(keys))
        of_bus = np.where(keys["kind"] == V_MAX, self.v_max_pu[np.where(voltage, element, 0)], 0.0)
        of_bus = np.where(keys["kind"] == V_MIN, self.v_min_pu[np.where(voltage, element, 0)], of_bus)
        found[voltage] = ALLOWED_V * of_bus[voltage]
        found[~voltage] = ALLOWED_S * self.network.s_nom[element[~voltage]]
        return found
