from __future__ import annotations

import gzip
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pvlib
import pytest
from pv_sites import SHARED

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.forecast.readers import FORMATS, add_weather, read_weather
from dispatch.forecast.weather import on_steps

if TYPE_CHECKING:
    from pathlib import Path

WEATHER = SHARED / "weather"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not there")
NSRDB = """Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone,Version
NSRDB,1,-,-,-,40.5,-108.5,0,1800,0,4.0.0
Year,Month,Day,Hour,Minute,GHI,DHI,DNI,Temperature,Wind Speed,Surface Albedo
2023,6,1,17,0,900,100,850,20,2,0.2
2023,6,1,17,30,910,100,860,21,2,0.2
2023,6,1,18,0,920,100,870,22,3,0.2
"""


def bare_case():
    return build_case(
        {
            "bus": {"id": ["b"], "v_nom": [0.4]},
            "source": {"id": ["s"], "bus": ["b"]},
            "prosumer": {"id": ["p"]},
            "tariff": {"id": ["t"], "price_import": [0.3]},
            "meter": {"id": ["m"], "bus": ["b"], "prosumer": ["p"], "tariff": ["t"]},
        }
    )


def midday_lag(table: dict[str, np.ndarray]) -> float:
    """Minutes by which measured light lags behind the sun: how far the labels are from left edges."""
    middle = table["time"] + table["time_step"][0] // 2
    light = table["ghi"][0]
    sun = pvlib.solarposition.spa_python(middle.astype("datetime64[ns]"), table["latitude"][0], table["longitude"][0])
    azimuth, up = np.radians(sun["azimuth"].to_numpy()), np.cos(np.radians(sun["zenith"].to_numpy())).clip(0)
    east = -np.sin(azimuth) * np.sin(np.radians(sun["zenith"].to_numpy()))
    # Least squares of light on the sun's height and its change: an hour of lag is about a quarter of a radian.
    a = np.stack([up, east * (up > 0)])
    high, turn = np.linalg.lstsq(a.T, light, rcond=None)[0]
    return float(turn / high / (2 * np.pi) * 1440)


@needs_shared
@pytest.mark.parametrize(
    ("name", "file_format", "place", "source"),
    [
        ("pvgis_tmy_45N_8E.epw.gz", "epw", (45.0, 8.0, 250.0), "typical_year"),
        ("pvgis_tmy_45N_8E.csv", "pvgis", (45.0, 8.0, 250.0), "typical_year"),
        ("surfrad_slv_2016-001.dat.gz", "surfrad", (37.7, -105.92, 2317.0), "measurement"),
    ],
)
def test_files_of_the_world(name: str, file_format: str, place: tuple[float, ...], source: str) -> None:
    table = read_weather(WEATHER / name, file_format)
    assert tuple(float(table[k][0]) for k in ("latitude", "longitude", "altitude")) == place
    assert table["source"] == [source]
    assert {"ghi", "dni", "dhi", "temp_air", "wind_speed"} <= set(table)
    assert len(table["time"]) == (1440 if file_format == "surfrad" else 8760)
    case = add_weather(bare_case(), table)
    assert not [p for p in check_case(case) if p.group == "/weather"]
    assert columns(case, "station")["ghi"].shape == table["ghi"].shape


@needs_shared
def test_rows_of_pvgis_are_where_the_sun_is() -> None:
    table = read_weather(WEATHER / "pvgis_tmy_45N_8E.csv", "pvgis")
    late = {**table, "time": table["time"] + np.timedelta64(3600, "s")}
    assert abs(midday_lag(table)) < 10
    assert abs(midday_lag(late)) > 20


def test_nsrdb_and_two_stations(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(NSRDB, encoding="utf-8")
    with gzip.open(tmp_path / "two.csv.gz", "wt", encoding="utf-8") as file:
        file.write(NSRDB.replace("40.5,", "41.5,").replace("900", "300"))
    one, two = (read_weather(tmp_path / name, "nsrdb") for name in ("one.csv", "two.csv.gz"))
    assert one["time"][0] == np.datetime64("2023-06-01T16:45:00")
    assert one["source"] == ["reanalysis"]
    case = add_weather(add_weather(bare_case(), one), two)
    table = columns(case, "station")
    assert table["id"].tolist() == [b"one", b"two"]
    assert table["ghi"][:, 0].tolist() == [900, 300]
    assert columns(add_weather(case, two), "station")["id"].tolist() == [b"one", b"two"]
    weather = on_steps(table, one["time"][:1], np.timedelta64(5400, "s"))
    assert weather.ghi[0, 0] == pytest.approx(910)


# pvlib leaves a file open where its own parser fails.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("nothing of use", encoding="utf-8")
    for name in FORMATS:
        with pytest.raises(InputError, match=r"format|time-gap"):
            read_weather(tmp_path / "bad.csv", name)
    with pytest.raises(InputError, match="grib"):
        read_weather(tmp_path / "bad.csv", "grib")
    (tmp_path / "gap.csv").write_text(NSRDB.replace(",17,30,", ",17,20,"), encoding="utf-8")
    with pytest.raises(InputError, match="time-gap"):
        read_weather(tmp_path / "gap.csv", "nsrdb")


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.csv").write_text(NSRDB, encoding="utf-8")
    save_case(bare_case(), tmp_path / "case.nc")
    command = ["import", "weather", str(tmp_path / "one.csv"), "--format", "nsrdb", "--what", "forecast"]
    case = str(tmp_path / "case.nc")
    assert main([*command, "--into", case, "-o", case]) == 0
    assert "station one: 3 steps" in capsys.readouterr().err
    assert columns(load_case(tmp_path / "case.nc"), "station")["source"].tolist() == [b"forecast"]


def test_without_pvlib_the_extra_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pvlib'] = None\n"
        "from dispatch.forecast.readers import read_weather\n"
        "from pathlib import Path\n"
        "try:\n    read_weather(Path('x'), 'epw')\nexcept Exception as error:\n    print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "prosumer-dispatch[weather]" in found.stdout
