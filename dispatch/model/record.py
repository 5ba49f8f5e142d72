"""Recording a component: its function runs once, on one generic element in one generic step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pyomo.core as pyo
from pyomo.common.errors import PyomoException
from pyomo.core.base.var import ScalarVar
from pyomo.core.expr.relational_expr import RelationalExpression
from pyomo.repn.standard_repn import generate_standard_repn

from dispatch.errors import ModelError

if TYPE_CHECKING:
    from dispatch.model.component import Component, Expression

STEP = "step"


@dataclass(frozen=True)
class Reference:
    """What a Pyomo variable of a recording stands for.

    Attributes
    ----------
    role : str
        ``"own"`` (a variable or state), ``"previous"``, ``"window"``, ``"node"`` or ``"received"``.
    name : str
        Name of the variable, or of the carrier that is received.
    node : str
        Node whose variable is read.
    """

    role: str
    name: str
    node: str = ""

    def __str__(self) -> str:
        """As it stands in the component's file, nearly."""
        shapes = {"previous": "{1}.previous", "node": "{2}.{1}", "received": "received({1})"}
        return shapes.get(self.role, "{1}").format(self.role, self.name, self.node)


@dataclass(frozen=True)
class Affine:
    """A constant and coefficients of references, all of them expressions of the parameters."""

    text: str
    constant: Expression
    terms: tuple[tuple[Reference, Expression], ...]


@dataclass(frozen=True)
class Variable:
    """A declared variable; `over` is ``"step"`` or a kind of window; `initial` and `reset` are for states."""

    name: str
    over: str
    lower: Expression | None
    upper: Expression | None
    initial: Expression = 0
    reset: str | None = None


@dataclass(frozen=True)
class Row:
    """A declared constraint ``lower <= body <= upper``."""

    name: str
    body: Affine
    lower: Expression | None
    upper: Expression | None
    when: str


@dataclass
class Recording:
    """All that a component declares."""

    component: str
    variables: dict[str, Variable] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    costs: list[tuple[Affine, str]] = field(default_factory=list)
    injections: list[tuple[str, str, Affine]] = field(default_factory=list)


