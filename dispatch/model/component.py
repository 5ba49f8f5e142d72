"""The language in which a component says what holds for one element in one step.

A component is a function of ``b`` and ``p``. ``p`` gives the parameters of the element (``p.p_nom``, and ``p.dt`` for
the length of a step in hours); ``b`` is a `Block`, which takes variables, rows, costs and injections. Expressions are
plain Pyomo; they may use any function of the parameters, but must be affine in the variables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Expression = Any
"""A number or a Pyomo expression."""


class Block(Protocol):
    """What a component can say."""

    def var(self, name: str, lower: Expression | None = 0, upper: Expression | None = None) -> Any:
        """Declare a variable that has a value in each step; None: no bound."""

    def state(
        self,
        name: str,
        lower: Expression | None = 0,
        upper: Expression | None = None,
        *,
        initial: Expression = 0,
        reset: str | None = None,
    ) -> Any:
        """Declare a variable that holds at the end of each step and knows its value one step before as ``.previous``.

        In the first step of the horizon ``.previous`` is `initial`; with `reset` it is 0 in the first step of every
        later window of that kind (such as ``"day"``), so that the state counts within a window.
        """

    def window(self, name: str, lower: Expression | None = 0, upper: Expression | None = None, *, over: str) -> Any:
        """Declare a variable that has one value in each window; its bounds are those of the window's first step."""

    def constraint(self, name: str, relation: Any, when: str = "all") -> None:
        """State a row, in all steps or only at ``"end"`` or ``"day_end"``."""

    def cost(self, expression: Expression, over: str = "step") -> None:
        """Add money, in each step or once a window (then with the parameters of the window's first step)."""

    def inject(self, node: str, **carriers: Expression) -> None:
        """Give carriers to a node (``p`` in kW, ``q`` in kvar); the node may be a path, such as ``"meter.bus"``."""

    def at(self, node: str) -> Any:
        """Reach a node of the element, whose variables can be read as attributes."""

    def received(self, carrier: str) -> Any:
        """Sum up what all elements inject here."""


Component = Callable[[Any, Any], None]
"""A component: ``function(b, p)``, with `b` a `Block`."""
