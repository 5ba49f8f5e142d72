"""Gas networks above 4 bar gauge: compiled arrays are those of the explicit model, about any state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from agreement import TOLERANCE, largest_difference, written
from level_cases import level_case

from dispatch.case.offsets import GasPoint, Offsets
from dispatch.case.rules import check_case
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs

LEVEL = ("junction", "pipe", "pressure_limit", "set_point", "level")
"""Besides there is `undelivered` where demand may be left out."""


def some_state(case, seed: int, reach: float) -> Offsets:
    rng, steps = np.random.default_rng(seed), case["forecast"].sizes["time"]
    junctions, pipes = case["gas/junction"].sizes["junction"], case["gas/pipe"].sizes["pipe"]
    pressure = rng.uniform(7.0, 12.0, (junctions, steps))
    pressure[4:] = np.nan
    flow = rng.normal(0, 100, (pipes, steps)) * rng.integers(0, 2, (pipes, steps))
    starved = np.zeros((junctions, steps))
    starved[1:4, -1] = rng.uniform(-50, 100, 3)
    starved[2, -1] = 80.0
    point = GasPoint(pressure, flow, pressure[:, 0], pressure[:, -1], starved, reach)
    zero = Offsets.zero(case["electric/bus"].sizes["bus"], case["electric/line"].sizes["line"], steps)
    return replace(zero, point=point)


@pytest.mark.parametrize("seed", range(4))
def test_compiled_arrays_are_those_of_the_explicit_model(seed):
    case = level_case(steps=3 + seed, seed=seed, loop=bool(seed % 2))
    assert check_case(case) == []
    offsets = some_state(case, seed, [np.inf, 0.3][seed % 2]) if seed else None
    inputs = make_inputs(case, offsets=offsets, limit_penalty=300.0)
    assert all(inputs.kinds[kind].count for kind in LEVEL)
    assert bool(inputs.kinds["undelivered"].count) is bool(seed)
    program = compile_program(inputs)
    assert largest_difference(program, written(inputs, program, network=False)) <= TOLERANCE
    for kind in LEVEL[:3]:
        for name in inputs.kinds[kind].parameters:
            assert not np.isnan(inputs.kinds[kind].parameters[name]).any(), (kind, name)


def test_at_rest_nothing_flows_and_pipes_hold_what_their_volume_does():
    case = level_case(steps=2)
    kinds = make_inputs(case).kinds
    flow = kinds["pipe"].parameters
    np.testing.assert_allclose(flow["constant"], 0.0, atol=1e-12)
    np.testing.assert_allclose(flow["from_squared"], 20.0)
    np.testing.assert_allclose(flow["to_squared"], 20.0)
    # 11 kWh; K at 10 bar is 1 - 0.022; the loop's pipe is part of the level.
    volume = np.pi / 4 * (3000 * 0.15**2 + 5000 * 0.08**2 + 2000 * 0.1**2 + 2500 * 0.08**2)
    held = 11.0 * volume * 10 / 0.978 / 1.01325 * 273.15 / 283.15
    assert kinds["level"].parameters["short_max"][0, 0] == pytest.approx(held, rel=1e-9)
    capacity = kinds["junction"].parameters["capacity"].sum(axis=0)
    np.testing.assert_allclose(capacity, held / 10 / 0.978, rtol=1e-9)  # d(p / K) / dp = K(0) / K²
