"""How often workers were ended, and at which feeder: who is set aside, and what is given up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatch.batch.plan import Group

JOINT = "all that share limits"
"""What a worker is at that solves all feeders together which share limits."""
TWICE = 2
"""A feeder that ended a worker so often gets a process of its own."""
MOST_UNKNOWN = 6
"""A group whose workers were ended so often at no feeder, as while it was written, is given up."""


class Losses:
    """Losses of this run and of those that it goes on from.

    Parameters
    ----------
    records : iterable of dict
        Of the journal.
    """

    def __init__(self, records: Iterable[dict[str, Any]] = ()) -> None:
        self._at: Counter[tuple[str, str]] = Counter()
        for record in records:
            if record.get("what") == "lost" and record["at"] is not None:
                self._at[record["group"], record["at"]] += 1

    def add(self, group: Group, at: str | None) -> None:
        """Count a worker that was ended at a feeder or case; empty: at none; None: before it began with the group."""
        if at is not None:
            self._at[group.key, at] += 1

    def aside(self, group: Group) -> tuple[str, ...]:
        """Feeders and cases of a group that get a process of their own."""
        return tuple(sorted(at for (key, at), n in self._at.items() if key == group.key and at and n >= TWICE))

    def given_up(self, group: Group, *, joint: bool = False) -> bool:
        """Whether the group itself, or solving all feeders together, ends workers again and again."""
        return self._at[group.key, ""] >= MOST_UNKNOWN or (joint and self._at[group.key, JOINT] >= TWICE)
