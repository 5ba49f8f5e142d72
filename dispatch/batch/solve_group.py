"""One group, from its files to its file of results: a pure function of paths and settings."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.batch.group_file import write_group
from dispatch.batch.part import Order, run_part
from dispatch.batch.predicted import seconds_of
from dispatch.batch.task import Task, deliver
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from dispatch.batch.outcome import FeederOutcome


def solve_group(path: str) -> None:
    """Do one task: every feeder ends with a status, whatever is wrong with it or the others.

    Parameters
    ----------
    path : str
        File that `Task.write` wrote. The group's results appear under their name when they are complete and on disk;
        the answer is left beside the task.
    """
    task = Task.read(Path(path))
    outcomes = outcomes_of(task)
    task.mark.write_text("")
    deliver(task, partial(write_group, outcomes), [found.row() for found in outcomes])


def outcomes_of(task: Task, *, keep: bool = False) -> list[FeederOutcome]:
    """Run every feeder of a group.

    Parameters
    ----------
    task : Task
        What to do, and until when.
    keep : bool
        Whether outcomes hold what is needed to ask feeders at prices.

    Returns
    -------
    list of FeederOutcome
    """
    settings, utility = Settings.from_json(task.settings), Path(task.utility)
    end = float("inf") if task.end is None else time.monotonic() + task.end - time.time()
    outcomes: list[FeederOutcome] = []
    left = task.group.seconds
    for part in task.group.parts:
        now, own = time.monotonic(), seconds_of(part.size)
        until = end if end == float("inf") else now + (end - now) * own / max(left, own)
        outcomes += run_part(Order(utility, part, settings, until, task.aside, keep), task.mark.write_text)
        left -= own
    return outcomes
