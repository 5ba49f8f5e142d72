"""Feeders that share limits, as whoever lets them agree knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dispatch.batch.kept import FOLDER, read_feeders
from dispatch.errors import InputError, Problem
from dispatch.solve.shared import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from dispatch.batch.kept import Arrays

NEEDED = (
    "aside", "again", "bound", "budgets", "cost", "delivered", "dt", "losses", "offsets.s", "p", "prices", "q",
    "relaxed", "repaired", "taken", "time",
)  # fmt: skip
"""What is read of what groups keep: series of feeders, never their columns."""


@dataclass
class Member:
    """A feeder that shares limits.

    Attributes
    ----------
    name : str
    group : str
        Key of its group.
    first : dict of str to ndarray
        What is kept of its first schedule.
    steps : ndarray of int
        Which of all steps are its own.
    labels : list of (str, int)
        Stage and number of each of its plans, in the order of the master's.
    offsets : str or None
        Stage whose mix gave it new offsets.
    fixed : bool
        Whether it is asked no more: its first schedule is delivered.
    """

    name: str
    group: str
    first: Arrays
    steps: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    labels: list[tuple[str, int]] = field(default_factory=lambda: [("1", 0)])
    offsets: str | None = None
    fixed: bool = False


class Members:
    """All of them, and the steps of any.

    Parameters
    ----------
    folder : Path
        Of results.
    groups : iterable of str
        Keys of the groups that have kept a first schedule.
    shares : callable
        Whether a feeder, by its name, shares any limit.

    Raises
    ------
    InputError
        If their steps have several lengths.
    """

    def __init__(self, folder: Path, groups: Iterable[str], shares: Callable[[str], bool]) -> None:
        self._folder = folder
        self.every = [
            Member(name, key, kept) for key in groups for name, kept in self.read(key, "1").items() if shares(name)
        ]
        if not self.every:
            return
        lengths = {round(float(m.first["dt"][0]), 9) for m in self.every}
        if len(lengths) > 1:
            value, hint = f"steps of {sorted(lengths)} h", "Feeders that share limits need steps of one length."
            raise InputError([Problem("shared-time", "shared.toml", value=value, hint=hint)])
        self.dt = lengths.pop()
        time = np.unique(np.concatenate([m.first["time"] for m in self.every]))
        for member in self.every:
            member.steps = np.searchsorted(time, member.first["time"])
        self.time = time.astype("datetime64[s]")

    def read(self, group: str, stage: str) -> dict[str, Arrays]:
        """Read what a group has kept of a stage, but for columns of programs."""
        return read_feeders(self._folder / FOLDER / f"{group}.{stage}.npz", NEEDED)

    def wide(self, member: Member, values: np.ndarray) -> np.ndarray:
        """Spread a feeder's steps over all steps."""
        found = np.zeros((*values.shape[:-1], len(self.time)))
        found[..., member.steps] = values
        return found

    def each(self, name: str, kept: dict[str, Arrays] | None = None) -> np.ndarray:
        """Series that feeders have kept, (feeder, step); of those that are fixed, or of all, of their first schedule.

        Parameters
        ----------
        name : str
            Of the series.
        kept : dict, optional
            By feeder; default: first schedules.
        """
        return np.array([self.wide(m, self.of(m, kept)[name]) for m in self.every])

    @staticmethod
    def of(member: Member, kept: dict[str, Arrays] | None) -> Arrays:
        """Arrays of a feeder: those of its first schedule where it is fixed."""
        if kept is None or member.fixed:
            # As delivered it takes what it takes; its plan takes no more than that.
            first = member.first
            return {**first, "cost": first["delivered"], "relaxed": first["delivered"], "bound": first["delivered"]}
        return kept[member.name]

    def plan(self, member: Member) -> Plan:
        """Its first plan."""
        cost = member.first["delivered" if member.fixed else "cost"]
        return Plan(float(cost[0]), self.wide(member, member.first["taken"]))
