"""Heat pumps with a tank and cars of a scenario: sizes, meters and tariffs, and what they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from plain_case import plain_case

from dispatch.case.rules import check_case
from dispatch.case.schema import columns
from dispatch.errors import InputError
from dispatch.forecast.profile import predict
from dispatch.scenario.equip import equip


def stores_of(town: xr.DataTree, kind: bytes) -> dict[str, np.ndarray]:
    store = columns(town, "store")
    return {name: values[store["kind"] == kind] for name, values in store.items()}


def test_a_heat_pump_is_sized_by_the_heat_of_its_house() -> None:
    plain = plain_case()
    gas, use = columns(plain, "prosumer")["gas_year"], columns(equip(plain), "prosumer")["energy_year"]
    tank = stores_of(equip(plain, heat_pump_share=1.0, tank_hours=2.0), b"tank")
    house = [int(name[1:].split(b"_")[0]) for name in tank["id"]]
    heat = np.where(np.isnan(gas), 18_000 * np.sqrt(use / 3500), 9 * gas)[house]
    np.testing.assert_allclose(tank["p_hot_water"] * 8760, 0.2 * heat)
    np.testing.assert_allclose(tank["heat_loss"] * 24 * 3000, 0.8 * heat)
    largest = 2 * tank["p_nom"]
    np.testing.assert_allclose(largest, tank["heat_loss"] * 30 + tank["p_hot_water"], atol=0.0501)
    np.testing.assert_allclose(tank["energy_nom"], 2 * largest, atol=0.0501)
    assert np.isnan(tank["p_discharge_nom"]).all()


def test_each_is_on_a_meter_and_tariff_of_its_own() -> None:
    town = equip(plain_case(), heat_pump_share=0.3, car_share=0.5)
    meter, tariff = columns(town, "meter"), columns(town, "tariff")
    house_fee = tariff["network_fee"][tariff["id"] == b"household"]
    for kind, name in ((b"tank", b"heat_pump"), (b"car", b"car")):
        own = stores_of(town, kind)["meter"]
        at = np.isin(meter["id"], own)
        assert at.sum() == len(own) == len(set(own.tolist()))
        assert (meter["tariff"][at] == name).all()
        assert not np.isin(columns(town, "load")["meter"], own).any()
        assert (tariff["network_fee"][tariff["id"] == name] < house_fee).all()
        assert all(m.startswith(p) for m, p in zip(meter["id"][at], meter["prosumer"][at], strict=True))


def test_shared_meter_puts_them_behind_the_houses_meter() -> None:
    options = {"heat_pump_share": 0.3, "car_share": 0.5}
    apart, shared = equip(plain_case(), **options), equip(plain_case(), **options, shared_meter=True)
    assert len(columns(shared, "meter")["id"]) == 40
    assert set(columns(shared, "tariff")["id"].tolist()) == {b"household"}
    one, two = (columns(town, "store") for town in (apart, shared))
    assert all(np.array_equal(one[n], two[n], equal_nan=one[n].dtype.kind == "f") for n in one if n != "meter")
    assert not check_case(predict(shared))


def test_cars_follow_the_clock_in_local_time() -> None:
    town = predict(equip(plain_case(), car_share=1.0), horizon_h=48)
    car, series = stores_of(town, b"car"), columns(town, "forecast")
    own = columns(town, "store")["kind"] == b"car"
    plugged, driven, least = (
        series[n][own].astype(float) for n in ("p_max_pu", "p_withdrawn", "state_of_charge_least")
    )
    np.testing.assert_allclose(0.25 * driven.sum(axis=1), 2 * car["energy_trip"], rtol=1e-6)
    hours = np.mod(car["returns_at"] - car["leaves_at"], 24)
    np.testing.assert_allclose(0.25 * (plugged == 0).sum(axis=1), 2 * hours)
    for k, leaves in enumerate(car["leaves_at"]):  # the span begins at local midnight
        first = int(leaves * 4)
        assert plugged[k, first - 1] == 1
        assert plugged[k, first] == 0
        assert np.nonzero(least[k])[0].tolist() == [first - 1, first + 95]
        assert least[k, first - 1] == pytest.approx(48.0)
    assert np.isnan(series["p_withdrawn"][~own]).all()
    mean = car["energy_trip"].mean() / 0.18
    assert 25 < mean < 50


def test_a_car_that_leaves_between_two_steps_drives_a_part_of_them() -> None:
    town = equip(plain_case(4), car_share=1.0)
    store = town["/prosumer/store"]
    for name, value in (("leaves_at", 22.1), ("returns_at", 5.5), ("energy_trip", 7.4)):
        store[name][...] = value
    series = columns(predict(town), "forecast")
    own = columns(town, "store")["kind"] == b"car"
    plugged, driven = series["p_max_pu"][own][0], series["p_withdrawn"][own][0].astype(float)
    assert np.nonzero(plugged == 0)[0].tolist() == [*range(22), *range(88, 96)]  # until 5:30 and from 22:00
    np.testing.assert_allclose(driven[88], 1.0 * 0.6, rtol=1e-6)  # 9 of 15 minutes
    np.testing.assert_allclose(driven[89:], 1.0, rtol=1e-6)


def test_heat_follows_the_temperature_of_the_last_day() -> None:
    town = equip(plain_case(), heat_pump_share=1.0, season="winter")
    week = predict(town, horizon_h=72)
    weather, series = columns(week, "station"), columns(week, "forecast")
    tank, own = stores_of(week, b"tank"), columns(week, "store")["kind"] == b"tank"
    heat, performance = series["p_withdrawn"][own], series["coefficient_of_performance"][own]
    t, hour = 4 * 60, 60  # noon of the third day; the summer time of Berlin plays no part in February
    temp = weather["temp_air"][0].astype(float)
    mean = np.trapezoid(temp[hour - 24 : hour + 1]) / 24
    assert mean < 15
    space = tank["heat_loss"] * (18 - mean)
    np.testing.assert_allclose(heat[:, t], space + 1.5 * tank["p_hot_water"], rtol=1e-5)
    of_space, of_water = (6.08 - 0.09 * d + 0.0005 * d * d for d in (40 - 2 * temp[hour], 50 - temp[hour]))
    share = tank["p_hot_water"] / (space + tank["p_hot_water"])
    expected = 0.85 / (share / of_water + (1 - share) / of_space)
    np.testing.assert_allclose(performance[:, t], expected, rtol=1e-5)
    assert 1.5 < performance.min() < performance.max() < 5


def test_without_temperature_no_heat() -> None:
    town = equip(plain_case(), heat_pump_share=0.5)
    groups = {node.path: node.to_dataset(inherit=False) for node in town.subtree if node.path != "/weather"}
    with pytest.raises(InputError, match="no-temperature"):
        predict(xr.DataTree.from_dict(groups))


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        equip(plain_case(), heat_pump_share=0.5, car_share=1.5, tank_hours=-1.0, shared_meter=True, green_only=True)
    assert [p.variable for p in caught.value.problems] == ["car_share", "tank_hours", "shared_meter"]
