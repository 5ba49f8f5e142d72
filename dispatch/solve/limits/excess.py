"""By how much the limits of a network are exceeded, and their kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

V_MAX, V_MIN, FORWARD, REVERSE = range(4)


@dataclass(frozen=True)
class Excess:
    """How far each limit is exceeded (negative: what is left), in the limit's unit.

    Attributes
    ----------
    v_max, v_min : ndarray (bus, time)
        Of the squared voltage; NaN at isolated buses. [1]
    forward, reverse : ndarray (branch, time)
        Of the active power; NaN in branches out of service. [kW]
    """

    v_max: np.ndarray
    v_min: np.ndarray
    forward: np.ndarray
    reverse: np.ndarray

    @property
    def by_kind(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """In the order of the keys' kinds."""
        return self.v_max, self.v_min, self.forward, self.reverse
