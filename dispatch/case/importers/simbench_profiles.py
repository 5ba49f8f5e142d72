"""Profiles of a SimBench grid: only those in use, in UTC, whole or cropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dispatch.case.importers.simbench_csv import CLOCK, Folder, utc_axis
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

YEAR_H = 8760.0
NEARLY_A_YEAR_H = 364 * 24.0


@dataclass(frozen=True)
class Library:
    """Profiles of one grid.

    Attributes
    ----------
    columns : dict
        Of the kind ``profile``; empty where none is in use.
    load_id, res_id : dict of str to str
        Id of a load's and of a generator's profile by its name in SimBench.
    full_load_hours : dict of str to float
        Yearly use of a load's profile per unit of its power, NaN where the file has less than a year. [h]
    """

    columns: dict[str, Any]
    load_id: dict[str, str]
    res_id: dict[str, str]
    full_load_hours: dict[str, float]


def read_profiles(
    folder: Folder, loads: Sequence[str], res: Sequence[str], *, start: str | None, days: int | None
) -> Library:
    """Read the profiles that are named.

    Parameters
    ----------
    folder : Folder
        With ``LoadProfile`` and ``RESProfile``; a problem is noted where one is damaged or lacks a profile.
    loads, res : sequence of str
        Names in use, any order and number.
    start : str, optional
        First local day to keep, ``YYYY-MM-DD``.
    days : int, optional
        How many local days to keep.
    """
    load_names, res_names = (sorted({n for n in names if n}) for names in (loads, res))
    of_load, load_axis = _read(folder, "LoadProfile", [f"{n}_{c}load" for n in load_names for c in "pq"])
    of_res, res_axis = _read(folder, "RESProfile", res_names)
    axis = load_axis if len(load_axis) else res_axis
    if len(load_axis) and len(res_axis) and not np.array_equal(load_axis, res_axis):
        hint = "Take both files from the same SimBench data."
        folder.problems.append(Problem("time", "RESProfile", "time", value="unlike that of LoadProfile", hint=hint))
    if folder.problems or not len(axis):
        return Library({}, {}, {}, {})
    res_id = {n: f"{n}_RES" if n in load_names else n for n in res_names}
    keep = _span(folder, axis, start, days)
    p = np.stack([*(of_load[f"{n}_pload"] for n in load_names), *(of_res[n] for n in res_names)])
    q = np.stack([*(of_load[f"{n}_qload"] for n in load_names), *(np.zeros(len(axis)) for _ in res_names)])
    hours = len(axis) * float((axis[1] - axis[0]) / np.timedelta64(3600, "s"))
    scale = YEAR_H if hours >= NEARLY_A_YEAR_H else np.nan
    use = dict(zip(load_names, p.mean(axis=1) * scale, strict=False))
    ids = np.array([*load_names, *res_id.values()], object)
    columns = {"id": ids, "time": axis[keep], "p_pu": p[:, keep], "q_pu": q[:, keep]}
    return Library(columns, {n: n for n in load_names}, res_id, use)


def _read(folder: Folder, table: str, names: list[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Read columns of a profile file and its time axis; nothing is read where nothing is named."""
    nothing: dict[str, np.ndarray] = {}
    if not names:
        return nothing, np.zeros(0, "datetime64[s]")
    folder.require(table)
    path = folder.file(table)
    if path is None:
        return nothing, np.zeros(0, "datetime64[s]")
    wanted = {"time", *names}
    data = folder.read(table, columns=lambda c: c in wanted)
    absent = [n for n in ["time", *names] if n not in data.columns]
    if absent:
        hint = f"Add them to {path.name}, or change the profiles of the elements."
        problem = Problem("unknown-profile", table, "", tuple(absent[:5]), len(absent), "missing", hint=hint)
        folder.problems.append(problem)
        return nothing, np.zeros(0, "datetime64[s]")
    found = {n: _series(folder, table, data[n]) for n in names}
    try:
        axis = utc_axis(data["time"].tolist(), table)
    except (ValueError, OverflowError) as error:
        hint = "SimBench stamps local German time in even steps; restore the order and the rows of the file."
        folder.problems.append(Problem("time", table, "time", value=str(error)[:160], hint=hint))
        return nothing, np.zeros(0, "datetime64[s]")
    return found, axis


def _series(folder: Folder, table: str, column: pd.Series[Any]) -> np.ndarray:
    """Floats of a column; whole columns of numbers, the ordinary case, are not looked at one by one."""
    if column.dtype.kind in "fiu" and np.isfinite(column.to_numpy()).all():
        return column.to_numpy(dtype=float)
    return folder.reader.numbers(table, str(column.name), range(len(column)), column.tolist())


def _span(folder: Folder, axis: np.ndarray, start: str | None, days: int | None) -> slice:
    """Find the steps from local midnight of a day on, for a number of local days."""
    if start is None and days is None:
        return slice(None)
    local = pd.DatetimeIndex(axis).tz_localize("UTC").tz_convert(CLOCK)
    try:
        first = local[0].normalize() if start is None else pd.Timestamp(start).tz_localize(CLOCK)
        last = local[-1] + pd.Timedelta(1, "D") if days is None else first + pd.DateOffset(days=days)
    except (ValueError, TypeError) as error:
        hint = "Give the start as a day."
        value = f"{error}"[:80] if start is None else repr(start)
        problem = Problem("span", "LoadProfile", "time", value=value, allowed="YYYY-MM-DD", hint=hint)
        folder.problems.append(problem)
        return slice(0, 0)
    keep = np.nonzero((local >= first) & (local < last))[0]
    if not len(keep) or (days is not None and local[-1] + (local[1] - local[0]) < last):
        span = f"{local[0]:%Y-%m-%d} to {local[-1]:%Y-%m-%d}"
        hint = "Choose a start and a number of days inside."
        value = f"{start or span[:10]} and {'all' if days is None else days} days"
        folder.problems.append(Problem("span", "LoadProfile", "time", value=value, allowed=span, hint=hint))
        return slice(0, 0)
    return slice(int(keep[0]), int(keep[-1]) + 1)
