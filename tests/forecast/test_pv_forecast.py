from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pvlib
import pytest
from pv_sites import SHARED

import dispatch
from dispatch.case.schema import build_case, columns
from dispatch.errors import InputError
from dispatch.forecast import pv
from dispatch.forecast.weather import Share, assign, blend, on_steps
from kernels.pv_arrays import Weather

if TYPE_CHECKING:
    import xarray as xr

HOUR = np.timedelta64(3600, "s")
DAY = np.datetime64("2024-06-20T00:00:00", "s") + np.arange(24) * HOUR
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not there")


def case_with(station: dict, *, places: bool = True, profile: bool = True) -> xr.DataTree:
    """Two houses: one with two inverters and three planes, one with a profile only."""
    time = DAY[0] + np.arange(96) * np.timedelta64(900, "s")
    tables = {
        "bus": {
            "id": ["hv", "b1", "b2"],
            "v_nom": [0.4] * 3,
            "latitude": [48.0, 48.0, 48.5] if places else [np.nan] * 3,
            "longitude": [11.0, 11.0, 11.5] if places else [np.nan] * 3,
        },
        "source": {"id": ["s"], "bus": ["hv"]},
        "prosumer": {"id": ["p"]},
        "tariff": {"id": ["t"], "price_import": [0.3]},
        "meter": {"id": ["m1", "m2"], "bus": ["b1", "b2"], "prosumer": ["p", "p"], "tariff": ["t", "t"]},
        "pv": {"id": ["only profile", "roof"], "meter": ["m2", "m1"], "p_nom": [5, 9], "profile": ["flat", "flat"]},
        "inverter": {"id": ["east", "south"], "pv": ["roof", "roof"], "p_ac_nom": [4.0, 3.0]},
        "plane": {
            "id": ["a", "b", "c"],
            "inverter": ["south", "east", "east"],
            "p_dc_nom": [3.0, 4.0, 2.0],
            "surface_tilt": [30.0, 20.0, 60.0],
            "surface_azimuth": [180.0, 90.0, 270.0],
        },
        "station": station,
    }
    if profile:
        tables["profile"] = {"id": ["flat"], "time": time, "p_pu": np.full((1, 96), 0.5)}
    return build_case(tables)


