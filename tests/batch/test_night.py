"""Whole nights of tiny feeders: statuses, bytes, resuming, deadlines, and the results as one view."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import netCDF4
import numpy as np
import pytest
from tiny import STEPS, Here, files_of, tiny_case, write_utility

from dispatch.batch import planning
from dispatch.batch.journal import read_journal
from dispatch.batch.results import open_results
from dispatch.batch.run_batch import run_batch
from dispatch.batch.status import status_of
from dispatch.case.netcdf import load_case, save_case
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

QUIET = {"executor": Here(), "workers": 1, "report": False}
BROKEN = ("no file at all", "cut off", "no unit", "negative resistance", "unknown bus", "NaN", "one of three")
FIRST, FEEDERS = 5, 12 + 2 + 2
"""First broken case; feeders: one a case, two more in the last broken one, and a pair."""


def break_case(file: Path, how: str) -> None:
    """Break a case file in one of many ways."""
    if how == "no file at all":
        file.write_bytes(b"nothing")
    elif how == "cut off":
        file.write_bytes(file.read_bytes()[:-5000])
    elif how == "no unit":
        with netCDF4.Dataset(file, "a") as data:
            del data["prosumer/load/p_nom"].units
    elif how == "negative resistance":
        save_case(tiny_case(line={"r": -1.0}), file)
    elif how == "unknown bus":
        save_case(tiny_case(meter={"bus": ["nowhere"]}), file)
    elif how == "NaN":
        save_case(tiny_case(forecast={"p_load": np.full((1, STEPS), np.nan)}), file)
    else:
        save_case(tiny_case(feeders=3, line={"s_nom": [60.0, -1.0, 60.0]}), file)


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> tuple[Path, Path]:
    """A utility of which seven of 13 files are broken, each in another way, and its results."""
    base = tmp_path_factory.mktemp("night")
    utility, results = write_utility(base / "u", 12), base / "r"
    for k, how in enumerate(BROKEN):
        break_case(utility / f"case{FIRST + k:04d}.nc", how)
    save_case(tiny_case(feeders=2, houses=2), utility / "pair.nc")
    run_batch(utility, results, **{**QUIET, "report": True})
    return utility, results


def test_every_feeder_ends_with_a_status_whatever_the_others_are(night) -> None:
    rows = {row["name"]: row for row in status_of(night[1]).rows}
    assert len(rows) == FEEDERS
    bad = {name: row for name, row in rows.items() if row["status"] != "optimal"}
    assert {name.partition("/")[0] for name in bad} == {f"case{FIRST + k:04d}" for k in range(len(BROKEN))}
    assert {row["status"] for row in bad.values()} == {"invalid"}
    assert all(row["says"].startswith("[") for row in bad.values())
    # Of three feeders in one file only the broken one is invalid.
    assert [rows[f"case0011/f{k}"]["status"] for k in range(3)] == ["optimal", "invalid", "optimal"]
    assert "s_nom" in rows["case0011/f1"]["says"]


def test_results_are_those_of_each_case_run_alone(night) -> None:
    utility, results = night
    for name, sources in (("case0001", ["f0"]), ("pair", ["f0", "f1"])):
        alone = optimize(load_case(utility / f"{name}.nc"))
        parts = [open_results(results, feeder=f"{name}/{s}")["schedule"] for s in sources]
        for variable in ("p_import", "p_charge", "v_pu", "loading_line_pu", "cost"):
            ours = np.concatenate([p[variable].to_numpy() for p in parts])
            theirs = alone["schedule"][variable].to_numpy()
            kind = str(alone["schedule"][variable].dims[0])
            order = np.argsort(alone["schedule"][kind].to_numpy())
            mine = np.argsort(np.concatenate([p[kind].to_numpy() for p in parts]))
            np.testing.assert_array_equal(ours[mine], theirs[order])
            assert ours.dtype == theirs.dtype


def test_one_view_over_all_groups_reads_what_is_asked_for(night) -> None:
    results = open_results(night[1])
    schedule, table = results["schedule"], results["feeder"].to_dataset()
    whole = schedule["p_import"].to_numpy()
    good = int((table["status"] == b"optimal").sum())
    assert whole.shape == (good + 2, STEPS)  # one house each, two more in the pair
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(schedule["p_import"][5:9, 1:3].to_numpy(), whole[5:9, 1:3])
    np.testing.assert_array_equal(schedule["p_import"][[7, 2, 10]].to_numpy(), whole[[7, 2, 10]])
    np.testing.assert_array_equal(schedule["p_import"][-1].to_numpy(), whole[-1])
    np.testing.assert_array_equal(schedule["p_import"].isel(time=2).to_numpy(), whole[:, 2])
    of = schedule["prosumer_feeder"].to_numpy()
    cost = np.bincount(of, schedule["cost"].to_numpy(), len(table["feeder"]))
    known = np.isfinite(table["cost"].to_numpy())
    np.testing.assert_allclose(cost[known], table["cost"].to_numpy()[known], rtol=1e-8)
    with pytest.raises(InputError, match="CASE/SOURCE"):
        open_results(night[1], feeder="nobody")
    with pytest.raises(InputError, match="without an index"):
        open_results(night[0])


def test_explanations_are_in_the_files_of_the_groups(night) -> None:
    found = {}
    for file in (night[1] / "groups").glob("*.nc"):
        table = load_case(file)["feeder"].to_dataset()
        names, texts = table["feeder"].to_numpy(), table["explanation"].to_numpy()
        found |= {n.decode(): json.loads(e) for n, e in zip(names, texts, strict=True)}
    assert "s_nom" in found["case0011/f1"]["problems"][0]
    assert found["case0001/f0"] == {"problems": [], "unmet": [], "messages": []}


@pytest.mark.slow
def test_same_bytes_for_any_number_of_workers(night, tmp_path) -> None:
    run_batch(night[0], tmp_path, workers=2, report=False)
    assert files_of(tmp_path) == files_of(night[1])


def test_resuming_does_only_what_changed(night, tmp_path) -> None:
    utility, results = tmp_path / "u", tmp_path / "r"
    shutil.copytree(night[0], utility)
    shutil.copytree(night[1], results)
    before = files_of(results)
    with pytest.raises(InputError, match="--resume"):
        run_batch(utility, results, **QUIET)
    lines = len(read_journal(results))
    run_batch(utility, results, resume=True, **QUIET)
    assert len(read_journal(results)) == lines + 1  # only that a run began
    assert files_of(results) == before
    save_case(tiny_case(pv_kw=1.5), utility / "case0003.nc")
    run_batch(utility, results, resume=True, **QUIET)
    after = files_of(results)
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    assert len(gone) == len(new) == 1
    assert all(before[name] == after[name] for name in (before.keys() & after.keys()) - {"index.nc"})
    next(iter((results / "groups").glob("*.nc"))).unlink()
    run_batch(utility, results, resume=True, **QUIET)
    assert files_of(results) == after


def test_a_night_without_time_runs_nothing_and_can_be_resumed(tmp_path) -> None:
    utility, results = write_utility(tmp_path / "u", 2), tmp_path / "r"
    status = run_batch(utility, results, Settings(deadline_s=0.0), **QUIET)
    assert status.counts["not_run"] == 2
    assert open_results(results)["feeder"]["status"].to_numpy().tolist() == [b"not_run"] * 2
    status = run_batch(utility, results, resume=True, **QUIET)
    assert status.counts["optimal"] == 2


def test_a_bug_at_one_case_does_not_cost_the_others(tmp_path, monkeypatch) -> None:
    from dispatch.batch import part

    real = part.prepared

    def trap(case, *given):
        if float(case["prosumer/pv"]["p_nom"][0]) == 3.0:
            raise RuntimeError("a bug")
        return real(case, *given)

    monkeypatch.setattr(part, "prepared", trap)
    status = run_batch(write_utility(tmp_path / "u", 2), tmp_path / "r", **QUIET)
    assert [r["status"] for r in status.rows] == ["failed", "optimal"]
    assert "This is a bug" in status.rows[0]["says"]


def test_unmet_limits_are_told(tmp_path) -> None:
    utility = tmp_path / "u"
    utility.mkdir()
    use = {"p_load": np.full((1, STEPS), 9.0)}
    save_case(tiny_case(forecast=use, line={"s_nom": 2.0}), utility / "thin.nc")
    status = run_batch(utility, tmp_path / "r", **QUIET)
    assert status.status == "limits_unmet"
    assert status.rows[0]["hours_unmet"] > 0
    (file,) = (tmp_path / "r" / "groups").iterdir()
    said = json.loads(load_case(file)["feeder"]["explanation"].to_numpy()[0])
    assert said["unmet"][0]["element"] == "f0"


def test_the_command_line_plans_runs_and_tells(night, capsys) -> None:
    assert main(["batch", "plan", str(night[0]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["feeders"] == FEEDERS
    assert main(["batch", "status", str(night[1])]) == 0
    said = capsys.readouterr().out
    assert f"{FEEDERS} feeders" in said
    assert "7 invalid" in said
    assert main(["batch", "status", str(night[0])]) == 1
    assert main(["batch", "status", str(night[1]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["invalid"] == 7
    assert (night[1] / "report.html").stat().st_size < 60_000


def test_a_large_file_is_cut_between_its_feeders(tmp_path, monkeypatch) -> None:
    utility = tmp_path / "u"
    utility.mkdir()
    save_case(tiny_case(feeders=6, houses=2), utility / "town.nc")
    whole = run_batch(utility, tmp_path / "whole", **QUIET)
    assert whole.groups == 1
    monkeypatch.setattr(planning, "GROUP_S", 0.1)
    monkeypatch.setattr(planning, "LEAST_S", 0.05)
    cut = run_batch(utility, tmp_path / "cut", **QUIET)
    assert cut.groups > 2
    assert [r["name"] for r in cut.rows] == [r["name"] for r in whole.rows] == [f"town/f{k}" for k in range(6)]
    ours, theirs = (open_results(tmp_path / n)["schedule"].to_dataset().load() for n in ("cut", "whole"))
    assert sorted(ours.data_vars) == sorted(theirs.data_vars)
    for name in theirs.data_vars:
        np.testing.assert_array_equal(ours[name].to_numpy(), theirs[name].to_numpy())
    again = run_batch(utility, tmp_path / "cut", resume=True, **QUIET)
    assert again.counts["optimal"] == 6


def test_an_isolated_bus_is_told_and_the_feeders_run(tmp_path) -> None:
    utility = tmp_path / "u"
    utility.mkdir()
    bus = {"id": ["f0", "f1", "f0e", "f1e", "lost"]}
    save_case(tiny_case(feeders=2, bus=bus), utility / "island.nc")
    status = run_batch(utility, tmp_path / "r", **QUIET)
    assert status.counts["optimal"] == 2
    assert all("lost" in row["says"] for row in status.rows)
