"""Every benchmark runs on its small cases; rows are judged, kept and printed as promised. Speed is never asserted."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks import rows
from benchmarks.__main__ import main
from benchmarks.arrays import day_arrays
from benchmarks.environments import ask
from benchmarks.feeders import street
from benchmarks.registry import Benchmark, Peer, Subject, Timing, benchmarks_by_name, peers_by_name
from benchmarks.runner import run

COLUMNS = {
    "case", "setting", "measure", "ours", "peer", "ours_s", "peer_s", "ratio", "ours_objective", "peer_objective",
    "versions", "commit",
}  # fmt: skip
MISSING = Peer("missing", ("nothing",), "pyomo_day.py")


@pytest.fixture
def _no_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "RESULTS", tmp_path)


def quick(peers: tuple[Peer, ...] = (), objective: float | None = None) -> Benchmark:
    subjects = (Subject("street", "small", street),)
    return Benchmark(
        "quick", "", {"work": lambda _: Timing(0.5, 0.4, objective)}, lambda: subjects, lambda: subjects, peers
    )


@pytest.mark.parametrize("name", benchmarks_by_name())
def test_every_benchmark_runs_small(name: str) -> None:
    found = list(run(replace(benchmarks_by_name()[name], peers=()), small=True))
    assert found
    for row in found:
        assert asdict(row).keys() >= COLUMNS
        assert row.ours_s > 0
        assert row.failure == ""


def test_pyomo_states_the_same_problem() -> None:
    """The peer's script runs in our environment, which has pyomo, too."""
    benchmark = benchmarks_by_name()["lv-day"]
    pyomo = next(peer for peer in benchmark.peers if peer.name == "pyomo")
    found = list(run(replace(benchmark, peers=(pyomo,)), small=True, python=Path(sys.executable)))
    assert [row.failure for row in found] == [""] * len(found)
    for row in found:
        assert row.problem == "same"
        assert row.ratio == pytest.approx(row.peer_s / row.ours_s)
        assert "pyomo: pyomo" in row.versions


def test_a_peer_that_is_not_installed_is_a_row_without_a_ratio() -> None:
    (row,) = run(quick((MISSING,), 1.0))
    assert row.ratio is None
    assert "python -m benchmarks setup missing" in row.failure


def test_a_peer_that_breaks_is_a_row_with_its_last_words() -> None:
    arrays = day_arrays(street())
    del arrays["meter_bus"]
    found = ask(MISSING, arrays, Path(sys.executable))
    assert "meter_bus" in found["failure"]


@pytest.mark.parametrize(
    ("ours", "peer", "problem", "valid"),
    [
        (100.0, 100.00005, "same", True),
        (100.0, 100.001, "same", False),
        (100.0, 99.999, "same", False),
        (100.0, 90.0, "relaxation", True),
        (100.0, 100.001, "relaxation", False),
        (100.0, float("nan"), "relaxation", False),
        (None, 1.0, "same", False),
        (None, None, "", True),
    ],
)
def test_objectives_rule_a_comparison_in_or_out(
    ours: float | None, peer: float | None, problem: str, valid: bool
) -> None:
    assert (rows.verdict(ours, peer, problem) == "") is valid


@pytest.mark.usefixtures("_no_results")
def test_kept_rows_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = run(quick())
    assert row.ratio is None
    assert row.failure == ""
    rows.keep("compile", [row])
    assert rows.kept("compile") == [row]
    assert main(["compile", "--last", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [asdict(row)]
    assert main(["compile", "--last"]) == 0
    assert "street" in capsys.readouterr().out


@pytest.mark.usefixtures("_no_results")
def test_a_failed_row_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    rows.keep("lv-day", list(run(quick((MISSING,), 1.0))))
    assert main(["lv-day", "--last"]) == 1
    assert "not installed" in capsys.readouterr().out


@pytest.mark.usefixtures("_no_results")
def test_nothing_kept_and_unknown_names_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "--last"]) == 1
    assert main(["no-such"]) == 2
    assert main(["setup", "no-such"]) == 2
    text = capsys.readouterr().err
    assert "python -m benchmarks compile" in text
    assert all(name in text for name in (*benchmarks_by_name(), *peers_by_name()))


def test_list_names_every_benchmark_and_peer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in (*benchmarks_by_name(), *peers_by_name()))


def test_rows_name_the_machine_without_its_host() -> None:
    (row,) = run(quick())
    assert set(row.machine) == {"processor", "cores"}
    assert row.commit
    assert row.date.endswith("+00:00")


def test_a_busy_machine_is_said() -> None:
    busy = replace(quick(), measures={"work": lambda _: Timing(1.0, 0.3)})
    assert [row.note for row in run(busy)] == ["the machine was busy: repeat it on a quiet one"]
    assert [row.note for row in run(quick())] == [""]
