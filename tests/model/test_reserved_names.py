"""Names that Pyomo reserves on its blocks are ordinary names for variables, parameters and rows of a component."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from agreement import TOLERANCE, largest_difference, written
from model_cases import Shape, inputs_of

from dispatch.model import registry
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import Elements

if TYPE_CHECKING:
    import pytest


def tank(b: Any, p: Any) -> None:
    load, name = b.var("load", 0, p.type), b.state("name", 0, p.clone, initial=p.active)
    b.constraint("display", name == name.previous + p.dt * load)
    b.inject("meter", p=-load)


def test_reserved_names(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = inputs_of(Shape())
    monkeypatch.setitem(registry._own, "tank", registry.Registered("tank", tank))
    parameters = {"type": np.array([[2.0], [3.0]]), "clone": np.full((1, 1), 9.0), "active": np.full((1, 1), 1.5)}
    elements = Elements(2, parameters, {"meter": ("meter", np.array([0, 2]))}, np.arange(2, dtype=np.int32))
    inputs = replace(inputs, kinds={**inputs.kinds, "tank": elements})
    program = compile_program(inputs)
    assert largest_difference(program, written(inputs, program, network=False)) <= TOLERANCE
    assert program.upper[program.column("tank", "load")].tolist() == [[2.0] * 4, [3.0] * 4]
