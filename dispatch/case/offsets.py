"""What the AC check adds to each linear limit; see docs/formulation.md."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Offsets:
    """AC minus linear for each limit, element and step.

    Attributes
    ----------
    v_max, v_min : ndarray (bus, time)
        Of the squared voltage, for the upper and the lower limit. [1]
    s : ndarray (branch, time)
        Of the apparent power; branches are the case's lines, then its transformers. [kVA]
    """

    v_max: np.ndarray
    v_min: np.ndarray
    s: np.ndarray

    @classmethod
    def zero(cls, buses: int, branches: int, steps: int) -> Offsets:
        """No offsets: the linear limits as they stand."""
        return cls(np.zeros((buses, steps)), np.zeros((buses, steps)), np.zeros((branches, steps)))

    def tightened(self, other: Offsets) -> Offsets:
        """Take the tighter of both, limit by limit."""
        return Offsets(
            np.maximum(self.v_max, other.v_max), np.minimum(self.v_min, other.v_min), np.maximum(self.s, other.s)
        )
