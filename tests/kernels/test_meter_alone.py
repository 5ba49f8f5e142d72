"""Meters without a store: all steps together give the same numbers as step by step, whatever the order of prices."""

from __future__ import annotations

import numpy as np

from kernels.meter_alone import is_meter_alone, plan_in_any_order, plan_meter
from kernels.store import Stores, as_compiled, make_plans
from kernels.store_value import make_scratch

CASES = 300
WRITTEN = ("p_import", "p_export", "p_curtailed", "p_unserved", "p_spilled")


def a_meter(rng: np.random.Generator, steps: int) -> Stores:
    """Bounds that often are 0 or just met, and prices that often are equal, negative or turned around."""

    def some(*values: float) -> np.ndarray:
        return rng.choice(values, (1, steps))

    none, nothing = np.zeros((1, 1)), np.zeros(1)
    earned = some(0.0, 0.06, 0.06, -0.1) if rng.random() < 0.3 else some(0.0, 0.06)
    return as_compiled(
        Stores(
            p_net=some(-3.0, -0.1, 0.0, 1.3, 4.0) * rng.choice([1.0, 0.1]),
            p_curtailed_max=some(0.0, 0.1, 3.0),
            p_import_max=some(1.3, 4.0, 9.0) if rng.random() < 0.9 else none,
            p_export_max=some(0.0, 3.0, 7.0) if rng.random() < 0.5 else np.full((1, 1), 3.0),
            p_unserved_max=some(0.0, 5.0) if rng.random() < 0.5 else none,
            p_spilled_max=some(0.0, 5.0) if rng.random() < 0.5 else none,
            price_import=earned + some(0.0, 0.2),
            price_export=earned,
            p_charge_max=none,
            p_discharge_max=none,
            efficiency_charge=none + 1,
            efficiency_discharge=none + 1,
            wear_charge=none,
            wear_discharge=none,
            capacity=none,
            content_least=none,
            inflow=none,
            retained=none + 1,
            initial=nothing,
            final_least=nothing,
            final_most=nothing + np.inf,
            final_value=nothing,
            dt=0.25,
            price_unmet=10.0,
            price_shortfall=10.0,
            price_wasted=10.0,
        )
    )


def test_all_steps_together_are_the_same_as_step_by_step():
    rng, seen = np.random.default_rng(1), set()
    for _ in range(CASES):
        stores, steps = a_meter(rng, 7), 7
        assert is_meter_alone(stores, 0)
        together, apart, scratch = make_plans(1, steps), make_plans(1, steps), make_scratch(steps)
        planned = plan_meter(stores, 0, scratch, together)
        usual = bool((stores.price_export >= 0).all() and (stores.price_export <= stores.price_import).all())
        assert planned == plan_in_any_order(stores, 0, scratch, apart)
        seen.add((planned, usual))
        if planned:
            for name in (*WRITTEN, "cost"):
                np.testing.assert_array_equal(getattr(together, name), getattr(apart, name), err_msg=name)
    assert seen >= {(True, True), (True, False), (False, False)}
