"""Linear programs in HiGHS: arrays in, columns and row prices out, nothing dropped on the way."""

from __future__ import annotations

import re
import struct
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
import scipy.sparse as sp

from dispatch.errors import SolverError, TimeUp
from dispatch.solve.outcome import AT_LOWER, AT_UPPER, BASIC, GROWN, LADDER, Basis, Outcome, nearer
from dispatch.solve.scaling import INFINITE, require_span, row_and_column_scale, row_scale
from kernels.matrices import keep_lines, keep_numbers, scale_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.solve.until import Until

ADVICE = re.compile(
    r"excessively (small|large)|(Consider|Improve) scaling|the user_\w+_scale|badly scaled"
    r"|Matrix of presolved problem has smallest"
)
"""HiGHS remarks at warning level on the range of costs and bounds, such as a load of 0.05 W at dawn (below 1e-4).

Its presolve also remarks on what is left of terms that cancel, as the flows in and out of a pipe do: such rests are
dropped there, and the optimum is checked in the program as it was passed.

It uses them as they are, and the certificate judges what comes of it, so these remarks are the only ones that do not
count as warnings. Their words change between versions of HiGHS (1.15 and 1.16 differ); a test provokes each of them.
"""
DONE = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
VALUE = attrgetter("value")
"""Number of a state, in two thirds of the time of `int`."""
STATES = np.array([highspy.HighsBasisStatus(k) for k in range(3)], object)
"""By the numbers of a `Basis`."""
DUAL, PRIMAL = 1, 4
"""Strategies of the simplex, as HiGHS numbers them."""


class QuietHighs(highspy.Highs):  # type: ignore[misc]  # highspy is not typed here
    """HiGHS whose first line does not go to stdout, which belongs to ``--json``; 1.16 prints it where it is made."""

    def enableCallbacks(self) -> None:  # noqa: N802  (the name is highspy's)
        """Say nothing before callbacks are enabled."""
        self.setOptionValue("log_to_console", False)
        super().enableCallbacks()


