"""A utility's night: every feeder of a folder of cases, on this machine or a cluster, resumable after any end."""

from __future__ import annotations

import importlib
import time
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.batch.agreement import Agreement
from dispatch.batch.deadline import Deadline
from dispatch.batch.executors import WorkerLost
from dispatch.batch.index import write_index
from dispatch.batch.journal import Journal, only_writer, read_journal
from dispatch.batch.losses import Losses
from dispatch.batch.memory import require_memory
from dispatch.batch.planning import make_plan
from dispatch.batch.record import (
    Record,
    begun,
    done,
    finished,
    given_up,
    lost,
    round_done,
    round_given_up,
    shared,
    whole,
)
from dispatch.batch.round_records import ROUNDS, RoundRecords
from dispatch.batch.starting import chosen, require_workers, warm
from dispatch.batch.status import Status, status_of
from dispatch.batch.task import FOLDER, Task
from dispatch.batch.work import run_group, run_round
from dispatch.case.shared import Shared, read_shared
from dispatch.errors import InputError, Problem, TimeUp, WorkersError
from dispatch.run.outputs import require_output
from dispatch.run.processes import cores
from dispatch.run.progress import counted
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispatch.batch.plan import Group, Plan

MOST_LOST = 50
"""So many workers that are ended while no group is done end the run."""


def run_batch(
    utility: Path | str,
    results: Path | str,
    settings: Settings | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    cluster: Path | str | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    memory_gib: float | None = None,
    report: bool = True,
    progress: bool = False,
) -> Status:
    """Run every feeder of a utility and write its results group by group.

    Parameters
    ----------
    utility : Path or str
        Folder of case files, or one case file.
    results : Path or str
        Folder of results; made if missing. `open_results` reads it.
    settings : Settings, optional
        Horizon and method; its deadline is that of the whole night, after which feeders are ``gap`` or ``not_run``.
    workers : int, optional
        Processes; default: one a core. The results do not depend on it.
    scheduler, cluster : str, Path or str, optional
        Address of a Dask scheduler; TOML file of a cluster or of certificates. See ``docs/batch.md``.
    executor : Executor, optional
        Any of the interface of `concurrent.futures` instead.
    resume : bool
        Go on in a folder that has results: what is done, with the same inputs and settings, is kept.
    memory_gib : float, optional
        Most memory that all workers together may take; default: what this machine has free. [GiB]
    report, progress : bool
        Write ``report.html``; show a bar on stderr.

    Returns
    -------
    Status
        How all feeders ended.

    Raises
    ------
    InputError
        If the night cannot begin. Bad cases are no error: their feeders are ``invalid``.
    """
    settings, folder = settings or Settings(), Path(results)
    deadline = Deadline(settings.deadline_s)
    count = workers or cores()
    require_output(folder, folder=True)
    if settings.components:
        from dispatch.model.registry import load_components  # noqa: PLC0415  (Pyomo only where there are any)

        load_components(settings.components)
    plan = make_plan(utility, settings, folder if resume else None)
    if scheduler is None and cluster is None:
        require_memory(plan, count, memory_gib)
    with ExitStack() as stack:
        start = (lambda: executor) if executor else chosen(scheduler, cluster, count, stack)
        for name in (folder, folder / FOLDER, folder / "groups", *([folder / ROUNDS] if plan.together else [])):
            name.mkdir(parents=True, exist_ok=True)
        stack.enter_context(only_writer(folder))
        _require_fresh(folder, resume=resume)
        if report:
            importlib.import_module("dispatch.report.utility_page")  # before time is short
        night = _Night(Path(utility), folder, settings, plan, deadline)
        stack.callback(night.close)
        night.run(start, count, progress=progress)
    return _told(folder, report=report)


def _told(folder: Path, *, report: bool) -> Status:
    """Read how it went, and write the page."""
    status = status_of(folder)
    if report:
        from dispatch.report.utility_page import write_utility_page  # noqa: PLC0415  (Jinja2 loads when needed)

        write_utility_page(status.rows, status.to_json(), folder / "report.html")
    return status


def _require_fresh(folder: Path, *, resume: bool) -> None:
    """Refuse to write over results, unless it is to go on with them."""
    if not resume and read_journal(folder):
        hint = "Give --resume to go on with them, or another folder."
        raise InputError([Problem("has-results", str(folder), value="with results already", hint=hint)], str(folder))


