"""When to stop: the gap that is asked for, and the time by which something must be returned."""

from __future__ import annotations

import time
from dataclasses import dataclass

PROOF = 1e-6
"""Gap of an optimum that is called proven unless another is asked for, relative to 1 or the objective."""


@dataclass(frozen=True)
class Until:
    """What ends a solve.

    Attributes
    ----------
    gap : float
        Objective less bound, relative to 1 or the objective, that is small enough.
    end : float
        Time on the monotonic clock at which the best so far is wanted. [s]
    """

    gap: float = PROOF
    end: float = float("inf")

    @property
    def left(self) -> float:
        """Seconds left, at least 0."""
        return max(self.end - time.monotonic(), 0.0)

    @property
    def over(self) -> bool:
        """Whether time is up."""
        return time.monotonic() >= self.end

    def part(self, share: float) -> Until:
        """End when a share of what is left is over."""
        return Until(self.gap, time.monotonic() + share * self.left)

    @property
    def early(self) -> bool:
        """Whether a plan may be returned while members could still do a little better."""
        return self.gap > PROOF
