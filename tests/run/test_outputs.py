from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_town import small_town

import dispatch
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.run.outputs import require_output

if TYPE_CHECKING:
    from pathlib import Path


def refusals(path: Path, **options) -> list[str]:
    try:
        require_output(path, **options)
    except InputError as error:
        return [str(p) for p in error.problems]
    return []


def test_missing_folders_are_no_problem_and_are_not_made(tmp_path) -> None:
    assert not refusals(tmp_path / "a" / "b" / "s.nc")
    assert not refusals(tmp_path / "a", folder=True)
    assert not refusals(tmp_path, folder=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("folder", {}, "is a folder"),
        ("file", {"folder": True}, "is a file"),
        ("file/s.nc", {}, "which is a file"),
        ("file/more", {"folder": True}, "which is a file"),
        ("run.json", {"taken": ["run.json"]}, "written beside"),
    ],
)
def test_what_cannot_be_written_is_refused(name, options, said, tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (found,) = refusals(tmp_path / name, **options)
    assert said in found


def test_an_input_is_not_replaced_by_another_name_for_it(tmp_path) -> None:
    (tmp_path / "case.nc").touch()
    (tmp_path / "link.nc").symlink_to("case.nc")
    (found,) = refusals(tmp_path / "link.nc", inputs=[tmp_path / "case.nc"])
    assert "read" in found


def test_folders_without_permission_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    (found,) = refusals(tmp_path / "s.nc")
    assert "may not write" in found


def test_commands_make_the_folder_of_their_output(tmp_path) -> None:
    dispatch.save_case(small_town(), tmp_path / "case.nc")
    case, result = str(tmp_path / "case.nc"), str(tmp_path / "run" / "s.nc")
    assert main(["export", "tables", case, "-o", str(tmp_path / "new" / "tables")]) == 0
    assert main(["import", "tables", str(tmp_path / "new" / "tables"), "-o", str(tmp_path / "mine" / "case.nc")]) == 0
    assert main(["run", case, "-o", result, "--workers", "1", "--quiet"]) == 0
    assert main(["export", "mps", result, "-o", str(tmp_path / "lp" / "s.mps")]) == 0
    assert main(["report", result, "-o", str(tmp_path / "page" / "r.html")]) == 0
    assert (tmp_path / "page" / "r.html").read_bytes() == (tmp_path / "run" / "report.html").read_bytes()


@pytest.mark.parametrize("command", ["run", "report", "export mps"])
def test_nothing_is_done_for_an_output_that_cannot_be_written(command, tmp_path, capsys, monkeypatch) -> None:
    dispatch.save_case(small_town(), tmp_path / "case.nc")
    monkeypatch.setattr("dispatch.run.files.optimize", lambda *_, **__: pytest.fail("solved all the same"))
    case = str(tmp_path / "case.nc")
    assert main([*command.split(), case, "-o", case + "/below.out"]) == 1
    assert "which is a file" in capsys.readouterr().err


def test_report_needs_a_result(tmp_path, capsys) -> None:
    dispatch.save_case(small_town(), tmp_path / "case.nc")
    assert main(["report", str(tmp_path / "case.nc"), "-o", str(tmp_path / "r.html")]) == 1
    assert "dispatch run" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()
