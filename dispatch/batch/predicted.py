"""Predicted work and memory of a group, from the numbers of its meters, buses and steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE_S, FEEDER_S, METER_S, BUS_S = 0.15, 0.03, 1.2e-5, 1.5e-6
"""Seconds of a file, a feeder, a meter in a step and a bus in a step, measured on French feeders and on towns."""
WORKER_BYTES = 360 << 20
"""What a worker takes before it has any work: libraries and compiled kernels."""
CLIENT_BYTES = 250 << 20
"""What the process takes that hands out the work."""
METER_BYTES, BUS_BYTES = 420, 140
"""What a group takes for a meter and for a bus in a step while it is solved and written."""
JOINT_METER_BYTES, JOINT_BUS_BYTES = 1600, 280
"""What a worker takes for the same while it solves all feeders together that share limits."""
MOST_TOGETHER = 12_000_000
"""Pairs of meter or bus and step of feeders that are solved together in one worker at most."""
SAMPLE = 3_000_000
"""Pairs of meter or bus and step of the groups of a sample of those that are more, at most, but one group at least."""
MOST_CELLS = 1_000_000
"""Pairs of meter or bus and step that a group of several files has at most."""


@dataclass(frozen=True)
class Size:
    """What work and memory depend on.

    Attributes
    ----------
    meters, buses : int
        How many there are.
    steps : int
        Of the horizon.
    feeders : int
        How many there are.
    """

    meters: int = 0
    buses: int = 0
    steps: int = 0
    feeders: int = 0

    @property
    def cells(self) -> int:
        """Pairs of meter or bus and step."""
        return (self.meters + self.buses) * self.steps

    @classmethod
    def sum(cls, sizes: Iterable[Size]) -> Size:
        """All together; steps are those of the longest."""
        found = list(sizes)
        steps = max((s.steps for s in found), default=0)
        return cls(
            sum(s.meters for s in found), sum(s.buses for s in found), steps, sum(s.feeders for s in found)
        )  # fmt: skip


def seconds_of(size: Size) -> float:
    """Predict the seconds of work of one case file."""
    each = METER_S * size.meters + BUS_S * size.buses
    return FILE_S + FEEDER_S * size.feeders + each * size.steps


def bytes_of(size: Size) -> int:
    """Predict the bytes that a worker takes which solves and writes a group."""
    return WORKER_BYTES + (METER_BYTES * size.meters + BUS_BYTES * size.buses) * size.steps


def joint_bytes_of(size: Size) -> int:
    """Predict the bytes that a worker takes which solves feeders together, or a sample of them where they are many."""
    if not size.cells:
        return 0
    share = 1.0 if size.cells <= MOST_TOGETHER else SAMPLE / size.cells
    return WORKER_BYTES + round(share * (JOINT_METER_BYTES * size.meters + JOINT_BUS_BYTES * size.buses) * size.steps)
