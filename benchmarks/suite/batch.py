"""A utility's night: whole folders of cases to AC-checked schedules on two cores, with the peak of memory."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.feeders import street
from benchmarks.studies import Study, labels
from benchmarks.suite.shared_meter import bare_town
from dispatch.batch.journal import read_journal
from dispatch.batch.memory import GIB, predicted_bytes
from dispatch.batch.planning import make_plan
from dispatch.batch.run_batch import run_batch
from dispatch.case.netcdf import save_case
from dispatch.run.settings import Settings
from dispatch.run.utility import equip_utility, import_utility, name_of, seed_of
from dispatch.scenario.equip import equip

if TYPE_CHECKING:
    from collections.abc import Iterator

FRENCH = Path(__file__).parents[3] / "shared" / "data" / "networks" / "french_mv_lv"
TOWNS = tuple(int(n) for n in os.environ.get("DISPATCH_BATCH_TOWNS", "1 2 4 8").split())
"""Towns of 14 feeders and 1,506 prosumers, each equipped with a seed of its own: 664 of them are a million."""
SETTINGS, WORKERS = Settings(gap=1e-4), 2
SCENARIO: dict[str, Any] = {"pv_share": 0.6, "battery_share": 0.4}


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Watch the memory of this process and all below it; the list holds the most GiB that were seen at once."""
    most, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            most[0] = max(most[0], sum(map(_resident, _tree(os.getpid()))) / GIB)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def _tree(root: int) -> list[int]:
    """All processes below one, and itself."""
    found, left = [], [root]
    while left:
        own = left.pop()
        found.append(own)
        for children in Path(f"/proc/{own}/task").glob("*/children"):
            try:
                left += [int(c) for c in children.read_text().split()]
            except OSError:
                continue
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def french(folder: Path) -> Path:
    """Import the shared French set and equip it."""
    parts: list[tuple[str, Path, dict[str, Any]]] = [(name_of(f), f, {}) for f in sorted(FRENCH.glob("*.json.gz"))]
    import_utility("roseau", parts, folder / "networks")
    equip_utility(folder / "networks", folder / "french", **SCENARIO)
    return folder / "french"


def towns(folder: Path, count: int) -> Path:
    """Equip so many copies of the embedded town without its gas, no two alike."""
    target = folder / f"towns{count}"
    target.mkdir()
    for k in range(count):
        name = f"town{k:04d}"
        save_case(equip(bare_town("summer"), **SCENARIO, seed=seed_of(name, 1)), target / f"{name}.nc")
    return target


def night(case: str, utility: Path, results: Path, workers: int = WORKERS) -> dict[str, Any]:
    """Run one utility and say what it took."""
    plan = make_plan(utility, SETTINGS)
    begin = time.perf_counter()
    with peak_memory() as most:
        status = run_batch(utility, results, SETTINGS, workers=workers)
    wall = time.perf_counter() - begin
    work = sum(row["seconds"] for row in status.rows)
    bad = status.counts["invalid"] + status.counts["failed"] + status.counts["not_run"]
    return {
        "case": case,
        "feeders": len(status.rows),
        "prosumers": sum(row["prosumers"] for row in status.rows),
        "wall_s": wall,
        "peak_gib": most[0],
        **status.percentiles,
        "predicted_gib": predicted_bytes(plan, workers) / GIB,
        "work_s": work,
        "busy": work / (workers * wall),
        "solves": sum(len(r["feeders"]) for r in read_journal(results) if r["what"] == "done"),
        "gap_max": float(np.nanmax([row.get("gap", np.nan) for row in status.rows])),
        "counts": status.counts,
        "failure": f"{bad} feeders without a schedule" if bad else "",
        **labels(),
    }


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """One row a utility."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if small:
            (folder / "street").mkdir()
            save_case(street(), folder / "street" / "street.nc")
            yield night("street", folder / "street", folder / "results", 1)
            return
        if FRENCH.is_dir():
            yield night("french set", french(folder), folder / "results-french")
        for count in TOWNS:
            yield night(f"{count} x town", towns(folder, count), folder / f"results-{count}")


COLUMNS = (
    "case", "feeders", "prosumers", "wall_s", "peak_gib", "predicted_gib", "p50_s", "p95_s", "p99_s", "work_s", "busy",
    "failure",
)  # fmt: skip
STUDY = Study("batch", "nights of whole utilities on two cores, AC-checked", COLUMNS, measure)
