"""One declaration, two ways: the compiled arrays are those of the explicit Pyomo model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from agreement import TOLERANCE, Written, largest_difference, written
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import Shape, inputs_of, shapes

from dispatch.model.compiler import compile_program

if TYPE_CHECKING:
    from dispatch.model.inputs import Inputs

EVERY = {"load", "pv", "battery", "car", "tank", "meter", "peak", "bus", "source", "line", "transformer"}


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(shapes(), st.booleans())
def test_matrix_bounds_costs_constant_and_labels(shape: Shape, network: bool) -> None:
    inputs = inputs_of(shape)
    program = compile_program(inputs, network=network)
    assert largest_difference(program, written(inputs, program, network=network)) <= TOLERANCE


def test_the_default_shape_has_every_component() -> None:
    inputs = inputs_of(Shape())
    assert {name for name, elements in inputs.kinds.items() if elements.count} == EVERY
    assert inputs.windows["billing_period"].max() == 1


def perturbed(inputs: Inputs, kind: str, name: str) -> Inputs:
    """Change the last value of one parameter."""
    elements = inputs.kinds[kind]
    values = np.array(elements.parameters[name], dtype=float)
    last = values[-1, -1]
    values[-1, -1] = 0.5 if np.isinf(last) else last + 0.25 * max(abs(last), 0.25)
    changed = replace(elements, parameters={**elements.parameters, name: values})
    return replace(inputs, kinds={**inputs.kinds, kind: changed})


def every_parameter() -> list[tuple[str, str]]:
    kinds = inputs_of(Shape()).kinds
    return [(kind, name) for kind, elements in kinds.items() for name in elements.parameters]


@pytest.fixture(scope="module")
def unchanged() -> tuple[Inputs, Written]:
    inputs = inputs_of(Shape())
    return inputs, written(inputs, compile_program(inputs, network=True), network=True)


@pytest.mark.parametrize(("kind", "name"), every_parameter())
def test_a_mutation_of_any_parameter_is_noticed(kind: str, name: str, unchanged: tuple[Inputs, Written]) -> None:
    inputs, explicit = unchanged
    changed = perturbed(inputs, kind, name)
    program = compile_program(changed, network=True)
    assert largest_difference(program, explicit) > 1e-6
    assert largest_difference(program, written(changed, program, network=True)) <= TOLERANCE
