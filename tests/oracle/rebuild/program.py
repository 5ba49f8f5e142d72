"""Columns and rows of a linear program, stated over all steps at once, and its optimum by scipy's own HiGHS."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog


@dataclass
class Program:
    """Columns and rows as they are stated, one array over the steps at a time."""

    steps: int
    lower: list[np.ndarray] = field(default_factory=list)
    upper: list[np.ndarray] = field(default_factory=list)
    cost: list[np.ndarray] = field(default_factory=list)
    triplets: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    row_lower: list[np.ndarray] = field(default_factory=list)
    row_upper: list[np.ndarray] = field(default_factory=list)
    named: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    columns: int = 0
    rows: int = 0

    def column(
        self, name: str, owner: int, low: object, high: object, cost: object = 0.0, *, count: int = 0
    ) -> np.ndarray:
        """One column for each step (or `count` of them) and their numbers."""
        count = count or self.steps
        for store, value in ((self.lower, low), (self.upper, high), (self.cost, cost)):
            store.append(np.broadcast_to(np.asarray(value, float), (count,)))
        self.named[name, owner] = np.arange(self.columns, self.columns + count)
        self.columns += count
        return self.named[name, owner]

    def row(self, terms: list[tuple[np.ndarray, object]], low: object, high: object) -> None:
        """One row for each entry of the terms' column arrays."""
        count = max((len(c) for c, _ in terms), default=self.steps)
        numbers = np.arange(self.rows, self.rows + count)
        for columns, coefficient in terms:
            self.triplets.append((numbers, columns, np.broadcast_to(np.asarray(coefficient, float), (count,))))
        self.row_lower.append(np.broadcast_to(np.asarray(low, float), (count,)))
        self.row_upper.append(np.broadcast_to(np.asarray(high, float), (count,)))
        self.rows += count

    def matrix(self) -> sp.csr_matrix:
        """All rows over all columns."""
        row, column, value = (np.concatenate(part) for part in zip(*self.triplets, strict=True))
        return sp.csr_matrix((value, (row, column)), shape=(self.rows, self.columns))

    def solve(self, method: str = "highs") -> tuple[float, np.ndarray]:
        """Optimum and every column's value."""
        matrix, low, high = self.matrix(), np.concatenate(self.row_lower), np.concatenate(self.row_upper)
        cost = np.concatenate(self.cost)
        equal = low == high
        upper, lower = ~equal & np.isfinite(high), ~equal & np.isfinite(low)
        tight = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
        found = linprog(
            cost,
            A_ub=sp.vstack([matrix[upper], -matrix[lower]]),
            b_ub=np.concatenate([high[upper], -low[lower]]),
            A_eq=matrix[equal],
            b_eq=low[equal],
            bounds=np.column_stack([np.concatenate(self.lower), np.concatenate(self.upper)]),
            method=method,
            options=tight,
        )
        if found.status != 0:
            raise ArithmeticError(found.message)
        return float(found.fun), np.asarray(found.x)
