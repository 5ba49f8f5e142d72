"""A linear program that falls apart into several, each of which HiGHS solves by itself.

Columns are together that share a row, one passed first or one added later. In a forest of feeders the rows of limits
leave the feeders apart: the simplex takes more than twice the time for a program of twice the size, so it should see
each by itself. What shares no added row with any other stays in one program: a first guess rarely has much to do there.
Where a row that is added joins what was apart, one program takes its place and starts from the bases of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from dispatch.solve.highs import Highs
from dispatch.solve.outcome import AT_LOWER, BASIC, GROWN, LADDER, Basis, Outcome
from kernels.matrices import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.until import Until

LEAST = 500
"""Programs of fewer columns are not worth being apart: HiGHS takes longer to begin with each than to solve it."""


@dataclass
class Group:
    """One of the programs.

    Attributes
    ----------
    columns, rows : ndarray of int
        Numbers of those passed first, ascending.
    added : ndarray of int
        Numbers of the rows added, ascending.
    highs : Highs
        The program.
    found : Outcome or None
        Its optimum; None where it has changed since.
    """

    columns: np.ndarray
    rows: np.ndarray
    added: np.ndarray
    highs: Highs
    found: Outcome | None = None

    def of(self, basis: Basis) -> Basis:
        """Its part of a basis of all."""
        return Basis(
            basis.columns[self.columns], basis.rows[self.rows], basis.limits[self.added], basis.slacks[self.added]
        )


class Apart:
    """The same as `Highs` to whoever uses it: see there for what parameters and methods are.

    A time limit is that of each program; when it is time to give up, it is for all.
    """

    def __init__(
        self,
        matrix: sp.csc_matrix,
        row_lower: np.ndarray,
        row_upper: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
        cost: np.ndarray,
        **options: Any,
    ) -> None:
        self._matrix, self._row_bounds, self._bounds = sp.csc_matrix(matrix), (row_lower, row_upper), (lower, upper)
        self._cost, self._options, self._groups = cost, options, dict[bytes, Group]()
        self._part_of_row, self._part_of_column, self._parts = parts_of(self._matrix)
        self._added, self._bound, self._price = sp.csr_matrix((0, len(cost))), np.zeros(0), np.zeros(0)
        self._start: Basis | None = None
        self._program, self._limited = np.zeros(len(cost), np.int64), np.zeros(len(cost), bool)

    @property
    def added(self) -> int:
        """How many rows were added."""
        return len(self._bound)

    def add_elastic_rows(self, matrix: sp.csr_matrix, bound: np.ndarray, price: np.ndarray) -> None:
        """Add rows ``matrix @ z - slack <= bound`` with a new column ``slack >= 0`` each."""
        self._added = sp.csr_matrix(sp.vstack([self._added, matrix], format="csr") if self.added else matrix)
        self._bound, self._price = np.concatenate([self._bound, bound]), np.concatenate([self._price, price])

    def change_added(self, bound: np.ndarray, price: np.ndarray) -> None:
        """Give all added rows new right-hand sides and their slacks new costs."""
        other = (bound != self._bound) | (price != self._price)
        self._bound, self._price = bound, price
        for group in self._groups.values():
            if other[group.added].any():
                group.highs.change_added(bound[group.added], price[group.added])
                group.found = None

    def change_cost(self, cost: np.ndarray) -> None:
        """Give the columns that were passed first new costs."""
        self._cost = cost
        for group in self._groups.values():
            group.highs.change_cost(cost[group.columns])
            group.found = None

    def basis(self) -> Basis:
        """Read the bases of the last solve as one."""
        basis = self._unsolved()
        for group in self._groups.values():
            own = group.highs.basis()
            basis.columns[group.columns], basis.rows[group.rows] = own.columns, own.rows
            basis.limits[group.added], basis.slacks[group.added] = own.limits, own.slacks
        return basis

    def start_from(self, basis: Basis) -> None:
        """Let the next solve start from a basis."""
        self._start = basis
        for group in self._groups.values():
            group.highs.start_from(group.of(basis))
            group.found = None

    def solve(self, ladder: Sequence[str] = LADDER, until: Until | None = None) -> Outcome:
        """Solve what has changed, from the last bases where there are such."""
        if not self._extended():
            self._regroup()
        found = []
        for group in self._groups.values():
            group.found = group.highs.solve(ladder, until) if group.found is None else group.found
            found.append(group.found)
        return self._together(found)

    def _together(self, found: list[Outcome]) -> Outcome:
        """Put optima side by side."""
        columns, row_prices = np.zeros(len(self._cost)), np.zeros(len(self._row_bounds[0]))
        slacks, added_prices = np.zeros((2, self.added))
        for group, own in zip(self._groups.values(), found, strict=True):
            columns[group.columns], row_prices[group.rows] = own.columns, own.row_prices
            slacks[group.added], added_prices[group.added] = own.slacks, own.added_prices
        method = max((own.method for own in found), key=GROWN.index)
        return Outcome(columns, slacks, row_prices, added_prices, sum(own.objective for own in found), method)

    def _unsolved(self) -> Basis:
        """Copy the basis to start from; what it does not know is at its lower bound, rows are basic."""
        columns, rows = np.full(len(self._cost), AT_LOWER, np.int8), np.full(len(self._row_bounds[0]), BASIC, np.int8)
        limits, slacks = np.full(self.added, BASIC, np.int8), np.full(self.added, AT_LOWER, np.int8)
        if self._start is not None:
            columns[:], rows[:] = self._start.columns, self._start.rows
            known = len(self._start.limits)
            limits[:known], slacks[:known] = self._start.limits, self._start.slacks
        return Basis(columns, rows, limits, slacks)

    def _extended(self) -> bool:
        """Give new rows to the programs that there are, if none of them joins or splits any; say whether that is so."""
        first, groups = sum(len(group.added) for group in self._groups.values()), list(self._groups.values())
        if first == self.added or not groups or not len(self._cost):
            return bool(groups) and first == self.added
        new = self._added[first:]
        of_row = _alike(new, self._program)
        if of_row.min() < 0 or not self._limited[new.indices].all():
            return False
        for number, rows in _numbers(of_row).items():
            self._place(groups[number], np.append(groups[number].added, first + rows))
        return True

    def _regroup(self) -> None:
        """Give every added row to a program; what a row has joined becomes a new one."""
        sets, old = self._sets(), self._groups
        groups = {name: old.get(name) or self._group(columns, rows) for name, (columns, rows, _) in sets.items()}
        new = [group for name, group in groups.items() if name not in old]
        start = self.basis() if new and (old or self._start is not None) else None
        for number, (group, (columns, _, added)) in enumerate(zip(groups.values(), sets.values(), strict=True)):
            self._program[columns] = number
            self._place(group, added)
        if start is not None:
            for group in new:
                group.highs.start_from(group.of(start))
        self._groups = groups

    def _sets(self) -> dict[bytes, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Columns, rows and added rows of each program, by what names the first two."""
        of_row, of_part = _joined(self._added, self._part_of_column, self._parts)
        self._limited = of_part[self._part_of_column] > 0
        sets = [_numbers(of) for of in (of_part[self._part_of_column], of_part[self._part_of_row], of_row)]
        none, found = np.zeros(0, np.int64), {}
        for label in sorted(set().union(*sets) or {0}):
            columns, rows, added = (numbers.get(label, none) for numbers in sets)
            found[columns.tobytes() + b"rows" + rows.tobytes()] = columns, rows, added
        return found

    def _group(self, columns: np.ndarray, rows: np.ndarray) -> Group:
        """State one of the programs, without rows that were added."""
        matrix = self._matrix
        if matrix.shape != (len(rows), len(columns)):
            matrix = matrix[:, columns]
            own = np.searchsorted(rows, matrix.indices)
            matrix = sp.csc_matrix((matrix.data, own, matrix.indptr), (len(rows), len(columns)))
        highs = Highs(
            matrix,
            *(each[rows] for each in self._row_bounds),
            *(each[columns] for each in (*self._bounds, self._cost)),
            **self._options,
        )  # fmt: skip
        return Group(columns, rows, np.zeros(0, np.int64), highs)

    def _place(self, group: Group, added: np.ndarray) -> None:
        """State rows in a program that it has not yet."""
        new = added[len(group.added) :]
        if not len(new):
            return
        rows = self._added if len(new) == self.added else self._added[new]
        if len(group.columns) < len(self._cost):
            own = np.searchsorted(group.columns, rows.indices)
            rows = sp.csr_matrix((rows.data, own, rows.indptr), (len(new), len(group.columns)))
        group.highs.add_elastic_rows(rows, self._bound[new], self._price[new])
        group.added, group.found = added, None


