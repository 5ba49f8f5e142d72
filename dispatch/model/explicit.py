"""The explicit Pyomo model: the same components on real blocks with real numbers, element by element, step by step.

It shares no code with the compiler. It is the oracle of the tests, and the door to any solver that Pyomo knows::

    import pyomo.environ as pyo
    from dispatch.model.explicit import explicit_model, labels_of
    from dispatch.model.inputs import make_inputs

    model = explicit_model(make_inputs(case), network=True)
    pyo.SolverFactory("glpk").solve(model)
    charge = labels_of(model).variable("battery", "p_charge", element=0, step=3).value

It is slow and meant for small cases: a day of one feeder takes seconds to minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from dispatch.errors import ModelError
from dispatch.model.registry import components

if TYPE_CHECKING:
    from dispatch.model.component import Expression
    from dispatch.model.elements import Elements, Inputs

Key = tuple[str, str, int, int]


@dataclass
class Labels:
    """What the variables and rows of an explicit model stand for.

    Attributes
    ----------
    variables : dict of (component, name, element, step) to Pyomo variable
        For a variable of a window the number of the window stands for the step.
    rows : dict of (component, name, element, step) to Pyomo constraint
        Only the steps at which the row is stated.
    injections : dict of (carrier, bus, step) to Pyomo expression
        What enters the network where its rows are not stated. [kW, kvar]
    """

    variables: dict[Key, Any] = field(default_factory=dict)
    rows: dict[Key, Any] = field(default_factory=dict)
    injections: dict[tuple[str, int, int], Any] = field(default_factory=dict)

    def variable(self, component: str, name: str, element: int, step: int) -> Any:
        """Pyomo variable of an element at a step (or in a window)."""
        return self.variables[component, name, element, step]

    def row(self, component: str, name: str, element: int, step: int) -> Any:
        """Pyomo constraint of an element at a step."""
        return self.rows[component, name, element, step]


def labels_of(model: pyo.ConcreteModel) -> Labels:
    """Labels of a model that `explicit_model` made."""
    return model.private_data(__name__)["labels"]  # type: ignore[no-any-return]  # Pyomo is untyped


def explicit_model(inputs: Inputs, *, network: bool = False) -> pyo.ConcreteModel:
    """Write out the whole program as a Pyomo model.

    Parameters
    ----------
    inputs : Inputs
        As for `dispatch.model.compiler.compile_program`.
    network : bool
        State the network's rows too; otherwise what is injected at buses is kept in the labels.

    Returns
    -------
    ConcreteModel
        One indexed block a component, `model.cell_battery[element, step]`, which holds what the component declares
        there; a variable of a window is on the block of the window's first step. `labels_of` finds each by its label.

    Raises
    ------
    ModelError
        If a component reads a variable or parameter that does not exist.
    """
    functions = {n: c.function for n, c in components().items() if n in inputs.kinds and (network or not c.network)}
    # A first run of one cell each tells which variables have a value a window, whatever the order of components.
    scout = _World(inputs, list(functions), {})
    for name, function in functions.items():
        if inputs.kinds[name].count:
            function(_Cell(scout, name, 0, 0), _Numbers(inputs, name, 0, 0))
    world = _World(inputs, list(functions), scout.over)
    for name, function in functions.items():
        for element in range(inputs.kinds[name].count):
            for step in range(inputs.steps):
                function(_Cell(world, name, element, step), _Numbers(inputs, name, element, step))
    world.finish()
    return world.model


class _Numbers:
    """The parameters of one element in one step, as numbers."""

    def __init__(self, inputs: Inputs, component: str, element: int, step: int) -> None:
        self._inputs, self._component, self._element, self._step = inputs, component, element, step

    def __getattr__(self, name: str) -> float:
        elements = self._inputs.kinds[self._component]
        if name == "dt":
            return self._inputs.dt
        if name not in elements.parameters:
            raise ModelError(f"Component {self._component}: parameter {name} is not known.")
        table = elements.parameters[name]
        return float(table[self._element if len(table) > 1 else 0, self._step if table.shape[1] > 1 else 0])


class _World:
    """The model while it is written: every cell looks up its variables here."""

    def __init__(self, inputs: Inputs, stated: list[str], over: dict[tuple[str, str], str]) -> None:
        self.inputs, self.stated, self.over, self.labels = inputs, stated, over, Labels()
        self.model = pyo.ConcreteModel()
        self.model.injection = pyo.Block()
        self.model.private_data(__name__)["labels"] = self.labels
        self.declared: set[Key] = set()
        self.received: dict[Key, Any] = {}
        self.costs: list[Expression] = []
        for name in stated:
            count = inputs.kinds[name].count
            self.model.add_component(f"cell_{name}", pyo.Block(range(count), range(inputs.steps)))

    def variable(self, key: Key, step: int) -> Any:
        """Give a variable; it is made when it is declared or first read."""
        if key not in self.labels.variables:
            component, name, element, _ = key
            block = self.model.component(f"cell_{component}")[element, step]
            label = f"{name} " if hasattr(block, name) else name  # some names are reserved by Pyomo
            block.add_component(label, pyo.Var())
            self.labels.variables[key] = block.component(label)
        return self.labels.variables[key]

    def slot(self, component: str, carrier: str, element: int, step: int) -> Any:
        """Give what a node receives, a Pyomo expression to which injections are added."""
        key = (component, carrier, element, step)
        if key not in self.received:
            inside = component in self.stated
            block = self.model.component(f"cell_{component}")[element, step] if inside else self.model.injection
            name = f"received_{carrier}" if inside else f"{carrier}_{element}_{step}"
            block.add_component(name, pyo.Expression(expr=0.0))
            self.received[key] = block.component(name)
            if not inside:
                self.labels.injections[carrier, element, step] = self.received[key]
        return self.received[key]

    def node(self, component: str, path: str, element: int) -> tuple[str, int]:
        """Kind and number of the node at the end of a path."""
        for name in path.split("."):
            elements: Elements = self.inputs.kinds[component]
            component, index = elements.nodes[name]
            element = int(index[element])
        return component, element

    def finish(self) -> None:
        """Add the objective; refuse what was read but never declared."""
        for key in self.labels.variables:
            if key not in self.declared:
                raise ModelError(f"Component {key[0]}: variable {key[1]} is read but not declared.")
        self.model.objective = pyo.Objective(expr=pyo.quicksum(self.costs))


class _Cell:
    """The facade `b` of one element in one step; see `dispatch.model.component.Block`."""

    def __init__(self, world: _World, component: str, element: int, step: int) -> None:
        self._world, self._component, self._element, self._step = world, component, element, step

    def _window(self, over: str) -> tuple[int, bool]:
        """Give the number of the window, and whether this is its first step."""
        number = self._world.inputs.windows[over]
        return int(number[self._step]), self._step == 0 or bool(number[self._step] != number[self._step - 1])

    def _declare(self, name: str, number: int, step: int, bounds: tuple[Expression | None, Expression | None]) -> Any:
        key = (self._component, name, self._element, number)
        variable = self._world.variable(key, step)
        variable.setlb(bounds[0])
        variable.setub(bounds[1])
        self._world.declared.add(key)
        return variable

    def var(self, name: str, lower: Expression | None = 0, upper: Expression | None = None) -> Any:
        """See `dispatch.model.component.Block.var`."""
        return self._declare(name, self._step, self._step, (lower, upper))

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
        variable = self.var(name, lower, upper)
        if self._step == 0:
            variable.previous = initial
        elif reset is not None and self._window(reset)[1]:
            variable.previous = 0.0
        else:
            variable.previous = self._world.variable(
                (self._component, name, self._element, self._step - 1), self._step - 1
            )
        return variable

    def window(self, name: str, lower: Expression | None = 0, upper: Expression | None = None, *, over: str) -> Any:
        """See `dispatch.model.component.Block.window`."""
        self._world.over[self._component, name] = over
        number, first = self._window(over)
        if first:
            return self._declare(name, number, self._step, (lower, upper))
        return self._world.variable((self._component, name, self._element, number), self._step)

    def constraint(self, name: str, relation: Any, when: str = "all") -> None:
        """See `dispatch.model.component.Block.constraint`."""
        if self._step in self._world.inputs.when[when]:
            block = self._world.model.component(f"cell_{self._component}")[self._element, self._step]
            block.add_component(f"row_{name}", pyo.Constraint(expr=relation))
            self._world.labels.rows[self._component, name, self._element, self._step] = block.component(f"row_{name}")

    def cost(self, expression: Expression, over: str = "step") -> None:
        """See `dispatch.model.component.Block.cost`."""
        if over == "step" or self._window(over)[1]:
            self._world.costs.append(expression)

    def inject(self, node: str, **carriers: Expression) -> None:
        """See `dispatch.model.component.Block.inject`."""
        kind, element = self._world.node(self._component, node, self._element)
        for carrier, expression in carriers.items():
            slot = self._world.slot(kind, carrier, element, self._step)
            slot.set_value(slot.expr + expression)

    def at(self, node: str) -> Any:
        """See `dispatch.model.component.Block.at`."""
        return _Node(self._world, *self._world.node(self._component, node, self._element), self._step)

    def received(self, carrier: str) -> Any:
        """See `dispatch.model.component.Block.received`."""
        return self._world.slot(self._component, carrier, self._element, self._step)


class _Node:
    """A node of an element in one step: every attribute is one of its variables."""

    def __init__(self, world: _World, component: str, element: int, step: int) -> None:
        self._world, self._component, self._element, self._step = world, component, element, step

    def __getattr__(self, name: str) -> Any:
        over = self._world.over.get((self._component, name))
        number = self._step if over is None else int(self._world.inputs.windows[over][self._step])
        return self._world.variable((self._component, name, self._element, number), self._step)
