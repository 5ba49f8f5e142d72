from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_net import frame

from dispatch.case.importers.pandapipes import import_pandapipes
from dispatch.case.rules import check_case
from dispatch.case.schema import columns
from dispatch.errors import InputError
from dispatch.verify.gas import gas_flow, gas_taken

HERE = Path(__file__).parent
TOWN = Path(__file__).parents[4] / "shared/data/networks/schutterwald/gas_net_schutterwald_1bar.json.gz"
SMALL: dict[str, dict[str, list[Any]]] = {
    "junction": {
        "name": ["g", "h"],
        "pn_bar": [1.0, 1.0],
        "tfluid_k": [283.15, 283.15],
        "height_m": [0.0, 0.0],
        "in_service": [True, True],
    },
    "pipe": {
        "name": ["p"],
        "from_junction": [0],
        "to_junction": [1],
        "length_km": [0.5],
        "diameter_m": [0.1],
        "k_mm": [0.1],
        "in_service": [True],
    },
    "ext_grid": {"name": ["city"], "junction": [0], "p_bar": [1.0], "in_service": [True], "type": ["pt"]},
    "sink": {"name": ["k"], "junction": [1], "mdot_kg_per_s": [0.01], "in_service": [True]},
}


def constant(value: float) -> dict[str, Any]:
    return {"_class": "FluidPropertyConstant", "_object": json.dumps({"value": value})}


GAS = {"density": constant(0.8), "viscosity": constant(1e-5), "compressibility": constant(1.0)}
FLUID = {"_class": "Fluid", "_object": json.dumps({"fluid_type": "gas", "all_properties": GAS})}


def write(folder: Path, tables: dict[str, Any] | None = None, fluid: Any = FLUID) -> Path:
    content: dict[str, Any] = {k: frame(t) for k, t in {**SMALL, **(tables or {})}.items()}
    net = {"_module": "pandapipes.pandapipes_net", "_class": "pandapipesNet", "_object": {**content, "fluid": fluid}}
    path = folder / "gas.json"
    path.write_text(json.dumps(net))
    return path


def ids(case: Any, kind: str) -> list[str]:
    return [i.decode() for i in columns(case, kind)["id"]]


def test_pressures_and_flows_are_those_of_pandapipes() -> None:
    case, notes = import_pandapipes(HERE / "nets" / "gas_mixed.json.gz", drop_isolated=True)
    assert check_case(case) == []
    expected = json.loads((HERE / "expected" / "gas_mixed.json").read_text())
    state = gas_flow(case, gas_taken(case)[0])
    gas = columns(case, "gas_network")
    gauge = dict(zip(ids(case, "junction"), state.pressure[:, 0] - gas["pressure_ambient"], strict=True))
    for junction, pressure in gauge.items():
        assert pressure == pytest.approx(expected["pressure_gauge"][junction], abs=1e-6), junction
    mass = dict(zip(ids(case, "pipe"), state.flow_pipe[:, 0] / 3600 * gas["density_normal"], strict=True))
    assert set(mass) == {*expected["mass_flow"], "off", "throttle"}
    for pipe, flow in expected["mass_flow"].items():
        assert mass[pipe] == pytest.approx(flow, abs=1e-8), pipe
    assert "a2" not in gauge
    assert "dead" not in gauge
    assert "cut" not in gauge  # behind a closed valve
    assert any("a valve at its end is closed: p6" in n for n in notes)


def test_elements_become_what_they_are() -> None:
    case, notes = import_pandapipes(HERE / "nets" / "gas_mixed.json.gz", drop_isolated=True)
    assert ids(case, "gate") == ["city"]
    assert ids(case, "regulator") == ["station"]
    assert ids(case, "consumer") == ["works", "village"]
    assert ids(case, "injection") == ["biomethane", "gives"]
    gas = columns(case, "gas_network")
    assert gas["temperature"] == pytest.approx(12)
    assert gas["pressure_ambient"] == pytest.approx(1.01325 * (1 - 0.65 / 288.15) ** 5.255)
    assert 8.4 < gas["heating_value_lower"] < gas["heating_value_higher"] < 10  # L-gas, from kWh/kg
    assert columns(case, "consumer")["flow_nom"][0] == pytest.approx(0.03 * 3600 / gas["density_normal"])
    assert columns(case, "gate")["pressure"] == pytest.approx(5 + gas["pressure_ambient"])
    assert any("out of service" in n and "spare" in n for n in notes)


