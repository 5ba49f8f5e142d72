"""All feeders that share limits as one program, in one worker: where they are few enough."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.held import feeder_held, kept_file
from dispatch.batch.kept import read_feeders, write_feeders
from dispatch.batch.losses import JOINT
from dispatch.batch.plan import Group
from dispatch.errors import SolverError
from dispatch.run.settings import Settings
from dispatch.run.together import Together
from dispatch.solve.shared_rows import SharedRows
from dispatch.solve.until import Until

if TYPE_CHECKING:
    from dispatch.batch.kept import Arrays
    from dispatch.batch.task import Task
    from dispatch.run.together import Joint

ALL = "*"
"""Under which name stands what is of all feeders."""
SHARE = 0.5
"""Part of the time that is left which it may take."""


def solve_joint(task: Task, shared: dict[str, Any]) -> None:
    """Find plans of feeders that are the cheapest together, and prices of the rows that they share.

    Parameters
    ----------
    task : Task
        Of one of the groups.
    shared : dict
        With ``groups``, ``members`` (by name: ``group``, ``offsets``, ``steps``), ``rows``, ``besides`` and ``losses``.
        What is found stands in the file of the round: each feeder's plan and losses by its name, and under `ALL` the
        ``prices`` of rows and ``budgets``; nothing where no optimum is found. With ``floor``, prices of a kWh that each
        feeder takes besides (by name), prices of rows are those beyond these, and losses stay as they are.
    """
    task.mark.write_text(JOINT)
    groups = {g["key"]: Group.from_json(g) for g in shared["groups"]}
    first = {key: read_feeders(kept_file(task, "1", key)) for key in groups}
    names = list(shared["members"])
    feeders, base, steps = [], [], []
    floor = {name: np.array(price) for name, price in shared.get("floor", {}).items()}
    for name, own in shared["members"].items():
        feeder = feeder_held(task, groups[own["group"]], name, first[own["group"]], own["offsets"])
        feeders.append(feeder.dearer(floor[name]) if name in floor else feeder)
        base.append(first[own["group"]][name]["columns"])
        steps.append(np.array(own["steps"]))
    end = float("inf") if task.end is None else time.monotonic() + SHARE * (task.end - time.time())
    try:
        rows, besides = SharedRows.from_json(shared["rows"]), np.array(shared["besides"])
        together = Together(feeders, rows, besides, np.array(shared["losses"]), steps)
        until = Until(end=end) if floor else Until(0.1 * Settings.from_json(task.settings).gap, end)
        found = together.optimum(until, follow=not floor)
    except SolverError:
        found = None
    kept = {} if found is None else _kept(names, base, steps, found)
    for name, price in floor.items() if kept else ():
        kept[name]["cost"] = kept[name]["cost"] - rows.dt * np.sum(price * kept[name]["taken"])
    task.mark.write_text("")
    size = write_feeders(kept_file(task, shared["stage"]), kept)
    task.answer_with({"file": "", "bytes": 0, "kept": size, "feeders": []})


def _kept(names: list[str], base: list[np.ndarray], steps: list[np.ndarray], found: Joint) -> dict[str, Arrays]:
    prices = {"prices": found.prices.rows, "budgets": found.prices.budgets}
    kept: dict[str, Arrays] = {ALL: {**prices, "repaired": np.array([found.repaired])}}
    each = zip(names, base, found.columns, found.cost, found.taken, strict=True)
    for k, (name, before, columns, cost, taken) in enumerate(each):
        at = np.nonzero(columns != before)[0]
        kept[name] = {"at.0": at.astype(np.int32), "value.0": columns[at], "cost": np.array([cost]), "taken": taken}
        kept[name]["losses"] = found.losses[k, steps[k]]
    return kept
