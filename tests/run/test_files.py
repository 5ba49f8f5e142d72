from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_town import small_town

import dispatch
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.run.settings import Settings


@pytest.fixture(scope="module")
def case_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("case") / "case.nc"
    dispatch.save_case(small_town(), path)
    return path


@pytest.fixture(scope="module")
def schedule(case_file) -> Path:
    path = case_file.parent / "one" / "schedule.nc"
    assert main(["run", str(case_file), "-o", str(path), "--workers", "1", "--quiet"]) == 0
    return path


def test_same_bytes_for_any_number_of_workers(case_file, schedule) -> None:
    other = case_file.parent / "two" / "schedule.nc"
    assert main(["run", str(case_file), "-o", str(other), "--workers", "2", "--quiet"]) == 0
    assert other.read_bytes() == schedule.read_bytes()
    assert other.with_name("report.html").read_bytes() == schedule.with_name("report.html").read_bytes()


def test_times_and_machine_stand_beside_the_result(schedule) -> None:
    record = json.loads(schedule.with_name("run.json").read_text())
    assert {"started", "times_s", "machine", "versions", "settings"} <= record.keys()
    assert all(seconds >= 0 for seconds in record["times_s"].values())


def test_rerun_reproduces(schedule, capsys) -> None:
    assert main(["rerun", str(schedule)]) == 0
    assert "reproduced" in capsys.readouterr().out


def test_rerun_notices_a_changed_case_and_a_changed_set_point(schedule, tmp_path, capsys) -> None:
    held = dispatch.load_case(schedule)
    held["schedule"]["p_import"][0, 0] += 1.0
    held["prosumer/store"]["energy_nom"][0] += 1.0
    dispatch.save_case(held, tmp_path / "changed.nc")
    assert main(["rerun", str(tmp_path / "changed.nc")]) == 4
    said = capsys.readouterr().err
    assert "schedule.p_import differs" in said
    assert "digest" in said


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"method": "decompsed"}, "allowed: auto, monolithic, decomposed"),
        ({"rounds": 0}, "rounds is 0"),
        ({"limit_penalty": -1.0}, "limit_penalty is -1.0"),
        ({"limit_penalty": float("nan")}, "limit_penalty is nan"),
        ({"deadline_s": "x"}, "deadline_s is 'x'; allowed: int or float or NoneType"),
        ({"integers": 1}, "integers is 1; allowed: bool"),
        ({"gap": True}, "gap is True"),
    ],
)
def test_choices_that_are_none_are_refused(choice, told) -> None:
    with pytest.raises(InputError, match=told):
        Settings(**choice)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("settings", "{"),
        ("settings", '{"rounds": 3}'),
        ("settings", Settings(rounds=7).to_json().replace("7", '"x"')),
        ("settings", Settings().to_json().replace('"all_rows": false', '"all_rows": 1')),
        ("settings", Settings().to_json().replace('"auto"', '"foo"')),
        ("versions", "7"),
        ("case_digest", None),
    ],
)
def test_rerun_refuses_a_damaged_result(name, value, schedule, tmp_path, capsys) -> None:
    held = dispatch.load_case(schedule)
    labels = held["certificate"].attrs
    held["certificate"].attrs = {k: v for k, v in {**labels, name: value}.items() if v is not None}
    dispatch.save_case(held, tmp_path / "changed.nc")
    assert main(["rerun", str(tmp_path / "changed.nc")]) == 1
    assert "damaged" in capsys.readouterr().err


def test_settings_survive_a_file() -> None:
    for settings in (Settings(), Settings("2016-05-21T22:00", 48, True, 1e5, 3, ("a.py",), "decomposed")):
        assert Settings.from_json(settings.to_json()) == settings


def test_json_is_one_object_and_nothing_else(case_file, tmp_path, capsys) -> None:
    assert main(["run", str(case_file), "-o", str(tmp_path / "s.nc"), "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "optimal"
    assert found["feeders"] == 2
    assert found["prosumers"] == 8
    assert found["steps"] == 24
    assert found["limits_unmet"] == 0 == len(found["unmet"])
    assert found["ac"]["loading_max_pu"] < 1.005 < found["uncontrolled"]["loading_max_pu"]
    assert all(Path(f).exists() for f in found["files"])
    assert "total" not in found["times_s"]


def test_unmet_limits_have_an_exit_code_of_their_own(tmp_path) -> None:
    dispatch.save_case(small_town(forecast={"p_load": np.full((8, 24), 9.0)}), tmp_path / "case.nc")
    assert main(["run", str(tmp_path / "case.nc"), "-o", str(tmp_path / "s.nc"), "--workers", "1", "--quiet"]) == 3


@pytest.mark.parametrize("command", ["run", "check", "scenario"])
def test_bad_input_writes_nothing(command, tmp_path, capsys) -> None:
    bad = small_town()
    bad["prosumer/store"]["energy_nom"][0] = np.nan
    bad["electric/line"]["bus_to"][0] = b"no-bus"
    dispatch.save_case(bad, tmp_path / "bad.nc")
    output = [] if command == "check" else ["-o", str(tmp_path / "out" / "s.nc")]
    assert main([command, str(tmp_path / "bad.nc"), *output]) == 1
    said = capsys.readouterr().err
    assert "energy_nom" in said
    assert "no-bus" in said
    assert not (tmp_path / "out").exists()


def test_missing_file_is_bad_input(tmp_path, capsys) -> None:
    assert main(["run", str(tmp_path / "none.nc"), "-o", str(tmp_path / "s.nc")]) == 1
    assert "none.nc" in capsys.readouterr().err


def test_wrong_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run"])
    assert caught.value.code == 2


def test_tables_out_and_in_run_the_same(case_file, schedule, tmp_path) -> None:
    assert main(["export", "tables", str(case_file), "-o", str(tmp_path / "tables")]) == 0
    assert main(["import", "tables", str(tmp_path / "tables"), "-o", str(tmp_path / "again.nc")]) == 0
    output = tmp_path / "again" / "schedule.nc"
    assert main(["run", str(tmp_path / "again.nc"), "-o", str(output), "--workers", "1", "--quiet"]) == 0
    assert output.read_bytes() == schedule.read_bytes()


def test_exported_program_has_the_same_optimum(schedule, tmp_path) -> None:
    import highspy

    assert main(["export", "mps", str(schedule), "-o", str(tmp_path / "s.mps")]) == 0
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.readModel(str(tmp_path / "s.mps"))
    model.run()
    expected = float(dispatch.load_case(schedule)["certificate"]["objective_relaxation"].sum())
    assert model.getInfo().objective_function_value == pytest.approx(expected, rel=1e-6)


def test_starting_is_light() -> None:
    code = (
        "import sys, dispatch, dispatch.cli\n"
        "heavy = {'pyomo', 'numba', 'highspy', 'matplotlib', 'dask', 'power_grid_model', 'pandas', 'xarray'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_missing_name_tells_what_there_is() -> None:
    with pytest.raises(AttributeError, match="optimize"):
        dispatch.optimise  # noqa: B018  (the attribute access is what is tested)
