from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gas_tables import gas_case
from small_case import small_case, small_tables

from dispatch.case.importers.pandapipes import import_pandapipes
from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.merge import merge_cases
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns
from dispatch.cli import main
from dispatch.errors import InputError

TOWN = Path(__file__).parents[3] / "shared" / "data" / "networks" / "schutterwald"


def match(folder: Path, text: str) -> Path:
    path = folder / "houses.csv"
    path.write_text(text)
    return path


def test_both_networks_in_one_case(tmp_path: Path) -> None:
    tables = small_tables()
    tables["prosumer"] |= {"heating": ["heat_pump", "unknown", "unknown"], "gas_year": [np.nan, np.nan, 5.0]}
    gas = gas_case({"consumer": {"volume_year": [1000.0, 2000.0]}})
    case, notes = merge_cases(build_case(tables), gas, match(tmp_path, "consumer,prosumer\nk2,maier\nk1,huber\n"))
    assert check_case(case) == []
    consumer, prosumer = columns(case, "consumer"), columns(case, "prosumer")
    assert consumer["prosumer"].tolist() == [b"huber", b"maier"]
    assert consumer["flow_nom"].tolist() == [0.0, 200.0]
    assert prosumer["heating"].tolist() == [b"heat_pump", b"gas", b"unknown"]
    np.testing.assert_array_equal(prosumer["gas_year"], [1000, 2000, 5])
    assert notes[0] == "consumer: 2 of 2 belong to a prosumer."
    assert "1 take nothing" in notes[1]


def test_by_the_command(tmp_path: Path, capsys: Any) -> None:
    save_case(small_case(), tmp_path / "electric.nc")
    save_case(gas_case(), tmp_path / "gas.nc")
    houses = match(tmp_path, "prosumer,consumer\nhuber,k1\n")
    files = [str(tmp_path / n) for n in ("electric.nc", "gas.nc", "both.nc")]
    assert main(["merge", *files[:2], "--match", str(houses), "-o", files[2]]) == 0
    assert check_case(load_case(files[2])) == []
    assert main(["merge", *files[1::-1], "--match", str(houses), "-o", files[2]]) == 1
    assert "the order is ELECTRIC, then GAS" in capsys.readouterr().err


def test_compressors_without_a_meter_get_the_one_that_is_named(tmp_path: Path) -> None:
    gas = gas_case({"booster": {"id": ["lift"], "regulator": ["r1"]}})
    save_case(small_case(), tmp_path / "electric.nc")
    save_case(gas, tmp_path / "gas.nc")
    houses, out = match(tmp_path, "prosumer,consumer\nhuber,k1\n"), tmp_path / "both.nc"
    files = [str(tmp_path / "electric.nc"), str(tmp_path / "gas.nc"), "--match", str(houses), "-o", str(out)]
    assert main(["merge", *files]) == 1
    assert not out.exists()
    meter = columns(small_case(), "meter")["id"][0].decode()
    assert main(["merge", *files, "--meter", meter]) == 0
    assert columns(load_case(out), "booster")["meter"].tolist() == [meter.encode()]
    assert main(["merge", *files, "--meter", "nobody"]) == 1


def test_plants_come_along_behind_a_meter_that_is_there(tmp_path: Path) -> None:
    houses = match(tmp_path, "prosumer,consumer\nhuber,k1\n")
    gas = gas_case({"plant": {"id": ["farm"], "junction": ["l"], "holder_volume": [100.0]}})
    case, notes = merge_cases(small_case(), gas, houses, meter="m1")
    assert columns(case, "plant")["meter"].tolist() == [b"m1"]
    assert any("plant: 1 without a meter are behind 'm1'" in note for note in notes)
    bare, _ = merge_cases(small_case(), gas, houses)
    assert "no-meter" in {p.code for p in check_case(bare)}
    with pytest.raises(InputError, match="nosuch"):
        merge_cases(small_case(), gas, houses, meter="nosuch")
    with pytest.raises(InputError, match="in both cases"):
        merge_cases(case, gas, houses)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("consumer,prosumer\nk1,hubert\n", "Did you mean 'huber'"),
        ("consumer,prosumer\nk9,huber\n", "k9"),
        ("consumer,prosumer\nk1,huber\nk1,maier\n", "more than once"),
        ("consumer,house\nk1,huber\n", "allowed: consumer, prosumer"),
    ],
)
def test_a_match_that_does_not_fit_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        merge_cases(small_case(), gas_case(), match(tmp_path, text))
    assert told in str(caught.value)
    with pytest.raises(InputError, match="not there"):
        merge_cases(small_case(), gas_case(), tmp_path / "none.csv")


@pytest.mark.skipif(not TOWN.is_dir(), reason="the shared data folder is not beside this checkout")
def test_the_town_on_both_grids(tmp_path: Path) -> None:
    electric, _ = import_pandapower(TOWN / "lv_schutterwald.json.gz")
    gas, _ = import_pandapipes(TOWN / "gas_net_schutterwald_1bar.json.gz")
    load = columns(electric, "load")
    houses = load["meter"][load["kind"] == b"household"]
    rows = [f"{c.decode()},{p.decode()}" for c, p in zip(columns(gas, "consumer")["id"], houses, strict=True)]
    case, notes = merge_cases(electric, gas, match(tmp_path, "\n".join(["consumer,prosumer", *rows])))
    assert {p.code for p in check_case(case)} <= {"no-series"}
    assert notes[0] == "consumer: 1506 of 1506 belong to a prosumer."
    assert columns(case, "prosumer")["gas_year"].sum() == pytest.approx(3_714_267)