def parts_of(matrix: sp.csc_matrix) -> tuple[np.ndarray, np.ndarray, int]:
    """Find what shares rows: number of the part of each row, and of each column, and how many parts there are."""
    rows, columns = matrix.shape
    part, count = _connected(matrix.indptr, matrix.indices, columns, rows)
    return part[columns:], part[:columns], count


def _connected(start: np.ndarray, number: np.ndarray, lines: int, numbers: int) -> tuple[np.ndarray, int]:
    """Find what the entries of a matrix connect: number of the set of each line, then of each number, and how many."""
    label = np.empty(lines + numbers, np.int32)
    return label, int(connect(start, number, lines, np.empty_like(label), label))


def _joined(added: sp.csr_matrix, part: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Find programs: number of that of each added row, and of each part; 0 is what has none of these rows.

    Parameters
    ----------
    added : csr_matrix (row, column)
        The rows.
    part : ndarray (column,) of int
        Part of each column.
    parts : int
        How many there are.
    """
    entries = np.diff(added.indptr)
    count = len(entries)
    label, _ = _connected(added.indptr, part[added.indices], count, parts)
    limited = np.zeros(count + parts, bool)
    limited[label[:count][entries > 0]] = True
    program = _bundled(np.where(limited[label], 1 + label, 0), count, np.bincount(part, minlength=parts))
    program[:count][entries == 0] = program[count + part[0]] if len(part) else 0  # it goes with the first column
    return program[:count], program[count:]


def _bundled(program: np.ndarray, rows: int, size: np.ndarray) -> np.ndarray:
    """Let programs of few columns be one, which is that of what no limit joins, or the largest where it is small, too.

    Parameters
    ----------
    program : ndarray (row, then part) of int
        Number of the program of each.
    rows : int
        How many of them are rows.
    size : ndarray (part,) of int
        Columns of each part.
    """
    columns = np.bincount(program[rows:], size, int(program.max(initial=0)) + 1)
    few = columns < LEAST
    few[:1] = True
    found, largest = np.where(few[program], 0, program), int(columns.argmax())
    if columns[few].sum() < LEAST and not few[largest]:
        found[found == 0] = largest
    return found


def _alike(rows: sp.csr_matrix, label: np.ndarray) -> np.ndarray:
    """Read the label that all columns of a row bear, that of the first of all where it has none; -1: of several."""
    entries, found = np.diff(rows.indptr), np.full(rows.shape[0], label[0])
    filled = entries > 0
    begin, labels = rows.indptr[:-1][filled], label[rows.indices]
    least, most = np.minimum.reduceat(labels, begin), np.maximum.reduceat(labels, begin)
    found[filled] = np.where(least == most, least, -1)
    return found


def _numbers(labels: np.ndarray) -> dict[int, np.ndarray]:
    """List the numbers of those that bear each label, ascending."""
    if len(labels) and labels.min() == labels.max():
        return {int(labels[0]): np.arange(len(labels))}
    order = np.argsort(labels, kind="stable")
    values, first = np.unique(labels[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, first[1:]), strict=True)) if len(labels) else {}
