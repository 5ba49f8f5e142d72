from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.network import network_of
from dispatch.case.rules import check_case
from dispatch.case.schema import columns
from dispatch.errors import InputError

State = Callable[[xr.DataTree], tuple[dict[str, float], dict[str, float]]]
Tables = dict[str, dict[str, list[Any]]]
HERE = Path(__file__).parent


def row(case: xr.DataTree, kind: str, name: str) -> dict[str, Any]:
    table = columns(case, kind)
    at = list(table["id"]).index(name.encode())
    return {k: v[at] for k, v in table.items() if len(v) == len(table["id"])}


@pytest.mark.parametrize("name", ["mixed", "cigre_mv"])
def test_voltages_and_loadings_are_those_of_pandapower(name: str, nominal_state: State) -> None:
    case, _ = import_pandapower(HERE / "nets" / f"{name}.json.gz")
    expected = json.loads((HERE / "expected" / f"{name}.json").read_text())
    voltage, loading = nominal_state(case)
    shared = set(expected["v_pu"]) & set(voltage)
    assert len(shared) >= len(expected["v_pu"]) - 1  # all but a bus that is one with another
    for bus in shared:
        assert voltage[bus] == pytest.approx(expected["v_pu"][bus], abs=1e-6), (
            bus
        )  # 3e-7: charging of the line to the dead bus
    for line in set(expected["loading_pu"]) & set(loading):
        assert loading[line] == pytest.approx(expected["loading_pu"][line], abs=2e-6), line


@pytest.fixture(scope="module")
def mixed() -> tuple[xr.DataTree, list[str]]:
    return import_pandapower(HERE / "nets" / "mixed.json.gz")


def test_only_the_series_are_missing(mixed: tuple[xr.DataTree, list[str]]) -> None:
    assert {p.code for p in check_case(mixed[0])} <= {"no-series"}


def test_line_parameters(mixed: tuple[xr.DataTree, list[str]]) -> None:
    line = row(mixed[0], "line", "to house")  # 0.12 km of NAYY 4x150 SE, two systems, 60 Hz, df 0.9
    assert line["r"] == pytest.approx(0.208 * 0.12 / 2)
    assert line["x"] == pytest.approx(0.08 * 0.12 / 2)
    assert line["b"] == pytest.approx(2 * math.pi * 60 * 261e-9 * 0.12 * 2)
    assert line["s_nom"] == pytest.approx(math.sqrt(3) * 400 * 270 / 1e3 * 0.9 * 2)
    assert line["length"] == 0.12


def test_transformer_parameters(mixed: tuple[xr.DataTree, list[str]]) -> None:
    double = row(mixed[0], "transformer", "double")  # two units, df 0.8: r_pu and x_pu per its rating
    assert double["s_nom"] == pytest.approx(2 * 630 * 0.8)
    assert double["r_pu"] / double["s_nom"] == pytest.approx(0.011 / 1260)
    assert np.hypot(double["r_pu"], double["x_pu"]) / double["s_nom"] == pytest.approx(0.06 / 1260)
    assert double["p_no_load"] == pytest.approx(2.4)
    assert double["i_no_load_pu"] * double["s_nom"] == pytest.approx(0.003 * 1260)
    assert (double["tap_side"], double["tap_position"], double["phase_shift"]) == (b"to", 2, 150)


def test_a_falling_tap_step_is_turned_round(mixed: tuple[xr.DataTree, list[str]]) -> None:
    pair = row(mixed[0], "transformer", "pair a")  # -2.5 % at position 1 of -2 to 3
    assert (pair["tap_position"], pair["tap_min"], pair["tap_max"]) == (-1, -3, 2)
    assert pair["tap_step_pu"] == pytest.approx(0.025)


