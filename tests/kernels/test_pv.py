from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pv_peer import NAMES, chain, random_systems, random_weather

from kernels import irradiance, pv, refraction, solar
from kernels.pv import HAYDAVIES, PEREZ, pv_power, pv_power_at
from kernels.pv_arrays import Systems, Weather, make_sky
from kernels.solar import sites_at, solar_position, sun_at

MODELS = {"perez": PEREZ, "haydavies": HAYDAVIES}


def situation(rng: np.random.Generator, count: int, steps: int, *, split: bool) -> tuple:
    first, last = (np.datetime64(day, "s").astype(np.int64) for day in ("1990-01-01", "2050-12-31"))
    time = np.sort(rng.integers(first, last, steps)).astype("datetime64[s]")
    sun, sites = sun_at(time), sites_at(rng.uniform(-90, 90, count), rng.uniform(-180, 180, count))
    angles = np.empty((3, count, steps))
    solar_position(sun, sites, *angles)
    return time, sun, sites, angles, random_weather(rng, angles[0], split=split)


def rating(systems: Systems) -> np.ndarray:
    per_system = np.add.reduceat(systems.pdc0 * systems.eta_inv_nom, systems.first_inverter[:-1])
    return per_system[:, None]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize(("inverters", "planes"), [(1, 1), (2, 3)])
def test_power_is_that_of_pvlib(model: str, split: bool, inverters: int, planes: int) -> None:
    rng = np.random.default_rng(inverters + 2 * split)
    time, sun, sites, angles, weather = situation(rng, 20, 60, split=split)
    systems, orientation = random_systems(rng, 20, inverters, planes)
    stamps = pd.DatetimeIndex(time, tz="UTC")
    named = dict(zip(("zenith", "apparent_zenith", "azimuth"), angles, strict=True))
    theirs = chain(stamps, named, weather, systems, orientation, model)
    assert (theirs > 0.01 * rating(systems)).sum() > 200
    power = np.empty((20, 60))
    pv_power_at(*angles, sun.dni_extra, weather, systems, MODELS[model], make_sky(60), power)
    np.testing.assert_allclose(power / rating(systems), theirs / rating(systems), rtol=0, atol=1e-9)
    pv_power(sun, sites, weather, systems, MODELS[model], make_sky(60), power)
    np.testing.assert_allclose(power / rating(systems), theirs / rating(systems), rtol=0, atol=1e-6)
    single = np.empty((20, 60), np.float32)
    pv_power(sun, sites, weather, systems, MODELS[model], make_sky(60), single)
    assert (single == power.astype(np.float32)).all()


def test_a_gap_stays_a_gap_by_day_and_night() -> None:
    rng = np.random.default_rng(5)
    _, sun, sites, angles, weather = situation(rng, 10, 50, split=True)
    systems, _ = random_systems(rng, 10)
    whole, gappy = np.empty((10, 50)), np.empty((10, 50))
    pv_power(sun, sites, weather, systems, PEREZ, make_sky(50), whole)
    assert np.isfinite(whole).all()
    assert (whole[angles[1] > 92] == 0).all()
    for name in ("temp_air", "wind_speed", "albedo"):
        holes = rng.random((10, 50)) < 0.2
        there = np.where(holes, np.nan, getattr(weather, name))
        pv_power(sun, sites, weather._replace(**{name: there}), systems, PEREZ, make_sky(50), gappy)
        assert (np.isnan(gappy) == holes).all()
        assert (gappy[~holes] == whole[~holes]).all()
    all_gone = dict.fromkeys(("ghi", "dni", "dhi"), np.full((10, 50), np.nan))
    pv_power(sun, sites, weather._replace(**all_gone), systems, PEREZ, make_sky(50), gappy)
    assert np.isnan(gappy).all()


def test_missing_global_light_comes_from_beam_and_diffuse() -> None:
    rng = np.random.default_rng(6)
    _, sun, sites, angles, weather = situation(rng, 10, 50, split=True)
    systems, _ = random_systems(rng, 10)
    whole, made = np.empty((10, 50)), np.empty((10, 50))
    pv_power(sun, sites, weather, systems, PEREZ, make_sky(50), whole)
    without = weather._replace(ghi=np.full((10, 50), np.nan))
    pv_power(sun, sites, without, systems, PEREZ, make_sky(50), made)
    np.testing.assert_allclose(made, whole, rtol=0, atol=1e-4)
    assert (made[angles[1] < 85] > 0).any()


