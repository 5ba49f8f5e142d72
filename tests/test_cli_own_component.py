"""The page's component on the command line: it must be named wherever its kind is read, and nothing is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import highspy
import pytest

from dispatch.case.netcdf import save_case
from dispatch.cli import main
from dispatch.model.registry import own_components, unregister

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "docs" / "own-component.md"
CODE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)
OWN = ("--component", "deferrable.py")


def forget() -> None:
    for kind in own_components():
        unregister(kind)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the page's files and its case are; no component is known."""
    monkeypatch.chdir(tmp_path)
    for name, code in CODE.findall(PAGE.read_text(encoding="utf-8")):
        Path(name).write_text(code, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(Path("example.py").read_text(encoding="utf-8"), names)
    save_case(names["case"], "pump.nc")
    forget()
    yield tmp_path
    forget()


def optimum(path: Path) -> float:
    model: Any = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.readModel(str(path))
    model.run()
    return float(model.getInfo().objective_function_value)


def test_a_result_goes_out_whole_or_not_at_all(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "pump.nc", "-o", "s.nc", "--json", "--no-report", *OWN]) == 0
    said = json.loads(capfd.readouterr().out)
    for target in (["tables", "pump.nc", "-o", "t"], ["mps", "s.nc", "-o", "lp.mps"]):
        forget()
        assert main(["export", *target]) == 1
        refused = capfd.readouterr().err
        assert "/prosumer/deferrable is not known" in refused
        assert "--component" in refused
        assert not Path(target[-1]).exists()
        assert main(["export", *target, *OWN]) == 0
    assert optimum(folder / "lp.mps") == pytest.approx(said["objective_relaxation"], rel=1e-9)
    assert (folder / "t" / "deferrable.csv").read_text() == "id,meter,p_nom,energy_day\npump,house,2.0,5.0\n"
    assert main(["import", "tables", "t", "-o", "back.nc", *OWN]) == 0
    assert (folder / "back.nc").read_bytes() == (folder / "pump.nc").read_bytes()