class _Parameters:
    """Any parameter by name, as a mutable Pyomo parameter whose value is never used."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._table:
            self._table[name] = 1.0
        return self._table[name]


class _Node:
    """A node of the element: every attribute is one of its variables."""

    def __init__(self, recorder: Recorder, node: str) -> None:
        self._recorder, self._node = recorder, node

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._recorder.reference(Reference("node", name, self._node))


class Recorder:
    """The facade `b` that writes down what a component says; see `dispatch.model.component.Block`."""

    def __init__(self, component: str) -> None:
        self.recording = Recording(component)
        self.model = pyo.ConcreteModel()
        self.model.p, self.model.b = pyo.Param(pyo.Any, mutable=True, domain=pyo.Reals), pyo.Block()
        self.parameters = _Parameters(self.model.p)
        self._variables: dict[Reference, Any] = {}
        self._references: dict[int, Reference] = {}

    def fail(self, text: str) -> ModelError:
        """Make an error that names the component."""
        return ModelError(f"Component {self.recording.component}: {text}")

    def reference(self, reference: Reference) -> Any:
        """Give the Pyomo variable that stands for a reference."""
        if reference not in self._variables:
            variable = self._variables[reference] = ScalarVar()
            self.model.b.add_component(_label(self.model.b, str(reference)), variable)
            self._references[id(variable)] = reference
        return self._variables[reference]

    def _declare(self, variable: Variable) -> Any:
        if variable.name in self.recording.variables:
            raise self.fail(f"variable {variable.name} is declared twice. Give each variable a name of its own.")
        for side, bound in (("lower", variable.lower), ("upper", variable.upper), ("initial", variable.initial)):
            if bound is not None and _has_variables(bound):
                raise self.fail(
                    f"the {side} bound of variable {variable.name} depends on variables ({_text(bound)}). "
                    "Use parameters only, or state a constraint."
                )
        self.recording.variables[variable.name] = variable
        return self.reference(Reference("own" if variable.over == STEP else "window", variable.name))

    def var(self, name: str, lower: Expression | None = 0, upper: Expression | None = None) -> Any:
        """See `dispatch.model.component.Block.var`."""
        return self._declare(Variable(name, STEP, lower, upper))

    def state(
        self,
        name: str,
        lower: Expression | None = 0,
        upper: Expression | None = None,
        *,
        initial: Expression = 0,
        reset: str | None = None,
    ) -> Any:
        """See `dispatch.model.component.Block.state`."""
        variable = self._declare(Variable(name, STEP, lower, upper, initial, reset))
        variable.previous = self.reference(Reference("previous", name))
        return variable

    def window(self, name: str, lower: Expression | None = 0, upper: Expression | None = None, *, over: str) -> Any:
        """See `dispatch.model.component.Block.window`."""
        return self._declare(Variable(name, over, lower, upper))

    def at(self, node: str) -> Any:
        """See `dispatch.model.component.Block.at`."""
        return _Node(self, node)

    def received(self, carrier: str) -> Any:
        """See `dispatch.model.component.Block.received`."""
        return self.reference(Reference("received", carrier))

    def constraint(self, name: str, relation: Any, when: str = "all") -> None:
        """See `dispatch.model.component.Block.constraint`."""
        if name in self.recording.rows:
            raise self.fail(f"constraint {name} is declared twice. Give each constraint a name of its own.")
        if not isinstance(relation, RelationalExpression) or not _has_variables(relation):
            raise self.fail(
                f"constraint {name} has no variables ({_text(relation)}). Check parameters in the case instead."
            )
        row = pyo.Constraint(expr=relation)
        self.model.b.add_component(f"row {name}", row)
        try:
            lower, body, upper = row.to_bounded_expression()
        except (PyomoException, ValueError) as error:
            text = _text(relation)
            raise self.fail(
                f"constraint {name} is bounded by variables on both sides ({text}). State two rows."
            ) from error
        self.recording.rows[name] = Row(name, self._affine(body, f"constraint {name}"), lower, upper, when)

    def cost(self, expression: Expression, over: str = STEP) -> None:
        """See `dispatch.model.component.Block.cost`."""
        cost = self._affine(expression, "cost")
        if over != STEP and any(reference.role != "window" for reference, _ in cost.terms):
            raise self.fail(
                f"the cost over {over} ({cost.text}) uses a variable that has a value in each step. "
                f"Use variables of b.window only, or state the cost over each step."
            )
        self.recording.costs.append((cost, over))

    def inject(self, node: str, **carriers: Expression) -> None:
        """See `dispatch.model.component.Block.inject`."""
        for carrier, expression in carriers.items():
            amount = self._affine(expression, f"injection of {carrier} at {node}")
            if any(reference.role == "received" for reference, _ in amount.terms):
                raise self.fail(
                    f"the injection of {carrier} at {node} passes on what is received. "
                    "Declare a variable, balance it with what is received, and inject the variable."
                )
            self.recording.injections.append((node, carrier, amount))

    def _affine(self, expression: Expression, where: str) -> Affine:
        """Split into a constant and coefficients, both expressions of the parameters."""
        text = _text(expression)
        if not _has_variables(expression):
            return Affine(text, expression, ())
        refused = f"{where} is not affine in the variables: {text}. Products and functions of variables cannot be used."
        try:
            form = generate_standard_repn(expression, compute_values=False, quadratic=False)
        except (PyomoException, ValueError, TypeError, ZeroDivisionError) as error:
            raise self.fail(refused) from error
        if form.nonlinear_expr is not None:
            raise self.fail(refused)
        references = (self._references[id(variable)] for variable in form.linear_vars)
        return Affine(text, form.constant, tuple(zip(references, form.linear_coefs, strict=True)))


def _label(block: Any, name: str) -> str:
    """Give a name that Pyomo has not reserved on blocks."""
    return f"{name} " if hasattr(block, name) else name


def _text(expression: Any) -> str:
    """Write an expression with the parameters as they stand in the component's file."""
    return re.sub(r"\bp\[(\w+)\]", r"p.\1", str(expression))


def _has_variables(expression: Any) -> bool:
    return bool(getattr(expression, "is_potentially_variable", bool)())


@cache
def record(component: str, function: Component) -> Recording:
    """Run a component's function once and keep what it says.

    Parameters
    ----------
    component : str
        Its name, for messages.
    function : callable
        ``function(b, p)``; it is run once in a process.

    Returns
    -------
    Recording

    Raises
    ------
    ModelError
        If something it says cannot be compiled; the text names component, constraint and expression.
    """
    recorder = Recorder(component)
    try:
        function(recorder, recorder.parameters)
    except PyomoException as error:
        reason = " ".join(str(error).split())
        raise recorder.fail(f"{reason} (A component cannot branch on parameters; write one expression.)") from error
    return recorder.recording
