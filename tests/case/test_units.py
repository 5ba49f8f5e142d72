from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import netCDF4
import numpy as np
import pytest
from small_case import small_case, small_tables
from strategies import differences

from dispatch.case.netcdf import check_file, load_case, save_case
from dispatch.case.schema import build_case
from dispatch.case.units import conversion
from dispatch.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

# What one of the first unit is in the second, by hand.
CONVERTED = [
    ("W", "kW", 0.001),
    ("MW", "kW", 1000),
    ("GW", "kW", 1e6),
    ("Wh", "kW h", 0.001),
    ("kWh", "kW h", 1),
    ("MWh", "kW h", 1000),
    ("MJ", "kW h", 1 / 3.6),
    ("var", "kvar", 0.001),
    ("MVAr", "kvar", 1000),
    ("VA", "kVA", 0.001),
    ("MVA", "kVA", 1000),
    ("V", "kV", 0.001),
    ("MV", "kV", 1000),
    ("%", "1", 0.01),
    ("percent", "1", 0.01),
    ("p.u.", "1", 1),
    ("kohm", "ohm", 1000),
    ("mΩ", "ohm", 0.001),
    ("uS", "S", 1e-6),
    ("µS", "S", 1e-6),
    ("m", "km", 0.001),
    ("min", "h", 1 / 60),
    ("s", "h", 1 / 3600),
    ("d", "h", 24),
    ("mbar", "bar", 0.001),
    ("hPa", "bar", 0.001),
    ("rad", "degree", 180 / np.pi),
    ("l", "m3", 0.001),
    ("Nm3", "m3", 1),
    ("EUR/kWh", "EUR kW-1 h-1", 1),
    ("EUR/MWh", "EUR kW-1 h-1", 0.001),
    ("EUR MW-1 h-1", "EUR kW-1 h-1", 0.001),
    ("€ / kWh", "EUR kW-1 h-1", 1),
    ("ct/kWh", "EUR kW-1 h-1", 0.01),
    ("EUR kW^-1 h^-1", "EUR kW-1 h-1", 1),
    ("EUR kW⁻¹ h⁻¹", "EUR kW-1 h-1", 1),
    ("EUR/MW", "EUR kW-1", 0.001),
    ("%/h", "h-1", 0.01),
]
REFUSED = [
    ("kvar", "kW"),
    ("kVA", "kW"),
    ("kWh", "kW"),
    ("kW", "kW h"),
    ("kw", "kW"),
    ("KW", "kW"),
    ("", "kW"),
    ("   ", "kW"),
    ("horsepower", "kW"),
    ("1", "kW"),
    ("kV", "1"),
    ("CHF/kWh", "EUR kW-1 h-1"),
    ("USD/MWh", "EUR kW-1 h-1"),
    ("ct/kWh", "CHF kW-1 h-1"),
    ("EUR", "EUR kW-1 h-1"),
    ("EUR/kW h", "EUR kW-1 h-1"),  # as UDUNITS reads it: hours times money per power
    ("EUR/h", "EUR kW-1 h-1"),
    ("ohm/km", "ohm"),
    ("S", "ohm"),
    ("d-1", "h-1"),  # a loss compounds
    ("degree_C", "degree"),
    ("degree_north", "degree_east"),
    ("7 W", "kW"),
    ("kW;", "kW"),
]


@pytest.mark.parametrize(("found", "wanted", "factor"), CONVERTED)
def test_converted(found: str, wanted: str, factor: float) -> None:
    how = conversion(found, wanted)
    assert how is not None
    assert how.apply(np.array([1.0]))[0] == pytest.approx(factor, rel=1e-15)


@pytest.mark.parametrize(("found", "wanted"), REFUSED)
def test_refused(found: str, wanted: str) -> None:
    assert conversion(found, wanted) is None


@pytest.mark.parametrize(("found", "value"), [("K", 293.15), ("kelvin", 293.15), ("degC", 20), ("degF", 68)])
def test_temperatures(found: str, value: float) -> None:
    how = conversion(found, "degree_C")
    assert how is not None
    assert how.apply(np.array([value]))[0] == pytest.approx(20, abs=1e-12)


def test_decimal_factors_round_once() -> None:
    how = conversion("W", "kW")
    assert how is not None
    watts = np.arange(1, 10000, 7.0)
    assert how.apply(watts).tolist() == [float(f"{int(w)}e-3") for w in watts]


