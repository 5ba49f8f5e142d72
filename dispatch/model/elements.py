"""What components are compiled over: elements, their parameters and nodes, steps and windows, all plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dispatch.case.schema import protect


@dataclass(frozen=True)
class Elements:
    """The elements of one component.

    Attributes
    ----------
    count : int
        How many there are.
    parameters : dict of str to ndarray
        Each of two dims, broadcastable to (element, step).
    nodes : dict of str to (str, ndarray (element,))
        Where each element is connected: kind of the node, and the position of the node among that kind's elements.
    index : ndarray (element,) of int32
        Position of each element in the case's kind.
    ids : ndarray (element,) of bytes
        Ids for messages and labels.
    """

    count: int
    parameters: dict[str, np.ndarray]
    nodes: dict[str, tuple[str, np.ndarray]]
    index: np.ndarray
    ids: np.ndarray = field(default_factory=lambda: np.zeros(0, "S1"))

    def label(self, element: int) -> str:
        """Id of an element as text, its number where ids are not known."""
        return self.ids[element].decode(errors="replace") if element < len(self.ids) else f"#{element}"


@dataclass(frozen=True)
class Inputs:
    """Everything that a program is compiled from.

    Attributes
    ----------
    dt : float
        Length of a step. [h]
    steps : int
        How many steps the horizon has.
    kinds : dict of str to Elements
        Elements of each component.
    windows : dict of str to ndarray (step,) of int
        For each kind of window (``"billing_period"``, ``"day"``, ``"horizon"``) the number of the window that each
        step belongs to, from 0 without gaps.
    when : dict of str to ndarray of int
        Steps at which a row can be stated (``"all"``, ``"end"``, ``"day_end"``).
    """

    dt: float
    steps: int
    kinds: dict[str, Elements]
    windows: dict[str, np.ndarray]
    when: dict[str, np.ndarray]


def protected(kinds: dict[str, Elements]) -> dict[str, Elements]:
    """Let nobody write to the arrays of elements, so that all who need them can have the same."""
    for elements in kinds.values():
        protect(*elements.parameters.values(), *(index for _, index in elements.nodes.values()), elements.index)
    return kinds
