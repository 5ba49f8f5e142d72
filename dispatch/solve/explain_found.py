"""What is found to be relaxed, before it is put into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

NOTICED = 1e-7
"""Relaxations below this share of a limit's rating (of 1 kW or 1 kWh at meters and stores) are not reported."""


@dataclass(frozen=True)
class Found:
    """Amounts by which one limit of one element is relaxed, by step.

    Attributes
    ----------
    kind, element, limit, unit
        Of what; `element` is its position in the kind.
    bus : int
        A bus of its feeder.
    amounts : ndarray (step,)
        In `unit`.
    least : float
        Largest excess in the least relaxation.
    allowed : float
        The limit.
    sign : float
        -1 for a lower limit.
    """

    kind: str
    element: int
    limit: str
    unit: str
    bus: int
    amounts: np.ndarray
    least: float
    allowed: float
    sign: float = 1.0
