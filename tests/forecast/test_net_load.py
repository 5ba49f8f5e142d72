from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from test_history import daily, hours, town

import dispatch
from dispatch.case.schema import columns
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.forecast.meter_use import likely_prosumers, use_behind_meters
from dispatch.forecast.net_load import separate_pv
from dispatch.forecast.sun_shape import clear_sky

PLACE = {"latitude": 48.0, "longitude": 9.0}
TIME = hours("2023-04-01", 24 * 84)


def sun(rng: np.random.Generator, size: float, moved_h: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Power of a roof under daily changing clouds, and the irradiance; not by the code under test."""
    hour = (np.arange(len(TIME)) % 24 + 0.5 + 9 / 15 - moved_h) % 24
    day = 90 + np.arange(len(TIME)) / 24
    declination = np.radians(23.45) * np.sin(2 * np.pi * (day - 81) / 365)
    high = np.sin(np.radians(48)) * np.sin(declination)
    high = high + np.cos(np.radians(48)) * np.cos(declination) * np.cos(np.pi * (hour - 12) / 12)
    ghi = 950 * np.maximum(high, 0) ** 1.15 * np.repeat(rng.uniform(0.15, 1, len(TIME) // 24), 24)
    return size * ghi / 1000, ghi


def use(rng: np.random.Generator, count: int) -> np.ndarray:
    """Homes: a quiet level, evenings, and things that are switched on."""
    hour = np.arange(len(TIME)) % 24
    evening = 0.6 * np.exp(-0.5 * ((hour - 19) / 2) ** 2)
    return 0.2 + evening * rng.uniform(0.5, 1.5, (count, 1)) + rng.gamma(0.4, 0.5, (count, len(TIME)))


def array(values: np.ndarray, units: str = "kW") -> xr.DataArray:
    return xr.DataArray(np.atleast_2d(values), {"time": TIME}, ("meter", "time"), attrs={"units": units})


def test_pv_is_found_sized_and_taken_apart() -> None:
    rng = np.random.default_rng(0)
    load, sizes = use(rng, 12), rng.uniform(2, 8, 12)
    pv = np.array([sun(rng, size)[0] for size in sizes])
    found = separate_pv(array(load - pv), **PLACE)
    assert found["prosumer"].to_numpy().all()
    ratio = found["p_nom"].to_numpy() / np.quantile(pv, 0.999, axis=1)
    assert np.abs(ratio - 1).max() < 0.15
    np.testing.assert_allclose(found["p_load"] - found["p_available"], load - pv, atol=1e-12)
    assert np.minimum(found["p_load"], 0).sum() > -0.005 * pv.sum()  # but for twilight
    energy = found["p_available"].to_numpy().sum(axis=1) / pv.sum(axis=1)
    assert np.abs(energy - 1).max() < 0.15
    assert np.abs(energy.mean() - 1) < 0.05
    night = found["p_available"].to_numpy()[:, np.arange(len(TIME)) % 24 < 3]
    assert (night == 0).all()


def test_with_irradiance_clouds_are_followed() -> None:
    rng = np.random.default_rng(1)
    load, (pv, ghi) = use(rng, 1)[0], sun(rng, 5.0)
    light = xr.DataArray(ghi, {"time": TIME}, ("time",), attrs={"units": "W m-2"})
    found = separate_pv(array(load - pv), **PLACE, ghi=light)
    assert found["p_nom"].item() == pytest.approx(np.quantile(pv, 0.999), rel=0.15)
    assert np.corrcoef(found["p_available"].to_numpy()[0], pv)[0, 1] > 0.98


def test_loads_alone_and_generation_at_other_hours_are_no_pv() -> None:
    rng = np.random.default_rng(2)
    homes = use(rng, 20)
    wind = use(rng, 1)[0] - 3 * np.repeat(rng.uniform(0, 1, len(TIME) // 12), 12)
    evening = use(rng, 1)[0] - sun(rng, 3.0, moved_h=9)[0]
    heating = homes[0] + 3 * (np.arange(len(TIME)) % 24 < 6)
    found = separate_pv(array(np.vstack([homes, wind, evening, heating])), **PLACE)
    assert not found["prosumer"].to_numpy().any()
    assert (found["p_nom"].to_numpy() == 0).all()
    np.testing.assert_array_equal(found["p_load"][:20], homes)


def test_gaps_stay_gaps_and_units_are_converted() -> None:
    rng = np.random.default_rng(3)
    net = use(rng, 1)[0] - sun(rng, 5.0)[0]
    net[100:200] = np.nan
    kilo, watt = separate_pv(array(net), **PLACE), separate_pv(array(1000 * net, "W"), **PLACE)
    np.testing.assert_allclose(kilo["p_load"], watt["p_load"])
    assert np.isnan(kilo["p_load"][0, 100:200]).all()
    assert np.isfinite(kilo["p_load"][0, 200:]).all()
    with pytest.raises(InputError, match="kW"):
        separate_pv(array(net, "kWh"), **PLACE)
    with pytest.raises(InputError, match="14 days"):
        separate_pv(array(net)[:, :100], **PLACE)


def test_clear_sky_is_dark_by_night_and_bright_at_noon() -> None:
    light = clear_sky(TIME[:24], TIME[1] - TIME[0], 48.0, 9.0)
    assert light[:4].max() == 0
    assert 600 < light.max() < 900  # early April
    assert light.argmax() in (10, 11)


def metered(rng: np.random.Generator, **extra):
    load, pv = use(rng, 1)[0], sun(rng, 5.0)[0]
    history = {"id": ["x"], "meter": ["m"], "time": TIME, "p": (load - pv)[None], **extra.pop("history", {})}
    bus = {"id": ["b"], "v_nom": [0.4], "latitude": [48.0], "longitude": [9.0]}
    return load, pv, town(history, loads=1, bus=bus, **extra)


def test_use_behind_a_meter_with_pv_is_forecast_without_it(tmp_path, capsys) -> None:
    load, pv, case = metered(np.random.default_rng(4), pv={"id": ["g"], "meter": ["m"], "p_nom": [5.0]})
    table = columns(case, "history")
    found = use_behind_meters(case, table, (load - pv)[None], TIME)
    assert np.abs(found[0] - load).mean() < 0.35 * pv.mean()
    forecast = dispatch.predict(case, start=TIME[-1] + np.timedelta64(3600, "s"))["forecast"]
    assert forecast["p_load"].to_numpy().min() > 0
    dispatch.save_case(case, tmp_path / "case.nc")
    assert main(["forecast", str(tmp_path / "case.nc"), "-o", str(tmp_path / "out.nc"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["likely_prosumers"]
    assert said["x"] == pytest.approx(np.quantile(pv, 0.999), rel=0.15)


def test_a_meter_without_pv_in_the_case_keeps_its_net_load_but_is_told() -> None:
    rng = np.random.default_rng(5)
    load, pv, case = metered(rng)
    table = columns(case, "history")
    np.testing.assert_array_equal(use_behind_meters(case, table, (load - pv)[None], TIME)[0], load - pv)
    assert set(likely_prosumers(case, table, (load - pv)[None], TIME)) == {"x"}
    assert likely_prosumers(case, table, daily(TIME, rng), TIME) == {}


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[range\].*latitude is 148"):
        separate_pv(array(use(np.random.default_rng(1), 1)), latitude=148.0, longitude=9.0)