@pytest.mark.parametrize("steps", [1, 7, 9])
def test_few_steps_are_those_of_many(steps: int) -> None:
    rng = np.random.default_rng(11)
    _, sun, sites, angles, weather = situation(rng, 6, 40, split=False)
    systems, _ = random_systems(rng, 6)
    whole, some = np.empty((2, 6, 40)), np.empty((2, 6, steps))
    pv_power(sun, sites, weather, systems, PEREZ, make_sky(40), whole[0])
    pv_power_at(*angles, sun.dni_extra, weather, systems, PEREZ, make_sky(40), whole[1])
    few, light = solar.Sun(*(a[:steps] for a in sun)), Weather(*(a[:, :steps] for a in weather))
    pv_power(few, sites, light, systems, PEREZ, make_sky(steps), some[0])
    pv_power_at(*angles[:, :, :steps], few.dni_extra, light, systems, PEREZ, make_sky(steps), some[1])
    np.testing.assert_array_equal(some, whole[:, :, :steps])


def test_light_below_the_horizon_gives_numbers() -> None:
    rng = np.random.default_rng(12)
    time = np.arange("2024-06-20", "2024-06-21", 1, dtype="datetime64[m]").astype("datetime64[s]")
    sun, sites = sun_at(time), sites_at(np.array([0.0, 52.0, 89.0]), np.array([0.0, 10.0, 20.0]))
    systems, _ = random_systems(rng, 3)
    level = [np.full((3, len(time)), x) for x in (5.0, np.nan, np.nan, 10.0, 1.0, 0.2)]
    power = np.empty((3, len(time)))
    for model in MODELS.values():
        pv_power(sun, sites, Weather(*level), systems, model, make_sky(len(time)), power)
        assert np.isfinite(power).all()
        assert (power <= 0.02 * rating(systems)).all()


def test_polar_night_and_polar_day() -> None:
    time = np.arange("2024-12-21", "2024-12-22", 15, dtype="datetime64[m]").astype("datetime64[s]")
    sun, sites = sun_at(time), sites_at(np.array([80.0, -80.0]), np.array([20.0, 20.0]))
    systems, _ = random_systems(np.random.default_rng(1), 2)
    light = np.zeros((2, 96)), np.full((2, 96), np.nan)
    light[0][1] = 400.0
    weather = Weather(light[0], light[1], light[1], *np.full((2, 2, 96), 1.0), np.full((2, 96), 0.2))
    power = np.empty((2, 96))
    pv_power(sun, sites, weather, systems, PEREZ, make_sky(96), power)
    assert (power[0] == 0).all()
    assert (power[1] > 0).all()


def test_more_sites_change_no_site() -> None:
    rng = np.random.default_rng(8)
    _, sun, sites, _, weather = situation(rng, 12, 40, split=False)
    systems, _ = random_systems(rng, 12)
    together, alone = np.empty((12, 40)), np.empty((1, 40))
    pv_power(sun, sites, weather, systems, PEREZ, make_sky(40), together)
    for s in (0, 5, 11):
        one = Systems(*(a[s : s + 1] if len(a) == 12 else np.array([0, 1]) for a in systems))
        here = sites_at_rows(sites, s)
        pv_power(sun, here, weather, one, PEREZ, make_sky(40), alone)
        assert (alone[0] == together[s]).all()


def sites_at_rows(sites: solar.Sites, s: int) -> solar.Sites:
    return solar.Sites(*(a[s : s + 1] for a in sites))


def test_without_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    _, sun, sites, angles, weather = situation(rng, 25, 40, split=False)
    systems, _ = random_systems(rng, 25, 1, 2)
    compiled, plain = np.empty((2, 25, 40)), np.empty((2, 25, 40))

    def both(into: np.ndarray) -> None:
        pv.pv_power(sun, sites, weather, systems, PEREZ, make_sky(40), into[0])
        pv.pv_power_at(*angles, sun.dni_extra, weather, systems, HAYDAVIES, make_sky(40), into[1])

    both(compiled)
    for module in (irradiance, refraction, solar, pv):
        for name, value in vars(module).items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
    with np.errstate(invalid="ignore"):
        both(plain)
    np.testing.assert_allclose(plain, compiled, rtol=0, atol=1e-9)
    assert set(NAMES) == set(Weather._fields)
