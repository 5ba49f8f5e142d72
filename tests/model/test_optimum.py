"""The compiled program solved by HiGHS, and the explicit model solved through Pyomo, have the same optimum."""

from __future__ import annotations

import pyomo.environ as pyo
import pytest
from highs_oracle import optimum
from model_cases import Shape, inputs_of, small_town

from dispatch.model.compiler import compile_program
from dispatch.model.explicit import explicit_model
from dispatch.model.inputs import make_inputs

SHAPES = {
    "small": Shape(seed=1),
    "loop": Shape(seed=2, loop=True, steps=6),
    "tap on the high side": Shape(seed=3, tap_side="from", buses=4),
    "no transformer": Shape(seed=4, transformer=False, steps=8, step_minutes=180),
    "no offsets, no peak": Shape(seed=5, offsets=False, peak=False),
    "four meters": Shape(seed=6, meters=4, buses=4, out_of_service=True),
}


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("name", SHAPES)
def test_same_optimum(name: str, network: bool) -> None:
    inputs = inputs_of(SHAPES[name])
    cost, _ = optimum(compile_program(inputs, network=network))
    model = explicit_model(inputs, network=network)
    solver = pyo.SolverFactory("appsi_highs")
    solver.highs_options = {"threads": 1}  # HiGHS has one pool of threads a process, and ours has one thread
    solver.solve(model)
    assert pyo.value(model.objective) == pytest.approx(cost, rel=1e-8, abs=1e-8)


def test_an_optimum_by_hand() -> None:
    """Import 1 kW and leave 1 kW unserved first, then charge all that the battery takes.

    A kWh that the battery gave in the first step would save 10 of unserved demand, but raise the shortfall (10 per kWh
    too) by 0.9 / 0.8 kWh: so it keeps the 0.9 * 4 kWh, and 0.9 of that again. In the second step it charges 5 kW, which
    gains 0.45 kWh each; 4.5 kW of that are the roof's surplus, 0.5 kW are imported, for which the second month's peak
    is paid as well (4 + 0.135 per kW, against a shortfall of 4.5).
    """
    cost, plan = optimum(compile_program(make_inputs(small_town())))
    shortfall = 6 - 0.9 * 0.9 * 4 - 0.45 * 5
    bill = 0.5 * (0.32 * 1 + 0.27 * 0.5)
    wear = 0.5 * 0.02 * 5
    peak = 4 * (1 + 0.5)
    unserved = 0.5 * 10 * 1
    assert cost == pytest.approx(bill + wear + peak + unserved + 10 * shortfall, rel=1e-9)
    assert len(plan) == 19