class _Night:
    """One run over a plan: the only writer of the journal and the index."""

    def __init__(self, utility: Path, folder: Path, settings: Settings, plan: Plan, deadline: Deadline) -> None:
        self.utility = utility if utility.is_dir() else utility.parent
        self.shared = read_shared(utility) if plan.together else Shared()
        self.folder, self.settings, self.plan, self.deadline = folder, settings, plan, deadline
        deadline.leave_time_to_close(plan.feeders)
        records = read_journal(folder)
        self.losses, self.done = Losses(records), finished(records, folder)
        self.rounds = RoundRecords(plan, folder, records)
        self.asked: dict[str, dict[str, Any]] = {}
        self.settled, self.lost_since = 0, 0
        plan.write(folder)
        self.journal = Journal(folder)

    def close(self) -> None:
        """Write the index of what is there; called however the run ends."""
        self.journal.close()
        write_index(self.folder, self.plan, self.done)
        if not self._together():
            self.rounds.forget()

    def run(self, start: Callable[[], Executor], workers: int, *, progress: bool) -> None:
        """Do what is not done yet."""
        left = [g for g in self.plan.groups if not whole(self.done.get(g.key), self.folder)]
        left.sort(key=lambda g: -g.seconds)  # the longest first, so that none begins when the others are done
        self.journal.append(begun(self.plan, len(left), workers))
        if not left:
            return
        executor = start()
        try:
            if len(left) > 1 and workers > 1:
                warm(executor, min(workers, len(left)), self.deadline)
            with counted("feeders", sum(len(g.names) for g in left), shown=progress) as advance:
                self._work(executor, [g for g in left if g.key not in self.plan.together], workers, advance)
                self._agree(executor, workers, advance)
        except BaseException:
            executor.shutdown(wait=True, cancel_futures=True)
            raise
        executor.shutdown(cancel_futures=self.deadline.late)

    def _together(self) -> list[Group]:
        """List groups whose feeders share limits, all of them where any is not done."""
        groups = [g for g in self.plan.groups if g.key in self.plan.together]
        return [] if all(whole(self.done.get(g.key), self.folder) for g in groups) else groups

    def _agree(self, executor: Executor, workers: int, advance: Callable[[], None]) -> None:
        """Coordinate the groups whose feeders share limits, then give their results their names."""
        groups = self._together()
        if not groups:
            return

        def told(found: dict[str, Any]) -> None:
            self.journal.append(shared(self.plan.shared, found))

        def stage(name: str, orders: dict[str, dict[str, Any]]) -> dict[str, Record]:
            known = self.rounds.known(name, orders)
            self.asked = {
                key: {**order, "stage": name, "night": self.plan.shared}
                for key, order in orders.items()
                if key not in known and not self.rounds.failed(self.done.get(key))
            }
            own, begin = [g for g in groups if g.key in self.asked], time.time()
            self._work(executor, own, workers, advance if name == "1" else lambda: None)
            if name == "1":
                foreseen = sum(g.seconds for g in groups if g not in own) / workers
                self.deadline.leave_time_to_mix(time.time() - begin + foreseen)
            self.asked = {}
            return self.rounds.known(name, orders) | self.rounds.given_up(orders, self.done)

        over = partial(self.deadline.over, "ask")
        found = Agreement(self.folder, groups, self.shared, self.settings, over, told).run(stage)
        for key, record in (found or {}).items():
            if not self.rounds.failed(self.done.get(key)):
                self._note(self.rounds.agreed(record))

    def _work(self, executor: Executor, left: list[Group], workers: int, advance: Callable[[], None]) -> None:
        """Hand out groups, a few ahead of the workers, and write down what comes back."""
        running: dict[Future[None], Task] = {}
        waiting = list(reversed(left))
        while waiting or running:
            while waiting and len(running) < 2 * workers and not self.deadline.over(self._what(waiting[-1])):
                task = self._task(waiting.pop(), waiting, running, workers)
                running[executor.submit(run_round if task.shared else run_group, str(task.write()))] = task
            if not running:
                return
            ready, _ = wait(running, timeout=max(min(1.0, self.deadline.patience), 0.0), return_when=FIRST_COMPLETED)
            if not ready and self.deadline.late:
                for future in running:
                    future.cancel()
                return
            for future in ready:
                task = running.pop(future)
                if isinstance(future.exception(), WorkerLost) and not self.settled:
                    require_workers(executor)
                if self._settle(future, task):
                    self.settled, self.lost_since = self.settled + 1, 0
                    for _ in task.group.names:
                        advance()
                else:
                    waiting.append(task.group)

    def _what(self, group: Group) -> str:
        """Name what a round asks of a group; empty where there is none."""
        return str(self.asked.get(group.key, {}).get("what", ""))

    def _task(self, group: Group, waiting: list[Group], running: dict[Future[None], Task], workers: int) -> Task:
        """Tell a group what to do and until when."""
        left = group.seconds + sum(g.seconds for g in waiting) + sum(t.group.seconds for t in running.values())
        end = self.deadline.share(self._what(group), group.seconds, left, workers)
        aside = self.losses.aside(group)
        return Task(
            str(self.utility.resolve()), str(self.folder.resolve()), group, self.plan.settings, end, aside,
            self.asked.get(group.key),
        )  # fmt: skip

    def _settle(self, future: Future[None], task: Task) -> bool:
        """Write down how a group came back; False if it must be done again."""
        try:
            future.result()
        except TimeUp:  # of a round: it is as if it had not been asked
            pass
        except WorkerLost:
            at = task.mark.read_text() if task.mark.exists() else None
            self.losses.add(task.group, at)
            self._require_progress()
            self.journal.append(lost(task.group, at))
            what = "" if task.shared is None else task.shared["what"]
            if not self.losses.given_up(task.group, joint=what in {"joint", "own"}):
                return False
            if what in {"", "first"}:
                self._note(given_up(task.group))
            else:
                self.journal.append(record := round_given_up(task))
                self.rounds.add(record)
        else:
            if task.shared is None:
                self._note(done(task))
            else:
                self.journal.append(record := round_done(task))
                self.rounds.add(record)
        task.forget()
        return True

    def _require_progress(self) -> None:
        """Give up where workers are ended one after the other and no group is done meanwhile; it can be resumed."""
        self.lost_since += 1
        if self.lost_since > MOST_LOST:
            raise WorkersError(
                f"{MOST_LOST} workers were ended from outside while not one group was done. See what ends them (memory,"
                " a limit of the queue), then go on with --resume."
            )

    def _note(self, record: Record) -> None:
        self.journal.append(record)
        self.done[record["group"]] = record
