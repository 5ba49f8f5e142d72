"""Evaluating an expression of parameters with whole arrays."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
from pyomo.core.expr.numeric_expr import Expr_ifExpression, MaxExpression, MinExpression, UnaryFunctionExpression
from pyomo.core.expr.visitor import StreamBasedExpressionVisitor

from dispatch.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatch.model.component import Expression

FUNCTIONS = {
    "exp": np.exp, "log": np.log, "log10": np.log10, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "ceil": np.ceil, "floor": np.floor,
}  # fmt: skip


class Evaluator(StreamBasedExpressionVisitor):  # type: ignore[misc]  # Pyomo is untyped
    """Gives the value of expressions over the parameters of one component.

    Parameters
    ----------
    component : str
        Its name, for messages.
    parameters : mapping of str to ndarray
        Values by name.
    """

    def __init__(self, component: str, parameters: Mapping[str, Any]) -> None:
        self._component, self._parameters = component, parameters
        super().__init__()

    def __call__(self, expression: Expression) -> np.ndarray:
        """Value of an expression.

        Returns
        -------
        ndarray
            Of two dims, broadcastable to (element, step). May hold NaN and infinity.

        Raises
        ------
        ModelError
            If it uses a parameter that the component's elements do not have.
        """
        with np.errstate(all="ignore"):
            value = self.walk_expression(expression)
        return np.atleast_2d(np.asarray(value, dtype=float))

    def initializeWalker(self, expression: Expression) -> tuple[bool, Any]:  # noqa: N802  (Pyomo's name)
        """Numbers and parameters need no walk."""
        descend, value = self.beforeChild(None, expression, None)
        return descend, expression if descend else value

    def beforeChild(self, _node: Any, child: Any, _index: Any) -> tuple[bool, Any]:  # noqa: N802  (Pyomo's name)
        """Look up numbers and parameters; descend into expressions."""
        if not hasattr(child, "is_expression_type"):
            return False, child
        if child.is_expression_type():
            return True, None
        name = child.index()
        if name in self._parameters:
            return False, self._parameters[name]
        close = difflib.get_close_matches(name, self._parameters, n=3)
        hint = f"Did you mean {' or '.join(close)}?" if close else f"Known are {', '.join(sorted(self._parameters))}."
        raise ModelError(f"Component {self._component}: parameter {name} is not known. {hint}")

    def exitNode(self, node: Any, data: list[Any]) -> Any:  # noqa: N802  (Pyomo's name)
        """Apply an operation to whole arrays."""
        if isinstance(node, UnaryFunctionExpression) and node.name in FUNCTIONS:
            return FUNCTIONS[node.name](data[0])
        if isinstance(node, Expr_ifExpression):
            return np.where(*data)
        if isinstance(node, (MinExpression, MaxExpression)):
            pick = np.minimum if isinstance(node, MinExpression) else np.maximum
            return pick.reduce(np.broadcast_arrays(*data))
        return node._apply_operation(data)  # noqa: SLF001  (what Pyomo itself does with numbers)