def clear_station(**changes: object) -> dict:
    """One station with a clear day, hourly; beam and diffuse follow from the model of Erbs."""
    middle = pd.DatetimeIndex(DAY + HOUR // 2, tz="UTC")
    ghi = pvlib.location.Location(48.0, 11.0).get_clearsky(middle, model="haurwitz")["ghi"].to_numpy().copy()
    plain = {"id": ["w"], "latitude": [48.0], "longitude": [11.0], "time": DAY, "ghi": ghi[None]}
    return {**plain, "temp_air": np.full((1, 24), 18.0), "wind_speed": np.full((1, 24), 2.0), **changes}


def by_pvlib(time: np.ndarray, ghi: np.ndarray) -> np.ndarray:
    """Power of the roof of `case_with`, at the given instants."""
    stamps = pd.DatetimeIndex(time, tz="UTC")
    sun = pvlib.solarposition.spa_python(stamps, 48.0, 11.0)
    both = pvlib.irradiance.erbs(ghi, sun["zenith"], stamps)
    extra, total = pvlib.irradiance.get_extra_radiation(stamps), 0.0
    for limit, planes in ((3.0, [(3.0, 30, 180)]), (4.0, [(4.0, 20, 90), (2.0, 60, 270)])):
        dc = []
        for size, tilt, azimuth in planes:
            poa = pvlib.irradiance.get_total_irradiance(
                tilt, azimuth, sun["apparent_zenith"], sun["azimuth"], both["dni"], ghi, both["dhi"],
                dni_extra=extra, albedo=0.2, model="perez",
            ).fillna(0.0)  # fmt: skip
            aoi = pvlib.irradiance.aoi(tilt, azimuth, sun["apparent_zenith"], sun["azimuth"])
            effective = poa["poa_direct"] * pvlib.iam.physical(aoi) + poa["poa_diffuse"]
            cell = pvlib.temperature.faiman(poa["poa_global"], 18.0, 2.0)
            dc.append(pvlib.pvsystem.pvwatts_dc(effective, cell, size * 0.86, -0.004))
        total = total + pvlib.inverter.pvwatts_multi(dc, limit / 0.96)
    return np.asarray(total)


def test_forecast_is_that_of_pvlib_in_the_middle_of_each_step() -> None:
    station = clear_station()
    power = dispatch.pv_forecast(case_with(station), DAY, HOUR)
    assert power["pv"].to_numpy().tolist() == [b"roof"]
    ghi = station["ghi"][0].astype(np.float32).astype(float)
    np.testing.assert_allclose(power[0], by_pvlib(DAY + HOUR // 2, ghi), rtol=0, atol=1e-5)
    assert power.max() > 3
    single = dispatch.pv_forecast(case_with(station), DAY, HOUR, dtype="float32")
    assert single.dtype == np.float32


def test_predict_takes_the_weather_where_there_is_any_and_profiles_elsewhere() -> None:
    case = case_with(clear_station())
    out = dispatch.predict(case)
    assert out["forecast/source"].item() == b"model"
    found = out["forecast/p_available"].to_numpy()
    assert (found[0] == 2.5).all()
    assert found[1, 0] == 0
    expected = dispatch.pv_forecast(case, out["forecast/time"].to_numpy(), np.timedelta64(900, "s"), dtype="float32")
    assert (found[1] == expected[0]).all()
    only_warm = {k: v for k, v in clear_station().items() if k != "ghi"}
    plain = dispatch.predict(case_with(only_warm))
    assert plain["forecast/source"].item() == b"profile"
    assert (plain["forecast/p_available"] == np.array([[2.5], [4.5]])).all()
    short = clear_station()
    short = {k: v[..., :20] if np.ndim(v) and np.shape(v)[-1] == 24 else v for k, v in short.items()}
    assert dispatch.predict(case_with(short))["forecast/source"].item() == b"profile"


def test_a_gap_is_reported_and_never_solved() -> None:
    station = clear_station()
    station["ghi"][0, 12] = np.nan
    case = case_with(station)
    power = dispatch.pv_forecast(case, DAY, HOUR)
    assert np.isnan(power[0, 12])
    assert np.isfinite(np.delete(power.to_numpy(), 12, axis=1)).all()
    assert power.attrs["gaps"] == 1
    with pytest.raises(InputError, match=r"weather-gap.*12:00:00.*roof"):
        dispatch.predict(case)


def test_quarters_of_an_hour_keep_the_means_of_the_hour() -> None:
    station = clear_station(dhi=np.full((1, 24), np.nan))
    table = columns(case_with(station), "station")
    time = DAY[0] + np.arange(96) * np.timedelta64(900, "s")
    fine = on_steps(table, time, np.timedelta64(900, "s"))
    high = table["ghi"][0] > 20
    np.testing.assert_allclose(fine.ghi.reshape(24, 4).mean(axis=1)[high], table["ghi"][0][high], rtol=0.01)
    assert np.ptp(fine.ghi.reshape(24, 4), axis=1)[7] > 50
    assert (fine.temp_air == 18).all()
    coarse = on_steps(table, DAY[::3], 3 * HOUR)
    np.testing.assert_allclose(coarse.ghi[0], table["ghi"][0].reshape(8, 3).mean(axis=1), rtol=1e-6)


def test_stations_are_nearest_or_weighted_and_neighbours_fill_gaps() -> None:
    table = {
        "id": np.array([b"n", b"f", b"x"]),
        "latitude": np.array([48.0, 49.0, 60.0]),
        "longitude": np.array([11.0, 11.0, 11.0]),
    }
    near = assign(table, np.array([48.2, 59.0]), np.array([11.0, 11.0]), "nearest")
    assert near.station[:, 0].tolist() == [0, 2]
    both = assign(table, np.array([48.25]), np.array([11.0]), "inverse_distance", most=2)
    np.testing.assert_allclose(both.weight[0], [0.9, 0.1], atol=1e-3)  # 1/1 : 1/9
    values = np.array([[10.0, np.nan, np.nan], [20.0, 30.0, np.nan], [0.0, 0.0, 0.0]])
    mixed = blend(Weather(*[values] * 6), Share(both.station, np.array([[0.9, 0.1]])))
    np.testing.assert_allclose(mixed.ghi[0], [11.0, 30.0, np.nan])


def test_what_is_missing_is_said() -> None:
    time = DAY + np.timedelta64(24, "h")
    with pytest.raises(InputError, match="weather-span"):
        dispatch.pv_forecast(case_with(clear_station()), time, HOUR)
    with pytest.raises(InputError, match="no-place"):
        dispatch.pv_forecast(case_with(clear_station(latitude=[np.nan])), DAY, HOUR)
    alone = dispatch.pv_forecast(case_with(clear_station(), places=False), DAY, HOUR)
    assert (alone == dispatch.pv_forecast(case_with(clear_station()), DAY, HOUR)).all()
    two = clear_station(id=["w", "v"], latitude=[48.0, 47.0], longitude=[11.0, 11.0])
    for name in ("ghi", "temp_air", "wind_speed"):
        two[name] = np.repeat(two[name], 2, axis=0)
    with pytest.raises(InputError, match=r"no-place.*b1"):
        dispatch.pv_forecast(case_with(two, places=False), DAY, HOUR)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    case = case_with(clear_station())
    n = 30
    tables = {kind: dict(columns(case, kind)) for kind in ("bus", "source", "prosumer", "tariff", "meter", "station")}
    tables["pv"] = {"id": [f"p{k}" for k in range(n)], "meter": rng.choice(["m1", "m2"], n), "p_nom": np.ones(n)}
    tables["inverter"] = {
        "id": [f"i{k}" for k in range(2 * n)],
        "pv": rng.permutation([f"p{k}" for k in range(n)] * 2),
        "p_ac_nom": np.ones(2 * n),
    }
    tables["plane"] = {
        "id": [f"e{k}" for k in range(3 * n)],
        "inverter": rng.permutation([f"i{k}" for k in range(2 * n)] + [f"i{k}" for k in range(n)]),
        "p_dc_nom": rng.uniform(1, 2, 3 * n),
        "surface_tilt": rng.uniform(0, 60, 3 * n),
        "surface_azimuth": rng.uniform(0, 360, 3 * n),
    }
    many = build_case(tables)
    whole = dispatch.pv_forecast(many, DAY, HOUR, assignment="inverse_distance")
    monkeypatch.setattr(pv, "CHUNK", 7)
    assert whole.identical(dispatch.pv_forecast(many, DAY, HOUR, assignment="inverse_distance"))
    assert len(whole) == n


@needs_shared
def test_typical_year_of_pvgis_with_a_leap_day_after_it() -> None:
    from dispatch.forecast.readers import read_weather

    table = read_weather(SHARED / "weather" / "pvgis_tmy_45N_8E.csv", "pvgis")
    case = case_with(table, places=False, profile=False)
    power = dispatch.pv_forecast(case, table["time"], HOUR)
    year = float(power.sum()) / 9.0  # kWh per kWp
    assert 900 < year < 1300
    assert power.attrs["gaps"] == 0
