from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
import pytest

from kernels import irradiance, pv, refraction, solar
from kernels.solar import sites_at, solar_position, sun_at

FIRST, LAST = (np.datetime64(day, "s").astype(np.int64) for day in ("1990-01-01", "2051-01-01"))


def angles(time: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, **place: np.ndarray) -> np.ndarray:
    found = np.empty((3, len(latitude), len(time)))
    solar_position(sun_at(time), sites_at(latitude, longitude, **place), *found)
    return found


def oracle(time: np.ndarray, latitude: float, longitude: float, altitude: float, pressure: float) -> pd.DataFrame:
    stamps = pd.DatetimeIndex(time, tz="UTC")
    return pvlib.solarposition.spa_python(stamps, latitude, longitude, altitude, pressure)


def test_angles_are_those_of_pvlib_over_sixty_years_and_all_latitudes() -> None:
    rng = np.random.default_rng(1)
    time = np.sort(rng.integers(FIRST, LAST, 300)).astype("datetime64[s]")
    time[:3] = np.array(["1992-02-29T12:00", "2000-02-29T06:00", "2048-12-31T23:59"], "datetime64[s]")
    latitude = np.r_[-90.0, 90.0, 0.0, 66.56, -66.56, 23.44, rng.uniform(-90, 90, 44)]
    longitude, altitude = rng.uniform(-180, 180, 50), rng.uniform(0, 4000, 50)
    pressure = pvlib.atmosphere.alt2pres(altitude)
    found = angles(time, latitude, longitude, altitude=altitude, pressure=pressure)
    for s in range(50):
        theirs = oracle(time, latitude[s], longitude[s], altitude[s], pressure[s])
        # Where refraction sets in, 0.83 degree below the horizon, the published algorithm jumps by half a degree.
        clear = np.abs(theirs["elevation"].to_numpy() - refraction.LOWEST) > 1e-4
        np.testing.assert_allclose(found[0, s], theirs["zenith"], rtol=0, atol=1e-4)
        np.testing.assert_allclose(found[1, s][clear], theirs["apparent_zenith"][clear], rtol=0, atol=1e-4)
        turn = (found[2, s] - theirs["azimuth"].to_numpy() + 180) % 360 - 180
        # An azimuth is worth what it moves the sun: nothing in the zenith.
        assert np.abs(turn * np.sin(np.radians(theirs["zenith"]))).max() < 1e-4
        assert np.abs(turn)[theirs["zenith"].between(5, 175)].max() < 1e-4


def test_extra_radiation_is_that_of_pvlib_in_leap_years_too() -> None:
    time = np.arange("2015-12-30", "2017-01-03", 3, dtype="datetime64[h]").astype("datetime64[s]")
    theirs = pvlib.irradiance.get_extra_radiation(pd.DatetimeIndex(time, tz="UTC"))
    np.testing.assert_allclose(sun_at(time).dni_extra, theirs, rtol=1e-13)


def test_parts_that_the_chain_uses_are_exact_to_a_billionth() -> None:
    elevation = np.linspace(-0.83, 90.0, 2000)
    up, flat = np.sin(np.radians(elevation)), np.cos(np.radians(elevation))
    tangent = np.tan(np.radians(elevation + 10.3 / (elevation + 5.11)))
    for k in range(len(up)):
        assert abs(refraction.zenith_of(up[k], flat[k]) - np.radians(90 - elevation[k])) < 1e-11
        lift, per_flat = refraction.refraction(elevation[k], up[k], flat[k], 0.017)
        assert lift == pytest.approx(np.radians(0.017 / tangent[k]), abs=1e-12)
        assert per_flat * flat[k] == pytest.approx(float(elevation[k] < 89.99), rel=1e-12)
        high, wide = refraction.lifted(up[k], flat[k], 0.01)
        assert high == pytest.approx(np.sin(np.radians(elevation[k]) + 0.01), abs=1e-12)
        assert wide == pytest.approx(np.cos(np.radians(elevation[k]) + 0.01), abs=1e-12)


@pytest.mark.parametrize("elevation", [-5.11, -5.110000001, -2.555, -0.8334, -90.0, -12.345])
def test_light_below_the_horizon_is_not_bent(elevation: float) -> None:
    up, flat = np.sin(np.radians(elevation)), np.cos(np.radians(elevation))
    assert refraction.refraction(elevation, up, flat, 0.017)[0] == 0.0


def test_without_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    time = rng.integers(FIRST, LAST, 20).astype("datetime64[s]")
    place = rng.uniform(-90, 90, 30), rng.uniform(-180, 180, 30)
    compiled = angles(time, *place)
    for module in (irradiance, pv, refraction, solar):
        for name, value in vars(module).items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
    found = np.empty((3, 30, 20))
    solar.solar_position(solar.sun_at(time), sites_at(*place), *found)
    np.testing.assert_allclose(found, compiled, rtol=0, atol=1e-9)
