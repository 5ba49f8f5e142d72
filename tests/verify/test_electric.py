from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_flow import naive_flow
from small_feeder import feeder

from dispatch.case.network import network_of
from dispatch.case.schema import build_case
from dispatch.errors import InputError
from dispatch.model.linear import linear_flow
from dispatch.verify import circuit, electric
from dispatch.verify.electric import AcModel, ac_flow, check_physics, injections, offsets_of

FROZEN = json.loads(Path(__file__).with_name("expected").joinpath("pandapower.json").read_text(encoding="utf-8"))
# Our transformer is a pi circuit, pandapower's default a T: the no-load current then flows through half of the series
# impedance. That moves voltages by 2e-6 pu at most, and, where two transformers share a load, their flows by 5 W.
FROZEN_TOLERANCE = {"pi": (5e-9, 1e-6, 5e-9), "t": (3e-6, 6e-3, 2e-5)}
WHAT = ("v_pu", "p_from", "loading_pu")


@pytest.mark.parametrize("model", ["pi", "t"])
@pytest.mark.parametrize("name", FROZEN["cases"])
def test_agrees_with_pandapower(name: str, model: str) -> None:
    frozen = FROZEN["cases"][name]
    state = ac_flow(build_case(frozen["tables"]), np.array(frozen["p"], float), np.array(frozen["q"], float))
    assert state.converged.all()
    for what, tolerance in zip(WHAT, FROZEN_TOLERANCE[model], strict=True):
        expected = np.array([step[what] for step in frozen[model]]).T
        np.testing.assert_allclose(getattr(state, what), expected, rtol=0, atol=tolerance)


def test_two_buses_in_closed_form() -> None:
    r, x, p, q = 0.12, 0.05, -35.0, -12.0  # ohm, kW, kvar
    tables = {
        "bus": {"id": ["a", "b"], "v_nom": [0.4, 0.4]},
        "source": {"id": ["s"], "bus": ["a"], "v_pu": [1.01]},
        "line": {"id": ["l"], "bus_from": ["b"], "bus_to": ["a"], "r": [r], "x": [x], "s_nom": [60.0]},
    }
    state = ac_flow(build_case(tables), np.array([[0.0], [p]]), np.array([[0.0], [q]]))
    # |V2|⁴ + (2 (rP + xQ) - |V1|²) |V2|² + |z|² |S|² = 0 with P, Q taken at bus 2; V in volt, S in watt.
    v1, take, z2 = 404.0, np.array([-p, -q]) * 1e3, r**2 + x**2
    half = v1**2 / 2 - r * take[0] - x * take[1]
    squared = half + np.sqrt(half**2 - z2 * (take**2).sum())
    assert state.v_pu[1, 0] == pytest.approx(np.sqrt(squared) / 400, abs=1e-10)
    current = np.hypot(*take) / np.sqrt(squared)
    assert state.loading_pu[0, 0] == pytest.approx(current / (60e3 / 400), abs=1e-9)
    assert state.p_from[0, 0] == pytest.approx(p, abs=1e-6)


def test_upper_solution_from_light_load_to_the_end_of_the_curve() -> None:
    r, x = 0.12, 0.05
    tables = {
        "bus": {"id": ["a", "b"], "v_nom": [0.4, 0.4]},
        "source": {"id": ["s"], "bus": ["a"], "v_pu": [1.0]},
        "line": {"id": ["l"], "bus_from": ["a"], "bus_to": ["b"], "r": [r], "x": [x], "s_nom": [60.0]},
    }
    given = np.concatenate([np.linspace(-340, 0, 200), np.linspace(0, 4000, 200)])
    p = np.stack([np.zeros(400), given])
    state = ac_flow(build_case(tables), p, 0 * p)
    half = 400.0**2 / 2 + r * 1e3 * given
    root = half**2 - (r**2 + x**2) * (1e3 * given) ** 2
    np.testing.assert_array_equal(state.converged, root >= 0)
    upper = np.sqrt(half + np.sqrt(np.maximum(root, 0))) / 400
    np.testing.assert_allclose(state.v_pu[1, state.converged], upper[state.converged], rtol=0, atol=1e-6)


