"""What the AC check adds to each linear limit, and what is kept free beside it; see docs/formulation.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    """

    v_max: np.ndarray
    v_min: np.ndarray
    s: np.ndarray
    forward: float | np.ndarray = 0.0
    reverse: float | np.ndarray = 0.0

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
        return Offsets(v_max, v_min, s, self.forward + other.forward, self.reverse + other.reverse)
