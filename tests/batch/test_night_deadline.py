"""Nights that run out of time: they end, what is ready is delivered, and the rest can be resumed."""

from __future__ import annotations

import time
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tiny import Here, files_of, write_utility

from dispatch.batch import deadline, planning, solve_round
from dispatch.batch import run_batch as batch
from dispatch.batch.deadline import Deadline
from dispatch.batch.run_batch import run_batch
from dispatch.batch.task import Task
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

NIGHT_S = 7200.0
TIGHT = '[[limit]]\nid = "substation"\np_export_max = 8.0\n'


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.later = 0.0

    def time(self) -> float:
        return time.time() + self.later

    def monotonic(self) -> float:
        return time.monotonic() + self.later


class Slow(Here):
    """Does everything at once, but puts the clock forward before each task of a kind; some never end."""

    def __init__(self, clock: Clock, takes_s: dict[str, float], endless: str | None = None) -> None:
        self.clock, self.takes_s, self.endless = clock, takes_s, endless

    def submit(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:
        task = Task.read(Path(str(args[0])))
        what = "" if task.shared is None else task.shared["what"]
        self.clock.later += self.takes_s.get(what, 0.0)
        return Future() if what == self.endless else super().submit(function, *args, **kwargs)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put the clock of this test where nights look; cut after every case."""
    found = Clock()
    for module in (deadline, solve_round, batch):
        monkeypatch.setattr(module, "time", found)
    monkeypatch.setattr(planning, "LEAST_S", 0.0)
    monkeypatch.setattr(planning, "GROUP_S", 1e-9)
    return found


def night(utility: Path, results: Path, executor: Here, *, resume: bool = False, report: bool = False):
    settings = Settings(deadline_s=NIGHT_S)
    return run_batch(utility, results, settings, executor=executor, workers=1, resume=resume, report=report)


def test_what_is_still_at_work_at_the_end_is_given_up(tmp_path: Path, clock: Clock) -> None:
    utility = write_utility(tmp_path / "u", 3)
    status = night(utility, tmp_path / "r", Slow(clock, {"": 2 * NIGHT_S}, ""), report=True)
    assert status.counts["not_run"] == 3
    assert (tmp_path / "r" / "report.html").exists()
    status = night(utility, tmp_path / "r", Here(), resume=True)
    assert status.counts["optimal"] == 3
    night(utility, tmp_path / "whole", Here())
    assert files_of(tmp_path / "r") == files_of(tmp_path / "whole")


def test_a_round_of_prices_that_is_late_is_as_if_it_had_not_been_asked(tmp_path: Path, clock: Clock) -> None:
    utility = write_utility(tmp_path / "u", 3, houses=2)
    (utility / "shared.toml").write_text(TIGHT)
    status = night(utility, tmp_path / "r", Slow(clock, {"first": 600.0, "ask": 3000.0}))
    assert status.shared is not None
    assert status.shared["mixes"] == 1
    assert not status.shared["limits"][0]["unmet"]  # the plans of all together are mixed, though nothing is proven
    assert status.status == "gap"


def test_first_schedules_are_delivered_where_no_mix_is_ready(tmp_path: Path, clock: Clock) -> None:
    utility = write_utility(tmp_path / "u", 3, houses=2)
    (utility / "shared.toml").write_text(TIGHT)
    status = night(utility, tmp_path / "r", Slow(clock, {"mix": 2 * NIGHT_S}, "mix"))
    assert status.status == "limits_unmet"
    assert status.counts["optimal"] == 3
    (utility / "shared.toml").unlink()
    night(utility, tmp_path / "plain", Here())
    groups = [sorted(f.read_bytes() for f in (tmp_path / n / "groups").glob("*.nc")) for n in ("r", "plain")]
    assert groups[0] == groups[1]


def test_each_stage_has_its_share_of_the_time() -> None:
    assert Deadline(None).end_of("first") is None
    assert not Deadline(None).late
    given = Deadline(1000.0)
    given.leave_time_to_close(20_000)
    assert given.end == pytest.approx(given.begin + 997.0)
    assert given.end_of("ask") == given.end
    given.leave_time_to_mix(100.0)
    ends = [given.end_of(what) for what in ("first", "ask", "mix")]
    assert ends == sorted(ends)
    assert ends[1] == pytest.approx(given.end - 150.0)
    assert given.share("mix", 5.0, 50.0, 2) is None
    half = given.share("", 5.0, 20.0, 2)
    assert half == pytest.approx(given.begin + 498.5, abs=1.0)
