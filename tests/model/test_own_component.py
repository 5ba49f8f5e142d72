"""A component of the user's own: the page's code is run as it stands there."""

from __future__ import annotations

import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
import pytest
from agreement import TOLERANCE, largest_difference, written
from highs_oracle import optimum

from dispatch.case.attributes import attribute_table
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns
from dispatch.case.slices import split_feeders
from dispatch.errors import InputError, ModelError
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.model.registry import components, load_components, own_components, register, unregister
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

PAGE = Path(__file__).parents[2] / "docs" / "own-component.md"
CODE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Files of the page in a folder, and the names that its example defines."""
    monkeypatch.chdir(tmp_path)
    for name, code in CODE.findall(PAGE.read_text(encoding="utf-8")):
        Path(name).write_text(code, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(Path("example.py").read_text(encoding="utf-8"), names)
    yield names
    for kind in own_components():
        unregister(kind)


def test_the_page_draws_its_energy_when_it_is_cheap(page: dict[str, Any]) -> None:
    program = page["program"]
    cost, plan = optimum(program)
    power = plan[page["pump"][0]]
    assert cost == pytest.approx(5.0 * 0.2, rel=1e-9)
    assert power.sum() == pytest.approx(5.0, rel=1e-9)
    assert power[6:].max() == pytest.approx(0.0, abs=1e-9)
    assert (program.owner[page["pump"]] == 0).all()


def test_the_page_compares_with_the_explicit_model(page: dict[str, Any]) -> None:
    exec(Path("compare.py").read_text(encoding="utf-8"), page)
    assert sum(page["drawn"]) == pytest.approx(5.0, rel=1e-9)
    assert pyo.value(page["model"].objective) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("network", [False, True])
def test_it_compiles_to_the_explicit_model(page: dict[str, Any], network: bool) -> None:
    inputs = make_inputs(two_days(page["case"]))
    program = compile_program(inputs, network=network)
    assert largest_difference(program, written(inputs, program, network=network)) <= TOLERANCE
    assert program.row("deferrable", "enough").shape == (2, 3)


def two_days(case: xr.DataTree) -> xr.DataTree:
    """The page's case with a second pump, over parts of three local days."""
    tables: dict[str, dict[str, Any]] = {
        kind: {n: v for n, v in columns(case, kind).items() if n != "source"}
        for kind in ("bus", "source", "prosumer", "meter", "tariff")
    }
    tables["source"]["v_pu"] = [1.0]
    tables["deferrable"] = {
        "id": ["pump", "pool"], "meter": ["house", "house"], "p_nom": [2.0, 1.5], "energy_day": [5.0, 2.0],
    }  # fmt: skip
    steps = 20
    tables["forecast"] = {
        "time": np.datetime64("2024-05-01T12:00:00") + np.arange(steps) * np.timedelta64(7200, "s"),
        "price_import": np.linspace(0.2, 0.3, steps)[None],
        "price_export": np.zeros((1, steps)),
    }
    return build_case(tables)


def test_the_kind_is_checked_stored_and_split_like_any_other(page: dict[str, Any], tmp_path: Path) -> None:
    case = page["case"]
    assert check_case(case) == []
    save_case(case, tmp_path / "case.nc")
    back = load_case(tmp_path / "case.nc")
    assert columns(back, "deferrable")["energy_day"].tolist() == [5.0]
    assert back["/prosumer/deferrable"]["energy_day"].attrs["units"] == "kW h"
    (feeder,) = split_feeders(back)
    assert columns(feeder, "deferrable")["id"].tolist() == [b"pump"]
    case["/prosumer/deferrable"]["energy_day"][...] = -1.0
    case["/prosumer/deferrable"]["meter"][...] = b"other"
    assert {(p.code, p.variable) for p in check_case(case)} >= {("range", "energy_day"), ("unknown-parent", "meter")}


def test_its_power_widens_the_import_of_its_meter(page: dict[str, Any]) -> None:
    inputs = make_inputs(page["case"])
    assert inputs.kinds["meter"].parameters["p_import_max"].tolist() == [[2.0] * 24]


def test_a_green_only_meter_is_refused(page: dict[str, Any]) -> None:
    case = page["case"]
    case["/prosumer/meter"]["green_only"][...] = True
    with pytest.raises(InputError) as caught:
        make_inputs(case)
    assert [(p.code, p.ids) for p in caught.value.problems] == [("green-only", ("house",))]


def _column_count(case: xr.DataTree) -> int:
    return len(compile_program(make_inputs(case)).cost)


@pytest.mark.slow
def test_worker_processes_load_the_same_files(page: dict[str, Any]) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        1, spawn, initializer=load_components, initargs=([Path("deferrable.py").resolve()],)
    ) as pool:
        assert pool.submit(_column_count, page["case"]).result() == len(page["program"].cost)


@pytest.mark.usefixtures("page")
def test_loading_again_changes_nothing_and_an_edit_is_seen() -> None:
    before = components()["deferrable"].function
    assert load_components(["deferrable.py"]) == ("deferrable",)
    assert components()["deferrable"].function is before
    file = Path("deferrable.py")
    file.write_text(file.read_text(encoding="utf-8").replace("default = 3.0", "default = 4.0"), encoding="utf-8")
    load_components([file])
    assert components()["deferrable"].function is not before
    assert attribute_table()["deferrable"].attributes["energy_day"].default == 4.0
    assert own_components() == ("deferrable",)