small = st.floats(0.005, 0.15)


@st.composite
def networks(draw: Any) -> tuple[dict[str, Any], np.ndarray]:
    """Draw a transformer with a random tree below it, up to two loops, taps, shifts, capacitance, and injections."""
    n = draw(st.integers(2, 7))
    names = [f"n{i}" for i in range(n)]
    ends = [(draw(st.integers(0, i - 1)), i) for i in range(1, n)]
    ends += [(0, draw(st.integers(1, n - 1))) for _ in range(draw(st.integers(0, 2)))]
    flip = [draw(st.booleans()) for _ in ends]
    line = {
        "id": [f"l{i}" for i in range(len(ends))],
        "bus_from": [names[b if f else a] for (a, b), f in zip(ends, flip, strict=True)],
        "bus_to": [names[a if f else b] for (a, b), f in zip(ends, flip, strict=True)],
        "r": [draw(small) for _ in ends],
        "x": [draw(small) for _ in ends],
        "b": [draw(st.floats(0, 1e-3)) for _ in ends],
        "s_nom": [draw(st.floats(10, 300)) for _ in ends],
    }
    count = draw(st.integers(1, 2))
    shift = draw(st.sampled_from([0.0, 150.0, 330.0, 17.0]))
    transformer = {
        "id": [f"t{i}" for i in range(count)],
        "bus_from": ["hv"] * count,
        "bus_to": [names[draw(st.integers(0, n - 1))] for _ in range(count)],
        "s_nom": [draw(st.floats(100, 800)) for _ in range(count)],
        "v_nom_from": [draw(st.sampled_from([20.0, 21.0])) for _ in range(count)],
        "v_nom_to": [0.4] * count,
        "r_pu": [draw(st.floats(0.002, 0.03)) for _ in range(count)],
        "x_pu": [draw(st.floats(0.01, 0.08)) for _ in range(count)],
        "p_no_load": [draw(st.floats(0, 2)) for _ in range(count)],
        "i_no_load_pu": [draw(st.floats(0, 0.02)) for _ in range(count)],
        "tap_side": [draw(st.sampled_from(["from", "to"])) for _ in range(count)],
        "tap_position": [draw(st.integers(-3, 3)) for _ in range(count)],
        "tap_neutral": [draw(st.integers(-1, 1)) for _ in range(count)],
        "tap_step_pu": [draw(st.sampled_from([0.0, 0.0125]))] * count,
        "phase_shift": [shift] * count,
    }
    tables = {
        "bus": {"id": ["hv", *names], "v_nom": [20.0] + [0.4] * n},
        "source": {"id": ["s"], "bus": ["hv"], "v_pu": [draw(st.floats(0.95, 1.05))]},
        "line": line,
        "transformer": transformer,
    }
    injection = st.lists(st.floats(-8, 10), min_size=n, max_size=n)
    steps = [[(0.0, *draw(injection)), (0.0, *draw(injection))] for _ in range(2)]
    return tables, np.array(steps).transpose(1, 2, 0)


