"""The chain against pvlib on real weather: typical year, satellite, and one day of minutes."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest
from pv_peer import chain, random_systems

from kernels.pv import HAYDAVIES, PEREZ, pv_power, pv_power_at
from kernels.pv_arrays import Weather, make_sky
from kernels.solar import sites_at, sun_at

WEATHER = Path(__file__).resolve().parents[3] / "shared" / "data" / "weather"
pytestmark = pytest.mark.skipif(not WEATHER.exists(), reason="the shared data is not there")


def typical_year() -> tuple[pd.DataFrame, float, float]:
    frame = pvlib.iotools.read_pvgis_tmy(WEATHER / "pvgis_tmy_45N_8E.csv")[0]
    return frame, 45.0, 8.0


def satellite() -> tuple[pd.DataFrame, float, float]:
    frame = pd.read_csv(WEATHER / "nsrdb_psm4_2023_30min.csv.gz", index_col=0)
    frame.index = pd.to_datetime(frame[["Year", "Month", "Day", "Hour", "Minute"]]).dt.tz_localize("UTC")
    names = {"GHI": "ghi", "DNI": "dni", "DHI": "dhi", "Temperature": "temp_air", "Wind Speed": "wind_speed"}
    return frame.rename(columns={**names, "Surface Albedo": "albedo"}), 40.51, -108.54


def minutes() -> tuple[pd.DataFrame, float, float]:
    with gzip.open(WEATHER / "surfrad_slv_2016-001.dat.gz", "rt") as file:
        text = file.read().splitlines()[2:]
    rows = np.array([line.split() for line in text], dtype=float)
    frame = pd.DataFrame(
        {"ghi": rows[:, 8], "dni": rows[:, 12], "dhi": rows[:, 14], "temp_air": rows[:, 38], "wind_speed": rows[:, 42]}
    ).where(lambda f: f > -9000)
    frame.index = pd.to_datetime({n: rows[:, c] for c, n in ((0, "year"), (2, "month"), (3, "day"))}) + pd.to_timedelta(
        rows[:, 4] * 60 + rows[:, 5], unit="min"
    )
    frame.index = frame.index.tz_localize("UTC")
    return frame, 37.70, -105.92


@pytest.mark.parametrize("read", [typical_year, satellite, minutes])
def test_power_is_that_of_pvlib(read) -> None:
    frame, latitude, longitude = read()
    frame = frame.reindex(columns=["ghi", "dni", "dhi", "temp_air", "wind_speed", "albedo"]).fillna({"albedo": 0.2})
    sun = pvlib.solarposition.spa_python(frame.index, latitude, longitude)
    angles = {n: np.repeat(sun[n].to_numpy()[None], 4, axis=0) for n in ("zenith", "apparent_zenith", "azimuth")}
    assert_same_power(frame, angles, latitude, longitude)
    frame[["dni", "dhi"]] = np.nan  # only the global irradiance is known
    assert_same_power(frame, angles, latitude, longitude)


def assert_same_power(frame: pd.DataFrame, angles: dict[str, np.ndarray], latitude: float, longitude: float) -> None:
    systems, planes = random_systems(np.random.default_rng(1), 4)
    systems = systems._replace(weather=np.zeros(4, int))
    weather = Weather(*(np.ascontiguousarray(frame[name].to_numpy(float))[None] for name in Weather._fields))
    time = frame.index.tz_localize(None).to_numpy().astype("datetime64[s]")
    ours, sky = sun_at(time), make_sky(len(time))
    rating = (systems.pdc0 * systems.eta_inv_nom)[:, None]
    power = np.empty((4, len(time)))
    for model, number in (("perez", PEREZ), ("haydavies", HAYDAVIES)):
        theirs = chain(frame.index, angles, weather, systems, planes, model)
        pv_power_at(*angles.values(), ours.dni_extra, weather, systems, number, sky, power)
        np.testing.assert_allclose(power / rating, theirs / rating, rtol=0, atol=1e-9)
        pv_power(ours, sites_at(*np.full((2, 4), [[latitude], [longitude]])), weather, systems, number, sky, power)
        assert (np.isnan(power) == np.isnan(theirs)).all()
        off = np.abs(power - theirs) / rating
        # Own angles differ by 1e-5 degree: that turns a bin of Perez now and then, and the sun rises within a second.
        assert np.nanquantile(off, 0.999) < 1e-6
        assert np.nanmax(off) < 0.02
    assert np.nanmax(theirs / rating) > 0.2