def test_switches(mixed: tuple[xr.DataTree, list[str]]) -> None:
    case, notes = mixed
    assert not row(case, "transformer", "cut")["in_service"]
    assert b"busbar b" not in columns(case, "bus")["id"]
    assert row(case, "line", "to house")["bus_from"] == b"busbar"
    switch = row(case, "line", "switch_4")
    assert np.hypot(switch["r"], switch["x"]) == pytest.approx(0.004)
    assert switch["s_nom"] == pytest.approx(math.sqrt(3) * 400 * 400 / 1e3)
    assert {row(case, "line", "spare")["bus_from"], row(case, "line", "spare")["bus_to"]} == {b"mv", b"spare open end"}
    assert any("spare" in n for n in notes)
    assert any("busbar b" in n for n in notes)


def test_two_transformers_side_by_side_are_a_loop(mixed: tuple[xr.DataTree, list[str]]) -> None:
    network = network_of(mixed[0])
    assert len(network.chords) == 1
    assert (network.feeder == 0).all()


def test_what_is_out_of_service_is_left_out(mixed: tuple[xr.DataTree, list[str]]) -> None:
    case, notes = mixed
    assert b"off" not in columns(case, "load")["id"]
    assert b"dead" not in columns(case, "bus")["id"]
    assert b"to dead" not in columns(case, "line")["id"]
    assert any("out of service" in n and "off" in n for n in notes)


def test_power_is_scaled_and_of_the_right_sign(mixed: tuple[xr.DataTree, list[str]]) -> None:
    case, _ = mixed
    assert row(case, "load", "HP_w1")["p_nom"] == pytest.approx(2.0)
    assert row(case, "load", "HP_w1")["q_nom"] == pytest.approx(0.5)
    assert (row(case, "load", "HP_w1")["kind"], row(case, "load", "HH_w1")["kind"]) == (b"heat_pump", b"household")
    assert row(case, "pv", "PV_w2")["p_nom"] == pytest.approx(8.0)
    assert row(case, "pv", "PV_w2")["q_nom"] == pytest.approx(0.8)
    plant = row(case, "pv", "old plant")
    assert (plant["p_nom"], plant["q_nom"], plant["curtailable"]) == (12.0, -3.0, False)
    assert row(case, "pv", "mill")["kind"] == b"wind"
    assert not row(case, "pv", "mill")["curtailable"]
    takes = row(case, "load", "takes")
    assert (takes["p_nom"], takes["q_nom"]) == (2.0, -0.5)


def test_storage(mixed: tuple[xr.DataTree, list[str]]) -> None:
    case, _ = mixed
    battery = row(case, "store", "BAT_w1")
    assert battery["energy_nom"] == pytest.approx(9.0)
    assert battery["p_nom"] == 5.0
    assert battery["state_of_charge_initial"] == pytest.approx(2.25)
    assert row(case, "store", "big")["p_nom"] == 8.0
    assert row(case, "load", "big_q")["q_nom"] == 2.0


def test_houses_keep_what_is_theirs(mixed: tuple[xr.DataTree, list[str]]) -> None:
    case, _ = mixed
    assert row(case, "load", "HH_w1")["meter"] == row(case, "load", "HP_w1")["meter"] == b"w1"
    assert row(case, "store", "BAT_w1")["meter"] == b"w1"
    assert row(case, "load", "HH_w2")["meter"] == row(case, "pv", "PV_w2")["meter"] == b"w2"
    assert row(case, "meter", "w1")["bus"] == b"house"
    assert row(case, "prosumer", "w1")["heating"] == b"heat_pump"
    assert row(case, "prosumer", "w2")["heating"] == b"unknown"


def test_voltage_limits_and_places(mixed: tuple[xr.DataTree, list[str]]) -> None:
    case, notes = mixed
    assert row(case, "bus", "house")["v_min_pu"] == 0.93
    assert row(case, "bus", "house")["v_max_pu"] == 1.07
    assert (row(case, "bus", "far")["v_min_pu"], row(case, "bus", "far")["v_max_pu"]) == (0.9, 1.1)
    assert any("voltage limits" in n for n in notes)
    assert row(case, "bus", "hv")["longitude"] == pytest.approx(9.4)
    assert row(case, "bus", "hv")["latitude"] == pytest.approx(51.3)


