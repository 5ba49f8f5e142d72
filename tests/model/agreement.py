"""The explicit model as arrays in the order of a compiled program's labels, so that both can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyomo.environ as pyo
import scipy.sparse as sp
from pyomo.repn.standard_repn import generate_standard_repn

from dispatch.model.explicit import Labels, explicit_model, labels_of

if TYPE_CHECKING:
    from dispatch.model.inputs import Inputs
    from dispatch.model.program import Program, Span

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Written:
    """Arrays of an explicit model, named as those of a program."""

    matrix: sp.csc_matrix
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cost: np.ndarray
    constant: float
    injection: sp.csr_matrix
    injection_constant: np.ndarray


def _keys(spans: tuple[Span, ...]) -> list[tuple[str, str, int, int]]:
    """Labels in the order of the numbers."""
    return [(s.component, s.name, e, int(k)) for s in spans for e in range(s.count) for k in s.steps]


def _linear(expression: object, number: dict[int, int]) -> tuple[float, dict[int, float]]:
    form = generate_standard_repn(expression)
    assert form.is_linear()
    return float(form.constant), {
        number[id(v)]: float(a) for v, a in zip(form.linear_vars, form.linear_coefs, strict=True)
    }


def _sparse(entries: list[tuple[int, dict[int, float]]], shape: tuple[int, int]) -> sp.coo_matrix:
    rows = [i for i, found in entries for _ in found]
    columns = [j for _, found in entries for j in found]
    return sp.coo_matrix(([a for _, found in entries for a in found.values()], (rows, columns)), shape=shape)


def _bound(value: object, missing: float) -> float:
    return missing if value is None else float(pyo.value(value))


def written(inputs: Inputs, program: Program, *, network: bool) -> Written:
    """Arrays of the explicit model in the order of the program's labels; the labels must be the same ones."""
    model = explicit_model(inputs, network=network)
    labels = labels_of(model)
    columns, rows = _keys(program.columns), _keys(program.rows)
    assert set(columns) == set(labels.variables)
    assert set(rows) == set(labels.rows)
    assert len(set(columns)) == len(columns)
    variables = [labels.variables[key] for key in columns]
    number = {id(v): j for j, v in enumerate(variables)}
    entries, low, high = [], [], []
    for i, key in enumerate(rows):
        lower, body, upper = labels.rows[key].to_bounded_expression()
        constant, found = _linear(body, number)
        entries.append((i, found))
        low.append(_bound(lower, -np.inf) - constant)
        high.append(_bound(upper, np.inf) - constant)
    constant, found = _linear(model.objective.expr, number)
    cost = np.zeros(len(columns))
    cost[list(found)] = list(found.values())
    injection, fixed = _injection(labels, number, inputs, network=network)
    return Written(
        _sparse(entries, (len(rows), len(columns))).tocsc(),
        np.array(low),
        np.array(high),
        np.array([_bound(v.lb, -np.inf) for v in variables]),
        np.array([_bound(v.ub, np.inf) for v in variables]),
        cost,
        constant,
        injection,
        fixed,
    )


def _injection(
    labels: Labels, number: dict[int, int], inputs: Inputs, *, network: bool
) -> tuple[sp.csr_matrix, np.ndarray]:
    buses = 0 if network else inputs.kinds["bus"].count
    ports = 2 * buses * inputs.steps
    fixed, entries = np.zeros(ports), []
    for (carrier, bus, step), expression in labels.injections.items():
        port = ("pq".index(carrier) * buses + bus) * inputs.steps + step
        fixed[port], found = _linear(expression.expr, number)
        entries.append((port, found))
    return _sparse(entries, (ports, len(number))).tocsr(), fixed


def largest_difference(program: Program, other: Program | Written) -> float:
    """Largest difference of any array, relative above 1; infinite where shapes or infinities differ."""
    worst = 0.0
    for name in ("matrix", "injection"):
        ours, theirs = getattr(program, name), getattr(other, name)
        if ours.shape != theirs.shape:
            return np.inf
        scale = np.maximum(1, abs(theirs).max() if theirs.nnz else 1)
        worst = max(worst, abs(ours - theirs).max() / scale if ours.nnz + theirs.nnz else 0.0)
    for name in ("row_lower", "row_upper", "lower", "upper", "cost", "constant", "injection_constant"):
        ours, theirs = np.atleast_1d(getattr(program, name)), np.atleast_1d(getattr(other, name))
        if ours.shape != theirs.shape:
            return np.inf
        same = ours == theirs  # infinities
        with np.errstate(invalid="ignore"):
            off = np.where(same, 0.0, np.abs(ours - theirs) / np.maximum(1, np.abs(theirs)))
        worst = max(worst, float(np.nan_to_num(off, nan=np.inf).max(initial=0.0)))
    return worst
