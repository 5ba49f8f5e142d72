"""Feeders that a worker keeps from round to round, and the files in which rounds stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.batch.kept import FOLDER, known_of, read_feeders
from dispatch.batch.part import Order, cuts_of
from dispatch.run.priced import PricedFeeder
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from dispatch.batch.kept import Arrays
    from dispatch.batch.plan import Group
    from dispatch.batch.task import Task
    from dispatch.case.slices import Cut

MOST_HELD = 1_000_000
"""Pairs of meter or bus and step of the groups whose cases a worker keeps from round to round."""
_held: dict[str, tuple[int, dict[str, Cut]]] = {}


def kept_file(task: Task, stage: str, group: str = "") -> Path:
    """Where a group's arrays of a round stand; by default those of the task's own group."""
    return Path(task.results, FOLDER, f"{group or task.group.key}.{stage}.npz")


def cuts_held(task: Task, group: Group) -> dict[str, Cut]:
    """Return a group's feeders with their forecasts, kept from round to round as far as memory goes."""
    if group.key not in _held:
        settings = Settings.from_json(task.settings)
        found: dict[str, Cut] = {}
        for part in group.parts:
            order = Order(Path(task.utility), part, settings, float("inf"))
            found |= dict(cuts_of(order))
        _held[group.key] = (group.size.cells, found)
        while len(_held) > 1 and sum(cells for cells, _ in _held.values()) > MOST_HELD:
            _held.pop(next(iter(_held)))
    return _held[group.key][1]


def feeder_held(task: Task, group: Group, name: str, first: dict[str, Arrays], mixed: str | None) -> PricedFeeder:
    """One feeder as its newest offsets have it: those of its first schedule, or of a mix, by its stage."""
    newest = first[name] if mixed is None else read_feeders(kept_file(task, mixed, group.key))[name]
    return PricedFeeder(cuts_held(task, group)[name], Settings.from_json(task.settings), known_of(first[name], newest))
