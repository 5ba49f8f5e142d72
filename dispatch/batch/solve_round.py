"""A group's part of a round of shared limits: a pure function of paths, prices and files of earlier rounds."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.group_file import write_group
from dispatch.batch.held import feeder_held, kept_file
from dispatch.batch.kept import FOLDER, offset_arrays, read_feeders, write_feeders
from dispatch.batch.outcome import FeederOutcome, settled
from dispatch.batch.solve_group import outcomes_of
from dispatch.batch.solve_joint import solve_joint
from dispatch.batch.task import Task, deliver
from dispatch.errors import CertificateError, SolverError, TimeUp

if TYPE_CHECKING:
    from dispatch.batch.kept import Arrays


def solve_round(path: str) -> None:
    """Do a group's part of a round.

    Parameters
    ----------
    path : str
        File that `Task.write` wrote. Its `shared` says what is asked for: ``first`` the schedules without any price,
        ``ask`` answers to prices, ``joint`` plans of all feeders together, ``own`` those of a group under its share,
        ``mix`` the schedules mixed from answers.
    """
    task = Task.read(Path(path))
    assert task.shared is not None
    {"first": _first, "ask": _ask, "joint": solve_joint, "own": solve_joint, "mix": _mix}[task.shared["what"]](
        task, task.shared
    )


def _first(task: Task, shared: dict[str, Any]) -> None:
    outcomes = outcomes_of(task, keep=True)
    kept = {o.name: o.kept for o in outcomes if o.kept}
    _deliver(task, shared["stage"], outcomes, kept)


def _deliver(task: Task, stage: str, outcomes: list[FeederOutcome], kept: dict[str, Arrays]) -> None:
    """Write both files of a round that has schedules; they get the group's own name when all groups agree."""
    task.mark.write_text("")
    size = write_feeders(kept_file(task, stage), kept)
    rows = [o.row() for o in outcomes]
    target = f"{FOLDER}/{task.group.key}.{stage}.nc"
    deliver(task, partial(write_group, outcomes), rows, target, kept=size)


def _ask(task: Task, shared: dict[str, Any]) -> None:
    """Answer prices, feeder by feeder; one that finds no optimum gives NaN, one that ended workers is not asked."""
    first = read_feeders(kept_file(task, "1"))
    kept: dict[str, Arrays] = {}
    for name, prices in shared["prices"].items():
        if name in task.aside:
            kept[name] = {"aside": np.ones(1)}
            continue
        task.mark.write_text(name)
        feeder = feeder_held(task, task.group, name, first, shared["offsets"].get(name))
        base = first[name]["columns"]
        cost, bound = np.full(len(prices), np.nan), np.full(len(prices), np.nan)
        taken, own = np.zeros((len(prices), len(first[name]["taken"]))), kept.setdefault(name, {})
        for k, price in enumerate(prices):
            if task.end is not None and time.time() >= task.end:
                raise TimeUp(name)
            try:
                answer = feeder.answer(np.array(price))
            except (SolverError, CertificateError):
                continue
            cost[k], bound[k], taken[k] = answer.cost, answer.bound, answer.taken
            at = np.nonzero(answer.columns != base)[0]
            own |= {f"at.{k}": at.astype(np.int32), f"value.{k}": answer.columns[at]}
        own |= {"cost": cost, "bound": bound, "taken": taken}
        if name in shared["again"]:
            own["again"] = np.array(feeder.costs(_plans(task, name, shared["again"][name], first)))
    task.mark.write_text("")
    size = write_feeders(kept_file(task, shared["stage"]), kept)
    task.answer_with({"file": "", "bytes": 0, "kept": size, "feeders": []})


def _plans(task: Task, name: str, labels: list[list[Any]], first: dict[str, Arrays]) -> list[np.ndarray]:
    """Columns of plans by round and number; a round of another group is named ``GROUP.STAGE``."""
    found, base = [], first[name]["columns"]
    held: dict[str, Arrays] = {}
    for stage, k in labels:
        columns = base.copy()
        if stage != "1":
            if stage not in held:
                group, _, own = stage.rpartition(".")
                held[stage] = read_feeders(kept_file(task, own, group))[name]
            columns[held[stage][f"at.{k}"]] = held[stage][f"value.{k}"]
        found.append(columns)
    return found


def _mix(task: Task, shared: dict[str, Any]) -> None:
    """Deliver the mix of each feeder that shares limits; the schedules of the others are their first ones."""
    first = read_feeders(kept_file(task, "1"))
    kept: dict[str, Arrays] = {n: {"aside": np.ones(1)} for n in shared["weights"] if n in task.aside}
    outcomes, single = [], {*shared["alone"], *kept}
    alone = {o.name: o for o in outcomes_of(task) if o.name in single} if single else {}
    for name in shared["order"]:
        if name in alone:
            outcomes.append(alone[name])
            continue
        task.mark.write_text(name)
        begin, (labels, weights) = time.monotonic(), shared["weights"][name]
        plans = _plans(task, name, labels, first)
        columns = np.sum([w * p for w, p in zip(weights, plans, strict=True)], axis=0)
        feeder = feeder_held(task, task.group, name, first, shared["offsets"].get(name))
        found = feeder.mixed(columns, np.array(shared["price"][name]), proven=shared["proven"])
        with feeder.cut.reading() as case:
            outcomes.append(settled(name.partition("/")[0], case, found.run, time.monotonic() - begin))
        kept[name] = {"p": found.p, "q": found.q, "taken": found.taken, "cost": np.array([found.cost])}
        kept[name] |= {"relaxed": np.array([found.relaxed]), "bound": np.array([found.bound])}
        if found.next is not None:
            kept[name] |= offset_arrays(found.next)
    _deliver(task, shared["stage"], outcomes, kept)
