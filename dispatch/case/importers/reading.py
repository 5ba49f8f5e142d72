"""Columns of foreign tables as typed arrays; what does not fit is collected, not raised."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 5
LARGEST = 1e9  # far above any value in its unit; keeps sums and products finite


def first_ids(ids: Sequence[object] | np.ndarray) -> tuple[str, ...]:
    """Return the first few ids as texts, for a message."""
    return tuple(str(i) for i in ids[:SHOWN])


def problem_at(
    wrong: np.ndarray, labels: Sequence[object], code: str, table: str, column: str = "", **texts: str
) -> list[Problem]:
    """One problem about the rows where `wrong` is true, none if there are none.

    Parameters
    ----------
    wrong : ndarray (row,) of bool
        Rows concerned.
    labels : sequence
        Name of each row.
    code, table, column : str
        Rule, table and column.
    **texts : str
        ``value``, ``allowed`` and ``hint`` of the `Problem`.
    """
    ids = [labels[int(k)] for k in np.nonzero(wrong)[0]]
    return [Problem(code, table, column, first_ids(ids), len(ids), **texts)] if ids else []


class Reader:
    """Reads typed columns and keeps the problems it meets.

    Parameters
    ----------
    problems : list of Problem
        Problems are appended here.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def _bad(
        self, code: str, table: str, column: str, rows: Sequence[object], value: object, allowed: str, hint: str
    ) -> None:
        shown = str(value)[:60]
        self.problems.append(Problem(code, table, column, first_ids(rows), len(rows), shown, allowed, hint))

    def missing(self, table: str, column: str) -> None:
        """Note that a column must be there and is not."""
        hint = f"Write the file again with '{column}' in the table '{table}'."
        self.problems.append(Problem("missing-column", table, column, value="missing", hint=hint))

    def numbers(
        self,
        table: str,
        column: str,
        labels: Sequence[object],
        values: Sequence[Any] | None,
        *,
        default: float | None = None,
        low: float = -LARGEST,
        high: float = LARGEST,
        above: float | None = None,
    ) -> np.ndarray:
        """Floats of a column.

        Parameters
        ----------
        table, column : str
            Names in the file, for messages.
        labels : sequence
            Name of each row.
        values : sequence or None
            What the file holds; None where it has no such column.
        default : float, optional
            Stands for what is not given; without it, it must be given.
        low, high : float
            Allowed interval, ends included.
        above : float, optional
            Exclusive lower end instead of `low`.

        Returns
        -------
        ndarray (row,)
            `default` (0 or `low` without one) also where a problem was noted.
        """
        filler = default if default is not None else max(low, above + 1 if above is not None else low, 0.0)
        if values is None:
            if default is None and len(labels):
                self.missing(table, column)
            return np.full(len(labels), filler)
        parsed = [_float(v) for v in values]
        wrong = [k for k, v in enumerate(parsed) if v is None]
        out = np.array([math.nan if v is None else v for v in parsed], dtype=float)
        if wrong:
            allowed, hint = "a number", "Correct these cells."
            self._bad("type", table, column, [labels[k] for k in wrong], repr(values[wrong[0]]), allowed, hint)
        gaps = np.isnan(out)
        gaps[wrong] = False
        if default is None and gaps.any():
            rows = [labels[int(k)] for k in np.nonzero(gaps)[0]]
            self._bad("missing-value", table, column, rows, "empty", "a number", "Fill these cells.")
        out[np.isnan(out)] = filler
        given = ~gaps
        given[wrong] = False
        outside = given & ~((out > above if above is not None else out >= low) & (out <= high) & np.isfinite(out))
        if outside.any():
            first = float(out[outside][0])
            ends = f"{'(' if above is not None else '['}{above if above is not None else low:g}, {high:g}]"
            hint = "Correct these cells."
            rows = [labels[int(k)] for k in np.nonzero(outside)[0]]
            self._bad("range", table, column, rows, first, ends, hint)
            out[outside] = filler
        return out

    def flags(
        self, table: str, column: str, labels: Sequence[object], values: Sequence[Any] | None, *, default: bool = True
    ) -> np.ndarray:
        """Truth values of a column; 0 and 1 count, anything else is a problem."""
        if values is None:
            return np.full(len(labels), default)
        wrong = [k for k, v in enumerate(values) if not (v is None or _is_flag(v))]
        if wrong:
            rows = [labels[k] for k in wrong]
            self._bad("type", table, column, rows, repr(values[wrong[0]]), "true or false", "Correct these cells.")
        bad = set(wrong)
        return np.array([default if v is None or k in bad else bool(v) for k, v in enumerate(values)], dtype=bool)

    def references(
        self, table: str, column: str, labels: Sequence[object], values: Sequence[Any] | None, known: dict[Any, int]
    ) -> np.ndarray:
        """Positions of the rows that a column points to.

        Returns
        -------
        ndarray (row,) of int
            -1 where a problem was noted.
        """
        if values is None:
            if len(labels):
                self.missing(table, column)
            return np.full(len(labels), -1)
        at = np.array([known.get(_key(v), -1) for v in values], dtype=int)
        unknown = np.nonzero(at < 0)[0]
        if len(unknown):
            rows = [labels[int(k)] for k in unknown]
            hint = "Add what they refer to, or remove them."
            self._bad("unknown-parent", table, column, rows, repr(values[unknown[0]]), "a row of the file", hint)
        return at


def _float(value: Any) -> float | None:
    """Return a number as float, nothing as NaN, anything else as None."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool | int | float) and value in {0, 1}


def _key(value: Any) -> Any:
    """Return whole floats as int, texts as they are; what cannot be a key is None."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None
