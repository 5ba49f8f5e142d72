"""Ten million prosumers on more cores than there are: groups and the scheduler as measured, the rest simulated."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.figures import curve
from benchmarks.rows import RESULTS
from benchmarks.studies import Study, labels
from benchmarks.suite.batch import SETTINGS, towns
from dispatch.batch.executors import LocalExecutor
from dispatch.batch.foresee import Cluster, foresee
from dispatch.batch.journal import Journal, read_journal
from dispatch.batch.plan import Group
from dispatch.batch.planning import make_plan
from dispatch.batch.run_batch import run_batch
from dispatch.batch.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

PROSUMERS, TOWNS, GROUP_S = 10_000_000, 12, 5.0
WORKERS = (2, 16, 64, 256, 1024)
START_S, SLOW_SHARE, SLOW_FACTOR, LOST_PER_HOUR = 7.0, 0.02, 4.0, 0.5
"""A worker's start as measured, and what is supposed: one group of 50 takes four times as long, and each worker is lost
every second hour."""
CALLS = 300
SEEDS = range(5)


@contextmanager
def executors() -> Iterator[list[tuple[str, Executor]]]:
    """Start processes of this machine, and a Dask cluster of it where Dask is installed."""
    local = LocalExecutor(1)
    found: list[tuple[str, Executor]] = [("processes", local)]
    try:
        import distributed  # noqa: PLC0415  (an extra)

        from dispatch.batch.cluster import connection, dask_executor  # noqa: PLC0415
    except ImportError:
        yield found
        local.shutdown()
        return
    with (
        distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        dask_executor(connection(cluster.scheduler_address, None)) as dask,
    ):
        yield [*found, ("dask", dask)]
    local.shutdown()


def overhead_s(executor: Executor, folder: Path) -> float:
    """Seconds for each group that are not its work: its task written, sent, come back, and its line in the journal."""
    executor.submit(int).result()
    folder.joinpath("work").mkdir(exist_ok=True)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        journal = Journal(Path(name))
        for k in range(CALLS):
            task = Task(str(folder), str(folder), Group(f"{k:024d}", ()), SETTINGS.to_json())
            task.write()
            executor.submit(int).result()
            journal.append({"what": "done", "group": task.group.key, "feeders": []})
            task.forget()
        journal.close()
    return (time.perf_counter() - begin) / CALLS


def group_seconds(folder: Path, count: int) -> tuple[list[float], int]:
    """Run a few towns on one core: the seconds of work of each group, what surrounds its feeders included."""
    utility, results = towns(folder, count), folder / "results"
    plan = make_plan(utility, SETTINGS)
    begin = time.perf_counter()
    status = run_batch(utility, results, SETTINGS, workers=1, report=False)
    wall = time.perf_counter() - begin - START_S
    own = {r["group"]: sum(f["seconds"] for f in r["feeders"]) for r in read_journal(results) if r["what"] == "done"}
    share = max(wall, sum(own.values())) / sum(own.values())
    return [own[g.key] * share for g in plan.groups], sum(row["prosumers"] for row in status.rows)


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """One row a number of workers and way to hand out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds, prosumers = ([2.0, 3.0, 5.0], 1500) if small else group_seconds(folder, TOWNS)
        with executors() as ways:
            taken = {way: overhead_s(executor, folder) for way, executor in (ways[:1] if small else ways)}
    draw = np.random.default_rng(1)
    work = draw.choice(seconds, round(len(seconds) * PROSUMERS / prosumers / (1000 if small else 1)))
    walls: dict[str, list[float]] = {}
    for way, each_s in taken.items():
        for workers in WORKERS:
            cluster = Cluster(workers, START_S, each_s, SLOW_SHARE, SLOW_FACTOR, LOST_PER_HOUR)
            found = [foresee(work, cluster, seed) for seed in SEEDS]
            middle = sorted(found, key=lambda f: f.wall_s)[len(found) // 2]
            walls.setdefault(way, []).append(middle.wall_s)
            yield {
                "case": way, "workers": workers, "prosumers": PROSUMERS, "groups": len(work),
                "work_h": float(work.sum() / 3600), "overhead_ms": 1000 * each_s, "wall_min": middle.wall_s / 60,
                "busy": middle.busy, "lost": middle.lost, "limited_by": middle.limited_by, "failure": "", **labels(),
            }  # fmt: skip
    if not small:
        minutes = {way: np.array(own) / 60 for way, own in walls.items()}
        text = curve("10 million prosumers", "workers", "minutes", np.array(WORKERS, float), minutes)
        (RESULTS / "night-scale.svg").write_text(text, "utf-8")


COLUMNS = ("case", "workers", "groups", "work_h", "overhead_ms", "wall_min", "busy", "lost", "limited_by", "failure")
STUDY = Study(
    "night-scale", "ten million prosumers on 2 to 1,024 cores, simulated from measured groups", COLUMNS, measure
)