@settings(deadline=None, max_examples=60)
@given(networks())
def test_agrees_with_slow_twin(drawn: tuple[dict[str, Any], np.ndarray]) -> None:
    tables, (p, q) = drawn
    state = ac_flow(build_case(tables), p, 0.3 * q)
    for t in range(p.shape[1]):
        v, p_from, loading = naive_flow(tables, p[:, t], 0.3 * q[:, t])
        assert state.converged[t]
        np.testing.assert_allclose(state.v_pu[:, t], v, rtol=0, atol=1e-8)
        np.testing.assert_allclose(state.p_from[:, t], p_from, rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(state.loading_pu[:, t], loading, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("power", [1e13, 1e17])
def test_source_is_ideal_and_harmless(monkeypatch: pytest.MonkeyPatch, power: float) -> None:
    case = build_case(feeder())
    p, q = np.zeros((4, 3)), np.zeros((4, 3))
    p[3], q[2] = [-40.0, 55.0, 0.0], [-9.0, 0.0, 3.0]
    usual = ac_flow(case, p, q)
    np.testing.assert_allclose(usual.v_pu[0], 1.02, rtol=0, atol=1e-9)
    monkeypatch.setattr(circuit, "SOURCE_POWER", power)
    np.testing.assert_allclose(ac_flow(case, p, q).v_pu, usual.v_pu, rtol=0, atol=1e-7)


def test_steps_without_solution_leave_the_others_alone() -> None:
    model = AcModel(build_case(feeder()))
    p, q = np.zeros((4, 4)), np.zeros((4, 4))
    p[3] = [-20.0, -5e4, 30.0, np.nan]
    state = model.flow(p, q)
    assert state.converged.tolist() == [True, False, True, False]
    alone = model.flow(p[:, [0, 2]], q[:, [0, 2]])
    for what in WHAT:
        ours = getattr(state, what)
        assert np.isnan(ours[:, ~state.converged]).all()
        np.testing.assert_allclose(ours[:, state.converged], getattr(alone, what), rtol=0, atol=1e-12)


def test_model_gives_the_same_again() -> None:
    model, rng = AcModel(build_case(feeder())), np.random.default_rng(3)
    p, q = rng.uniform(-20, 20, (4, 6)), rng.uniform(-5, 5, (4, 6))
    first = model.flow(p, q)
    model.flow(-p, q)
    for what in WHAT:
        np.testing.assert_array_equal(getattr(model.flow(p, q), what), getattr(first, what))


def test_isolated_buses_and_open_branches() -> None:
    tables = feeder()
    tables["bus"] = {"id": ["hv", "a", "b", "c", "d", "e"], "v_nom": [20.0, 0.4, 0.4, 0.4, 0.4, 0.4]}
    ends = {"id": ["ab", "bc", "de", "ac"], "bus_from": ["a", "b", "d", "a"], "bus_to": ["b", "c", "e", "c"]}
    numbers = {"r": [0.06, 0.08, 0.1, 0.1], "x": [0.02] * 4, "s_nom": [100.0] * 4}
    tables["line"] = {**ends, **numbers, "in_service": [True, True, True, False]}
    p = np.zeros((6, 1))
    p[2:, 0] = -10
    state = ac_flow(build_case(tables), p, np.zeros((6, 1)))
    assert np.isnan(state.v_pu[:, 0]).tolist() == [False] * 4 + [True] * 2
    assert (state.loading_pu[[2, 3], 0] == 0).all()
    assert (state.loading_pu[[0, 1, 4], 0] > 0).all()
    without = ac_flow(build_case(feeder()), p[:4], np.zeros((4, 1)))
    assert not np.allclose(without.v_pu, 1)
    assert np.nanmax(np.abs(state.v_pu[:2] - without.v_pu[:2])) < 1e-3


def test_case_without_source_is_dead() -> None:
    tables = feeder()
    del tables["source"]
    state = ac_flow(build_case(tables), np.zeros((4, 2)), np.zeros((4, 2)))
    assert np.isnan(state.v_pu).all()
    assert (state.p_from == 0).all()


def test_offsets_bring_linear_to_ac() -> None:
    case = build_case(feeder())
    network = network_of(case)
    p, q = np.zeros((4, 3)), np.zeros((4, 3))
    p[3], q[2] = [-60.0, 80.0, -5e4], -10.0
    state, linear = ac_flow(case, p, q), linear_flow(network, p, q)
    s_linear = np.hypot(linear.p, linear.q)
    offsets = offsets_of(network, linear.v_squared, s_linear, state)
    good = state.converged
    assert good.tolist() == [True, True, False]
    np.testing.assert_allclose((linear.v_squared + offsets.v_max)[:, good], state.v_pu[:, good] ** 2, atol=1e-12)
    np.testing.assert_allclose((linear.v_squared + offsets.v_min)[:, good], state.v_pu[:, good] ** 2, atol=1e-12)
    np.testing.assert_allclose(
        (s_linear + offsets.s)[:, good], (state.loading_pu * network.s_nom[:, None])[:, good], atol=1e-9
    )
    assert (offsets.v_max[:, 2] == 0).all()
    assert (offsets.s[:, 2] == 0).all()
    # Losses lower every voltage below a source that feeds in, so AC stands below linear.
    assert (offsets.v_max[1:, 0] < 0).all()


def prosumers() -> dict[str, Any]:
    """Return a case with two meters at bus c and one at b, with PV, loads and a forecast."""
    time = np.array(["2026-06-01T00:00", "2026-06-01T00:15"], "datetime64[s]")
    return {
        **feeder(),
        "prosumer": {"id": ["x"]},
        "tariff": {"id": ["h0"], "price_import": [0.3]},
        "meter": {"id": ["m1", "m2", "m3"], "bus": ["c", "b", "c"], "prosumer": ["x"] * 3, "tariff": ["h0"] * 3},
        "load": {"id": ["d1", "d2"], "meter": ["m3", "m2"], "p_nom": [1.0, 1.0]},
        "pv": {"id": ["p1"], "meter": ["m1"], "p_nom": [5.0], "q_nom": [-0.7]},
        "forecast": {
            "time": time,
            "p_load": [[1.0, 2.0], [3.0, 4.0]],
            "q_load": [[0.5, 0.25], [1.5, 0.0]],
            "p_available": [[5.0, 6.0]],
        },
    }


def test_injections_sum_what_hangs_at_a_bus() -> None:
    p_import, p_export = np.array([[0.0, 0.0], [3, 4], [1, 2]]), np.array([[5.0, 6.0], [0, 0], [0, 0]])
    p, q = injections(build_case(prosumers()), p_import, p_export)
    np.testing.assert_array_equal(p, [[0, 0], [0, 0], [-3, -4], [4, 4]])
    np.testing.assert_allclose(q, [[0, 0], [0, 0], [-1.5, 0], [-1.2, -0.95]])


def test_check_physics_reads_the_schedule() -> None:
    schedule = {"p_import": [[0.0, 0.0], [3, 4], [1, 2]], "p_export": [[5.0, 600.0], [0, 0], [0, 0]]}
    tables = prosumers()
    time = tables["forecast"]["time"]
    state, excess = check_physics(build_case({**tables, "schedule": {"time": time, **schedule}}))
    expected = ac_flow(build_case(feeder()), *injections(build_case(tables), *map(np.array, schedule.values())))
    np.testing.assert_array_equal(state.v_pu, expected.v_pu)
    assert not excess.s[:, 0].any()
    assert excess.s[1, 1]
    assert not excess.holds()
    with pytest.raises(InputError, match=r"p_import.*\n.*p_export"):
        check_physics(build_case(tables))


def test_second_method_takes_over_where_the_first_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = AcModel(build_case(feeder()))
    p = np.zeros((4, 3))
    p[3] = [-60.0, 40.0, -5e4]
    usual = model.flow(p, 0 * p)
    monkeypatch.setattr(electric, "METHODS", ((electric.METHODS[0][0], 1), electric.METHODS[1]))
    again = model.flow(p, 0 * p)
    assert again.converged.tolist() == usual.converged.tolist() == [True, True, False]
    for what in WHAT:
        np.testing.assert_allclose(getattr(again, what), getattr(usual, what), rtol=0, atol=1e-6)
    monkeypatch.setattr(electric, "METHODS", electric.METHODS[:1])
    assert not model.flow(p, 0 * p).converged.any()
