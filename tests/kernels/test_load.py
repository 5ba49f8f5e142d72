from __future__ import annotations

import naive_load
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.load import forecast_loads, power
from kernels.load_regression import Settings, learn_rows, solve_ridges

QUICK = Settings(start=4, recent=5, refresh=2, refresh_early=3)


def generated(rng, *, rows, steps, lead):
    values = rng.normal(size=(3, rows, steps)).cumsum(axis=1)
    values[1] = np.abs(values[1])
    values[2] = rng.choice([0.0, 1.0, 5.0], (rows, steps)) if rng.random() < 0.5 else 3.0
    values[rng.random(values.shape) < rng.choice([0, 0.1, 0.6])] = np.nan
    values[:, rows - lead :] = np.nan
    weather = rng.normal(size=(2, rows, steps, int(rng.integers(0, 3))))
    return {
        "values": values,
        "kind": np.repeat(rng.integers(0, 2, (rows, 1)), steps, axis=1),
        "hour": np.sort(np.append(rng.integers(0, 2, steps - 2), [0, 1])),
        "calendar": rng.normal(size=(rows, steps, 2)),
        "weather": weather,
        "station": np.array([-1, 0, 1]),
    }


def run(function, d, lead, recent, first=0, used=None):
    used = used or d["values"].shape[2]
    point, residual = np.empty((3, used)), np.empty((3, recent, used))
    hour = d["hour"][first : first + used] - d["hour"][first]
    shared = (d["calendar"], d["weather"], d["station"], QUICK, point, residual)
    function(d["values"], d["kind"], hour, first, lead, *shared)
    return point, residual


def check_against_twin(function, seed):
    rng = np.random.default_rng(seed)
    rows, steps, lead = int(rng.integers(8, 13)), int(rng.integers(2, 4)), int(rng.integers(1, 4))
    d, recent = generated(rng, rows=rows, steps=steps, lead=lead), int(rng.integers(1, rows - lead + 1))
    point, residual = run(function, d, lead, recent)
    for s in range(3):
        station = d["station"][s]
        weather = d["weather"][station] if station >= 0 else np.zeros_like(d["weather"][0])
        given_to_twin = (d["values"][s], d["kind"], d["hour"], lead, d["calendar"], weather, QUICK, recent)
        expected = naive_load.forecast_load(*given_to_twin)
        scale = max(1.0, np.nanmax(np.abs(expected[0]), initial=1.0))
        np.testing.assert_allclose(point[s], expected[0], rtol=0, atol=1e-9 * scale)
        np.testing.assert_allclose(residual[s], expected[1], rtol=0, atol=1e-9 * scale)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning")
def test_equals_slow_twin_on_a_thousand_series() -> None:
    for seed in range(340):
        check_against_twin(forecast_loads, seed)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_equals_slow_twin(seed) -> None:
    check_against_twin(forecast_loads, seed)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_uncompiled_equals_compiled() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        d = generated(rng, rows=10, steps=3, lead=1)
        for ours, theirs in zip(run(forecast_loads, d, 1, 4), run(forecast_loads.py_func, d, 1, 4), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-9)


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_solver_equals_numpy(n, seed) -> None:
    rng = np.random.default_rng(seed)
    x, moments = rng.normal(size=(4, n + 3, n)), rng.normal(size=(4, n))
    squares = x.transpose(0, 2, 1) @ x
    expected = np.linalg.solve(squares + 2 * np.eye(n), moments[:, :, None])[:, :, 0]
    for function in (solve_ridges, solve_ridges.py_func):
        out = moments.T.flatten()
        function(np.tril(squares).transpose(1, 2, 0).flatten(), 2.0, out)
        np.testing.assert_allclose(out.reshape(n, 4).T, expected, atol=1e-9)


@given(st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_learnt_sums_are_products_of_matrices(eights, seed) -> None:
    rng = np.random.default_rng(seed)
    n, steps, rows = 8 * eights, 3, int(rng.integers(1, 9))
    x, weight, target = rng.normal(size=(steps, rows, n)), rng.random((steps, rows)), rng.normal(size=(steps, rows))
    start, hour = int(rng.integers(0, rows)), np.array([0, 0, 1])
    squares, moments = rng.normal(size=(2, n, n)), rng.normal(size=(2, n))
    expected, expected_moments = squares.copy(), moments.copy()
    for j in range(steps):
        weighted = x[j, start:].T * weight[j, start:]
        expected[hour[j]] += weighted @ x[j, start:]
        expected_moments[hour[j]] += weighted @ target[j, start:]
    learn_rows(x, target, weight, start, rows, hour, squares, moments)
    np.testing.assert_allclose(np.tril(squares), np.tril(expected), atol=1e-12)
    np.testing.assert_allclose(moments, expected_moments, atol=1e-12)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.5, 7.0, 8.0, -2.0])
def test_power(exponent) -> None:
    for function in (power, power.py_func):
        for number in (0.3, 1.0, 1.7):
            assert function(number, exponent) == pytest.approx(number**exponent, rel=1e-14)
