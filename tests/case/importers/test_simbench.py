from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_simbench import TABLES

from dispatch.case.importers.simbench import import_simbench
from dispatch.case.importers.simbench_csv import utc_axis
from dispatch.case.schema import columns
from dispatch.errors import InputError, Problem

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_folder(**changed: str | None) -> Path:
        for name, text in (TABLES | changed).items():
            if text is not None:
                (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
        return tmp_path

    return write_folder


def problems(folder: Path, grid: str = "LV9.1", **options: object) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        import_simbench(folder, grid, **options)
    return list(caught.value.problems)


def test_buses_at_switches_are_one_and_bear_the_real_name(write: Write) -> None:
    bus = columns(import_simbench(write(), "LV9.1")[0], "bus")
    assert sorted(bus["id"]) == [b"LV9.1 Bus 1", b"LV9.1 Bus 2", b"MV9 Bus 1"]
    assert dict(zip(bus["id"], bus["longitude"], strict=True))[b"LV9.1 Bus 2"] == pytest.approx(9.3)


def test_no_lower_limit_is_that_of_the_standard(write: Write) -> None:
    """As at 258 auxiliary nodes of SimBench's complete data."""
    given = TABLES["Node"].replace("auxiliary;;0.4;0.9;1.1", "auxiliary;;0.4;0;1.1")
    case, notes = import_simbench(write(Node=given), "LV9.1")
    assert (columns(case, "bus")["v_min_pu"][1:] == 0.9).all()
    assert any("vmMin of 0" in note for note in notes)
    low = TABLES["Node"].replace("busbar;;0.4;0.9;1.1;c1", "busbar;;0.4;0.3;1.1;c1")
    with pytest.raises(InputError, match=r"vmMin is 0\.3"):
        import_simbench(write(Node=low), "LV9.1")


def test_line(write: Write) -> None:
    line = columns(import_simbench(write(), "LV9.1")[0], "line")
    assert line["r"] == pytest.approx([0.2067 * 0.2])
    assert line["b"] == pytest.approx([260.7e-6 * 0.2])
    assert line["s_nom"] == pytest.approx([3**0.5 * 0.4 * 270 * 0.8])


def test_transformer_keeps_its_impedance_when_its_loading_is_limited(write: Write) -> None:
    transformer = {k: v[0] for k, v in columns(import_simbench(write(), "LV9.1")[0], "transformer").items()}
    assert transformer["s_nom"] == pytest.approx(200)
    assert transformer["r_pu"] / transformer["s_nom"] == pytest.approx(0.012 / 400)
    z = np.hypot(transformer["r_pu"], transformer["x_pu"])
    assert z / transformer["s_nom"] == pytest.approx(0.06 / 400)
    assert transformer["i_no_load_pu"] * transformer["s_nom"] == pytest.approx(0.003 * 400)
    assert (transformer["tap_position"], transformer["tap_step_pu"], transformer["tap_side"]) == (-1, 0.025, b"from")


def test_storage_has_power_both_ways_and_an_efficiency(write: Write) -> None:
    store = {k: v[0] for k, v in columns(import_simbench(write(), "LV9.1")[0], "store").items()}
    assert (store["p_nom"], store["energy_nom"]) == (10.0, 20.0)
    assert (store["efficiency_charge"], store["efficiency_discharge"]) == (0.95, 0.95)
    assert store["standing_loss"] == pytest.approx(0.0013 / 24)
    assert np.isnan(store["state_of_charge_initial"])


def test_a_charge_level_counts_where_it_is_given(write: Write) -> None:
    folder = write(Storage=TABLES["Storage"].replace(";0;LV9.1", ";30;LV9.1"))
    assert columns(import_simbench(folder, "LV9.1")[0], "store")["state_of_charge_initial"] == pytest.approx([6.0])


def test_source(write: Write) -> None:
    source = columns(import_simbench(write(), "LV9.1")[0], "source")
    assert list(source["bus"]) == [b"MV9 Bus 1"]
    assert source["v_pu"] == pytest.approx([1.025])
    folder = write(Node=TABLES["Node"].replace("1.025", ""))
    assert columns(import_simbench(folder, "LV9.1")[0], "source")["v_pu"] == pytest.approx([1.0])


def test_profiles_of_one_name_are_kept_apart(write: Write) -> None:
    case, notes = import_simbench(write(), "LV9.1")
    profile = columns(case, "profile")
    assert list(profile["id"]) == [b"lv_x", b"lv_x_RES"]
    assert profile["p_pu"][0] == pytest.approx([0.5, 0.25])
    assert profile["q_pu"][0] == pytest.approx([0.1, -0.2])
    assert profile["p_pu"][1] == pytest.approx([0.75, 0.0])
    assert any("negative" in n and "lv_x_RES" in n for n in notes)
    assert columns(case, "load")["profile"][0] == b"lv_x"
    assert columns(case, "pv")["profile"][0] == b"lv_x_RES"
    assert profile["time"][0] == np.datetime64("2015-12-31T23:00:00")
    assert np.isnan(columns(case, "prosumer")["energy_year"]).all()  # half an hour is no year


def test_unknown_grid_names_those_there_are(write: Write) -> None:
    (problem,) = problems(write(), "LV7.7")
    assert problem.code == "grid"
    assert "LV9.1" in problem.allowed


def test_missing_files_are_named_together(tmp_path: Path) -> None:
    found = problems(tmp_path)
    assert {p.code for p in found} == {"missing-file"}
    assert {"Node", "Line", "Transformer", "ExternalNet"} <= {p.group for p in found}


FAULTS = {
    ("unknown-parent", "Line", "nodeB"): {"Line": TABLES["Line"].replace("LV9.1 Bus 2", "LV9.1 Bus 22")},
    ("unknown-parent", "Line", "type"): {"Line": TABLES["Line"].replace("NAYY", "NYY")},
    ("range", "LineType", "r"): {"LineType": TABLES["LineType"].replace("0.2067", "-0.2067")},
    ("type", "Load", "pLoad"): {"Load": TABLES["Load"].replace("0.004", "four")},
    ("unknown-profile", "LoadProfile", ""): {"Load": TABLES["Load"].replace("lv_x", "H0-X")},
    ("range", "Node", "vmR"): {"Node": TABLES["Node"].replace(";20;", ";0;")},
    ("tap", "Transformer", "tappos"): {"TransformerType": TABLES["TransformerType"].replace("2.5;0;", "2.5;60;")},
    ("unsupported", "PowerPlant", ""): {"PowerPlant": "id;node;subnet\nG;LV9.1 Bus 2;LV9.1\n"},
    ("unsupported", "RES", "calc_type"): {"RES": TABLES["RES"].replace("pq", "pvm")},
    ("time", "LoadProfile", "time"): {"LoadProfile": TABLES["LoadProfile"] + "01.01.2016 01:00;0;0\n"},
    ("time", "RESProfile", "time"): {"RESProfile": TABLES["RESProfile"].replace("2016", "2017")},
    ("range", "Storage", "eStore"): {"Storage": TABLES["Storage"].replace("0.02", "-0.02")},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named(fault: tuple[str, str, str], write: Write) -> None:
    found = problems(write(**FAULTS[fault]))
    assert fault in {(p.code, p.group, p.variable) for p in found}
    assert all(p.hint for p in found)


def test_open_switch_isolates(write: Write) -> None:
    two = TABLES["Load"] + "B;LV9.1 Bus 1;lv_x;0.002;0;LV9.1\n"
    folder = write(Switch=TABLES["Switch"].replace(";1;LV9.1", ";0;LV9.1"), Load=two)
    (problem,) = problems(folder)
    assert problem.code == "isolated"
    assert set(problem.ids) == {"LV9.1 Bus 1_1", "LV9.1 Bus 2"}
    case, notes = import_simbench(folder, "LV9.1", drop_isolated=True)
    assert list(columns(case, "load")["id"]) == [b"B"]
    assert any("load" in n and "A" in n for n in notes)


@pytest.mark.parametrize("options", [{"start": "2017-01-01"}, {"start": "soon"}, {"days": 3}, {"days": 0}])
def test_spans_outside_the_file(options: dict[str, object], write: Write) -> None:
    (problem,) = problems(write(), **options)
    assert problem.code == "span"
    assert problem.hint
    assert all(str(v) in problem.value for v in options.values())


def test_damaged_table(write: Write) -> None:
    folder = write()
    (folder / "Line.csv.gz").write_bytes(b"\x1f\x8bbroken")
    assert [p.code for p in problems(folder)] == ["file"]


def test_clock_has_a_gap_and_a_repeated_hour() -> None:
    true = pd.date_range("2015-12-31 23:00", "2016-12-31 22:45", freq="15min", tz="UTC")
    stamps = list(true.tz_convert("Europe/Berlin").strftime("%d.%m.%Y %H:%M"))
    assert stamps.count("30.10.2016 02:15") == 2
    assert "27.03.2016 02:15" not in stamps
    np.testing.assert_array_equal(utc_axis(stamps, "LoadProfile"), true.tz_localize(None).to_numpy())


@pytest.mark.parametrize("row", [5, 8255, 28900])
def test_a_lost_row_is_noticed(row: int) -> None:
    true = pd.date_range("2015-12-31 23:00", "2016-12-31 22:45", freq="15min", tz="UTC")
    stamps = list(true.tz_convert("Europe/Berlin").strftime("%d.%m.%Y %H:%M"))
    del stamps[row]
    with pytest.raises(ValueError, match="LoadProfile leaves its even steps"):
        utc_axis(stamps, "LoadProfile")
