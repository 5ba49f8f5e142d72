"""Each kernel row equals eliminating the network's columns from the compiled program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from dispatch.model.compiler import compile_program
from dispatch.solve.protocols import KEY

STATES = [("bus", "v_squared_pu"), ("bus", "angle"), ("source", "p"), ("source", "q")]
STATES += [(kind, name) for kind in ("line", "transformer") for name in ("p", "q")]
BALANCES = [("bus", "balance_p"), ("bus", "balance_q"), ("source", "voltage"), ("source", "angle")]
BALANCES += [(kind, name) for kind in ("line", "transformer") for name in ("drop", "angle")]
LIMITS = [("bus", "v_max", 0, 1), ("bus", "v_min", 1, -1)]
LIMITS += [(kind, name, k, 1) for kind in ("line", "transformer") for name, k in (("forward", 2), ("reverse", 3))]


def numbers(method, pairs):
    return np.concatenate([method(*pair).ravel() for pair in pairs])


def eliminated(feeder):
    """Keys and rows ``matrix @ z <= bound`` of all limits, the network's state solved out of the compiled rows."""
    full = compile_program(feeder.inputs, network=True)
    width = len(feeder.program.cost)
    state, balance = numbers(full.column, STATES), numbers(full.row, BALANCES)
    matrix = sp.csr_matrix(full.matrix)
    assert (full.row_lower[balance] == full.row_upper[balance]).all()
    solve = splu(sp.csc_matrix(matrix[balance][:, state])).solve
    by_plan = -solve(matrix[balance][:, :width].toarray())
    fixed = solve(full.row_upper[balance])
    keys, rows, bounds = [], [], []
    for kind, name, number, sign in LIMITS:
        row = full.row(kind, name)
        if not row.size:
            continue
        own = np.empty(row.shape, KEY)
        first = feeder.network.lines if kind == "transformer" else 0
        own["kind"], own["element"] = number, first + feeder.inputs.kinds[kind].index[:, None]
        own["step"] = np.arange(feeder.inputs.steps)
        over_state = matrix[row.ravel()][:, state]
        limit = full.row_upper[row.ravel()] if sign > 0 else -full.row_lower[row.ravel()]
        assert np.isfinite(limit).all()
        keys.append(own.ravel())
        rows.append(sign * (over_state @ by_plan))
        bounds.append(limit - sign * (over_state @ fixed))
    return np.concatenate(keys), np.vstack(rows), np.concatenate(bounds)


def test_rows_are_the_elimination(recipe, generated):
    feeder = generated(recipe, 0)
    keys, expected, bound = eliminated(feeder)
    rows = feeder.limits.rows(keys)
    found = (rows.matrix @ feeder.program.injection).toarray()
    scale = np.abs(expected).max(axis=1, initial=1e-6)[:, None]
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=1e-12)
    over = rows.bound - rows.matrix @ feeder.program.injection_constant
    np.testing.assert_allclose(over, bound, rtol=1e-12, atol=1e-12 * np.abs(bound).max())


def test_the_recipes_hold_what_makes_rows_hard(generated):
    assert len(generated("loop", 0).network.chords) == 1
    assert len(generated("transformers side by side", 0).network.chords) == 1
    flipped = generated("flipped", 0).network
    inner = flipped.parent >= 0
    assert (flipped.branch_to[flipped.parent_branch[inner]] == flipped.parent[inner]).any()
    assert (generated("taps", 0).network.ratio != 1).any()


def test_a_mutation_of_any_impedance_is_noticed(generated):
    feeder, rng = generated("loop", 0), np.random.default_rng(2)
    keys = eliminated(feeder)[0]
    x = rng.normal(0, 5, feeder.limits.ports)
    base = feeder.limits.rows(keys)
    for k in range(feeder.network.branches):
        for name in ("r", "x", "ratio"):
            values = getattr(feeder.network, name).copy()
            values[k] *= 1.001
            changed = replace(feeder, case=feeder.case)
            changed.network = replace(feeder.network, **{name: values})
            rows = changed.limits.rows(keys)
            assert np.abs((rows.matrix - base.matrix) @ x - rows.bound + base.bound).max() > 1e-9
