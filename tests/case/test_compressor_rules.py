"""Compressors and boosters that cannot be, and whatever takes electricity without a meter."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from gas_tables import gas_case

from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns
from dispatch.model.inputs import make_inputs

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables


def faults(tables: dict) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(p.code, p.variable, p.ids) for p in check_case(build_case(tables))]


def lifting() -> dict:
    return plant_tables(steps=3, compressor=True)


def test_a_compressor_stands_between_two_levels() -> None:
    tables = lifting()
    assert faults(tables) == []
    tables["compressor"]["junction_to"] = ["a"]
    assert faults(tables) == [("one-level", "junction_to", ("up",))]
    tables["compressor"]["in_service"] = [False]
    assert faults(tables) == []


def test_a_compressor_without_gas_at_one_end_is_told() -> None:
    tables = lifting()
    tables["regulator"]["in_service"] = [False]
    assert ("no-gas", "junction_from", ("up",)) in faults(tables)


@pytest.mark.parametrize("kind", ["plant", "compressor", "booster"])
def test_beside_an_electric_network_each_names_its_meter(kind: str) -> None:
    tables = plant_tables(steps=3, compressor=True, booster=True)
    assert faults(tables) == []
    tables[kind]["meter"] = [""]
    assert [(c, v) for c, v, _ in faults(tables)] == [("no-meter", "meter")]


def test_beside_an_electric_network_meters_name_their_bus() -> None:
    tables = lifting()
    tables["meter"]["bus"] = ["b1", ""]
    assert faults(tables) == [("no-bus", "bus", ("mh",))]


def test_a_regulator_raises_the_pressure_with_one_booster_only() -> None:
    tables = plant_tables(steps=3, booster=True)
    del tables["booster"]
    assert [code for code, _, _ in faults(tables)] == ["regulator-pressure"]
    tables = plant_tables(steps=3, booster=True)
    tables["booster"] = {"id": ["x", "y"], "regulator": ["r", "r"], "meter": ["mf", "mf"]}
    assert faults(tables) == [("two-boosters", "regulator", ("x", "y"))]


def adiabatic(low: float, high: float, celsius: float) -> float:
    """Electricity of a normal cubic metre, integrated in small stages of the pressure. [kW h]"""
    steps = np.geomspace(low, high, 20_001)
    warm = (celsius + 273.15) / 273.15 * (steps[:-1] * steps[1:]) ** (0.3 / 1.3 / 2) / low ** (0.3 / 1.3)
    return float((1.01325e5 * warm * np.log(steps[1:] / steps[:-1])).sum() / 3.6e6 / 0.7)


def test_electricity_is_that_of_adiabatic_compression_where_it_is_not_given() -> None:
    tables = plant_tables(steps=3, compressor=True)
    tables["compressor"].pop("electricity")
    inputs = make_inputs(build_case(tables))
    celsius = float(columns(build_case(tables), "gas_network")["temperature"][()])
    found = inputs.kinds["compressor"].parameters["electricity"][0, 0] * 11.0
    assert found == pytest.approx(adiabatic(2.0, 5.5, celsius), rel=1e-6)
    for ratio in (np.nan, 1.4):
        tables = plant_tables(steps=3, booster=True)
        tables["booster"] |= {"electricity": [np.nan], "pressure_ratio": [ratio]}
        inputs = make_inputs(build_case(tables))
        found = inputs.kinds["booster"].parameters["electricity"][0, 0] * 11.0
        high = 2.0 if np.isnan(ratio) else 1.6 * ratio
        assert found == pytest.approx(adiabatic(1.6, high, celsius), rel=1e-6)


def test_a_gas_network_alone_needs_no_meter() -> None:
    assert check_case(gas_case({})) == []
