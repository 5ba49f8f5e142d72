"""The scenario rule: reproducible, nested, with shares and energies that can be summed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_case import QUARTER, SUMMER, own_library, plain_case

from dispatch.case.embedded import embedded_path
from dispatch.case.merge import merge_cases
from dispatch.case.netcdf import load_case
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns, parent_index
from dispatch.errors import InputError
from dispatch.forecast.profile import predict
from dispatch.scenario.equip import equip

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

KINDS = ("load", "pv", "inverter", "plane", "store", "meter", "prosumer", "tariff", "profile", "forecast")


def rows_by_id(case: xr.DataTree, kind: str) -> dict[bytes, tuple[Any, ...]]:
    """Rows of a table by id, so that cases can be compared whatever the order."""
    table = columns(case, kind)
    names = sorted(set(table) - {"id", "time"})
    return {i: tuple(table[name][k].tolist() for name in names) for k, i in enumerate(table["id"])}


def same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))  # noqa: PLR0124  (NaN)


def stores_of(town: xr.DataTree, kind: bytes) -> dict[str, np.ndarray]:
    """Columns of the stores of one kind."""
    store = columns(town, "store")
    return {name: values[store["kind"] == kind] for name, values in store.items()}


def test_same_seed_same_case() -> None:
    one, two = (equip(plain_case(), heat_pump_share=0.3, car_share=0.4, seed=7) for _ in range(2))
    assert one.identical(two)


@pytest.mark.parametrize("season", ["summer", "winter"])
def test_an_equipped_case_can_be_equipped_further(season: str) -> None:
    """The shapes that a scenario gave a case keep the mean over a year that they have in the library."""
    at_once = equip(plain_case(), heat_pump_share=0.5, tank_hours=0, season=season)
    in_two = equip(equip(plain_case(), season=season), heat_pump_share=0.5, tank_hours=0, season=season)
    assert rows_by_id(in_two, "load") == rows_by_id(at_once, "load")
    assert (columns(in_two, "load")["kind"] == b"heat_pump").any()


def test_the_embedded_town_takes_heat_pumps() -> None:
    town = equip(load_case(embedded_path("schutterwald_summer")), heat_pump_share=0.3)
    heating = columns(town, "prosumer")["heating"]
    assert 0.25 < (heating == b"heat_pump").mean() < 0.35
    taken = columns(town, "consumer")["flow_nom"] > 0
    np.testing.assert_array_equal(taken, heating[parent_index(town, "consumer", "prosumer")] == b"gas")
    assert columns(town, "gas_network")["pressure_ambient"] == pytest.approx(0.9956, abs=1e-4)
    assert not check_case(predict(town, horizon_h=2))


def merged_place(folder: Path, **consumer: list[str]) -> xr.DataTree:
    """Three houses, in two of which a heat pump is possible, and their gas, which merging lets only the third take."""
    names = ["h0", "h1", "h2"]
    load = {
        "id": [*names, "p0", "p1"],
        "meter": [*names, "h0", "h1"],
        "kind": ["household"] * 3 + ["heat_pump"] * 2,
        "p_nom": [2.1] * 5,
        "q_nom": [0.2] * 5,
    }
    heating = {"id": names, "gas_year": [np.nan] * 3, "heating": ["heat_pump", "heat_pump", "unknown"]}
    gas = build_case(
        {
            "gas_network": {"heating_value_higher": 11.0},
            "junction": {"id": ["g", "h"]},
            "gate": {"id": ["city"], "junction": ["g"], "pressure": [2.0]},
            "pipe": {
                "id": ["p"],
                "junction_from": ["g"],
                "junction_to": ["h"],
                "length": [9.0],
                "inner_diameter": [0.1],
            },
            "consumer": {
                "id": ["c0", "c1", "c2"],
                "junction": ["h"] * 3,
                "flow_nom": [0.2, 0.3, 0.4],
                "volume_year": [1752.0, 2628.0, 3504.0],
                **consumer,
            },
        }
    )
    (folder / "match.csv").write_text("consumer,prosumer\nc0,h0\nc1,h1\nc2,h2\n", encoding="utf-8")
    return merge_cases(plain_case(3, load=load, prosumer=heating), gas, folder / "match.csv")[0]


def test_houses_without_their_possible_heat_pump_take_gas_again(tmp_path: Path) -> None:
    place = merged_place(tmp_path)
    np.testing.assert_allclose(columns(place, "consumer")["flow_nom"], [0.0, 0.0, 0.4])
    town = equip(place)
    np.testing.assert_allclose(columns(town, "consumer")["flow_nom"], [0.2, 0.3, 0.4])
    assert set(columns(town, "consumer")["profile"]) == {b"gas_house"}
    assert (columns(equip(place, heat_pump_share=1.0), "consumer")["flow_nom"] == 0).all()
    given = equip(merged_place(tmp_path, profile=["own", "", ""]))
    assert columns(given, "consumer")["profile"].tolist() == [b"own", b"gas_house", b"gas_house"]


def test_a_shape_of_the_same_name_with_other_values_is_the_cases_own() -> None:
    case = plain_case(2, profile=own_library("2016-05-01", 9, ("Air_Parallel_1", "H0-A")))
    assert b"Air_Parallel_1" not in columns(equip(case, heat_pump_share=0.5, tank_hours=0), "load")["profile"]


def test_another_seed_another_town() -> None:
    one, two = (columns(equip(plain_case(), seed=seed), "pv") for seed in (1, 2))
    assert one["id"].tolist() != two["id"].tolist()


def test_given_case_is_not_changed() -> None:
    case = plain_case()
    before = case.copy(deep=True)
    equip(case, heat_pump_share=0.5)
    assert case.identical(before)


def test_order_of_rows_does_not_matter() -> None:
    one, two = (equip(plain_case(order=order), heat_pump_share=0.3, car_share=0.3) for order in (None, 3))
    for kind in ("load", "pv", "plane", "store", "prosumer"):
        left, right = rows_by_id(one, kind), rows_by_id(two, kind)
        assert left.keys() == right.keys()
        assert all(same(left[i], right[i]) for i in left), kind


@settings(deadline=None, max_examples=8)
@given(
    houses=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    shares=st.tuples(*[st.floats(0, 1)] * 4),
    more=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_shares_are_met_and_nested(houses: int, seed: int, shares: tuple[float, ...], more: tuple[float, ...]) -> None:
    larger = [a + (1 - a) * b for a, b in zip(shares, more, strict=True)]
    towns = []
    for pv, part, pump, car in (shares, larger):
        battery = pv * part
        options = {"pv_share": pv, "battery_share": battery, "heat_pump_share": pump, "car_share": car}
        town = equip(plain_case(houses), **options, seed=seed)
        stores = [len(stores_of(town, kind)["id"]) for kind in (b"battery", b"tank", b"car")]
        counts = len(columns(town, "pv")["id"]), *stores
        assert np.abs(np.array(counts) - houses * np.array([pv, battery, pump, car])).max() <= 0.5 + 1e-9
        assert np.isin(stores_of(town, b"battery")["meter"], columns(town, "pv")["meter"]).all()
        towns.append(town)
    for kind in ("load", "pv", "inverter", "plane", "store"):
        small, large = (rows_by_id(town, kind) for town in towns)
        assert all(same(row, large[i]) for i, row in small.items()), kind


def test_energy_of_houses_is_their_yearly_use() -> None:
    town = equip(plain_case(), heat_pump_share=0.0)
    load, use = columns(town, "load"), columns(town, "prosumer")["energy_year"]
    np.testing.assert_allclose(load["p_nom"] * 8760, use)
    np.testing.assert_allclose(load["q_nom"], 0.1 * load["p_nom"])
    assert 0.85 < use.mean() / 3500 < 1.15
    assert (load["kind"] == b"household").all()


def test_known_yearly_use_is_kept() -> None:
    use = 1000.0 + 100 * np.arange(40)
    case = plain_case(prosumer={"id": [f"h{i}" for i in range(40)], "energy_year": use})
    town = equip(case, heat_pump_share=0.0)
    assert (columns(town, "prosumer")["energy_year"] == use).all()
    np.testing.assert_allclose(columns(town, "load")["p_nom"], use / 8760)


def test_heat_pumps_replace_gas() -> None:
    plain = plain_case()
    gas, town = columns(plain, "prosumer")["gas_year"], equip(plain, heat_pump_share=0.5, tank_hours=0)
    none = columns(equip(plain, heat_pump_share=0.0), "prosumer")["energy_year"]
    prosumer, load = columns(town, "prosumer"), columns(town, "load")
    warm = prosumer["heating"] == b"heat_pump"
    assert warm.sum() == 20
    assert (prosumer["heating"][~warm] == b"gas").all()
    heat = np.where(np.isnan(gas), 18_000 * np.sqrt(none / 3500), 9 * gas)
    np.testing.assert_allclose(prosumer["energy_year"], none + np.where(warm, heat / 3.2, 0))
    pump = load["kind"] == b"heat_pump"
    assert set(load["meter"][pump]) == set(prosumer["id"][warm])
    np.testing.assert_allclose(load["p_nom"][pump].sum() * 8760, (heat / 3.2)[warm].sum())
    assert (prosumer["gas_year"][warm & np.isfinite(gas)] == 0).all()
    assert (prosumer["gas_year"][~warm & np.isfinite(gas)] == gas[~warm & np.isfinite(gas)]).all()
    assert all(name.startswith((b"Air_", b"Soil_")) for name in load["profile"][pump])


def test_possible_heat_pumps_of_a_file_are_decided_by_the_share() -> None:
    plain = plain_case(4)
    load = columns(plain, "load")
    ids = np.concatenate([load["id"], np.char.add(b"HP_", load["id"])])
    table = {
        "id": ids,
        "meter": np.tile(load["meter"], 2),
        "p_nom": np.tile(load["p_nom"], 2),
        "q_nom": np.zeros(8),
        "kind": ["household"] * 4 + ["heat_pump"] * 4,
    }
    prosumer = {"id": load["meter"], "heating": ["heat_pump"] * 4}
    case = plain_case(4, load=table, prosumer=prosumer)
    assert not columns(equip(case), "load")["id"].tolist()[4:]
    assert (columns(equip(case), "prosumer")["heating"] == b"gas").all()
    assert len(columns(equip(case, heat_pump_share=0.5, tank_hours=0), "load")["id"]) == 6
    assert len(stores_of(equip(case, heat_pump_share=0.5), b"tank")["id"]) == 2


def test_pv_planes_and_inverters_belong_together() -> None:
    town = equip(plain_case(200), pv_share=0.9, battery_share=0.2, pv_size_kw=9.0)
    pv, inverter, plane = (columns(town, kind) for kind in ("pv", "inverter", "plane"))
    of = {i: k for k, i in enumerate(pv["id"])}
    total = np.bincount([of[i] for i in plane["inverter"]], plane["p_dc_nom"], len(of))
    np.testing.assert_allclose(total, pv["p_nom"])
    assert (inverter["pv"] == pv["id"]).all()
    assert (inverter["p_ac_nom"] == pv["p_nom"]).all()
    assert 0.85 < pv["p_nom"].mean() / 9 < 1.15
    assert 0.15 < 1 - len(pv["id"]) / len(plane["id"]) < 0.35
    south = plane["surface_azimuth"][[i.endswith(b"_s") for i in plane["id"]]]
    assert abs(np.mean(south) - 180) < 6
    east_west = pv["profile"] == b"PV_east_west"
    assert (np.bincount([of[i] for i in plane["inverter"]])[east_west] == 2).all()


def test_mean_size_is_that_over_all_houses() -> None:
    size = columns(equip(plain_case(100), pv_share=1.0, pv_size_kw=11.0), "pv")["p_nom"]
    assert abs(size.mean() - 11) < 0.02
    assert size.min() >= 1


def test_batteries_fit_pv_and_use() -> None:
    town = equip(plain_case(), pv_share=0.8, battery_share=0.8, battery_hours=3.0)
    store, pv, use = columns(town, "store"), columns(town, "pv"), columns(town, "prosumer")["energy_year"]
    owner = [int(m[1:]) for m in store["meter"]]
    assert store["meter"].tolist() == pv["meter"].tolist()
    wanted = np.maximum(np.minimum(1.2 * pv["p_nom"], 2.5 * use[owner] / 1000), 2)
    np.testing.assert_allclose(store["energy_nom"], wanted, atol=0.0501)
    np.testing.assert_allclose(store["p_nom"], store["energy_nom"] / 3)


def test_existing_pv_and_batteries_are_kept_and_count() -> None:
    pv = {"id": ["mine"], "meter": ["h3"], "p_nom": [5.0]}
    store = {"id": ["own"], "meter": ["h3"], "energy_nom": [6.0], "p_nom": [2.0], "kind": ["battery"]}
    case = plain_case(pv=pv, store=store)
    town = equip(case, pv_share=0.25, battery_share=0.1)
    found, batteries = columns(town, "pv"), columns(town, "store")
    assert (len(found["id"]), len(batteries["id"])) == (10, 4)
    assert found["id"][0] == b"mine"
    assert (found["p_nom"][0], found["profile"][0]) == (5.0, b"PV_south")
    assert batteries["energy_nom"][0] == 6.0
    assert (found["meter"] == b"h3").sum() == (batteries["meter"] == b"h3").sum() == 1


@pytest.mark.parametrize("options", [{}, {"feed_in_tariff": 0.35}, {"feed_in_tariff": 0.35, "green_only": True}])
def test_equipping_again_with_more_keeps_what_is_there(options: dict[str, Any]) -> None:
    first = equip(plain_case(), pv_share=0.3, battery_share=0.2, heat_pump_share=0.2, car_share=0.3, **options)
    again = equip(first, pv_share=0.6, battery_share=0.4, heat_pump_share=0.4, car_share=0.5, **options)
    assert len(columns(again, "pv")["id"]) == 24
    assert [len(stores_of(again, kind)["id"]) for kind in (b"battery", b"tank", b"car")] == [16, 16, 20]
    for kind in ("pv", "load", "store"):
        old, new = rows_by_id(first, kind), rows_by_id(again, kind)
        assert all(same(row, new[i]) for i, row in old.items()), kind
    assert not check_case(predict(again))


@pytest.mark.parametrize("season", ["summer", "winter"])
@pytest.mark.parametrize("options", [{}, {"feed_in_tariff": 0.35}, {"feed_in_tariff": 0.35, "green_only": True}])
def test_result_is_a_valid_case(season: str, options: dict[str, Any]) -> None:
    for tank_hours in (0.0, 1.0):
        town = equip(plain_case(), season=season, heat_pump_share=0.2, car_share=0.2, tank_hours=tank_hours, **options)
        assert not check_case(predict(town))


def test_case_without_pv_and_batteries() -> None:
    town = predict(equip(plain_case(), pv_share=0.0, battery_share=0.0))
    assert not check_case(town)
    assert columns(town, "forecast")["p_available"].shape == (0, 96)


def test_high_feed_in_tariff_puts_pv_on_a_meter_of_its_own() -> None:
    town = equip(plain_case(), pv_share=0.5, battery_share=0.5, feed_in_tariff=0.35)
    meter, pv, store = (columns(town, kind) for kind in ("meter", "pv", "store"))
    own = meter["tariff"] == b"feed_in"
    assert own.sum() == 20
    assert meter["green_only"][own].all()
    assert not meter["green_only"][~own].any()
    assert set(pv["meter"]) == set(meter["id"][own])
    assert not set(store["meter"]) & set(meter["id"][own])
    tariff = columns(town, "tariff")
    assert dict(zip(tariff["id"], tariff["price_export"], strict=True)) == {b"household": 0.0, b"feed_in": 0.35}


def test_green_only_leaves_pv_at_the_house() -> None:
    town = equip(plain_case(), feed_in_tariff=0.35, green_only=True)
    meter = columns(town, "meter")
    assert len(meter["id"]) == 40
    assert meter["green_only"].all()
    assert columns(town, "tariff")["price_export"].tolist() == [0.35]


def test_price_varies_by_local_time() -> None:
    town = equip(plain_case())
    series, time = columns(town, "forecast"), columns(town, "forecast")["time"]
    hour = ((time.astype("datetime64[h]").astype(int) + 2) % 24).tolist()  # summer time: UTC + 2
    wanted = [0.26 if 17 <= h < 21 else 0.12 if h >= 23 or h < 6 else 0.18 for h in hour]
    assert series["price_import"][0].tolist() == wanted
    assert (series["price_export"] == 0.08).all()
    assert set(series) == {"time", "time_step", "source", "price_import", "price_export"}


def test_other_meters_keep_their_tariff_and_prices() -> None:
    time = SUMMER + QUARTER * np.arange(672)
    price = np.linspace(0.1, 0.4, 672)[None]
    shop = {"id": ["h0", "shop"], "meter": ["h0", "shop"], "p_nom": [2.1, 50.0], "kind": ["household", "commercial"]}
    two = {"id": ["h0", "shop"]}
    meter = {"id": ["h0", "shop"], "bus": ["b", "b"], "prosumer": ["h0", "shop"], "tariff": ["old", "old"]}
    forecast = {"time": time, "price_import": price}
    tariff = {"id": ["old"], "price_import": [0.3]}
    bus = {"id": ["b"], "v_nom": [0.4]}
    tables = {"bus": bus, "prosumer": two, "tariff": tariff, "meter": meter, "load": shop, "forecast": forecast}
    town = equip(build_case(tables), days=2)
    assert columns(town, "meter")["tariff"].tolist() == [b"household", b"old"]
    assert columns(town, "tariff")["id"].tolist() == [b"old", b"household"]
    assert (columns(town, "forecast")["price_import"][0] == price[0, :192]).all()
    assert columns(town, "load")["p_nom"].tolist()[1] == 50.0
    tables["forecast"] = {"time": time[:50], "price_import": price[:, :50]}
    with pytest.raises(InputError, match="price_import"):
        equip(build_case(tables), days=2)


def test_shapes_of_the_case_win() -> None:
    load = {"id": ["h0", "h1"], "meter": ["h0", "h1"], "p_nom": [2.0, 3.0], "profile": ["mine", ""]}
    case = plain_case(2, load=load, profile=own_library("2016-05-01", 60))
    town = equip(case, pv_share=1.0, battery_share=0.0)
    found, library = columns(town, "load"), columns(town, "profile")
    assert (found["profile"][0], found["p_nom"][0]) == (b"mine", 2.0)
    assert found["profile"][1].startswith(b"H0-")
    assert (columns(town, "pv")["profile"] == b"PVx").all()
    assert (library["time"] == SUMMER + QUARTER * np.arange(672)).all()
    own = columns(case, "profile")
    at = np.searchsorted(own["time"], SUMMER)
    row = library["id"].tolist().index(b"mine")
    assert (library["p_pu"][row] == own["p_pu"][0, at : at + 672]).all()
    mean = own["p_pu"][0].mean(dtype=float) * 2 * 8760
    np.testing.assert_allclose(columns(town, "prosumer")["energy_year"][0], mean, rtol=1e-6)


def test_library_repeats_by_time_of_day_in_other_years() -> None:
    case = plain_case(3, profile=own_library("2024-07-03T05:00", 9, ("mine",)))
    town, embedded = columns(equip(case), "profile"), columns(equip(plain_case(3)), "profile")
    assert len(town["time"]) == 672
    assert town["time"][0] == np.datetime64("2024-07-03T05:00")
    for name in set(town["id"]) & set(embedded["id"]):
        ours, theirs = (t["p_pu"][t["id"].tolist().index(name)] for t in (town, embedded))
        day = [ours[k : k + 96].tolist() for k in range(0, 672, 96)]
        assert sorted(ours.tolist()) == sorted(theirs.tolist())
        first = [t.astype("datetime64[h]").astype(int) % 24 for t in (town["time"][0], embedded["time"][0])]
        moved = (first[0] - first[1]) % 24 * 4
        assert any(d[: 96 - moved] == theirs[moved + k : k + 96].tolist() for d in day for k in range(0, 672, 96))


def refused(case: xr.DataTree, **options: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        equip(case, **options)
    return [p.code if p.code != "setting" else p.variable for p in caught.value.problems]


def test_all_wrong_settings_in_one_pass() -> None:
    found = refused(
        plain_case(2), pv_share=1.2, battery_share=-0.1, heat_pump_share=float("nan"), seed=-1, season="spring",
        battery_hours=0.0, pv_size_kw=-3.0,
    )  # fmt: skip
    assert found == ["pv_share", "battery_share", "heat_pump_share", "seed", "season", "battery_hours", "pv_size_kw"]


def test_what_is_no_number_is_refused_before_anything_is_compared() -> None:
    assert refused(plain_case(2), pv_share="a", battery_hours=None, seed=1.5, battery_share=7) == [
        "pv_share", "battery_hours", "seed",
    ]  # fmt: skip
    equip(plain_case(2), pv_share=np.float32(0.5), seed=np.int64(3))


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("battery_share", {"pv_share": 0.2, "battery_share": 0.3}),
        ("span", {"start": "2016-06-20"}),
        ("span", {"days": 8}),
        ("span", {"days": 0}),
        ("start", {"start": "whenever"}),
    ],
)
def test_refused_settings(code: str, options: dict[str, Any]) -> None:
    assert refused(plain_case(2), **options) == [code]


def test_a_span_is_refused_in_the_words_it_was_asked_in() -> None:
    with pytest.raises(InputError, match="2020-01-01T00:00:00 for the default length"):
        equip(plain_case(2), start="2020-01-01")
    with pytest.raises(InputError, match="for 8 days"):
        equip(plain_case(2), days=8)


def test_refused_cases() -> None:
    load = {"id": ["x"], "meter": ["h0"], "p_nom": [5.0], "kind": ["commercial"]}
    assert refused(plain_case(1, load=load)) == ["no-houses"]
    assert refused(predict(equip(plain_case(2)))) == ["has-series"]
    hourly = own_library("2016-05-01", 60, minutes=60)
    assert refused(plain_case(2, profile=hourly)) == ["time-step"]
    bare = plain_case(2, profile=own_library("2016-05-01", 9, ("nothing",)))
    assert refused(plain_case(2), profiles=bare) == ["no-shape"]