class Highs:
    """A linear program in HiGHS that can grow by elastic rows and be solved again from its last basis.

    Minimise ``cost @ z`` where ``row_lower <= matrix @ z <= row_upper`` and ``lower <= z <= upper``.

    Parameters
    ----------
    matrix : csc_matrix (row, column)
        No duplicates.
    row_lower, row_upper : ndarray (row,)
        Infinite where there is no bound.
    lower, upper : ndarray (column,)
        Infinite where there is no bound.
    cost : ndarray (column,)
        Of each column.
    time_limit_s : float
        Seconds for each call of `solve`.
    options : dict, optional
        Further options of HiGHS.

    Raises
    ------
    SolverError
        If HiGHS warns or refuses, or loads other rows, columns or entries than ours.
    """

    def __init__(
        self,
        matrix: sp.csc_matrix,
        row_lower: np.ndarray,
        row_upper: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
        cost: np.ndarray,
        *,
        time_limit_s: float = np.inf,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._model, self._seconds = QuietHighs(), time_limit_s
        self._warnings: list[str] = []
        self._by_simplex, self._found = False, np.zeros(0)
        settings = {
            "log_to_console": False, "threads": 1, "random_seed": 0, "parallel": "off",
            "primal_simplex_bound_perturbation_multiplier": 0.0,
            "primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9, "ipm_optimality_tolerance": 1e-10,
            "time_limit": time_limit_s, **(options or {}),
        }  # fmt: skip
        for name, value in settings.items():
            self._checked(self._model.setOptionValue(name, value), f"setting {name}")
        self._model.cbLogging += self._listen
        self._keep_free(matrix, lower, upper, cost)
        kept = sp.csc_matrix(self._without_fixed(matrix))
        self._row_scale, self._column_scale = row_and_column_scale(kept)
        self._first_rows, self._first_columns = kept.shape
        self._added_scale, self._added_shift = np.zeros(0), np.zeros(0)
        self._entries = kept.nnz
        low, high = row_lower - self._row_shift, row_upper - self._row_shift
        self._load(kept, low, high, lower[self._free], upper[self._free], cost[self._free])

    @property
    def added(self) -> int:
        """How many rows were added."""
        return len(self._added_scale)

    def add_elastic_rows(self, matrix: sp.csr_matrix, bound: np.ndarray, price: np.ndarray) -> None:
        """Add rows ``matrix @ z - slack <= bound`` with a new column ``slack >= 0`` each.

        Parameters
        ----------
        matrix : csr_matrix (row, column)
            Over the columns that were passed first.
        bound : ndarray (row,)
            Right-hand side.
        price : ndarray (row,)
            Cost of each slack per unit.
        """
        count = len(bound)
        bound_shift = matrix @ self._fixed
        scaled = self._without_fixed(matrix)
        scale_lines(scaled.indptr, scaled.indices, scaled.data, np.ones(count), self._column_scale)
        scale = row_scale(scaled)
        scale_lines(scaled.indptr, scaled.indices, scaled.data, scale, np.ones(len(self._column_scale)))
        require_span(scaled)
        first = self._first_rows + self.added
        # Rows first and without slacks, then the slacks as columns: both calls take plain arrays.
        self._checked(
            self._model.addRows(
                count, np.full(count, -np.inf), (bound - bound_shift) * scale, scaled.nnz,
                scaled.indptr[:-1], scaled.indices, scaled.data,
            ),
            "adding rows",
        )  # fmt: skip
        every = np.arange(count, dtype=np.int32)
        self._checked(
            self._model.addCols(
                count, price / scale, np.zeros(count), np.full(count, np.inf), count, every,
                (first + every).astype(np.int32), np.full(count, -1.0),
            ),
            "adding slacks",
        )  # fmt: skip
        self._added_scale = np.concatenate([self._added_scale, scale])
        self._added_shift = np.concatenate([self._added_shift, bound_shift])
        self._entries += scaled.nnz + count
        self._count()

    def change_added(self, bound: np.ndarray, price: np.ndarray) -> None:
        """Give all added rows new right-hand sides and their slacks new costs."""
        every = np.arange(self.added, dtype=np.int32)
        if not len(every):
            return
        low = np.full(self.added, -np.inf)
        rows, high = self._first_rows + every, (bound - self._added_shift) * self._added_scale
        self._checked(self._model.changeRowsBounds(self.added, rows, low, high), "changing bounds")
        columns = self._first_columns + every
        self._checked(self._model.changeColsCost(self.added, columns, price / self._added_scale), "changing prices")

    def change_first(self, rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """Give some of the rows that were passed first new bounds."""
        scale, shift, number = self._row_scale[rows], self._row_shift[rows], rows.astype(np.int32)
        low, high = (low - shift) * scale, (high - shift) * scale
        self._row_bounds[0][rows], self._row_bounds[1][rows] = low, high
        self._checked(self._model.changeRowsBounds(len(rows), number, low, high), "changing bounds")

    def change_cost(self, cost: np.ndarray) -> None:
        """Give the columns that were passed first new costs."""
        number = np.arange(self._first_columns, dtype=np.int32)
        scaled = cost[self._free] * self._column_scale
        self._checked(self._model.changeColsCost(len(number), number, scaled), "changing costs")
        self._fixed_cost = float(np.sum(cost * self._fixed))

    def basis(self) -> Basis:
        """Read the basis of the last solve."""
        columns, rows = self._states() or self._states_one_by_one()
        every = np.full(len(self._fixed), AT_LOWER, np.int8)
        every[self._free] = columns[: self._first_columns]
        first = self._first_rows
        return Basis(every, rows[:first], rows[first:], columns[self._first_columns :])

    def _states(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Tell states by which columns and rows are basic and to which bound the others are nearer.

        That takes a fifth of the time of reading each of the states; None where the simplex method did not end in that
        basis (asked after an interior point, HiGHS 1.16 ends the process).
        """
        solution, (low, high) = self._model.getSolution(), self._column_bounds
        if not (self._by_simplex and solution.value_valid and self._model.getBasis().valid):
            return None
        status, basic = self._model.getBasicVariables()
        if status != highspy.HighsStatus.kOk:
            self._warnings = []
            return None
        value, more = self._found, np.zeros(self.added)
        columns = nearer(value, np.append(low, more), np.append(high, more + np.inf))
        low, high = self._row_bounds
        rows = np.full(self._first_rows + self.added, AT_UPPER, np.int8)  # added ones have no other bound
        rows[: self._first_rows] = nearer(_values(solution.row_value)[: self._first_rows], low, high)
        columns[basic[basic >= 0]] = rows[-1 - basic[basic < 0]] = BASIC
        return columns, rows

    def _states_one_by_one(self) -> tuple[np.ndarray, np.ndarray]:
        held = self._model.getBasis()
        columns, rows = (
            np.fromiter(map(VALUE, status), np.int8, len(status)) for status in (held.col_status, held.row_status)
        )
        for status in (columns, rows):
            status[status > AT_UPPER] = AT_LOWER
        return columns, rows

    def start_from(self, basis: Basis) -> None:
        """Let the next solve start from a basis; it need not be one: HiGHS puts right what is singular."""
        held = highspy.HighsBasis()
        held.col_status = STATES[np.concatenate([basis.columns[self._free], basis.slacks])].tolist()
        held.row_status = STATES[np.concatenate([basis.rows, basis.limits])].tolist()
        held.valid = held.alien = True
        self._checked(self._model.setBasis(held), "setting a basis")

    def solve(self, ladder: Sequence[str] = LADDER, until: Until | None = None) -> Outcome:
        """Solve, from the last basis where there is one.

        Parameters
        ----------
        ladder : sequence of str
            Ways to try.
        until : Until, optional
            When to give up.

        Returns
        -------
        Outcome

        Raises
        ------
        SolverError
            If the program has no optimum, time runs out, or no way finds the optimum.
        TimeUp
            If it is time to give up.
        """
        tried: list[str] = []
        left = until.left if until else np.inf
        if left <= 0:
            raise TimeUp("Time is up.")
        if until and left < np.inf:
            # HiGHS counts the seconds of all runs of a model.
            self._model.setOptionValue("time_limit", self._model.getRunTime() + min(left, self._seconds))
        for way in ladder:
            if not way.startswith("hot"):
                self._checked(self._model.clearSolver(), "clearing")
            strategy = PRIMAL if way == GROWN[0] else DUAL
            self._checked(self._model.setOptionValue("simplex_strategy", strategy), "choosing a strategy")
            solver = "ipm" if way == "interior point" else "simplex"
            self._checked(self._model.setOptionValue("solver", solver), "choosing a method")
            self._by_simplex = solver == "simplex"
            clean = self._model.run() == highspy.HighsStatus.kOk
            said, self._warnings = self._warnings, []
            status = self._model.getModelStatus()
            if status in DONE and clean and not said:
                return self._outcome(way)
            tried.append(" ".join([f"{way}: {self._model.modelStatusToString(status)}", *said]))
            if status == highspy.HighsModelStatus.kTimeLimit and until and until.over:
                raise TimeUp("Time is up.")
            if status == highspy.HighsModelStatus.kTimeLimit:
                raise SolverError(f"No optimum within the time limit ({'; '.join(tried)}). Give it more time.")
        raise SolverError(
            f"HiGHS found no optimum ({'; '.join(tried)}). Limits are elastic, so every valid case has one: look for"
            " bounds that contradict each other or costs that are not finite."
        )

    def _keep_free(self, matrix: sp.csc_matrix, lower: np.ndarray, upper: np.ndarray, cost: np.ndarray) -> None:
        """Leave out columns whose bounds are equal; two of five are: what no connection limit lets go unmet."""
        fixed = lower == upper
        self._free, self._place = np.nonzero(~fixed)[0], np.where(fixed, -1, np.cumsum(~fixed) - 1)
        self._fixed = np.where(fixed, lower, 0.0)
        self._row_shift, self._fixed_cost = matrix @ self._fixed, float(np.sum(cost * self._fixed))

    def _without_fixed(self, matrix: sp.csc_matrix | sp.csr_matrix) -> sp.csc_matrix | sp.csr_matrix:
        """Copy a matrix without columns whose bounds are equal; in what is stored by columns, rows ascend."""
        by_column = matrix.format == "csc"
        start = np.empty(1 + (len(self._free) if by_column else matrix.shape[0]), np.int32)
        number, value = np.empty(matrix.nnz, np.int32), np.empty(matrix.nnz)
        keep = keep_lines if by_column else keep_numbers
        count = keep(matrix.indptr, matrix.indices, matrix.data, self._place, start, number, value)
        kept, shape = (value[:count], number[:count], start), (matrix.shape[0], len(self._free))
        return sp.csc_matrix(kept, shape) if by_column else sp.csr_matrix(kept, shape)

    def _load(
        self,
        matrix: sp.csc_matrix,
        row_lower: np.ndarray,
        row_upper: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
        cost: np.ndarray,
    ) -> None:
        scale_lines(matrix.indptr, matrix.indices, matrix.data, self._column_scale, self._row_scale)
        require_span(matrix)
        self._column_bounds = _bound(lower / self._column_scale), _bound(upper / self._column_scale)
        self._row_bounds = _bound(row_lower * self._row_scale), _bound(row_upper * self._row_scale)
        rows, columns = matrix.shape
        # Rows, then columns with their entries: both calls take plain arrays, a HighsLp takes one number at a time.
        nothing = np.zeros(0, np.int32), np.zeros(0)
        added = self._model.addRows(rows, *self._row_bounds, 0, np.zeros(rows, np.int32), *nothing)
        self._checked(added, "loading rows")
        added = self._model.addCols(
            columns, cost * self._column_scale, *self._column_bounds, matrix.nnz,
            matrix.indptr[:-1], matrix.indices, matrix.data,
        )  # fmt: skip
        self._checked(added, "loading columns")
        self._count()

    def _count(self) -> None:
        """Compare what HiGHS holds with what it was given."""
        model = self._model
        found = (model.getNumRow(), model.getNumCol(), model.getNumNz())
        ours = (self._first_rows + self.added, self._first_columns + self.added, self._entries)
        if found != ours:
            raise SolverError(f"HiGHS holds {found} rows, columns and entries instead of {ours}.")

    def _outcome(self, way: str) -> Outcome:
        solution = self._model.getSolution()
        columns, prices = _values(solution.col_value), _values(solution.row_dual)
        self._found = columns
        first_row, first_column = self._first_rows, self._first_columns
        every = self._fixed.copy()
        every[self._free] = columns[:first_column] * self._column_scale
        return Outcome(
            every,
            columns[first_column:] / self._added_scale,
            prices[:first_row] * self._row_scale,
            prices[first_row:] * self._added_scale,
            float(self._model.getInfo().objective_function_value) + self._fixed_cost,
            way,
        )

    def _listen(self, event: Any) -> None:
        serious = int(event.data_out.log_type) >= int(highspy.HighsLogType.kWarning)
        if serious and not ADVICE.search(event.message):
            self._warnings.append(event.message.strip())

    def _checked(self, status: highspy.HighsStatus, doing: str) -> None:
        """Turn any warning into an error."""
        said, self._warnings = self._warnings, []
        if said or status != highspy.HighsStatus.kOk:
            raise SolverError(f"HiGHS warned when {doing}: {' '.join(said) or status}")


def _values(numbers: list[float]) -> np.ndarray:
    """Turn a list of numbers into an array in a quarter of the time of NumPy, which looks at the type of each."""
    return np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers))


def _bound(values: np.ndarray) -> np.ndarray:
    """Bounds that HiGHS takes for infinite, as such."""
    return np.where(np.abs(values) >= INFINITE, np.copysign(np.inf, values), values)
