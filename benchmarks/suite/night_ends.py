"""What a night costs besides its work: the batch layer, resuming, the deadline and Ctrl-C, memory as predicted."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.feeders import street
from benchmarks.studies import Study, labels
from benchmarks.suite.batch import FRENCH, SCENARIO, SETTINGS, WORKERS, peak_memory, towns
from dispatch.batch.group_file import write_group
from dispatch.batch.journal import read_journal
from dispatch.batch.memory import GIB, predicted_bytes
from dispatch.batch.part import Order, run_part
from dispatch.batch.planning import make_plan
from dispatch.batch.run_batch import run_batch
from dispatch.batch.status import status_of
from dispatch.batch.task import Task, deliver
from dispatch.case.netcdf import save_case
from dispatch.run.utility import equip_utility, import_utility, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESUMED = 1000
REPEATS = 2
DEADLINES_S = (4.0, 15.0)
SHARED, RATED = 10, 0.65
"""French feeders under a shared rating, and this as a share of what they exchange without it."""
COMMAND = (sys.executable, "-m", "dispatch.cli", "batch", "run")


class Here(Executor):
    """Does everything at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call it."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


class Pretends(Executor):
    """Delivers the same file for every group, without any work."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ARG002
        """Leave an answer."""
        task, future = Task.read(Path(str(args[0]))), Future[Any]()
        rows = [{"name": n, "status": "optimal", "seconds": 0.0, "prosumers": 1, "says": ""} for n in task.group.names]
        deliver(task, lambda file: file.write_bytes(b"x" * 1000), rows)
        future.set_result(None)
        return future


def _row(case: str, taken: float, most: float, unit: str, **more: Any) -> dict[str, Any]:
    failure = f"more than {most:g}" if taken > most else ""
    return {"case": case, "taken": taken, "most": most, "unit": unit, **more, "failure": failure, **labels()}


def parts_s(utility: Path, file: Path) -> float:
    """Read, forecast, solve, check and write each group, one after the other; seconds."""
    begin = time.perf_counter()
    for group in make_plan(utility, SETTINGS).groups:
        outcomes = [o for part in group.parts for o in run_part(Order(utility, part, SETTINGS, float("inf")))]
        write_group(outcomes, file)
    return time.perf_counter() - begin


def overhead(utility: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Compare a whole night in one process with its parts alone, in pairs."""
    parts_s(utility, folder / "first.nc")
    ratios, last = [], 0.0
    for k in range(REPEATS):
        alone = parts_s(utility, folder / "part.nc")
        begin = time.perf_counter()
        run_batch(utility, folder / f"whole{k}", SETTINGS, workers=1, executor=Here())
        last = time.perf_counter() - begin
        ratios.append(last / alone - 1)
    mean = sum(ratios) / len(ratios)
    yield _row("overhead of the batch layer", 100 * mean, 10.0, "% of its parts", wall_s=last, ratios=ratios)


def resuming(folder: Path, count: int) -> Iterator[dict[str, Any]]:
    """Go on with a night of many feeders that is done."""
    utility = folder / "many"
    utility.mkdir()
    save_case(street(), utility / "s0000.nc")
    for k in range(1, count):
        shutil.copy(utility / "s0000.nc", utility / f"s{k:04d}.nc")
    run_batch(utility, folder / "resumed", workers=1, executor=Pretends())
    begin = time.perf_counter()
    run_batch(utility, folder / "resumed", workers=1, executor=Pretends(), resume=True)
    wall = time.perf_counter() - begin
    yield _row("resuming", 1000 * wall / count, 2.0, "s for 1,000 feeders", feeders=count, wall_s=wall)


def deadlines(utility: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Give a whole command less time than it needs."""
    for seconds in DEADLINES_S:
        results = folder / f"until{seconds:g}"
        begin = time.perf_counter()
        given = [str(utility), "-o", str(results), "--workers", str(WORKERS), "--deadline-s", f"{seconds:g}"]
        subprocess.run([*COMMAND, *given], check=False, capture_output=True)
        wall = time.perf_counter() - begin
        counts = status_of(results).counts
        yield _row(f"deadline of {seconds:g} s", wall - seconds, 1.0, "s late", wall_s=wall, counts=counts)


def interrupted(utility: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Interrupt a whole command while it works, and go on."""
    results = folder / "interrupted"
    given = [str(utility), "-o", str(results), "--workers", str(WORKERS)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    batch = subprocess.Popen([*COMMAND, *given], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    signal.signal(signal.SIGINT, before)
    while batch.poll() is None and not any(r["what"] == "done" for r in _records(results)):
        time.sleep(0.05)
    begin = time.perf_counter()
    batch.send_signal(signal.SIGINT)
    batch.wait()
    taken = time.perf_counter() - begin
    stopped = status_of(results).counts
    ended = run_batch(utility, results, workers=WORKERS, resume=True, report=False).counts
    row = _row("Ctrl-C", taken, 5.0, "s to the end", counts=stopped, resumed=ended)
    lost = ended["not_run"] or ended["failed"] or not stopped["not_run"]
    yield row | ({"failure": f"then {json.dumps(ended)}"} if lost else {})


def _records(folder: Path) -> list[dict[str, Any]]:
    return read_journal(folder) if folder.is_dir() else []


def shared_memory(folder: Path) -> Iterator[dict[str, Any]]:
    """Predict and take the memory of feeders that share a rating and are solved together."""
    parts: list[tuple[str, Path, dict[str, Any]]]
    parts = [(name_of(f), f, {}) for f in sorted(FRENCH.glob("*.json.gz"))[:SHARED]]
    import_utility("roseau", parts, folder / "networks")
    utility = folder / "shared"
    equip_utility(folder / "networks", utility, **SCENARIO)
    (utility / "shared.toml").write_text('[[limit]]\nid = "substation"\ns_nom = 1e6\n')
    loose = run_batch(utility, folder / "loose", SETTINGS, workers=WORKERS, report=False).shared
    assert loose is not None
    rated = RATED * max(abs(p) for p in loose["limits"][0]["p"])
    (utility / "shared.toml").write_text(f'[[limit]]\nid = "substation"\ns_nom = {rated}\n')
    predicted = predicted_bytes(make_plan(utility, SETTINGS), WORKERS) / GIB
    begin = time.perf_counter()
    with peak_memory() as most:
        found = run_batch(utility, folder / "rated", SETTINGS, workers=WORKERS, report=False).shared
    wall = time.perf_counter() - begin
    assert found is not None
    off = 100 * abs(predicted / most[0] - 1)
    told = {k: found[k] for k in ("rounds", "mixes", "gap", "gap_delivered")}
    yield _row(
        f"memory of {SHARED} feeders under a shared rating", off, 25.0, "% off", predicted_gib=predicted,
        peak_gib=most[0], wall_s=wall, **told,
    )  # fmt: skip


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """One row a promise."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if small:
            yield from resuming(folder, 3)
            return
        yield from resuming(folder, RESUMED)
        utility = towns(folder, 4)
        yield from overhead(utility, folder)
        yield from deadlines(utility, folder)
        yield from interrupted(utility, folder)
        if FRENCH.is_dir():
            yield from shared_memory(folder)


COLUMNS = ("case", "taken", "most", "unit", "wall_s", "failure")
STUDY = Study("night-ends", "what a night costs besides its work, and how it ends early", COLUMNS, measure)
