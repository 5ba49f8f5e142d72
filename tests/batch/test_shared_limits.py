"""Limits that feeders share, in whole nights: kept by AC, the same bytes, resumed in the round where it stopped."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny import Here, files_of, tiny_case, write_utility

from dispatch.batch.journal import read_journal
from dispatch.batch.results import open_results
from dispatch.batch.run_batch import run_batch
from dispatch.batch.status import status_of
from dispatch.case.netcdf import save_case
from dispatch.case.shared import read_shared
from dispatch.cli import main
from dispatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_group_a_case")

EXPORT_KW = 8.0
QUIET = {"workers": 1, "report": False}
FILE = f'[[limit]]\nid = "substation"\np_export_max = {EXPORT_KW}\n'


class Stopped(Exception):  # noqa: N818  (what happens, not an error)
    """The process ends here."""


class Until(Here):
    """Does so many calls, then ends as if the process were killed."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def submit(self, function: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:
        if not self.left:
            raise Stopped
        self.left -= 1
        return super().submit(function, *args, **kwargs)


@pytest.fixture(scope="module")
def utility(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three feeders, a group each, of which two share a limit that binds."""
    folder = write_utility(tmp_path_factory.mktemp("shared") / "u", 3, houses=2)
    (folder / "shared.toml").write_text(FILE + 'feeders = ["case0000/*", "case0002/f0"]\n')
    return folder


@pytest.fixture(scope="module")
def night(utility: Path) -> Path:
    run_batch(utility, utility.parent / "r", executor=Here(), workers=1, report=True)
    return utility.parent / "r"


def test_the_limit_is_kept_with_losses(night: Path) -> None:
    results = open_results(night)
    schedule, rows = results["schedule"], results["feeder"]
    assert set(rows["status"].to_numpy().tolist()) == {b"optimal"}
    sharing = np.isin(rows["feeder"].to_numpy(), [b"case0000/f0", b"case0002/f0"])
    line = sharing[schedule["line_feeder"].to_numpy()]  # the only line of a feeder leaves its source
    together = schedule["p_line"].to_numpy()[line].sum(axis=0)
    assert together.min() == pytest.approx(-EXPORT_KW, rel=1e-3)
    meter = schedule["p_import"].to_numpy() - schedule["p_export"].to_numpy()
    lossless = meter[sharing[schedule["meter_feeder"].to_numpy()]].sum(axis=0)
    assert (together > lossless + 1e-4).any()  # losses are noticeable, and counted


def test_status_and_page_tell_of_it(night: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared = status_of(night).to_json()["shared"]
    assert shared["done"]
    assert shared["gap"] <= 1e-4
    assert shared["feeders"] == 2
    (limit,) = shared["limits"]
    assert limit["loading_max"] == pytest.approx(1.0, abs=1e-3)
    binding = np.isclose(limit["p"], -EXPORT_KW, rtol=1e-3)
    assert all(price <= 0 for price in limit["price"])
    assert not np.array(limit["price"])[~binding].any()
    main(["batch", "status", str(night)])
    said = capsys.readouterr().out
    assert f"round {shared['rounds']}" in said
    assert "substation: 2 feeders" in said
    page = (night / "report.html").read_text()
    assert "Limits that feeders share" in page
    assert "substation" in page


def test_it_costs_more_than_without_the_limit_and_others_are_untouched(night: Path, utility: Path) -> None:
    (utility / "shared.toml").rename(utility / "aside")
    try:
        plain = utility.parent / "plain"
        run_batch(utility, plain, executor=Here(), **QUIET)
    finally:
        (utility / "aside").rename(utility / "shared.toml")
    costs = [{r["name"]: r["objective"] for r in status_of(f).rows} for f in (plain, night)]
    assert costs[0]["case0001/f0"] == costs[1]["case0001/f0"]
    assert sum(costs[1].values()) > sum(costs[0].values()) + 1e-3


def test_round_one_is_enough_where_nothing_binds(utility: Path) -> None:
    loose = utility.parent / "loose"
    loose.mkdir()
    for file in utility.glob("*.nc"):
        (loose / file.name).write_bytes(file.read_bytes())
    run_batch(loose, utility.parent / "alone", executor=Here(), **QUIET)
    (loose / "shared.toml").write_text(FILE.replace(str(EXPORT_KW), "1000.0"))
    run_batch(loose, utility.parent / "together", executor=Here(), **QUIET)
    shared = status_of(utility.parent / "together").shared
    assert shared is not None
    assert (shared["rounds"], shared["mixes"]) == (1, 0)
    groups = [sorted((utility.parent / n / "groups").glob("*.nc")) for n in ("alone", "together")]
    assert sorted(f.read_bytes() for f in groups[0]) == sorted(f.read_bytes() for f in groups[1])


@pytest.mark.slow
@pytest.mark.parametrize("calls", (1, 2, 3, 4, 6, 7) if os.environ.get("DISPATCH_SHARED_LONG") else (2, 6))
def test_it_goes_on_in_the_round_where_it_stopped(night: Path, utility: Path, calls: int, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run_batch(utility, tmp_path / "r", executor=Until(calls), **QUIET)
    before = [(r["stage"], r["group"]) for r in read_journal(tmp_path / "r") if r["what"] == "round"]
    run_batch(utility, tmp_path / "r", executor=Here(), resume=True, **QUIET)
    every = [(r["stage"], r["group"]) for r in read_journal(tmp_path / "r") if r["what"] == "round"]
    assert every[: len(before)] == before
    assert len(set(every)) == len(every)  # no group does its part of a round twice
    assert files_of(tmp_path / "r") == files_of(night)
    assert not (tmp_path / "r" / "rounds").exists()


def test_two_workers_give_the_same_bytes(night: Path, utility: Path, tmp_path: Path) -> None:
    run_batch(utility, tmp_path / "r", workers=2, report=False)
    assert files_of(tmp_path / "r") == files_of(night)


@pytest.mark.slow
def test_a_lost_file_of_a_round_is_made_again(night: Path, utility: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run_batch(utility, tmp_path / "r", executor=Until(6), **QUIET)
    min((tmp_path / "r" / "rounds").glob("*.2.npz")).unlink()
    run_batch(utility, tmp_path / "r", executor=Here(), resume=True, **QUIET)
    assert files_of(tmp_path / "r") == files_of(night)


@pytest.mark.slow
def test_a_change_of_the_limit_runs_all_that_share_it(utility: Path, tmp_path: Path) -> None:
    run_batch(utility, tmp_path / "r", executor=Here(), **QUIET)
    before = {f.name for f in (tmp_path / "r" / "groups").glob("*.nc")}
    held = (utility / "shared.toml").read_text()
    try:
        (utility / "shared.toml").write_text(held.replace(str(EXPORT_KW), "9.0"))
        run_batch(utility, tmp_path / "r", executor=Here(), resume=True, **QUIET)
    finally:
        (utility / "shared.toml").write_text(held)
    after = {f.name for f in (tmp_path / "r" / "groups").glob("*.nc")}
    assert len(before & after) == 1


def test_an_unavoidable_violation_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "u"
    folder.mkdir()
    for k in range(2):
        case = tiny_case(houses=2, pv_kw=0.0, store={"energy_nom": 1e-6, "p_nom": 1e-6, "wear_cost": 0.01 * k})
        save_case(case, folder / f"case{k}.nc")
    (folder / "shared.toml").write_text('[[limit]]\nid = "peak"\np_import_max = 1.5\n')
    status = run_batch(folder, tmp_path / "r", executor=Here(), workers=1)
    assert status.status == "limits_unmet"
    assert status.shared is not None
    (limit,) = status.shared["limits"]
    # Four houses take 0.5 kW each, and nothing of them can move.
    assert [u["kw"] for u in limit["unmet"]] == pytest.approx([0.5] * 4, abs=2e-3)
    assert "what they share is not kept: peak" in (tmp_path / "r" / "report.html").read_text()


def test_every_mistake_is_found_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_utility(tmp_path / "u", 1)
    text = (
        '[[limit]]\nid = "a"\ns_nom = -1\nfoo = 2\n[[limit]]\nid = "a"\nfeeders = 3\nintensity = [0.1, "x"]\n[other]\n'
    )
    (folder / "shared.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_shared(folder)
    codes = sorted(p.code for p in caught.value.problems)
    assert codes == sorted(
        ["shared-unknown", "shared-unknown", "shared-range", "shared-range", "shared-feeders", "shared-bound",
         "shared-bound", "shared-twice"]
    )  # fmt: skip
    assert main(["check", str(folder)]) == 1
    assert "shared.toml" in capsys.readouterr().err
    with pytest.raises(InputError):
        run_batch(folder, tmp_path / "r", executor=Here(), **QUIET)
    (folder / "shared.toml").write_text('[[limit]]\nid = "a"\ns_nom = 9\nfeeders = "nobody*"\n')
    assert main(["check", str(folder)]) == 1
    assert "shared-nobody" in capsys.readouterr().err


def test_status_is_json_while_it_goes_on(utility: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run_batch(utility, tmp_path / "r", executor=Until(5), **QUIET)
    found = json.loads(json.dumps(status_of(tmp_path / "r").to_json(), allow_nan=False))
    assert found["shared"]["rounds"] >= 1
    assert "done" not in found["shared"]
