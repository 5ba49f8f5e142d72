"""The compiled linear program: arrays, and which number stands for what."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import protect
from dispatch.errors import ModelError

if TYPE_CHECKING:
    import scipy.sparse as sp


@dataclass(frozen=True, eq=False)
class Span:
    """Consecutive columns (or rows) of one variable (or row name) of one component.

    Numbers run element by element: ``number = start + element * len(steps) + k``, where ``k`` counts `steps`.

    Attributes
    ----------
    component, name : str
        Component and the name that its file gives.
    start : int
        First number.
    count : int
        How many elements there are.
    steps : ndarray of int
        The steps (for variables of a window: the window numbers) for which it exists.
    over : str
        ``"step"``, or the kind of window of which there is one variable each.
    """

    component: str
    name: str
    start: int
    count: int
    steps: np.ndarray
    over: str = "step"

    @property
    def stop(self) -> int:
        """First number after it."""
        return self.start + self.count * len(self.steps)

    @property
    def numbers(self) -> np.ndarray:
        """Numbers as an array (element, step)."""
        return np.arange(self.start, self.stop).reshape(self.count, len(self.steps))

    def part(self, array: np.ndarray) -> np.ndarray:
        """View of its own part of an array over all columns (or rows), (element, step)."""
        return array[self.start : self.stop].reshape(self.count, len(self.steps))


@dataclass(frozen=True, eq=False)
class Layout:
    """What the numbers of columns and rows stand for.

    Attributes
    ----------
    columns, rows : tuple of Span
        In the order of the numbers.
    """

    columns: tuple[Span, ...]
    rows: tuple[Span, ...]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.columns[-1].stop if self.columns else 0

    @property
    def height(self) -> int:
        """How many rows there are."""
        return self.rows[-1].stop if self.rows else 0

    def column(self, component: str, name: str) -> np.ndarray:
        """Column numbers of a variable.

        Parameters
        ----------
        component, name : str
            Such as ``"battery"``, ``"p_charge"``.

        Returns
        -------
        ndarray (element, step) of int
            For a variable of a window (element, window).

        Raises
        ------
        ModelError
            If there is no such variable.
        """
        return self.column_span(component, name).numbers

    def column_span(self, component: str, name: str) -> Span:
        """Columns of a variable; raises as `column` does."""
        return _find(self.column_spans, component, name, "variable")

    def row_span(self, component: str, name: str) -> Span:
        """Rows of a constraint; raises as `row` does."""
        return _find(self.row_spans, component, name, "row")

    @cached_property
    def column_spans(self) -> dict[tuple[str, str], Span]:
        """Columns of every variable, by its component and name."""
        return {(span.component, span.name): span for span in self.columns}

    @cached_property
    def row_spans(self) -> dict[tuple[str, str], Span]:
        """Rows of every constraint, by its component and name."""
        return {(span.component, span.name): span for span in self.rows}

    def row(self, component: str, name: str) -> np.ndarray:
        """Row numbers of a constraint.

        Parameters
        ----------
        component, name : str
            Such as ``"meter"``, ``"balance"``.

        Returns
        -------
        ndarray (element, step) of int
            Only the steps at which the row is stated.

        Raises
        ------
        ModelError
            If there is no such row.
        """
        return self.row_span(component, name).numbers


@dataclass(frozen=True, eq=False)
class Program(Layout):
    """Minimise ``cost @ z + constant`` where ``row_lower <= matrix @ z <= row_upper`` and ``lower <= z <= upper``.

    Columns and rows of the prosumers' components come first and are the same with and without the network. Its arrays
    cannot be written to.

    Attributes
    ----------
    matrix : csc_matrix (row, column)
        No duplicates, no exact zeros, rows of a column in ascending order. Which entries are there does not depend on
        offsets or on the penalty of limits, so a solver can start hot when those change.
    row_lower, row_upper : ndarray (row,)
        Infinite where there is no bound.
    lower, upper : ndarray (column,)
        Infinite where there is no bound.
    cost : ndarray (column,)
        Money per unit of the column.
    constant : float
        Money.
    owner : ndarray (column,) of int32
        Position of the meter behind which the column is; -1 for the network's.
    injection : csr_matrix (port, column)
        ``x = injection @ z + injection_constant`` enters the network at the ports, ``port = (carrier * buses + bus) *
        steps + step`` with carrier 0 = p (kW), 1 = q (kvar). No ports (0 rows) where the network's rows are stated.
    injection_constant : ndarray (port,)
        What enters whatever is decided. [kW, kvar]
    """

    matrix: sp.csc_matrix
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cost: np.ndarray
    constant: float
    owner: np.ndarray
    injection: sp.csr_matrix
    injection_constant: np.ndarray

    def __post_init__(self) -> None:
        """Protect the arrays."""
        sparse = [getattr(m, part) for m in (self.matrix, self.injection) for part in ("data", "indices", "indptr")]
        vectors = (self.row_lower, self.row_upper, self.lower, self.upper, self.cost, self.owner)
        protect(*sparse, *vectors, self.injection_constant)


def _find(spans: dict[tuple[str, str], Span], component: str, name: str, what: str) -> Span:
    found = spans.get((component, name))
    if found is not None:
        return found
    known = [f"{c}.{n}" for c, n in spans]
    close = difflib.get_close_matches(f"{component}.{name}", known, n=3)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    raise ModelError(f"The program has no {what} {component}.{name}.{hint}")
