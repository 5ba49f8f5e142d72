"""Feeders and workers that are lost while limits are agreed on: the night ends, the others share what is left."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny import Here, write_utility

from dispatch.batch.executors import WorkerLost
from dispatch.batch.results import open_results
from dispatch.batch.run_batch import run_batch
from dispatch.batch.status import status_of
from dispatch.batch.task import Task
from dispatch.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("one_group_a_case")

EXPORT_KW = 12.0
VICTIM = "case0001/f0"
QUIET = {"workers": 1, "report": False}


class Loses(Here):
    """Loses the worker at one feeder, or at none, whenever one of the given stages is done."""

    def __init__(self, what: tuple[str, ...], at: str) -> None:
        self.what, self.at, self.times = what, at, 0

    def submit(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:
        task = Task.read(Path(str(args[0])))
        what = "" if task.shared is None else task.shared["what"]
        mine = what == "joint" or VICTIM in task.group.names
        if what in self.what and mine and VICTIM not in task.aside:
            self.times += 1
            task.mark.write_text(self.at)
            lost: Future[object] = Future()
            lost.set_exception(WorkerLost("ended by the test"))
            return lost
        return super().submit(function, *args, **kwargs)


@pytest.fixture(scope="module")
def utility(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_utility(tmp_path_factory.mktemp("lost") / "u", 3, houses=2)


@pytest.fixture(scope="module")
def plain(utility: Path) -> Path:
    (utility / "shared.toml").unlink(missing_ok=True)
    run_batch(utility, utility.parent / "plain", executor=Here(), **QUIET)
    return utility.parent / "plain"


@pytest.fixture(params=[("ask", VICTIM), ("mix", VICTIM), ("ask", "")], ids=["asked", "mixed", "written"])
def night(utility: Path, plain: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:  # noqa: ARG001
    (utility / "shared.toml").write_text(f'[[limit]]\nid = "all"\np_export_max = {EXPORT_KW}\n')
    what, at = request.param
    executor = Loses((what,), at)
    run_batch(utility, tmp_path / "r", executor=executor, **QUIET)
    assert executor.times >= 2
    return tmp_path / "r"


def test_the_night_ends_and_the_others_share_what_is_left(
    night: Path, plain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = status_of(night)
    assert status.counts["optimal"] + status.counts["gap"] == 3
    assert status.status == "gap"  # nothing is proven of all three
    assert status.shared is not None
    assert status.shared["fixed"] == [VICTIM]
    assert status.shared["gap_delivered"] == pytest.approx(0.0, abs=1e-4)
    ours, theirs = (open_results(f, feeder=VICTIM)["schedule"] for f in (night, plain))
    for name in ("p_import", "p_export", "cost"):
        np.testing.assert_array_equal(ours[name].to_numpy(), theirs[name].to_numpy())
    together = open_results(night)["schedule"]["p_line"].to_numpy().sum(axis=0)
    assert together.min() == pytest.approx(-EXPORT_KW, rel=2e-3)
    main(["batch", "status", str(night)])
    assert f"{VICTIM} ended workers again and again" in capsys.readouterr().out


def test_where_all_together_end_a_worker_prices_alone_agree(utility: Path, plain: Path, tmp_path: Path) -> None:  # noqa: ARG001
    (utility / "shared.toml").write_text(f'[[limit]]\nid = "all"\np_export_max = {EXPORT_KW}\n')
    run_batch(utility, tmp_path / "r", executor=Here(), **QUIET)
    from dispatch.batch.losses import JOINT

    executor = Loses(("joint",), JOINT)
    run_batch(utility, tmp_path / "s", executor=executor, **QUIET)
    assert executor.times >= 2
    both = [status_of(tmp_path / name).shared for name in ("r", "s")]
    assert both[0] is not None
    assert both[1] is not None
    assert both[0]["rounds"] <= both[1]["rounds"]
    assert both[1]["fixed"] == []
    assert both[0]["objective_relaxation"] == pytest.approx(both[1]["objective_relaxation"], rel=1e-4)
