"""The rebuild itself against figures worked out on paper, and what it may import."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from rebuild.ac import voltages
from rebuild.model import Feeder, optimum
from rebuild.plain import plain

from dispatch.case.schema import build_case

ALLOWED = {
    "__future__",
    "dataclasses",
    "datetime",
    "numpy",
    "pyomo",
    "highspy",
    "rebuild",
    "scipy",
    "typing",
    "zoneinfo",
}
R_OHM = 0.16  # at 0.4 kV: 1e-3 pu per kW


def house(*, steps: int = 1, prices: object = 0.3, **kinds: dict[str, object]) -> dict[str, dict[str, np.ndarray]]:
    """One house with a load of 2 kW at the end of one line, hourly steps."""
    time = np.datetime64("2026-06-01T10:00:00", "s") + np.arange(steps) * np.timedelta64(3600, "s")
    tables: dict[str, dict[str, object]] = {
        "bus": {"id": ["a", "b"], "v_nom": [0.4, 0.4], "v_max_pu": [1.5, 1.5], "v_min_pu": [0.5, 0.5]},
        "source": {"id": ["s"], "bus": ["a"]},
        "line": {"id": ["l"], "bus_from": ["a"], "bus_to": ["b"], "r": [R_OHM], "x": [0.0], "s_nom": [100.0]},
        "prosumer": {"id": ["p"]},
        "tariff": {"id": ["t"], "price_import": [0.3]},
        "meter": {"id": ["m"], "bus": ["b"], "prosumer": ["p"], "tariff": ["t"]},
        "load": {"id": ["d"], "meter": ["m"], "p_nom": [2.0]},
        "forecast": {"time": time, "p_load": np.full((1, steps), 2.0), "price_export": np.full((1, steps), 0.05)},
    }
    tables["forecast"]["price_import"] = np.broadcast_to(prices, (1, steps))
    for kind, columns in kinds.items():
        tables[kind] = tables.get(kind, {}) | columns
    return plain(build_case(tables))


def test_a_load_pays_its_energy() -> None:
    assert optimum(house()).objective == pytest.approx(2 * 0.3)


def test_network_fee_is_paid_on_import() -> None:
    assert optimum(house(tariff={"network_fee": [0.1]})).objective == pytest.approx(2 * 0.4)


def test_a_battery_shifts_energy_with_its_losses() -> None:
    store = {
        "id": ["e"], "meter": ["m"], "energy_nom": [1.8], "p_nom": [9.0], "efficiency_charge": [0.9],
        "efficiency_discharge": [0.5], "wear_cost": [0.01], "state_of_charge_initial": [0.0],
    }  # fmt: skip
    found = optimum(house(steps=2, prices=[0.1, 0.9], store=store))
    # It takes 2 kWh, keeps 1.8 and gives back 0.9, with wear on 2.9 kWh.
    assert found.objective == pytest.approx(0.1 * 4 + 0.9 * 1.1 + 0.01 * 2.9)


def test_content_that_cannot_be_reached_costs_ten_a_kwh() -> None:
    store = {
        "id": ["e"], "meter": ["m"], "energy_nom": [8.0], "p_nom": [1.0], "efficiency_charge": [1.0],
        "wear_cost": [0.0], "state_of_charge_initial": [4.0], "state_of_charge_final": [8.0], "standing_loss": [0.5],
    }  # fmt: skip
    assert optimum(house(store=store)).objective == pytest.approx(3 * 0.3 + 10 * (8 - 4 * 0.5 - 1))


def test_the_peak_is_paid_once_for_each_local_month() -> None:
    time = np.array(["2026-01-31T22:00:00", "2026-01-31T23:00:00"], "datetime64[s]")  # Berlin: the second is February
    load = np.array([[2.0, 3.0]])
    found = optimum(house(steps=2, tariff={"price_peak": [7.0]}, forecast={"time": time, "p_load": load}))
    assert found.objective == pytest.approx(0.3 * 5 + 7 * 5)


def test_what_exceeds_the_connection_stays_unserved() -> None:
    assert optimum(house(meter={"p_import_max": [0.5]})).objective == pytest.approx(0.5 * 0.3 + 1.5 * 10)


@pytest.mark.parametrize(("green", "cost"), [(False, -0.5 * 1), (True, 0.0)])
def test_behind_a_green_meter_only_the_surplus_is_curtailed(green: bool, cost: float) -> None:
    # 8 kW can be curtailed and 1 kW cannot. At an import price of -0.5 it pays to use nothing of the 8 kW and to import
    # 1 kW instead; the green-only meter may curtail no more than its surplus of 7 kW.
    pv = {"id": ["v", "w"], "meter": ["m", "m"], "p_nom": [8.0, 1.0], "curtailable": [True, False]}
    series = {"p_available": [[8.0], [1.0]], "price_export": [[-0.6]]}
    found = optimum(house(prices=-0.5, pv=pv, forecast=series, meter={"green_only": [green]}))
    assert found.objective == pytest.approx(cost)
    assert found.values["p_curtailed", 0] == pytest.approx([7.0 if green else 8.0])
    assert found.values["p_curtailed", 1] == pytest.approx([0.0])


def test_a_voltage_limit_is_relaxed_by_the_drop_beyond_it() -> None:
    limited = house(bus={"v_min_pu": [0.5, 0.9995]})
    missing = 0.9995**2 - (1 - 2 * 1e-3 * 2)
    assert optimum(limited).objective == pytest.approx(2 * 0.3 + 1e4 * missing / 0.9995**2)
    assert optimum(limited, limit_penalty=10.0).objective == pytest.approx(2 * 0.3 + 10 * missing / 0.9995**2)
    shifted = {"v_max": np.zeros((2, 1)), "v_min": np.array([[0.0], [missing / 2]]), "s": np.zeros((1, 1))}
    assert optimum(limited, shifted).objective == pytest.approx(2 * 0.3 + 1e4 * missing / 2 / 0.9995**2)


def test_a_rating_leaves_room_for_reactive_power_and_offset() -> None:
    small = house(line={"s_nom": [1.5]}, forecast={"q_load": [[0.6]]})
    assert optimum(small).relaxation == pytest.approx((2 - (1.5**2 - 0.6**2) ** 0.5) / 1.5)
    shifted = {"v_max": np.zeros((2, 1)), "v_min": np.zeros((2, 1)), "s": np.array([[0.5]])}
    assert optimum(small, shifted).relaxation == pytest.approx((2 - 0.8) / 1.5)
    assert Feeder(small, shifted).least_relaxation() == pytest.approx((2 - 0.8) / 1.5)


def test_two_equal_lines_side_by_side_share_the_flow() -> None:
    twin = {k: v * 2 for k, v in {"bus_from": ["a"], "bus_to": ["b"], "r": [R_OHM], "x": [0.1], "s_nom": [9.0]}.items()}
    found = optimum(house(line={"id": ["l", "k"], **twin}))
    assert found.values["p", 0] == pytest.approx([1.0])
    assert found.values["p", 1] == pytest.approx([1.0])


def test_ac_voltage_of_one_line_solves_its_quadratic() -> None:
    case = house()
    case["transformer"] |= {k: np.zeros(0) for k in ("p_no_load", "i_no_load_pu", "phase_shift")}
    found = voltages(case, np.array([0.0, -2.0]), np.zeros(2))
    assert found[1] == pytest.approx((1 + (1 - 4 * 1e-3 * 2) ** 0.5) / 2, abs=1e-12)


def test_the_rebuild_imports_nothing_of_the_project() -> None:
    files = sorted((Path(__file__).parent / "rebuild").glob("*.py"))
    assert len(files) >= 5
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            roots = {name.split(".")[0] for name in names}
            assert roots <= ALLOWED | ({"xarray"} if file.name == "plain.py" else set()), (file.name, roots)