# One file each: variable, unit written, and by how much the numbers in it are larger than in the table's unit; None
# where it must be refused.
FILES: list[tuple[str, str | None, float | None]] = [
    ("electric/bus/v_nom", "V", 1e3),
    ("electric/bus/v_nom", "MV", 1e-3),
    ("electric/bus/v_nom", "1", None),
    ("electric/bus/v_nom", None, None),
    ("electric/bus/v_min_pu", "%", 100),
    ("electric/bus/v_min_pu", "kV", None),
    ("electric/bus/v_max_pu", "pu", 1),
    ("electric/bus/v_max_pu", "percent", 100),
    ("electric/bus/latitude", "degree_east", None),
    ("electric/source/v_pu", "%", 100),
    ("electric/source/v_pu", "kV", None),
    ("electric/line/r", "mohm", 1e3),
    ("electric/line/r", "ohm/km", None),
    ("electric/line/x", "kΩ", 1e-3),
    ("electric/line/b", "µS", 1e6),
    ("electric/line/b", "nF", None),
    ("electric/line/s_nom", "MVA", 1e-3),
    ("electric/line/s_nom", "VA", 1e3),
    ("electric/line/s_nom", "kA", None),
    ("electric/line/s_nom", "kW", None),
    ("electric/line/length", "m", 1e3),
    ("electric/transformer/s_nom", "MVA", 1e-3),
    ("electric/transformer/v_nom_to", "V", 1e3),
    ("electric/transformer/x_pu", "%", 100),
    ("electric/transformer/x_pu", "ohm", None),
    ("electric/transformer/tap_step_pu", "%", 100),
    ("electric/transformer/p_no_load", "W", 1e3),
    ("electric/transformer/phase_shift", "rad", np.pi / 180),
    ("prosumer/prosumer/energy_year", "MWh", 1e-3),
    ("prosumer/prosumer/energy_year", "MJ", 3.6),
    ("prosumer/prosumer/gas_year", "l", 1e3),
    ("prosumer/prosumer/gas_year", "kWh", None),
    ("prosumer/meter/p_import_max", "MW", 1e-3),
    ("prosumer/load/p_nom", "W", 1e3),
    ("prosumer/load/p_nom", "kWh", None),
    ("prosumer/load/q_nom", "var", 1e3),
    ("prosumer/load/q_nom", "kW", None),
    ("prosumer/load/profile_shift", "min", 60),
    ("prosumer/load/profile_shift", "s", 3600),
    ("prosumer/pv/p_nom", "MW", 1e-3),
    ("prosumer/pv/p_nom", "kVA", None),
    ("prosumer/plane/surface_tilt", "rad", np.pi / 180),
    ("prosumer/store/energy_nom", "Wh", 1e3),
    ("prosumer/store/energy_nom", "kW", None),
    ("prosumer/store/energy_nom", "kAh", None),
    ("prosumer/store/efficiency_charge", "%", 100),
    ("prosumer/store/standing_loss", "%/h", 100),
    ("prosumer/store/standing_loss", "d-1", None),
    ("prosumer/store/wear_cost", "ct/kWh", 100),
    ("tariff/price_import", "EUR/MWh", 1e3),
    ("tariff/price_import", "CHF kW-1 h-1", None),
    ("tariff/price_import", "EUR", None),
    ("tariff/price_peak", "EUR/MW", 1e3),
    ("profile/p_pu", "%", 100),
    ("profile/p_pu", "kW", None),
    ("prosumer/plane/gamma_pdc", "%/K", 100),
    ("prosumer/plane/u0", "kW m-2 K-1", 1e-3),
    ("prosumer/plane/losses", "%", 100),
    ("weather/ghi", "kW/m2", 1e-3),
    ("weather/dni", "J m-2 h-1", 3600),
    ("weather/ghi", "J cm-2", None),
    ("weather/dhi", "W", None),
    ("weather/dhi", "Wh m-2", None),
    ("weather/wind_speed", "km/h", 3.6),
    ("weather/wind_speed", "knot", None),
    ("weather/altitude", "km", 1e-3),
    ("weather/albedo", "%", 100),
    ("weather/temp_air", "K", None),  # an offset: see its own test
    ("forecast/p_load", "W", 1e3),
    ("forecast/p_load", "MW", 1e-3),
    ("forecast/p_load", "", None),
    ("forecast/p_available", "kvar", None),
    ("forecast/price_export", "ct/kWh", 100),
]


@pytest.fixture(scope="module")
def good_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[xr.DataTree, Path]:
    good = build_case({k: dict(v) for k, v in small_tables().items()})
    file = tmp_path_factory.mktemp("good") / "case.nc"
    save_case(good, file)
    return good, file


@pytest.mark.parametrize(("path", "unit", "larger"), FILES)
def test_files_are_converted_or_refused(
    path: str, unit: str | None, larger: float | None, good_file: tuple[xr.DataTree, Path], tmp_path: Path
) -> None:
    good, file = good_file
    shutil.copyfile(file, tmp_path / "case.nc")
    with netCDF4.Dataset(tmp_path / "case.nc", "r+") as file:
        variable = file[path]
        variable.set_auto_maskandscale(False)
        if unit is None:
            variable.delncattr("units")
        else:
            variable.setncattr("units", unit)
        variable[...] = variable[...] * (larger or 1.0)
    notes: list[str] = []
    if larger is None and unit != "K":
        with pytest.raises(InputError) as caught:
            load_case(tmp_path / "case.nc", notes)
        (problem,) = caught.value.problems
        assert (problem.group.strip("/") + "/" + problem.variable) == path
        assert problem.hint
        return
    read = load_case(tmp_path / "case.nc", notes)
    assert len(notes) == (0 if larger == 1 else 1)
    expected = good[path].to_numpy() - (273.15 if unit == "K" else 0)
    assert read[path].to_numpy() == pytest.approx(
        expected, rel=1e-6 if expected.dtype == np.float32 else 1e-14, nan_ok=True
    )
    assert read[path].dtype == good[path].dtype
    assert read[path].attrs == good[path].attrs


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    case = small_case()
    case["electric/transformer"]["tap_position"].attrs["units"] = "%"
    save_case(case, tmp_path / "case.nc")
    with pytest.raises(InputError, match="tap_position is in '%', not whole"):
        load_case(tmp_path / "case.nc")


def test_units_in_place_are_left_alone(tmp_path: Path) -> None:
    save_case(small_case(), tmp_path / "case.nc")
    assert differences(load_case(tmp_path / "case.nc"), small_case()) == []


def test_a_missing_currency_is_one_problem(tmp_path: Path) -> None:
    save_case(small_case(), tmp_path / "case.nc")
    with netCDF4.Dataset(tmp_path / "case.nc", "r+") as file:
        file.delncattr("currency")
    assert [p.code for p in check_file(tmp_path / "case.nc")] == ["currency"]
