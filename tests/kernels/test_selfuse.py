from __future__ import annotations

import itertools

import numpy as np

from kernels.selfuse import follow_meter, keep_full


def naive_follow(
    surplus: np.ndarray, stores: list[list[dict[str, float]]], dt: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walk through steps, meters and stores with energies instead of powers."""
    charge, discharge, content = [], [], []
    for given, behind in zip(surplus, stores, strict=True):
        left = given * dt  # kWh of each step
        for store in behind:
            held, rows = store["initial"], []
            for t in range(len(given)):
                held *= store["retained"]
                taken = min(max(left[t], 0), store["p_charge_max"] * dt)
                taken = min(taken, (store["energy_nom"] - held) / store["efficiency_charge"])
                fed = min(max(-left[t], 0), store["p_discharge_max"] * dt, held * store["efficiency_discharge"])
                held += taken * store["efficiency_charge"] - fed / store["efficiency_discharge"]
                left[t] += fed - taken
                rows.append((taken / dt, fed / dt, held))
            for found, column in zip((charge, discharge, content), zip(*rows, strict=True), strict=True):
                found.append(column)
    return np.array(charge), np.array(discharge), np.array(content)


def test_equals_slow_twin_on_a_thousand_towns() -> None:
    rng = np.random.default_rng(11)
    for _ in range(1000):
        counts = rng.integers(0, 3, rng.integers(1, 4))
        counts[-1] += not counts.any()
        n, steps, dt = int(counts.sum()), int(rng.integers(1, 7)), float(rng.choice([0.25, 1.0]))
        surplus = rng.uniform(-6, 6, (len(counts), steps)) * rng.integers(0, 2, (len(counts), steps))
        columns = {
            "p_charge_max": rng.uniform(0, 4, n) * rng.integers(0, 2, n),
            "p_discharge_max": rng.uniform(0, 4, n) * rng.integers(0, 2, n),
            "energy_nom": rng.uniform(0.1, 8, n),
            "efficiency_charge": rng.uniform(0.5, 1, n),
            "efficiency_discharge": rng.uniform(0.5, 1, n),
            "retained": rng.choice([1.0, 0.9], n),
            "initial": np.zeros(n),
        }
        columns["initial"] = columns["energy_nom"] * rng.choice([0, 0.5, 1], n)
        first = np.concatenate([[0], np.cumsum(counts)])
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        expected = naive_follow(surplus, [rows[a:b] for a, b in itertools.pairwise(first)], dt)
        arguments = (surplus, first, *columns.values(), dt)
        for found in (follow_meter(*arguments), follow_meter.py_func(*arguments)):
            for ours, theirs in zip(found, expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_a_store_that_is_kept_full_by_hand() -> None:
    # 10 kWh, 4 kW, half hours. A car: away in the second step, then it charges until it is full, with 80 %.
    # A tank: keeps 90 % a step, gains 3 kWh of heat for each kWh, and lacks heat in the last step.
    p_max = np.array([[4.0, 0.0, 4.0, 4.0], [4.0, 4.0, 4.0, 0.0]])
    gain = np.array([[0.8] * 4, [3.0] * 4])
    withdrawn = np.array([[0.0, 6.0, 0.0, 0.0], [1.0, 8.0, 30.0, 30.0]])
    arguments = (p_max, np.array([10.0, 10.0]), gain, withdrawn, np.array([1.0, 0.9]), np.array([9.2, 5.0]), 0.5)
    for found in (keep_full(*arguments), keep_full.py_func(*arguments)):
        np.testing.assert_allclose(found[0], [[2.0, 0.0, 4.0, 3.5], [4.0, 10 / 3, 4.0, 0.0]], atol=1e-12)
        np.testing.assert_allclose(found[1], [[10.0, 7.0, 8.6, 10.0], [10.0, 10.0, 0.0, 0.0]], atol=1e-12)
