from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_simbench import TABLES

from dispatch.case.importers.simbench import import_simbench
from dispatch.case.rules import check_case
from dispatch.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

CELLS = (("", True), ("x", False), ("-1", False), ("31.12.9999 23:59", False))  # in every row, or in the first


def outcomes(folder: Path) -> list[str]:
    """Problems of an import, empty where there is a valid case."""
    try:
        case, _ = import_simbench(folder, "LV9.1")
    except InputError as refused:
        error = refused
    else:
        return [p.code for p in check_case(case) if p.code != "no-series"]
    assert error.problems
    assert all(p.group and p.hint for p in error.problems)
    return [p.code for p in error.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TABLES.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_small_grid_is_valid(folder: Path) -> None:
    assert outcomes(folder) == []


@pytest.mark.parametrize("name", TABLES)
def test_any_cell_gives_a_case_or_an_input_error(name: str, folder: Path) -> None:
    header, *rows = TABLES[name].splitlines()
    path, ends = folder / f"{name}.csv", []
    for k in range(len(header.split(";"))):
        for cell, everywhere in CELLS:
            cells = [row.split(";") for row in rows]
            for row in cells if everywhere else cells[:1]:
                row[k] = cell
            path.write_text("\n".join([header, *(";".join(r) for r in cells)]) + "\n", encoding="utf-8")
            ends.append(outcomes(folder))
    assert any(ends) == (name != "Coordinates")  # no case needs places


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_a_column_or_rows_gives_a_case_or_an_input_error(name: str, folder: Path) -> None:
    lines = [line.split(";") for line in TABLES[name].splitlines()]
    path = folder / f"{name}.csv"
    for k in range(len(lines[0])):
        path.write_text("\n".join(";".join(c for j, c in enumerate(row) if j != k) for row in lines), encoding="utf-8")
        outcomes(folder)
    for text in ("", "\n", "\0", TABLES[name].replace(";", ",")):
        path.write_text(text, encoding="utf-8")
        assert outcomes(folder) == ["file"], text
    path.write_text("a;b\n1;2;3\n", encoding="utf-8")
    assert outcomes(folder) or name == "Coordinates"  # no case needs places
    path.write_text(";".join(lines[0]), encoding="utf-8")
    assert outcomes(folder) or name in {"Coordinates", "Load", "RES", "Storage", "Switch"}


def test_a_folder_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    assert outcomes(tmp_path / "nowhere") == ["no-folder"]


def test_some_coordinates_are_none(folder: Path) -> None:
    (folder / "Coordinates.csv").write_text("id;x;y;subnet\nc1;9.2;51.2;LV9.1\n", encoding="utf-8")
    case, notes = import_simbench(folder, "LV9.1")
    assert any("without coordinates" in note for note in notes)
    assert outcomes(folder) == []
    assert "latitude" not in case["electric/bus"] or case["electric/bus/latitude"].isnull().all()
