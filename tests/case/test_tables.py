from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_case import STEPS, small_case, small_tables
from strategies import differences

from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns
from dispatch.case.tables import export_tables, import_tables
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables of the small case."""
    export_tables(small_case(), tmp_path / "tables")
    return tmp_path / "tables"


def problems(folder: Path, **settings: Any) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        import_tables(folder, **settings)
    assert all(p.hint for p in caught.value.problems)
    return list(caught.value.problems)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_round_trip_is_identical(folder: Path) -> None:
    notes: list[str] = []
    assert differences(import_tables(folder, notes=notes), small_case()) == []
    assert notes == []


def test_one_file_a_kind_and_a_series(folder: Path) -> None:
    names = {p.name for p in folder.iterdir()}
    assert {"case.toml", "bus.csv", "store.csv", "profile_p_pu.csv", "station_temp_air.csv"} <= names
    assert (folder / "source.csv").read_text(encoding="utf-8") == "id,bus,v_pu\nsüd,hv1,1.02\nnord,hv2,1.0\n"
    assert (folder / "forecast_p_load.csv").read_text().splitlines()[0] == "time,l1,l2,l3"
    assert (folder / "forecast_p_load.csv").read_text().splitlines()[2].startswith("2026-06-01T00:15:00Z,")
    assert 'source = "profile"' in (folder / "case.toml").read_text()


AWKWARD = ["a,b", 'quo"te', "semi;colon", "ümläut 東京", "'x", "=1+1", "../../etc/passwd", "true", "1e5", "[kW]"]


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_ids_and_texts_survive(name: str, tmp_path: Path) -> None:
    tables = small_tables()
    tables["source"]["id"] = [name, "nord"]
    tables["profile"]["id"] = ["h0", name]
    tables["pv"]["profile"] = name
    case = build_case(tables, title=name)
    written = export_tables(case, tmp_path / "tables")
    assert {p.parent for p in written} == {tmp_path / "tables"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tables"]
    assert differences(import_tables(tmp_path / "tables"), case) == []


def test_awkward_numbers_survive(tmp_path: Path) -> None:
    tables = small_tables()
    tables["bus"]["latitude"] = [np.nan, -0.0, 5e-324, 1 / 3, 48.1, 1e-300, 90]
    tables["meter"]["p_import_max"] = [np.inf, 0.1 + 0.2, 1e300]
    tables["forecast"]["p_load"] = np.full((3, STEPS), np.float32(1) / 3)
    case = build_case(tables)
    export_tables(case, tmp_path / "tables")
    assert differences(import_tables(tmp_path / "tables"), case) == []


@pytest.mark.parametrize("minutes", [15, 1440])
def test_a_single_step_keeps_its_length(minutes: int, tmp_path: Path) -> None:
    tables = small_tables()
    tables["forecast"] = {"time": np.array(["2026-01-01"], "datetime64[s]"), "p_load": np.ones((3, 1))}
    tables["forecast"] |= {"p_available": np.ones((2, 1)), "time_step": np.timedelta64(60 * minutes, "s")}
    case = build_case(tables)
    export_tables(case, tmp_path / "tables")
    assert differences(import_tables(tmp_path / "tables"), case) == []


def test_kinds_without_elements_survive(tmp_path: Path) -> None:
    tables = small_tables()
    tables["store"] = {k: [] for k in tables["store"]}
    case = build_case(tables)
    export_tables(case, tmp_path / "tables")
    assert differences(import_tables(tmp_path / "tables"), case) == []


def test_units_in_the_header_are_converted(folder: Path) -> None:
    (folder / "store.csv").write_text("id,meter,energy_nom [MWh],p_nom [W]\ns1,m1,0.01,5000\n")
    (folder / "tariff.csv").write_text("id,price_import [ct/kWh],price_export\nflat,30,0.08\nfeed_in,28,0.5\n")
    notes: list[str] = []
    case = import_tables(folder, notes=notes)
    assert columns(case, "store")["energy_nom"].tolist() == [10]
    assert columns(case, "store")["p_nom"].tolist() == [5]
    assert columns(case, "tariff")["price_import"].tolist() == [0.3, 0.28]
    assert len(notes) == 3


def test_times_with_an_offset_are_converted(folder: Path) -> None:
    text = (folder / "station_temp_air.csv").read_text()
    (folder / "station_temp_air.csv").write_text(text.replace("2026-06-01T0", "2026-06-01T1").replace("Z", "+10:00"))
    assert differences(import_tables(folder), small_case()) == []


def test_an_empty_cell_is_the_default(folder: Path) -> None:
    (folder / "store.csv").write_text("id,meter,energy_nom [Wh],p_nom,kind,efficiency_charge [%]\ns1,m1,9000,5,,\n")
    store = columns(import_tables(folder), "store")
    assert store["kind"].tolist() == [b"battery"]
    assert store["efficiency_charge"].tolist() == [0.95]
    assert np.isnan(store["state_of_charge_initial"]).all()


def test_the_order_of_columns_and_series_does_not_matter(folder: Path) -> None:
    rows = [line.split(",") for line in (folder / "forecast_p_load.csv").read_text().splitlines()]
    (folder / "forecast_p_load.csv").write_text("\n".join(",".join([r[0], r[3], r[1], r[2]]) for r in rows))
    assert differences(import_tables(folder), small_case()) == []


def test_own_batteries_meters_and_tariffs_onto_a_network(tmp_path: Path) -> None:
    (tmp_path / "store.csv").write_text("id,meter,energy_nom,p_nom\nmine,m2,7,3\n")
    (tmp_path / "tariff.csv").write_text("id,price_import\nflat,0.4\nfeed_in,0.6\n")
    notes: list[str] = []
    case = import_tables(tmp_path, small_case(), notes)
    assert check_case(case) == []
    assert columns(case, "store")["id"].tolist() == [b"mine"]
    assert columns(case, "tariff")["price_import"].tolist() == [0.4, 0.6]
    assert np.array_equal(columns(case, "bus")["v_nom"], columns(small_case(), "bus")["v_nom"])
    assert case.attrs == small_case().attrs
    assert notes == []  # the same tariffs by id: the forecast still fits


def test_a_forecast_of_other_loads_is_dropped_and_said(tmp_path: Path) -> None:
    (tmp_path / "load.csv").write_text("id,meter,p_nom,profile\nnew,m2,7,h0\n")
    notes: list[str] = []
    case = import_tables(tmp_path, small_case(), notes)
    assert notes == ["/forecast: dropped, because it is not of the new load"]
    assert check_case(case) == []


BROKEN: list[tuple[str, str, str, str, str]] = [
    ("bus.csv", "v_nom", "v_nmo", "unknown-column", "Did you mean 'v_nom'"),
    ("bus.csv", "v_nom", "r", "missing-column", "Nominal line-to-line voltage"),
    ("bus.csv", "id,", "ident,", "missing-column", "ids"),
    ("line.csv", "0.05", "0;05", "unparsable", "line 2"),
    ("line.csv", "0.06", "1_000", "unparsable", "line 3"),
    ("line.csv", "true", "maybe", "unparsable", "line 2"),
    ("transformer.csv", ",1,0,-2,", ",1.5,0,-2,", "unparsable", "line 2"),
    ("store.csv", "s1,m1,battery,10.0", "s1,m1,battery,", "unparsable", "Fill it"),
    ("load.csv", "p_nom", "p_nom [kvar]", "unit", "kW"),
    ("load.csv", "kind", "kind [kW]", "unit", "no unit"),
    ("load.csv", "l1,m1,2.0", "l1,m1,2,0", "row-length", "decimal point"),
    ("forecast_p_load.csv", "00:15:00Z", "00:15:00", "not-utc", "offset"),
    ("forecast_p_load.csv", "2026-06-01T00:15", "1.6.2026 0:15", "unparsable", "Write times as"),
    ("forecast_p_load.csv", "l2", "l9", "unknown-column", "Remove the column"),
    ("forecast_p_available.csv", "T00:00:00Z", "T00:00:01Z", "time", "share their times"),
    ("forecast_p_load.csv", "time", "zeit", "missing-column", "time"),
    ("case.toml", "currency", "curency", "unknown-name", "Did you mean 'currency'"),
    ("case.toml", "schema_version = 1", "schema_version = 2", "schema-version", "pgrade"),
    ("case.toml", "schema_version = 1", "schema_version = true", "type", "whole number"),
    ("case.toml", "title = ", "title ", "unreadable", "currency"),
    ("case.toml", "[forecast]", "[forcast]", "unknown-name", "Did you mean 'forecast'"),
    ("tariff.csv", "price_export", "price_import", "double-column", "Keep one"),
]


@pytest.mark.parametrize(("name", "old", "new", "code", "hint"), BROKEN)
def test_broken_tables(name: str, old: str, new: str, code: str, hint: str, folder: Path) -> None:
    change(folder / name, old, new)
    found = [p for p in problems(folder) if p.code == code]
    assert found
    assert found[0].group in {name, "forecast_p_load.csv"}
    assert any(hint in p.hint for p in found), found


def test_all_mistakes_in_one_pass(folder: Path) -> None:
    for name, old, new in [
        ("bus.csv", "v_min_pu", "vmin"),
        ("line.csv", "0.05", "abc"),
        ("line.csv", "170.0", "def"),
        ("store.csv", "10.0", "x"),
        ("tariff.csv", "price_import", "price_import [CHF/kWh]"),
        ("forecast_p_load.csv", "00:15:00Z", "noon"),
        ("case.toml", "title", "titel"),
    ]:
        change(folder / name, old, new)
    (folder / "batteries.csv").write_text("id\n")
    (folder / "meter.csv").unlink()
    (folder / "load.csv").write_text("id;meter;p_nom\nl1;m1;2\n")
    found = problems(folder)
    assert {"bus.csv", "line.csv", "store.csv", "tariff.csv", "forecast_p_load.csv", "case.toml", "batteries.csv"} <= {
        p.group for p in found
    }
    assert {"delimiter", "unknown-file", "unit", "unparsable", "unknown-column"} <= {p.code for p in found}
    assert len([p for p in found if p.group == "line.csv"]) == 2
    assert "'store.csv'" in next(p.hint for p in found if p.group == "batteries.csv")


def test_a_mistake_names_line_and_ids(folder: Path) -> None:
    change(folder / "line.csv", "0.06", "abc")
    (problem,) = problems(folder)
    assert (problem.group, problem.variable, problem.ids, problem.count) == ("line.csv", "r", ("la2",), 1)
    assert "'abc'" in problem.value
    assert "line 3" in problem.hint


def test_folders_that_are_none(tmp_path: Path) -> None:
    assert [p.code for p in problems(tmp_path / "nowhere")] == ["no-folder"]
    assert {p.code for p in problems(tmp_path)} == {"missing-file", "no-tables"}


def test_other_tables_in_the_folder_stop_the_export(folder: Path) -> None:
    (folder / "buses.csv").write_text("id\n")
    with pytest.raises(InputError, match=r"buses\.csv"):
        export_tables(small_case(), folder)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(scales=st.lists(st.floats(1e-300, 1e300), min_size=4, max_size=4))
def test_any_number_survives(scales: list[float], tmp_path_factory: pytest.TempPathFactory) -> None:
    tables = small_tables()
    for name, scale in zip(("s_nom", "length", "r", "x"), scales, strict=True):
        tables["line"][name] = [scale, scale / 3, np.nextafter(scale, np.inf)]
    case = build_case(tables)
    target = tmp_path_factory.mktemp("tables")
    export_tables(case, target)
    assert differences(import_tables(target), case) == []
