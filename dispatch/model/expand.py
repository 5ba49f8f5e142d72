"""Expressions of a component as terms over numbered columns, with whole arrays."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.errors import ModelError
from dispatch.model.blocks import repeated
from dispatch.model.evaluate import Evaluator
from dispatch.model.program import Span
from dispatch.model.record import STEP, Affine, Recording, Reference, record
from dispatch.model.registry import components
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispatch.model.component import Expression
    from dispatch.model.elements import Elements, Inputs

CARRIERS = ("p", "q")  # in the order of the ports


@dataclass(frozen=True)
class Stated:
    """A component that is stated: what it says, its elements, the length of their steps."""

    name: str
    recording: Recording
    elements: Elements
    dt: float

    @cached_property
    def evaluate(self) -> Evaluator:
        """How its expressions are evaluated."""
        return Evaluator(self.name, {"dt": self.dt, **self.elements.parameters})


@dataclass(frozen=True)
class Terms:
    """Coefficients ``values[i, k]`` of column ``column_of[i] + column_step[k]`` in an expression over elements, steps.

    Attributes
    ----------
    element, step : ndarray of int
        Element ``element[i]`` and step number ``step[k]`` of the expression to which the coefficient belongs.
    column_of, column_step : ndarray of int
        The column.
    values : ndarray (element or 1, step or 1)
        The coefficients.
    """

    element: np.ndarray
    step: np.ndarray
    column_of: np.ndarray
    column_step: np.ndarray
    values: np.ndarray


def _first_steps(window: np.ndarray) -> np.ndarray:
    """First step of each window, given the number of that of each step."""
    first = np.ones(len(window), bool)
    np.not_equal(window[1:], window[:-1], out=first[1:])
    return np.flatnonzero(first)


class Expander:
    """Lays out the columns of all components, then expands their expressions into terms over them.

    Parameters
    ----------
    inputs : Inputs
        Elements, parameters and windows.
    network : bool
        State the network's components too.
    """

    def __init__(self, inputs: Inputs, network: bool) -> None:
        self.inputs = inputs
        self.kinds: dict[str, Stated] = {}
        known = components()
        for name, registered in known.items():
            if name in inputs.kinds and (network or not registered.network):
                recording = record(name, registered.function)
                self.kinds[name] = Stated(name, recording, inputs.kinds[name], inputs.dt)
        missing = sorted(inputs.kinds.keys() - known.keys())
        if missing:
            raise ModelError(f"There is no component {', '.join(missing)}. Register it, or leave its elements out.")
        self.steps = np.arange(inputs.steps)
        self.first_step = {over: _first_steps(w) for over, w in inputs.windows.items()}
        self.columns = self._column_spans()

    # ---------------------------------------------------------------- layout

    def _column_spans(self) -> dict[tuple[str, str], Span]:
        spans, start = {}, 0
        for kind in self.kinds.values():
            for v in kind.recording.variables.values():
                steps = self.steps if v.over == STEP else np.arange(len(self.windows_of(kind, v.over)))
                span = Span(kind.name, v.name, start, kind.elements.count, steps, v.over)
                spans[kind.name, v.name], start = span, span.stop
        return spans

    def windows_of(self, kind: Stated, over: str) -> np.ndarray:
        """First step of each window of a kind."""
        if over not in self.first_step:
            raise unknown(kind.name, "window", over, self.first_step)
        return self.first_step[over]

    def node(self, kind: str, elements: Elements, path: str) -> tuple[str, np.ndarray]:
        """Kind and positions of the nodes at the end of a path."""
        node, _, rest = path.partition(".")
        if node not in elements.nodes:
            raise unknown(kind, "node", node, elements.nodes)
        other, index = elements.nodes[node]
        if (index < 0).any():
            lost = elements.label(int(np.argmax(index < 0)))
            raise ModelError(f"Component {kind}: {lost!r} has no {node}. Give it one, or leave it out.")
        if not rest:
            return other, np.asarray(index, np.int64)
        end, further = self.node(other, self.inputs.kinds[other], rest)
        return end, further[index]

    @cached_property
    def given(self) -> dict[tuple[str, str], list[tuple[Stated, np.ndarray, Affine]]]:
        """What is injected, by kind of node and carrier."""
        given: dict[tuple[str, str], list[tuple[Stated, np.ndarray, Affine]]] = {}
        for kind in self.kinds.values():
            for path, carrier, amount in kind.recording.injections:
                node, index = self.node(kind.name, kind.elements, path)
                if carrier not in self._carriers(node):
                    raise unknown(kind.name, f"carrier (at {path})", carrier, self._carriers(node))
                given.setdefault((node, carrier), []).append((kind, index, amount))
        return given

    def _carriers(self, node: str) -> tuple[str, ...]:
        """Carriers that a kind of node receives."""
        if node not in self.kinds:
            return CARRIERS if node == "bus" else ()
        bodies = [row.body for row in self.kinds[node].recording.rows.values()]
        bodies += [cost for cost, _ in self.kinds[node].recording.costs]
        return tuple(r.name for body in bodies for r, _ in body.terms if r.role == "received")

    # ---------------------------------------------------------------- values

    def value(self, kind: Stated, expression: Expression, steps: np.ndarray, what: str, finite: bool) -> np.ndarray:
        """Value of an expression at some steps, broadcastable to (element, step)."""
        value = kind.evaluate(expression)
        if value.shape[1] != 1 and len(steps) != value.shape[1]:
            value = value[:, steps]
        bad = ~np.isfinite(value) if finite else np.isnan(value)
        if bad.any():
            raise bad_value(kind, what, value, bad, steps)
        return repeated(value)

    def expand(self, kind: Stated, affine: Affine, steps: np.ndarray, what: str) -> tuple[np.ndarray, list[Terms]]:
        """Expand an affine expression at some steps: its constant (element, step) and its terms over columns."""
        constant = self.value(kind, affine.constant, steps, what, finite=True)
        terms: list[Terms] = []
        for reference, coefficient in affine.terms:
            values = self.value(kind, coefficient, steps, f"{what}, coefficient of {reference}", finite=True)
            if reference.role == "received":
                more, found = self._received(kind, reference.name, values, steps)
            elif reference.role == "previous":
                more, found = self._previous(kind, reference.name, values, steps)
            else:
                more, found = np.zeros((1, 1)), [self._direct(kind, reference, values, steps)]
            constant = constant + more
            terms += found
        return constant, terms

    def _direct(self, kind: Stated, reference: Reference, values: np.ndarray, steps: np.ndarray) -> Terms:
        """Refer to a variable of the element itself or of one of its nodes."""
        owner, index = kind.name, np.arange(kind.elements.count)
        if reference.role == "node":
            owner, index = self.node(kind.name, kind.elements, reference.node)
        if (owner, reference.name) not in self.columns:
            known = [name for k, name in self.columns if k == owner]
            raise unknown(kind.name, f"variable (of {owner})", reference.name, known)
        span = self.columns[owner, reference.name]
        at = steps if span.over == STEP else self.inputs.windows[span.over][steps]
        element, step = np.arange(kind.elements.count), np.arange(len(steps))
        return Terms(element, step, span.start + index * len(span.steps), at.astype(np.int64), values)

    def _previous(
        self, kind: Stated, name: str, values: np.ndarray, steps: np.ndarray
    ) -> tuple[np.ndarray, list[Terms]]:
        """Refer to a state one step before; a constant in the first step and after each reset."""
        variable, span = kind.recording.variables[name], self.columns[kind.name, name]
        fresh = steps == 0
        initial = self.value(kind, variable.initial, self.steps, f"initial value of {name}", finite=True)[:, :1]
        constant = np.where(fresh, values * initial, 0.0)
        if variable.reset is not None:
            fresh = fresh | np.isin(steps, self.windows_of(kind, variable.reset))
        step = np.nonzero(~fresh)[0]
        element = np.arange(kind.elements.count)
        kept = repeated(values if values.shape[1] == 1 else values[:, step])
        column_of = span.start + element * len(span.steps)
        return constant, [Terms(element, step, column_of, steps[step] - 1, kept)]

    def _received(
        self, kind: Stated, carrier: str, values: np.ndarray, steps: np.ndarray
    ) -> tuple[np.ndarray, list[Terms]]:
        """Expand what all elements inject at the elements of a kind."""
        constant, terms = np.zeros((kind.elements.count, len(steps))), []
        for giver, index, amount in self.given.get((kind.name, carrier), []):
            fixed, found = self.expand(giver, amount, steps, f"injection of {carrier}")
            factor = values[index] if values.shape[0] > 1 else values
            add_to_rows(constant, index, repeated(factor * fixed))
            for t in found:
                scale = factor if factor.shape[1] == 1 else factor[:, t.step]
                terms.append(Terms(index[t.element], t.step, t.column_of, t.column_step, repeated(scale * t.values)))
        return constant, terms


def unknown(component: str, what: str, name: str, known: Iterable[str]) -> ModelError:
    """Make an error that says what is not known and what is."""
    close = difflib.get_close_matches(name, list(known), n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"Known are: {', '.join(sorted(known)) or 'none'}."
    return ModelError(f"Component {component}: {what} {name} is not known. {hint}")


def bad_value(
    kind: Stated, what: str, found: Any, bad: np.ndarray, steps: np.ndarray, allowed: str = "a finite number"
) -> ModelError:
    """Make an error that says at which element and step a value cannot be used."""
    e, k = (int(i) for i in np.argwhere(bad)[0])
    value = np.broadcast_to(found, bad.shape)[e, k] if isinstance(found, np.ndarray) else found
    element = f"element {kind.elements.label(e)!r}" if bad.shape[0] > 1 or kind.elements.count == 1 else "all elements"
    step = f"step {int(steps[k])}" if bad.shape[1] > 1 or len(steps) == 1 else "all steps"
    count = f" ({int(bad.sum())} such values)" if bad.sum() > 1 else ""
    return ModelError(
        f"Component {kind.name}: {what} is {value} at {element}, {step}{count}; it must be {allowed}. "
        "Check the parameters it is made of."
    )
