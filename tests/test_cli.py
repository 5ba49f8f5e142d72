from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dispatch.arguments import parser
from dispatch.cli import COMMANDS, main


def test_every_command_has_help_with_an_example(capsys) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as caught:
            parser().parse_args([name, "--help"])
        said = capsys.readouterr().out
        assert caught.value.code == 0
        assert f"  dispatch {name}" in said
        assert "exit codes" in said


def test_no_command_shows_the_first_steps(capsys) -> None:
    assert main([]) == 2
    assert "first steps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["nosuch"], ["run"], ["run", "c.nc", "--workers", "0"], ["import", "tables", "t"]]
)
def test_wrong_usage_names_the_help(arguments, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_json_of_bad_input_is_one_object(tmp_path, capsys) -> None:
    (tmp_path / "bad.nc").write_text("no netCDF")
    assert main(["run", str(tmp_path / "bad.nc"), "-o", str(tmp_path / "out" / "s.nc"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "invalid"
    assert [p["code"] for p in found["problems"]] == ["not-netcdf"]
    assert not (tmp_path / "out").exists()


def test_bugs_do_not_end_as_bad_input(monkeypatch, capsys) -> None:
    def broken(_):
        raise ZeroDivisionError("by hand")

    monkeypatch.setitem(COMMANDS, "explain", broken)
    assert main(["explain", "s_nom"]) == 4
    assert "please report" in capsys.readouterr().err


def test_a_reader_that_goes_away_ends_no_command_in_a_traceback() -> None:
    command = [sys.executable, "-m", "dispatch.cli", "explain", "forecast"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        run.stdout.close()  # before anything is written: Python takes longer than this to start
        assert run.wait(60) == 141
        assert run.stderr is not None
        assert run.stderr.read() == ""
