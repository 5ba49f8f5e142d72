"""G has the meaning of the network's balance rows; with them, the network's rows are the linear power flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from model_cases import Shape, case_of, inputs_of, shapes
from scipy.sparse.linalg import spsolve

from dispatch.case.network import network_of
from dispatch.model.compiler import compile_program
from dispatch.model.linear import linear_flow

if TYPE_CHECKING:
    from dispatch.model.program import Program


def prosumer_columns(program: Program) -> int:
    return int((program.owner >= 0).sum())


def random_plan(program: Program, seed: int) -> np.ndarray:
    """Any values inside the bounds; none of the network's rows has to hold for the prosumers' columns."""
    rng = np.random.default_rng(seed)
    high = np.minimum(program.upper, program.lower + 10.0)
    return rng.uniform(program.lower, high)


def balance(program: Program, row: str, plan: np.ndarray) -> np.ndarray:
    """What the prosumers put into each balance row, constants included, (bus, step)."""
    rows = program.row("bus", row)
    inside = program.matrix[:, : len(plan)] @ plan
    np.testing.assert_array_equal(program.row_lower[rows], program.row_upper[rows])
    return inside[rows] - program.row_lower[rows]


@settings(max_examples=20, deadline=None)
@given(shapes())
def test_injections_are_what_the_balance_rows_receive(shape: Shape) -> None:
    inputs = inputs_of(shape)
    program, stated = compile_program(inputs), compile_program(inputs, network=True)
    plan = random_plan(program, shape.seed)
    x = program.injection @ plan + program.injection_constant
    received = np.stack([balance(stated, row, plan) for row in ("balance_p", "balance_q")])
    np.testing.assert_allclose(x, received.ravel(), rtol=0, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(shapes())
def test_prosumer_columns_and_rows_are_the_same_with_and_without_the_network(shape: Shape) -> None:
    inputs = inputs_of(shape)
    program, stated = compile_program(inputs), compile_program(inputs, network=True)
    count, rows = len(program.cost), len(program.row_lower)
    assert prosumer_columns(stated) == count
    assert (stated.owner[:count] == program.owner).all()
    assert abs(stated.matrix[:rows, :count] - program.matrix).max() == 0
    assert stated.matrix[:rows, count:].nnz == 0
    np.testing.assert_array_equal(stated.cost[:count], program.cost)
    np.testing.assert_array_equal(stated.upper[:count], program.upper)
    for ours, theirs in zip(program.columns, stated.columns, strict=False):
        assert (ours.component, ours.name, ours.start, ours.stop) == (
            theirs.component, theirs.name, theirs.start, theirs.stop,
        )  # fmt: skip
    assert stated.injection.shape == (0, len(stated.cost))


@settings(max_examples=20, deadline=None)
@given(shapes())
def test_solving_the_network_rows_gives_the_linear_flow(shape: Shape) -> None:
    inputs = inputs_of(shape)
    program, stated = compile_program(inputs), compile_program(inputs, network=True)
    plan = random_plan(program, shape.seed)
    x = (program.injection @ plan + program.injection_constant).reshape(2, -1, shape.steps)
    flow = linear_flow(network_of(case_of(shape)), x[0], x[1])
    values = eliminated(stated, plan)
    np.testing.assert_allclose(values[stated.column("bus", "v_squared_pu")], flow.v_squared, atol=1e-11)
    for kind in ("line", "transformer"):
        elements = inputs.kinds[kind]
        branch = elements.index + (len(flow.p) - (1 if shape.transformer else 0) if kind == "transformer" else 0)
        np.testing.assert_allclose(values[stated.column(kind, "p")], flow.p[branch], atol=1e-9)
        np.testing.assert_allclose(values[stated.column(kind, "q")], flow.q[branch], atol=1e-9)


def eliminated(stated: Program, plan: np.ndarray) -> np.ndarray:
    """All columns when the network's equalities are solved for its free columns."""
    network = np.isinf(stated.lower)
    equal = (stated.row_lower == stated.row_upper) & (abs(stated.matrix[:, network]).sum(axis=1).A1 > 0)
    left = sp.csc_matrix(stated.matrix[equal][:, network])
    assert left.shape[0] == left.shape[1]
    right = stated.row_lower[equal] - stated.matrix[equal][:, : len(plan)] @ plan
    values = np.zeros(len(stated.cost))
    values[: len(plan)], values[network] = plan, spsolve(left, right)
    return values