def test_drawn_places_are_not_taken_for_geographic() -> None:
    case, notes = import_pandapower(HERE / "nets" / "cigre_mv.json.gz")
    assert np.isnan(columns(case, "bus")["longitude"]).all()
    assert any("coordinates" in n for n in notes)


def test_tariff(small: Tables, write_net: Callable[..., Path]) -> None:
    case, _ = import_pandapower(write_net(small), price_import=0.4, price_export=0.1)
    assert (columns(case, "tariff")["price_import"], columns(case, "tariff")["price_export"]) == ([0.4], [0.1])
    case, _ = import_pandapower(write_net(small))
    assert (columns(case, "tariff")["price_import"], columns(case, "tariff")["price_export"]) == ([0.3], [0.08])


def test_everything_unsupported_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        import_pandapower(HERE / "nets" / "multivoltage.json.gz")
    assert {p.group for p in caught.value.problems} == {"gen", "xward", "shunt", "impedance", "trafo3w"}
    assert all(p.ids and p.hint for p in caught.value.problems)


def test_isolated_buses_are_named_and_dropped_only_on_request(small: Tables, write_net: Callable[..., Path]) -> None:
    small["switch"] = {"bus": [1], "element": [0], "et": ["l"], "closed": [False]}
    small["load"] = {"name": ["HH_w1", "HH_w2"], "bus": [2, 1], "p_mw": [0.004, 0.005], "q_mvar": [0.0, 0.0]}
    path = write_net(small)
    with pytest.raises(InputError) as caught:
        import_pandapower(path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.ids, problem.count) == ("isolated", ("house",), 1)
    case, notes = import_pandapower(path, drop_isolated=True)
    assert list(columns(case, "bus")["id"]) == [b"grid", b"station"]
    assert list(columns(case, "load")["id"]) == [b"HH_w2"]
    assert any("HH_w1" in n for n in notes)
    assert any("house" in n for n in notes)


def test_two_sources_in_one_island_are_refused_and_twins_are_one(small: Tables, write_net: Callable[..., Path]) -> None:
    small["ext_grid"] = {"name": ["a", "b"], "bus": [0, 2], "vm_pu": [1.01, 1.0], "in_service": [True, True]}
    with pytest.raises(InputError) as caught:
        import_pandapower(write_net(small))
    assert caught.value.problems[0].ids == ("a", "b")
    small["ext_grid"] = {"name": ["a", "b"], "bus": [0, 0], "vm_pu": [1.01, 1.01], "in_service": [True, True]}
    case, notes = import_pandapower(write_net(small))
    assert list(columns(case, "source")["id"]) == [b"a"]
    assert any("b" in n for n in notes)


def test_an_untyped_tap_does_nothing_from_version_3_on(small: Tables, write_net: Callable[..., Path]) -> None:
    small["trafo"]["tap_changer_type"] = [None]
    case, notes = import_pandapower(write_net(small))
    assert columns(case, "transformer")["tap_step_pu"][0] == 0
    assert any("tap" in n for n in notes)
    del small["trafo"]["tap_changer_type"]
    case, _ = import_pandapower(write_net(small))
    assert columns(case, "transformer")["tap_position"][0] == 1
    assert columns(case, "transformer")["tap_step_pu"][0] == 0.025


def test_unrated_lines_never_limit(small: Tables, write_net: Callable[..., Path]) -> None:
    small["line"]["max_i_ka"] = [None]
    case, notes = import_pandapower(write_net(small))
    assert columns(case, "line")["s_nom"][0] > 60_000
    assert any("max_i_ka" in n for n in notes)


def test_voltage_dependent_loads_are_noted(small: Tables, write_net: Callable[..., Path]) -> None:
    small["load"]["const_z_percent"] = [40.0]
    _, notes = import_pandapower(write_net(small))
    assert any("const_z_percent" in n for n in notes)


def test_a_net_that_serves_nobody_is_refused(small: Tables, write_net: Callable[..., Path]) -> None:
    small["load"]["in_service"] = [False]
    with pytest.raises(InputError) as caught:
        import_pandapower(write_net(small))
    assert [p.code for p in caught.value.problems] == ["empty"]
