from __future__ import annotations

import pickle
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from small_case import small_case
from strategies import cases, differences

from dispatch.case import netcdf
from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import check_file, load_case, save_case, write_atomically
from dispatch.case.schema import build_case
from dispatch.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_small_case_survives(tmp_path: Path) -> None:
    save_case(small_case(), tmp_path / "case.nc")
    notes: list[str] = []
    assert differences(small_case(), load_case(tmp_path / "case.nc", notes)) == []
    assert notes == []
    assert check_file(tmp_path / "case.nc") == []


def round_trip(case: xr.DataTree, folder: Path) -> None:
    save_case(case, folder / "case.nc")
    assert differences(case, load_case(folder / "case.nc")) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_any_case_survives(case: xr.DataTree, tmp_path: Path) -> None:
    round_trip(case, tmp_path)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(most=2, most_kinds=2))
def test_a_thousand_cases_survive(case: xr.DataTree, tmp_path: Path) -> None:
    round_trip(case, tmp_path)


def test_differences_notices_a_dtype_a_bit_and_an_order() -> None:
    one, other = small_case(), small_case()
    other["electric/bus"]["v_nom"] = other["electric/bus"]["v_nom"].astype("float32")
    other["electric/line"]["r"].to_numpy()[0] = np.nextafter(0.05, 1)
    other.attrs = dict(reversed(list(other.attrs.items())))
    assert len(differences(one, other)) == 3


def test_bytes_do_not_depend_on_the_time_of_writing(tmp_path: Path) -> None:
    save_case(small_case(), tmp_path / "one.nc")
    time.sleep(1.1)  # HDF5 keeps times in seconds where it keeps them
    save_case(small_case(), tmp_path / "other.nc")
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "other.nc").read_bytes()


def test_bytes_survive_reading_and_writing(tmp_path: Path) -> None:
    save_case(small_case(), tmp_path / "one.nc")
    save_case(load_case(tmp_path / "one.nc"), tmp_path / "other.nc")
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "other.nc").read_bytes()


def test_long_series_are_compressed_and_survive(tmp_path: Path) -> None:
    steps = np.datetime64("2026-01-01", "s") + np.arange(5000) * np.timedelta64(900, "s")
    shape = np.round(np.sin(np.arange(5000) / 15), 3)[None]
    case = build_case({"profile": {"id": ["p"], "time": steps, "p_pu": shape}})
    save_case(case, tmp_path / "case.nc")
    assert differences(case, load_case(tmp_path / "case.nc")) == []
    plain = sum(v.nbytes for v in case["profile"].dataset.variables.values())
    assert (tmp_path / "case.nc").stat().st_size < plain / 4


def test_other_tools_read_the_same(tmp_path: Path) -> None:
    save_case(small_case(), tmp_path / "case.nc")
    with xr.open_dataset(tmp_path / "case.nc", group="/forecast", engine="netcdf4") as data:
        assert data["p_load"].dims == ("load", "time")
        assert data["load"].to_numpy().tolist() == [b"l1", b"l2", b"l3"]
        assert str(data["time"].to_numpy()[1])[:19] == "2026-06-01T00:15:00"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array(["a", "b"]), "dtype <U1"),
        (np.array([{"a": 1}, None], object), "dtype object"),
        (np.array([1j, 2]), "dtype complex128"),
        (np.array([1, 2], "timedelta64[s]"), "dtype timedelta64"),
    ],
)
def test_types_that_a_case_cannot_hold_are_refused(values: np.ndarray, message: str, tmp_path: Path) -> None:
    case = xr.DataTree.from_dict({"/electric/source": xr.Dataset({"odd": ("source", values)})})
    with pytest.raises(TypeError, match=message):
        save_case(case, tmp_path / "case.nc")
    assert list(tmp_path.iterdir()) == []


def test_labels_that_a_case_cannot_hold_are_refused(tmp_path: Path) -> None:
    case = small_case()
    case.attrs["settings"] = {"a": 1}
    with pytest.raises(TypeError, match="'settings' of /"):
        save_case(case, tmp_path / "case.nc")


@pytest.mark.parametrize("others", [0, 9], ids=["few labels", "many labels"])
@pytest.mark.parametrize("length", [5_000, 70_000, 2_000_000])
def test_long_labels_survive(length: int, others: int, tmp_path: Path) -> None:
    case = small_case()
    given = {"unmet": "[" + "x" * length, "messages": "y" * length} | {f"label {k}": "z" for k in range(others)}
    case["/forecast"].attrs |= given
    save_case(case, tmp_path / "long.nc")
    assert {name: load_case(tmp_path / "long.nc")["/forecast"].attrs[name] for name in given} == given


def test_parts_of_seconds_are_refused(tmp_path: Path) -> None:
    data = xr.Dataset(coords={"time": np.array(["2026-01-01T00:00:00.5"], "datetime64[ms]")})
    with pytest.raises(ValueError, match="/forecast/time has times that are no whole seconds"):
        save_case(xr.DataTree.from_dict({"/forecast": data}), tmp_path / "case.nc")


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_case(small_case(), tmp_path / "case.nc")
    before = (tmp_path / "case.nc").read_bytes()

    def fail(_: xr.DataTree, path: Path, level: int) -> None:  # noqa: ARG001  (as it is called)
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(netcdf, "write_groups", fail)
    with pytest.raises(OSError, match="No space left"):
        save_case(small_case(), tmp_path / "case.nc")
    assert [p.name for p in tmp_path.iterdir()] == ["case.nc"]
    assert (tmp_path / "case.nc").read_bytes() == before


def test_write_atomically_replaces(tmp_path: Path) -> None:
    write_atomically(tmp_path / "run.json", b"old")
    write_atomically(tmp_path / "run.json", b"new")
    assert (tmp_path / "run.json").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_check_file_joins_what_reading_and_the_rules_find(tmp_path: Path) -> None:
    case = small_case()
    del case["electric/bus"]["v_nom"].attrs["units"]
    case["prosumer/store"]["energy_nom"].to_numpy()[0] = -1
    save_case(case, tmp_path / "case.nc")
    codes = {(p.code, p.variable) for p in check_file(tmp_path / "case.nc")}
    assert {("unit-missing", "v_nom"), ("range", "energy_nom")} <= codes
    with pytest.raises(InputError) as caught:
        load_case(tmp_path / "case.nc")
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_an_embedded_case_is_read_by_its_name_unless_a_file_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_name, by_path = (load_case(path) for path in ("schutterwald_winter", embedded_path("schutterwald_winter")))
    assert by_name.identical(by_path)
    assert check_file("schutterwald_winter") == []
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schutterwald_winter").write_bytes(b"not a case")
    assert [problem.code for problem in check_file("schutterwald_winter")] == ["not-netcdf"]


def test_a_name_without_a_file_is_told_the_embedded_cases(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not there") as told:
        load_case(tmp_path / "schutterwald")
    assert "embedded case: schutterwald_summer, schutterwald_winter" in str(told.value)
    with pytest.raises(InputError, match="not there") as told:
        load_case(tmp_path / "mine.nc")
    assert "embedded" not in str(told.value)
