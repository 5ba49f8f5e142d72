"""End workers and whole runs at random moments, and see that no feeder is lost, none is there twice, all bytes agree.

`python tests/batch/chaos.py --kills 100 --feeders 500 --seed 1` does by hand what the tests do in small, with real
feeders instead of a stand-in for them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from stand_in import stand_in
from tiny import Here, copied_utility, files_of

from dispatch.batch import run_batch as module
from dispatch.batch.journal import read_journal
from dispatch.batch.results import open_results
from dispatch.batch.status import status_of
from dispatch.batch.work import run_group

WORKERS = int(os.environ.get("PROSUMER_DISPATCH_KILL_WORKERS", "2"))


def start(utility: Path, results: Path) -> int:
    """Run the batch in a process of its own; return its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setpgid(0, 0)
        module.run_batch(utility, results, workers=WORKERS, resume=True, report=False)
        code = 0
    except BaseException:  # noqa: BLE001  (told, and then the exit code tells it)
        traceback.print_exc()
    finally:
        os._exit(code)


def workers_of(client: int) -> list[int]:
    """Processes that work for a run just now."""
    try:
        found = [int(c) for c in Path(f"/proc/{client}/task/{client}/children").read_text().split()]
        for task in Path(f"/proc/{client}/task").iterdir():
            found += [int(c) for c in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return sorted({c for c in found if b"spawn_main" in command_of(c)})


def command_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def done(client: int) -> bool:
    """Whether a run has ended by itself; raises where it failed."""
    found, status = os.waitpid(client, os.WNOHANG)
    if found and os.waitstatus_to_exitcode(status) != 0:
        raise AssertionError(f"the run ended with {os.waitstatus_to_exitcode(status)}")
    return bool(found)


def kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def run(kills: int, feeders: int, seed: int, within_s: float, *, real: bool) -> dict[str, Any]:
    """Run a utility while its processes are ended, anew where it is done before that was often enough.

    Raises at anything that is lost, twice or different.
    """
    chance = random.Random(seed)
    module.run_group = run_group if real else stand_in
    counts = {"kills of workers": 0, "kills of runs": 0, "seconds": 0.0, "workers lost": 0, "runs": 0}
    with tempfile.TemporaryDirectory() as name:
        utility, undisturbed = (Path(name) / n for n in ("utility", "undisturbed"))
        copied_utility(utility, feeders, kinds=10 if real else 1)
        module.run_batch(utility, undisturbed, workers=1, executor=Here(), report=False)
        nights = 0
        while counts["kills of workers"] + counts["kills of runs"] < kills:
            results, begin = Path(name) / f"results{nights}", time.monotonic()
            disturb(utility, results, chance, within_s, kills, counts)
            counts["seconds"] = round(counts["seconds"] + time.monotonic() - begin, 1)
            status, lines = status_of(results), read_journal(results)
            _compare(results, undisturbed, status, feeders)
            counts["workers lost"] += status.lost
            counts["runs"] += sum(r["what"] == "begun" for r in lines)
            if real:
                open_results(results)["schedule/cost"].load()
            nights += 1
    return counts | {"nights": nights}


def disturb(
    utility: Path, results: Path, chance: random.Random, within_s: float, kills: int, counts: dict[str, Any]
) -> None:
    """Run a night to its end while its processes are ended, each time within so many seconds, `kills` times in all."""
    client = start(utility, results)
    while True:
        enough = counts["kills of workers"] + counts["kills of runs"] >= kills
        select.select([], [], [], 0.05 if enough else chance.uniform(0.0, within_s))
        if done(client):
            return
        victims = workers_of(client)
        if enough:
            continue
        if victims and chance.random() < 0.8:
            kill(chance.choice(victims))
            counts["kills of workers"] += 1
        elif chance.random() < 0.3:
            kill(client)
            os.waitpid(client, 0)
            counts["kills of runs"] += 1
            client = start(utility, results)


def _compare(results: Path, undisturbed: Path, status: Any, feeders: int) -> None:
    names = [row["name"] for row in status.rows]
    if len(names) != feeders or len(set(names)) != feeders:
        raise AssertionError(f"{len(names)} feeders, {len(set(names))} of them different, instead of {feeders}")
    if status.counts["optimal"] != feeders:
        raise AssertionError(json.dumps(status.to_json()))
    if files_of(results) != files_of(undisturbed):
        raise AssertionError("the results are not the same bytes as those of a run that nobody disturbed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--feeders", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--within-s", type=float, default=3.0)
    a = parser.parse_args()
    sys.stdout.write(f"{run(a.kills, a.feeders, a.seed, a.within_s, real=True)}\n")