@pytest.mark.skipif(not TOWN.is_file(), reason="the shared data folder is not beside this checkout")
def test_schutterwald_as_it_is_described() -> None:
    case, notes = import_pandapipes(TOWN)
    assert check_case(case) == []
    assert len(ids(case, "junction")) == len(ids(case, "pipe")) == 2559
    assert columns(case, "pipe")["length"].sum() == pytest.approx(101_186, abs=1)
    consumer = columns(case, "consumer")
    assert len(consumer["id"]) == 1506
    assert consumer["volume_year"].sum() == 3_714_267
    np.testing.assert_allclose(consumer["flow_nom"] * 8760, consumer["volume_year"], rtol=1e-12)
    pipe = columns(case, "pipe")
    assert (np.pi / 4 * pipe["inner_diameter"] ** 2 * pipe["length"]).sum() == pytest.approx(273, abs=1)
    assert columns(case, "gate")["pressure"][0] == pytest.approx(1.9956, abs=1e-4)
    assert any("taken as normal cubic metres" in n for n in notes)
    assert any("heights" in n for n in notes)


@pytest.mark.parametrize(
    ("table", "name"),
    [("pump", "P"), ("heat_exchanger", "H"), ("flow_control", "F"), ("mass_storage", "M")],
)
def test_other_elements_are_refused_and_named(tmp_path: Path, table: str, name: str) -> None:
    rows = {"name": [name, "idle"], "in_service": [True, False]}
    with pytest.raises(InputError) as caught:
        import_pandapipes(write(tmp_path, {table: rows}))
    (problem,) = caught.value.problems
    assert (problem.code, problem.group, problem.ids) == ("unsupported", table, (f"{name} (0)",))


def test_everything_wrong_in_one_pass(tmp_path: Path) -> None:
    tables: dict[str, Any] = {
        "pipe": {**SMALL["pipe"], "diameter_m": [100.0], "to_junction": [7]},
        "ext_grid": {**SMALL["ext_grid"], "type": ["t"]},
        "sink": {**SMALL["sink"], "mdot_kg_per_s": ["much"]},
    }
    with pytest.raises(InputError) as caught:
        import_pandapipes(write(tmp_path, tables))
    found = {(p.group, p.variable) for p in caught.value.problems}
    assert found >= {("pipe", "diameter_m"), ("pipe", "to_junction"), ("ext_grid", "type"), ("sink", "mdot_kg_per_s")}


@pytest.mark.parametrize(
    "fluid",
    [
        None,
        {"_object": json.dumps({"fluid_type": "liquid", "all_properties": {}})},
        {"_object": json.dumps({"fluid_type": "gas", "all_properties": {}})},
        {"_object": "{not json"},
        {"_object": json.dumps({"fluid_type": "gas", "all_properties": {**GAS, "density": constant(800.0)}})},
        {"_object": json.dumps({"fluid_type": "gas", "all_properties": {**GAS, "density": {"_class": "os.system"}}})},
    ],
)
def test_a_fluid_that_is_no_gas_or_damaged_is_refused(tmp_path: Path, fluid: Any) -> None:
    with pytest.raises(InputError, match="fluid"):
        import_pandapipes(write(tmp_path, fluid=fluid))


def test_isolated_parts_are_refused_or_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, {"pipe": {**SMALL["pipe"], "in_service": [False]}})
    with pytest.raises(InputError, match="isolated"):
        import_pandapipes(path)
    case, notes = import_pandapipes(path, drop_isolated=True)
    assert ids(case, "junction") == ["g"]
    assert any("1 x consumer at isolated junctions left out: k" in n for n in notes)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    for content in (b"", b"[1]", b'{"_object": {"bus": 1}}', pickle.dumps({"junction": 1})):
        path.write_bytes(content)
        with pytest.raises(InputError, match="pandapipes"):
            import_pandapipes(path)