def test_after_unregistering_the_kind_is_gone(page: dict[str, Any]) -> None:
    unregister("deferrable")
    assert "deferrable" not in attribute_table()
    assert "deferrable" not in components()
    with pytest.raises(ModelError, match="There is no component deferrable"):
        compile_program(make_inputs_with(page["case"]))


def make_inputs_with(case: xr.DataTree) -> Any:
    from dataclasses import replace

    inputs = make_inputs(case)
    return replace(inputs, kinds={**inputs.kinds, "deferrable": inputs.kinds["load"]})


SERIES_TABLE = """
[heater]
group = "/prosumer/heater"
description = "Heat that must be made in each step or stored as comfort."
[heater.attributes]
meter = { dtype = "id", parent = "meter", description = "Meter." }
[forecast.attributes]
p_heat = { dtype = "float", unit = "kW", of = "heater", series = true, description = "Heat wanted." }
"""


def heater(b: Any, p: Any) -> None:
    power = b.var("p", 0, p.p_heat)
    b.cost(p.dt * (p.p_heat - power))
    b.inject("meter", p=-power)


def test_series_of_its_own_come_from_the_forecast(page: dict[str, Any]) -> None:
    register(heater, SERIES_TABLE)
    case = page["case"]
    tables = {kind: columns(case, kind) for kind in ("bus", "source", "prosumer", "meter", "tariff", "deferrable")}
    wanted = np.linspace(0, 2, 24)[None]
    forecast = {k: v for k, v in columns(case, "forecast").items() if k != "source"}
    tables["heater"] = {"id": ["h"], "meter": ["house"]}
    tables["forecast"] = forecast | {"p_heat": wanted}
    inputs = make_inputs(build_case(tables))
    np.testing.assert_array_equal(inputs.kinds["heater"].parameters["p_heat"], wanted)
    program = compile_program(inputs)
    np.testing.assert_array_equal(program.upper[program.column("heater", "p")], wanted)
    assert program.constant == pytest.approx(wanted.sum())
    # Without p_nom the meter's own connection is the limit, here none.
    assert np.isinf(inputs.kinds["meter"].parameters["p_import_max"]).all()


WRONG_TABLES = {
    "table-syntax": "[x",
    "table-kinds": "[a]\n[b]",
    "table-name": SERIES_TABLE.replace("heater", "meter"),
    "table-section": "[heater]\nattributes = {}",
    "table-row": SERIES_TABLE.replace('dtype = "id"', 'dtype = "number"'),
}


@pytest.mark.parametrize("code", WRONG_TABLES)
def test_a_wrong_table_is_refused(code: str) -> None:
    with pytest.raises(InputError) as caught:
        register(heater, WRONG_TABLES[code])
    assert code in {p.code for p in caught.value.problems}
    assert "heater" not in attribute_table()


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ('{ dtype = "float", description = "d" }', "without unit"),
        ('{ dtype = "float", unit = "1" }', "without description"),
        ('{ dtype = "id", parent = "mother", description = "d" }', "mother"),
        ('{ dtype = "float", unit = "1", range = "0..1", description = "d" }', "0..1"),
        ('{ dtype = "float", unit = "1", range = "[a, b]", description = "d" }', "a, b"),
        ('{ dtype = "float", unit = "1", colour = "red", description = "d" }', "colour"),
        ('{ dtype = "float", unit = "1", series = true, description = "d" }', "a series"),
        ("3", "3"),
    ],
)
def test_a_wrong_row_is_refused_in_words(row: str, what: str) -> None:
    with pytest.raises(InputError, match="table-row") as caught:
        register(heater, SERIES_TABLE.replace("[forecast", f"wrong = {row}\n[forecast"))
    assert what in str(caught.value)


def test_names_must_agree_and_files_must_be_complete(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="called pool, the component heater"):
        register(heater, SERIES_TABLE.replace("heater", "pool"))
    with pytest.raises(InputError, match="component-file"):
        load_components([tmp_path / "nothing.py"])
    file = tmp_path / "pool.py"
    for text, what in (("\npool\n", "NameError in line 2"), ("def pool(\n", "SyntaxError in line 1")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=what):
            load_components([file])
    file.write_text("def pool(b, p): pass\n", encoding="utf-8")
    with pytest.raises(ModelError, match="has no TABLE"):
        load_components([file])
    file.write_text(f'TABLE = """{SERIES_TABLE}"""\n', encoding="utf-8")
    with pytest.raises(ModelError, match=r"has no function heater\(b, p\)"):
        load_components([file])
    assert own_components() == ()


def test_a_run_delivers_its_set_points(page: dict[str, Any]) -> None:
    case = page["case"]
    kinds = ("bus", "source", "prosumer", "meter", "tariff", "deferrable")
    tables: dict[str, dict[str, Any]] = {kind: dict(columns(case, kind)) for kind in kinds}
    tables["bus"] = {"id": ["b0", "b1"], "v_nom": [0.4, 0.4]}
    tables["meter"]["bus"] = [b"b1"]
    tables["line"] = {"id": ["l"], "bus_from": ["b0"], "bus_to": ["b1"], "r": [0.05], "x": [0.02], "s_nom": [50.0]}
    tables["forecast"] = {k: v for k, v in columns(case, "forecast").items() if k != "source"}
    result = optimize(build_case(tables), Settings(components=("deferrable.py",)))
    power = columns(result, "schedule")["p_deferrable"]
    assert power.shape == (1, 24)
    assert power[0, :6].sum() == pytest.approx(5.0, rel=1e-9)
    assert columns(result, "certificate")["objective"][0] == pytest.approx(1.0, rel=1e-9)
