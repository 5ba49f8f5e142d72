from __future__ import annotations

from typing import Any

import pytest
from gas_tables import TABLES, gas_case
from small_case import small_tables
from strategies import differences

from dispatch.case.explain import explain
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case
from dispatch.case.tables import export_tables, import_tables
from dispatch.errors import InputError

# Code, variable and first id of what must be found, and what brings it about.
FAULTS: list[tuple[str, str, str, dict[str, dict[str, list[Any]]]]] = [
    ("self-loop", "junction_to", "p2", {"pipe": {"junction_to": ["a", "a", "m"]}}),
    ("zero-resistance", "length", "p3", {"pipe": {"length": [2000, 1500, 0]}}),
    ("range", "inner_diameter", "p1", {"pipe": {"inner_diameter": [100, 0.1, 0.08]}}),
    ("range", "roughness", "p1", {"pipe": {"roughness": [-0.1, 0.1, 0.1]}}),
    ("range", "flow_nom", "k1", {"consumer": {"flow_nom": [-1, 200]}}),
    ("range", "heating_value_higher", "", {"gas_network": {"heating_value_higher": [40]}}),
    ("heating-values", "heating_value_lower", "", {"gas_network": {"heating_value_lower": [11.6]}}),
    ("pressure-limits", "pressure_min", "b", {"junction": {"pressure_min": [10, 10, 17, 1.5, 1.5]}}),
    ("gauge-pressure", "pressure", "r1", {"regulator": {"pressure": [1]}}),
    ("held-pressure", "pressure", "city", {"gate": {"pressure": [18]}}),
    ("unknown-parent", "junction", "k2", {"consumer": {"junction": ["a", "n"]}}),
    (
        "pressure-conflict",
        "junction",
        "west",
        {"gate": {"id": ["city", "west"], "junction": ["g", "g"], "pressure": [16, 15]}},
    ),
    (
        "regulator-circle",
        "junction_to",
        "r1",
        {
            "regulator": {
                "id": ["r1", "r2"],
                "junction_from": ["b", "m"],
                "junction_to": ["l", "a"],
                "pressure": [2, 16],
            }
        },
    ),
    ("regulator-pressure", "pressure", "r1", {"regulator": {"junction_to": ["l"], "pressure": [16.5]}}),
    ("no-gas", "junction", "k2", {"regulator": {"in_service": [False]}}),
    ("missing-variable", "pressure", "", {"gate": {"pressure": None}}),
]


def broken(changes: dict[str, dict[str, Any]]) -> Any:
    case = gas_case({k: {n: v for n, v in t.items() if v is not None} for k, t in changes.items()})
    for kind, columns in changes.items():
        for name in [n for n, v in columns.items() if v is None]:
            group = f"gas/{kind}"
            case[group].dataset = case[group].to_dataset(inherit=False).drop_vars(name)
    return case


@pytest.mark.parametrize(("code", "variable", "first", "changes"), FAULTS)
def test_each_fault_is_found_with_its_id_and_a_hint(code, variable, first, changes):
    found = {(p.code, p.variable, p.ids[0] if p.ids else ""): p for p in check_case(broken(changes))}
    assert (code, variable, first) in found
    assert found[code, variable, first].hint


def test_a_gas_network_alone_is_valid_and_needs_a_gate():
    assert check_case(gas_case()) == []
    case = build_case({k: t for k, t in TABLES.items() if k not in {"gate", "gas_network"}})
    assert [(p.code, p.group) for p in check_case(case)] == [("missing-group", "/gas/gate")]


def test_beside_an_electric_network_both_are_checked():
    tables = {**small_tables(), **{k: t for k, t in TABLES.items() if k != "gas_network"}}
    assert check_case(build_case(tables)) == []
    del tables["source"]
    assert {(p.code, p.group) for p in check_case(build_case(tables))} == {("missing-group", "/electric/source")}


def test_all_at_once():
    many = {
        "pipe": {"length": [2000, 1500, 0]},
        "gate": {"pressure": [18]},
        "consumer": {"flow_nom": [-1, 200]},
        "junction": {"pressure_min": [10, 10, 17, 1.5, 1.5]},
    }
    found = {p.code for p in check_case(gas_case(many))}
    assert {"zero-resistance", "held-pressure", "range", "pressure-limits"} <= found


def test_files_and_tables_read_back_the_same(tmp_path):
    case = gas_case()
    save_case(case, tmp_path / "gas.nc")
    assert differences(load_case(tmp_path / "gas.nc"), case) == []
    export_tables(case, tmp_path / "tables")
    assert differences(import_tables(tmp_path / "tables"), case) == []


def test_units_are_converted_or_refused(tmp_path):
    export_tables(gas_case(), tmp_path)
    gate = tmp_path / "gate.csv"
    gate.write_text(gate.read_text().replace("pressure", "pressure [MPa]").replace("16.0", "1.6"))
    notes: list[str] = []
    assert import_tables(tmp_path, notes=notes)["gas/gate/pressure"].to_numpy() == pytest.approx(16)
    assert notes == ["gate.csv/pressure: converted from MPa to bar"]
    for wrong in ("barg", "mbar(g)", "m"):
        gate.write_text(f"id,junction,pressure [{wrong}]\ncity,g,16\n")
        with pytest.raises(InputError, match="unit"):
            import_tables(tmp_path)
    gate.write_text("id,junction,pressure\ncity,g,16\n")
    consumer = tmp_path / "consumer.csv"
    for wrong in ("kW", "kg/s", "m3"):
        consumer.write_text(f"id,junction,flow_nom [{wrong}]\nk1,a,800\n")
        with pytest.raises(InputError, match="unit"):
            import_tables(tmp_path)
    consumer.write_text("id,junction,flow_nom [l/s]\nk1,a,100\n")
    assert import_tables(tmp_path)["gas/consumer/flow_nom"].to_numpy() == pytest.approx(360)


def test_names_are_explained():
    assert "Absolute" in explain("gate.pressure")
    assert "m3 h-1" in explain("consumer")
    assert "nikuradse, colebrook" in explain("friction_law")


def test_another_unit_in_a_file_is_never_taken_as_it_is():
    case = gas_case()
    case["gas/gate"]["pressure"].attrs["units"] = "mbar"
    assert [p.code for p in check_case(case)] == ["unit"]
