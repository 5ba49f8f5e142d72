"""What a component's author gets wrong is refused in words that name the component and the place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
import pytest
from model_cases import Shape, inputs_of

from dispatch.errors import ModelError
from dispatch.model import registry
from dispatch.model.compiler import compile_program
from dispatch.model.explicit import explicit_model
from dispatch.model.inputs import Elements, Inputs
from dispatch.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable


def inputs_with(function: Callable[[Any, Any], None], monkeypatch: pytest.MonkeyPatch, **changed: Any) -> Inputs:
    """Inputs to which three elements of a component under test are added, at the first meters."""
    inputs = inputs_of(Shape(meters=3))
    name = function.__name__
    monkeypatch.setitem(registry._own, name, registry.Registered(name, function))
    parameters = {
        "p_nom": np.array([[1.0], [2.0], [3.0]]),
        "price": np.arange(12.0).reshape(3, 4),
        "zero": np.zeros((1, 1)),
        **changed,
    }
    ids = np.array([b"first", b"second", b"third"])
    elements = Elements(3, parameters, {"meter": ("meter", np.arange(3))}, np.arange(3, dtype=np.int32), ids)
    return replace(inputs, kinds={**inputs.kinds, name: elements})


def product(b: Any, p: Any) -> None:
    x, y = b.var("x"), b.var("y")
    b.constraint("both", p.p_nom * x * y <= 1)


def square(b: Any, p: Any) -> None:
    b.cost(p.p_nom * b.var("x") ** 2)


def function_of_variable(b: Any, p: Any) -> None:
    b.inject("meter", p=p.p_nom * pyo.exp(b.var("x")))


def quotient(b: Any, p: Any) -> None:
    b.constraint("share", p.p_nom / b.var("x") <= 1)


def misspelt(b: Any, p: Any) -> None:
    b.var("x", 0, p.p_non)


def no_variables(b: Any, p: Any) -> None:
    b.var("x")
    b.constraint("given", p.p_nom >= p.zero)


def plain_truth(b: Any, p: Any) -> None:
    b.var("x", 0, p.p_nom)
    b.constraint("truth", 1 <= 2)  # noqa: PLR0133  (what a component could say)


def bound_by_variable(b: Any, p: Any) -> None:
    x = b.var("x", 0, p.p_nom)
    b.var("y", 0, x)


def range_by_variables(b: Any, p: Any) -> None:
    x, y = b.var("x", 0, p.p_nom), b.var("y")
    b.constraint("range", pyo.inequality(x, y, 2 * x))


def twice(b: Any, p: Any) -> None:
    b.var("x", 0, p.p_nom)
    b.window("x", over="day")


def row_twice(b: Any, p: Any) -> None:
    x = b.var("x", 0, p.p_nom)
    b.constraint("limit", x <= 1)
    b.constraint("limit", x >= 0)


def branches(b: Any, p: Any) -> None:
    if p.p_nom > 0:
        b.var("x")


def chained(b: Any, p: Any) -> None:
    x = b.var("x")
    b.constraint("between", 0 <= x <= p.p_nom)


def window_cost(b: Any, p: Any) -> None:
    b.cost(p.price * b.var("x"), over="day")


def passes_on(b: Any, p: Any) -> None:
    b.inject("meter", p=p.p_nom * b.received("p"))


def crossed(b: Any, p: Any) -> None:
    b.var("x", p.p_nom, 2)


def divided(b: Any, p: Any) -> None:
    b.constraint("share", b.var("x") * p.price / p.zero <= 1)


def infinite(b: Any, p: Any) -> None:
    b.cost(b.var("x") / (p.price - 5))


def wrong_node(b: Any, p: Any) -> None:
    b.inject("metre", p=p.p_nom)


def wrong_variable(b: Any, p: Any) -> None:
    b.constraint("read", b.at("meter").p_imports <= p.p_nom)


def wrong_carrier(b: Any, p: Any) -> None:
    b.inject("meter", q=p.p_nom)


def wrong_bus_carrier(b: Any, p: Any) -> None:
    b.inject("meter.bus", gas=p.p_nom)


def wrong_when(b: Any, p: Any) -> None:
    b.constraint("limit", b.var("x") <= p.p_nom, when="days_end")


def wrong_window(b: Any, p: Any) -> None:
    b.window("x", 0, p.p_nom, over="week")


def eliminated(b: Any, p: Any) -> None:
    b.constraint("low", b.at("meter.bus").v_squared_pu >= p.p_nom)


CASES: list[tuple[Callable[[Any, Any], None], list[str]]] = [
    (product, ["constraint both", "not affine", "p.p_nom*b.x*b.y"]),
    (square, ["cost", "not affine"]),
    (function_of_variable, ["injection of p at meter", "not affine", "exp"]),
    (quotient, ["constraint share", "not affine"]),
    (misspelt, ["parameter p_non is not known", "Did you mean p_nom"]),
    (no_variables, ["constraint given has no variables"]),
    (plain_truth, ["constraint truth has no variables"]),
    (bound_by_variable, ["upper bound of variable y depends on variables"]),
    (range_by_variables, ["constraint range is bounded by variables"]),
    (twice, ["variable x is declared twice"]),
    (row_twice, ["constraint limit is declared twice"]),
    (branches, ["cannot branch on parameters"]),
    (chained, ["cannot branch on parameters"]),
    (window_cost, ["cost over day", "in each step"]),
    (passes_on, ["passes on what is received"]),
    (crossed, ["variable x", "is 3.0", "'third'", "all steps", "upper bound"]),
    (divided, ["constraint share", "is nan", "'first'", "step 0", "12 such values"]),
    (infinite, ["cost", "is inf", "'second'", "step 1"]),
    (wrong_node, ["node metre is not known", "Did you mean meter"]),
    (wrong_variable, ["p_imports is not known", "Did you mean p_import"]),
    (wrong_carrier, ["carrier (at meter) q is not known", "Known are: p"]),
    (wrong_bus_carrier, ["carrier (at meter.bus) gas is not known", "Known are: p, q"]),
    (wrong_when, ["set of steps days_end is not known", "Did you mean day_end"]),
    (wrong_window, ["window week is not known", "billing_period, day, horizon"]),
    (eliminated, ["variable (of bus) v_squared_pu is not known"]),
]


@pytest.mark.parametrize(("function", "words"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_refused_in_words(
    function: Callable[[Any, Any], None], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError) as caught:
        compile_program(inputs_with(function, monkeypatch))
    text = str(caught.value)
    assert text.startswith(f"Component {function.__name__}: ")
    for word in words:
        assert re.search(re.escape(word), text), text


def limit(b: Any, p: Any) -> None:
    b.constraint("limit", b.var("x") <= p.p_nom)


def test_a_row_bound_that_is_not_a_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.ones((3, 4))
    values[1, 2] = np.nan
    with pytest.raises(ModelError, match=r"constraint limit.* is nan at element 'second', step 2;"):
        compile_program(inputs_with(limit, monkeypatch, p_nom=values))


def test_an_element_without_its_node_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = inputs_with(wrong_carrier, monkeypatch)
    inputs.kinds["wrong_carrier"].nodes["meter"] = ("meter", np.array([0, -1, 1]))
    with pytest.raises(ModelError, match="'second' has no meter"):
        compile_program(inputs)


def test_the_explicit_model_refuses_names_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="p_imports is read but not declared"):
        explicit_model(inputs_with(wrong_variable, monkeypatch))


def test_the_explicit_model_refuses_parameters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="parameter p_non is not known"):
        explicit_model(inputs_with(misspelt, monkeypatch))


def test_a_component_runs_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def counted(b: Any, p: Any) -> None:
        runs.append(1)
        b.cost(p.price * b.var("x"))

    inputs = inputs_with(counted, monkeypatch)
    compile_program(inputs)
    compile_program(inputs, network=True)
    assert len(runs) == 1
    assert record("counted", counted).component == "counted"


def test_unknown_labels_are_refused_with_the_nearest() -> None:
    program = compile_program(inputs_of(Shape()))
    with pytest.raises(ModelError, match=r"no variable battery.p_charg. Did you mean battery.p_charge"):
        program.column("battery", "p_charg")
    with pytest.raises(ModelError, match=r"no row bus\.balance_p"):
        program.row("bus", "balance_p")
