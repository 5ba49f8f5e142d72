"""What the journal says, record by record."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from typing import TYPE_CHECKING, Any

from dispatch.run.result import versions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dispatch.batch.plan import Group, Plan
    from dispatch.batch.task import Task

Record = dict[str, Any]
GIVEN_UP = "Its group ended workers again and again while nothing of it was solved, as happens when a disk is full."


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def begun(plan: Plan, left: int, workers: int) -> Record:
    """Say that a run begins: how much there is, where and with what."""
    machine = {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()}
    return {
        "what": "begun",
        "at": _now(),
        "groups": len(plan.groups),
        "left": left,
        "feeders": plan.feeders,
        "workers": workers,
        "machine": machine,
        "versions": versions(),
    }


def done(task: Task) -> Record:
    """Say that a group is done: its file and how its feeders ended, from the worker's answer."""
    answer = json.loads(task.answer.read_bytes())
    return {"what": "done", "at": _now(), "group": task.group.key, **answer}


def round_done(task: Task) -> Record:
    """Say that a group has done its part of a round of shared limits, from the worker's answer."""
    assert task.shared is not None
    answer = json.loads(task.answer.read_bytes())
    own = {"night": task.shared["night"], "stage": task.shared["stage"], "group": task.group.key}
    return {"what": "round", "at": _now(), **own, **answer}


def round_given_up(task: Task) -> Record:
    """Say that a group does not do its part of a round: it ended workers again and again."""
    assert task.shared is not None
    own = {"night": task.shared["night"], "stage": task.shared["stage"], "group": task.group.key}
    return {"what": "round", "at": _now(), **own, "file": "", "bytes": 0, "kept": 0, "feeders": [], "given_up": True}


def shared(night: str, found: Record) -> Record:
    """Say how far the coordination of shared limits is."""
    return {"what": "shared", "at": _now(), "night": night, **found}


def lost(group: Group, at: str | None) -> Record:
    """Say that a worker was ended while it was at a feeder, at none, or (None) before it began with the group."""
    return {"what": "lost", "time": _now(), "group": group.key, "at": at}


def given_up(group: Group) -> Record:
    """Say that all feeders of a group failed, and that it has no file."""
    rows = [{"name": n, "status": "failed", "seconds": 0.0, "prosumers": 0, "says": GIVEN_UP} for n in group.names]
    return {"what": "done", "at": _now(), "group": group.key, "file": "", "bytes": 0, "sha256": "", "feeders": rows}


def finished(records: Iterable[Record], folder: Path) -> dict[str, Record]:
    """Last record of each group that is done and whose file is there as it was written."""
    found = {r["group"]: r for r in records if r.get("what") == "done"}
    return {key: r for key, r in found.items() if not r["file"] or _there(folder / r["file"], r["bytes"])}


def _there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def whole(record: Record | None, folder: Path) -> bool:
    """Whether nothing of a group is left to be done."""
    if record is None or (record["file"] and not _there(folder / record["file"], record["bytes"])):
        return False
    return all(row["status"] != "not_run" for row in record["feeders"])
