"""What the AC check adds to each linear limit, and what is kept free beside it; see docs/formulation.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class GasLimit:
    """A quantity of the gas network about the state under the last schedule, for the limits that are stated.

    Attributes
    ----------
    constant : ndarray (element, time)
        Its value at no injection, no linepack and nothing through regulators; NaN where no limit of the element is
        stated. [unit]
    by_injection : ndarray (element, upgrader, time)
        Change by injection into its own zone. [unit kW-1]
    by_regulator : ndarray (element, regulator, time)
        Change by what regulators take from its own zone. [unit kW-1]
    by_linepack : ndarray (element, time)
        Change by linepack in its own zone. [unit kW-1 h-1]
    """

    constant: np.ndarray
    by_injection: np.ndarray
    by_regulator: np.ndarray
    by_linepack: np.ndarray

    @property
    def stated(self) -> np.ndarray:
        """Which elements have their limits stated."""
        return np.asarray(np.isfinite(self.constant).all(axis=1))


@dataclass(frozen=True)
class Offsets:
    """What is added to each limit's linear value: AC minus linear, and room for errors of the forecast.

    Attributes
    ----------
    v_max, v_min : ndarray (bus, time)
        Of the squared voltage, for the upper and the lower limit. [1]
    s : ndarray (branch, time)
        Of the apparent power; branches are the case's lines, then its transformers. [kVA]
    forward, reverse : float or ndarray (branch, time)
        Room kept free of active power in each direction, beside `s`. [kW]
    gas : mapping of str to GasLimit
        Limits of the gas network that are stated: ``pressure`` of junctions (bar), ``flow_gate`` and ``flow_regulator``
        (kW).
    on : mapping of str to ndarray (element, time)
        Engines (``chp``) and upgrading (``upgrader``) that are held to run (1) or not (0); NaN: free.
    """

    v_max: np.ndarray
    v_min: np.ndarray
    s: np.ndarray
    forward: float | np.ndarray = 0.0
    reverse: float | np.ndarray = 0.0
    gas: Mapping[str, GasLimit] = field(default_factory=dict)
    on: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def zero(cls, buses: int, branches: int, steps: int) -> Offsets:
        """No offsets: the linear limits as they stand."""
        return cls(np.zeros((buses, steps)), np.zeros((buses, steps)), np.zeros((branches, steps)))

    def tightened(self, other: Offsets) -> Offsets:
        """Take the tighter of both, limit by limit."""
        return Offsets(
            np.maximum(self.v_max, other.v_max), np.minimum(self.v_min, other.v_min), np.maximum(self.s, other.s)
        )

    def plus(self, other: Offsets) -> Offsets:
        """Add another shift, limit by limit."""
        v_max, v_min, s = self.v_max + other.v_max, self.v_min + other.v_min, self.s + other.s
        return Offsets(v_max, v_min, s, self.forward + other.forward, self.reverse + other.reverse, self.gas, self.on)
