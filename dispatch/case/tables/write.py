"""Columns of a case as rows of CSV text."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.rules.findings import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dispatch.case.attributes import Attribute


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Write rows as CSV with commas, ending in a newline each."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def cells(values: np.ndarray, attribute: Attribute) -> list[str]:
    """Write each value so that reading gives back the same bits; NaN where the default is NaN is an empty cell."""
    if values.dtype.kind == "S":
        return [text(v) for v in values]
    if values.dtype.kind == "b":
        return ["true" if v else "false" for v in values]
    if values.dtype.kind in "iu":
        return [str(v) for v in values.tolist()]
    default = attribute.default
    blank = "" if isinstance(default, float) and np.isnan(default) else "nan"
    return [blank if v != v else s for v, s in zip(values.tolist(), numbers(values), strict=True)]  # noqa: PLR0124


def numbers(values: np.ndarray) -> list[str]:
    """Write numbers in the shortest form that reads back the same in their dtype."""
    if values.dtype == np.float64:
        return [repr(v) for v in values.tolist()]
    return [str(v) for v in values]


def elements_rows(ids: np.ndarray, columns: Mapping[str, tuple[Attribute, np.ndarray]]) -> list[Iterable[str]]:
    """Rows of one kind: a header, then one element a row."""
    written = [cells(values, attribute) for attribute, values in columns.values()]
    return [["id", *columns], *zip([text(i) for i in ids], *written, strict=True)]


def series_rows(time: np.ndarray, edges: np.ndarray | None, ids: np.ndarray, values: np.ndarray) -> list[Iterable[str]]:
    """Rows of one series: a header with the ids, then one step a row.

    A single step says nothing about its length, so it gets a column ``time_end``.
    """
    head, columns = ["time"], [_stamps(time)]
    if len(time) == 1 and edges is not None:
        head.append("time_end")
        columns.append(_stamps(edges[:, 1]))
    return [[*head, *(text(i) for i in ids)], *zip(*columns, *(numbers(v) for v in values), strict=True)]


def _stamps(time: np.ndarray) -> list[str]:
    return [f"{t}Z" for t in time.astype("datetime64[s]").astype(str)]
