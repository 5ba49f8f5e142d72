"""From components and arrays to one linear program, without a loop over elements or steps.

Each component's function is recorded once in a process (`dispatch.model.record`). Compiling evaluates the recorded
coefficients with whole arrays (`dispatch.model.expand`) and places them over elements x steps
(`dispatch.model.blocks`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.model.blocks import Block, compressed
from dispatch.model.expand import CARRIERS, Expander, Stated, bad_value, unknown
from dispatch.model.program import Layout, Program, Span
from dispatch.model.record import STEP, Row
from kernels.scatter import add_to_columns, add_to_rows

if TYPE_CHECKING:
    from dispatch.model.component import Expression
    from dispatch.model.elements import Inputs


def compile_program(inputs: Inputs, *, network: bool = False) -> Program:
    """Compile all components over all elements and steps.

    Parameters
    ----------
    inputs : Inputs
        Elements, parameters and windows; see `dispatch.model.inputs.make_inputs`.
    network : bool
        State the network's rows too; otherwise what is injected at buses becomes `Program.injection`.

    Returns
    -------
    Program

    Raises
    ------
    ModelError
        If a component cannot be compiled over these elements: a parameter or node that is not known, a carrier that
        nothing receives, a coefficient or bound that is not a number, a lower bound above the upper one.
    """
    expander = Expander(inputs, network)
    stated = _row_spans(expander)
    layout = _layout(expander, stated)
    width = layout.width
    lower, upper = _column_bounds(expander, width)
    cost, constant = _costs(expander, width)
    row_lower, row_upper, matrix = _rows(expander, stated, layout)
    injection, injection_constant = _ports(expander, width)
    return Program(
        layout.columns, layout.rows, matrix, row_lower, row_upper, lower, upper, cost, constant,
        _owners(expander, width), injection, injection_constant,
    )  # fmt: skip


def layout_of(inputs: Inputs) -> Layout:
    """Lay out columns and rows as `compile_program` does without the network, and compile nothing.

    Components without elements, which have no numbers, are left out.

    Raises
    ------
    ModelError
        See `compile_program`.
    """
    expander = Expander(replace(inputs, kinds={k: e for k, e in inputs.kinds.items() if e.count}), network=False)
    return _layout(expander, _row_spans(expander))


def _layout(expander: Expander, stated: list[tuple[Stated, Row, Span]]) -> Layout:
    return Layout(tuple(expander.columns.values()), tuple(span for _, _, span in stated))


def _bounds(
    expander: Expander, kind: Stated, limits: tuple[Expression | None, Expression | None], steps: np.ndarray, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound over elements and steps."""
    low, high = (
        np.full((1, 1), missing)
        if limit is None
        else expander.value(kind, limit, steps, f"{side} bound of {what}", finite=False)
        for limit, missing, side in zip(limits, (-np.inf, np.inf), ("lower", "upper"), strict=True)
    )
    crossed = (low > high) | (low == np.inf) | (high == -np.inf)
    if crossed.any():
        raise bad_value(kind, f"lower bound of {what}", low, crossed, steps, "below infinity and the upper bound")
    return low, high


def _column_bounds(expander: Expander, width: int) -> tuple[np.ndarray, np.ndarray]:
    lower, upper = np.empty(width), np.empty(width)
    for kind in expander.kinds.values():
        for v in kind.recording.variables.values():
            span = expander.columns[kind.name, v.name]
            steps = expander.steps if v.over == STEP else expander.windows_of(kind, v.over)
            low, high = _bounds(expander, kind, (v.lower, v.upper), steps, f"variable {v.name}")
            span.part(lower)[...] = low
            span.part(upper)[...] = high
    return lower, upper


def _costs(expander: Expander, width: int) -> tuple[np.ndarray, float]:
    cost, constant = np.zeros(width), 0.0
    for kind in expander.kinds.values():
        for amount, over in kind.recording.costs:
            steps = expander.steps if over == STEP else expander.windows_of(kind, over)
            fixed, terms = expander.expand(kind, amount, steps, f"cost {amount.text}")
            constant += float(np.broadcast_to(fixed, (kind.elements.count, len(steps))).sum())
            for t in terms:
                add_to_columns(cost, t.column_of, t.column_step, t.values)
    return cost, constant


def _rows(
    expander: Expander, stated: list[tuple[Stated, Row, Span]], layout: Layout
) -> tuple[np.ndarray, np.ndarray, sp.csc_matrix]:
    lower, upper = np.empty(layout.height), np.empty(layout.height)
    blocks: list[Block] = []
    for kind, row, span in stated:
        what = f"constraint {row.name}"
        fixed, terms = expander.expand(kind, row.body, span.steps, what)
        low, high = _bounds(expander, kind, (row.lower, row.upper), span.steps, what)
        span.part(lower)[...] = low - fixed
        span.part(upper)[...] = high - fixed
        for t in terms:
            row_of = span.start + t.element * len(span.steps)
            blocks.append(Block(row_of, t.step, t.column_of, t.column_step, t.values))
    matrix = sp.csc_matrix(compressed(blocks, layout.width), shape=(layout.height, layout.width))
    matrix.has_canonical_format = True
    return lower, upper, matrix


def _row_spans(expander: Expander) -> list[tuple[Stated, Row, Span]]:
    spans, start = [], 0
    for kind in expander.kinds.values():
        for row in kind.recording.rows.values():
            if row.when not in expander.inputs.when:
                raise unknown(kind.name, "set of steps", row.when, expander.inputs.when)
            span = Span(kind.name, row.name, start, kind.elements.count, expander.inputs.when[row.when])
            spans.append((kind, row, span))
            start = span.stop
    return spans


def _ports(expander: Expander, width: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Collect what is injected at buses, where the network's rows are not stated."""
    inputs, injected = expander.inputs, expander.given
    buses = inputs.kinds["bus"].count if "bus" in inputs.kinds and "bus" not in expander.kinds else 0
    constant = np.zeros((len(CARRIERS) * buses, inputs.steps))
    blocks: list[Block] = []
    for number, carrier in enumerate(CARRIERS if buses else ()):
        for kind, bus, amount in injected.get(("bus", carrier), []):
            fixed, terms = expander.expand(kind, amount, expander.steps, f"injection of {carrier}")
            port = number * buses + bus
            add_to_rows(constant, port, fixed)
            for t in terms:
                port_of = port[t.element] * inputs.steps
                blocks.append(Block(t.column_of, t.column_step, port_of, t.step, t.values))
    ports = constant.size
    matrix = sp.csr_matrix(compressed(blocks, ports), shape=(ports, width))
    matrix.has_canonical_format = True
    return matrix, constant.ravel()


def _owners(expander: Expander, width: int) -> np.ndarray:
    """Position of the meter behind which each column is."""
    owner = np.full(width, -1, np.int32)
    for kind in expander.kinds.values():
        meter = _meter(expander.inputs, kind.name)
        for v in kind.recording.variables.values():
            expander.columns[kind.name, v.name].part(owner)[...] = meter[:, None]
    return owner


def _meter(inputs: Inputs, kind: str) -> np.ndarray:
    """Position of the meter of each element: itself, its node, or its node's meter."""
    elements = inputs.kinds[kind]
    if kind == "meter":
        return np.arange(elements.count)
    nodes = sorted(elements.nodes.values(), key=lambda node: node[0] != "meter")
    for node, index in nodes:
        found = _meter(inputs, node)
        if (found >= 0).all() and len(found):
            return np.asarray(found[index])
    return np.full(elements.count, -1)
