"""Meters of a case with one battery or none: the kernel against the compiled program of the whole case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from store_lp import optimum

from dispatch.case.schema import build_case
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from kernels.store import Stores, plan_stores

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs

METERS = 120
STEPS = 12
SETTINGS = ("plain", "negative prices", "flat prices", "green-only", "small connections", "far final", "one step")


def case_tables(setting: str, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Columns of one bus with many meters: loads, one or two PV systems, four in five with a battery."""
    n, steps = METERS, 1 if setting == "one step" else STEPS
    meters, green, negative = np.array([f"m{k}" for k in range(n)]), setting == "green-only", "negative" in setting
    load_at, pv_at = np.arange(n), np.sort(rng.integers(0, n, n))
    store_at = np.nonzero(rng.random(n) < 0.8)[0]
    size, small = rng.uniform(2, 15, len(store_at)), setting == "small connections"
    initial, limits = size * rng.uniform(0, 1, len(size)), [0.0, 2.0, 5.0, np.inf] if small else [np.inf]
    buy = rng.normal(0.0, 0.3, (2, steps)) if negative else rng.uniform(0.05, 0.4, (2, steps))
    buy = np.full((2, steps), 0.25) if setting == "flat prices" else buy
    sell = buy.copy() if setting == "flat prices" else buy - rng.uniform(0, 0.1, (2, steps))
    return {
        "bus": {"id": ["hv", "b"], "v_nom": [0.4, 0.4]},
        "source": {"id": ["s"], "bus": ["hv"], "v_pu": [1.0]},
        "line": {"id": ["l"], "bus_from": ["hv"], "bus_to": ["b"], "r": [0.01], "x": [0.01], "s_nom": [1e4]},
        "prosumer": {"id": ["p"]},
        "tariff": {"id": ["one", "two"], "price_import": [0.3, 0.3], "price_export": [0.1, 0.1]},
        "meter": {
            "id": meters,
            "bus": ["b"] * n,
            "prosumer": ["p"] * n,
            "tariff": rng.choice(["one", "two"], n),
            "p_import_max": rng.choice(limits, n),
            "p_export_max": rng.choice(limits, n),
            "green_only": np.full(n, green),
        },
        "load": {"id": [f"d{k}" for k in range(n)], "meter": meters[load_at], "p_nom": np.ones(n)},
        "pv": {
            "id": [f"v{k}" for k in range(n)],
            "meter": meters[pv_at],
            "p_nom": np.full(n, 10.0),
            "curtailable": rng.random(n) < 0.7,
        },
        "store": {
            "id": [f"e{k}" for k in store_at],
            "meter": meters[store_at],
            "energy_nom": size,
            "p_nom": size * rng.uniform(0.2, 2, len(size)),
            "efficiency_charge": rng.choice([1.0, 0.95, 0.7], len(size)),
            "efficiency_discharge": rng.choice([1.0, 0.95, 0.7], len(size)),
            "standing_loss": rng.choice([0.0, 0.01], len(size)),
            "wear_cost": rng.choice([0.0, 0.02], len(size)),
            "state_of_charge_initial": initial,
            "state_of_charge_final": size if setting == "far final" else size * rng.uniform(0, 1, len(size)),
        },
        "forecast": {
            "time": np.datetime64("2026-06-01T10:00:00", "s") + np.arange(steps) * np.timedelta64(900, "s"),
            "p_load": rng.uniform(-1, 6, (n, steps)),
            "q_load": np.zeros((n, steps)),
            "p_available": np.maximum(rng.normal(0, 8, (n, steps)), 0),
            "price_import": buy,
            "price_export": sell + (0.5 if green else 0.0),
        },
    }


def stores_of(inputs: Inputs) -> Stores:
    """One member a meter, from what the components are compiled over."""
    load, pv, battery, meter = (inputs.kinds[k] for k in ("load", "pv", "battery", "meter"))
    n, steps = meter.count, inputs.steps

    def summed(elements: Any, name: str) -> np.ndarray:
        total = np.zeros((n, steps))
        np.add.at(
            total, elements.nodes["meter"][1], np.broadcast_to(elements.parameters[name], (elements.count, steps))
        )
        return total

    def own(name: str, otherwise: float) -> np.ndarray:
        values = np.full((n, steps), otherwise)
        values[battery.nodes["meter"][1]] = battery.parameters[name]
        return values

    given = {k: np.broadcast_to(v, (n, steps)) for k, v in meter.parameters.items()}
    zero = np.zeros((1, 1))
    return Stores(
        **given,
        p_net=summed(load, "p_load") - summed(pv, "p_available"),
        p_curtailed_max=summed(pv, "p_curtailed_max"),
        p_charge_max=own("p_charge_max", 0.0),
        p_discharge_max=own("p_discharge_max", 0.0),
        efficiency_charge=own("efficiency_charge", 1.0),
        efficiency_discharge=own("efficiency_discharge", 1.0),
        wear_charge=own("wear_cost", 0.0),
        wear_discharge=own("wear_cost", 0.0),
        capacity=own("energy_nom", 0.0),
        content_least=zero,
        inflow=zero,
        retained=(1 - own("standing_loss", 0.0)) ** inputs.dt,
        initial=own("state_of_charge_initial", 0.0)[:, 0],
        final_least=own("state_of_charge_final", 0.0)[:, 0],
        final_most=np.full(1, np.inf),
        final_value=np.zeros(1),
        dt=inputs.dt,
        price_unmet=10.0,
        price_shortfall=10.0,
        price_wasted=0.0,
    )


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("seed", range(3))
def test_each_meter_costs_what_the_compiled_program_says(setting: str, seed: int) -> None:
    """7 settings x 3 x 120 meters."""
    case = build_case(case_tables(setting, np.random.default_rng(seed)))
    inputs = make_inputs(case)
    program = compile_program(inputs)
    z, _ = optimum(program.matrix, program.row_lower, program.row_upper, program.cost, program.upper)
    assert (program.lower == 0).all()
    cost = np.bincount(program.owner, program.cost * z, METERS)
    plans = plan_stores(stores_of(inputs))
    np.testing.assert_allclose(plans.cost, cost, rtol=1e-9, atol=1e-9)
    assert plans.shortfall.any() or setting != "far final"
    assert plans.p_unserved.any() or plans.p_spilled.any() or setting != "small connections"
    assert (np.minimum(plans.charge, plans.discharge) > 1e-3).any() or setting != "negative prices"
