from __future__ import annotations

import pytest

from dispatch.case.attributes import attribute_table
from dispatch.case.explain import explain
from dispatch.errors import InputError


def test_an_attribute_of_several_kinds() -> None:
    text = explain("s_nom")
    assert "line.s_nom" in text
    assert "transformer.s_nom" in text
    assert "kVA" in text
    assert "(0, inf)" in text


def test_one_row() -> None:
    text = explain("line.s_nom")
    assert "transformer" not in text
    assert "required" in text


@pytest.mark.parametrize("name", ["line", "/electric/line", "electric/line"])
def test_a_kind_with_all_its_attributes(name: str) -> None:
    text = explain(name)
    for attribute in attribute_table()["line"].attributes:
        assert attribute in text


def test_choices_parents_and_defaults() -> None:
    assert "household, heat_pump" in explain("load.kind")
    assert "ids of meter" in explain("load.meter")
    assert "0.95" in explain("store.efficiency_charge")
    assert "not known" in explain("bus.latitude")
    assert "case's currency" in explain("price_peak")


def test_every_name_of_the_table_is_explained() -> None:
    for kind in attribute_table().values():
        assert kind.description in explain(kind.name)
        for row in kind.attributes.values():
            assert row.description in explain(f"{kind.name}.{row.name}")


@pytest.mark.parametrize("name", ["battery", "Heat pump", "heat-pump", "car"])
def test_a_value_leads_to_the_attributes_that_allow_it(name: str) -> None:
    kind = "load" if name.lower().startswith("heat") else "store"
    assert f"is a value of {kind}.kind: see `dispatch explain {kind}`" in explain(name)


def test_a_word_leads_to_the_rows_described_with_it() -> None:
    text = explain("voltage")
    assert "No name is called 'voltage'" in text
    assert "bus.v_max_pu" in text
    assert "store.energy_nom" not in text
    assert "bus.v_nom" in explain("nominal voltage")
    assert "  plant " in explain("biogas")


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 's_nom'"):
        explain("s_nmo")
