"""The time by which a night must have ended, and what each stage and group may take of it."""

from __future__ import annotations

import time

LATE_S = 0.3
"""What is still at work so long after the end is given up; with the writing of the index it ends within a second."""
FEEDER_S = 1.5e-4
"""Seconds in which the index, the status and the page of one feeder are written."""
WRITING = 0.08
"""Part of a group's predicted work in which its results are written."""
FIRST_SHARE = 0.4
"""Part of the time in which first schedules are made where limits are shared."""
MIX_SHARE = 1.5
"""Time that is left to mix and check, as a share of what the first schedules took; at most half of all."""


class Deadline:
    """When a night must end, counted from when this is made.

    Parameters
    ----------
    seconds : float or None
        None: there is none.
    """

    def __init__(self, seconds: float | None) -> None:
        self.begin, self._seconds = time.time(), seconds
        self.end = None if seconds is None else self.begin + seconds
        self._mixing = 0.0

    def leave_time_to_close(self, feeders: int) -> None:
        """Let the work end early enough to write the index and the page of so many feeders."""
        if self.end is not None and self._seconds is not None:
            self.end = self.begin + max(self._seconds - FEEDER_S * feeders, 0.0)

    def leave_time_to_mix(self, first_s: float) -> None:
        """Let rounds of prices end early enough to mix, given the seconds in which first schedules were made."""
        self._mixing = MIX_SHARE * first_s

    def end_of(self, what: str) -> float | None:
        """Time of day at which a stage must have ended.

        Parameters
        ----------
        what : str
            Of a round of shared limits: ``first``, ``ask``, ``joint``, ``own``, ``mix``; empty: work that is none.

        Returns
        -------
        float or None
            Seconds since 1970; None: no deadline.
        """
        if self.end is None:
            return None
        whole = self.end - self.begin
        if what == "first":
            return self.begin + FIRST_SHARE * whole
        if what in {"ask", "joint", "own"}:
            return self.end - min(self._mixing, 0.5 * whole)
        return self.end

    def over(self, what: str = "") -> bool:
        """Whether time is up for a stage."""
        end = self.end_of(what)
        return end is not None and time.time() >= end

    @property
    def late(self) -> bool:
        """Whether what is still at work is given up."""
        return self.patience <= 0.0

    @property
    def patience(self) -> float:
        """Seconds until what is still at work is given up."""
        return float("inf") if self.end is None else self.end + LATE_S - time.time()

    def share(self, what: str, own: float, left: float, workers: int) -> float | None:
        """Time of day at which a group must be solved, if it begins now; rounds of prices are answered whole or not.

        Parameters
        ----------
        what : str
            See `end_of`.
        own, left : float
            Predicted work of the group, and of all that is not done of its stage, itself included. [s]
        workers : int
            Who share that.
        """
        end = self.end_of(what)
        if end is None or what not in {"", "first"}:
            return None if what == "mix" else end
        begin = time.time()
        end = max(end - WRITING * own, begin)
        return min(end, begin + workers * own / left * (end - begin))
