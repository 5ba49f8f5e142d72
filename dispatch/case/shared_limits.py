"""Limits on what feeders of a utility take together: tables ``[[limit]]`` of the file ``shared.toml``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.rules.findings import nearest
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

NAME = "shared.toml"
BOUNDS = ("s_nom", "p_import_max", "p_export_max", "emission_max")
"""Attributes of which a limit has at least one."""
HOURS = 24


@dataclass(frozen=True)
class SharedLimit:
    """What some feeders must keep together; NaN where a bound is not given.

    Attributes
    ----------
    id : str
        Its name.
    feeders : tuple of str
        Names of feeders, or patterns of names.
    s_nom : float
        Rating of what they exchange. [kVA]
    p_import_max, p_export_max : float
        Most that they take and give together. [kW]
    emission_max : float
        Most emission over the horizon. [kg]
    intensity : tuple of float
        Emission of each kWh that is taken: one value, 24 (hours of the day, UTC), or one a step. [kg kW-1 h-1]
    penalty : float
        Cost of a kWh, or of a kg, beyond it. [money]
    """

    id: str
    feeders: tuple[str, ...] = ("*",)
    s_nom: float = math.nan
    p_import_max: float = math.nan
    p_export_max: float = math.nan
    emission_max: float = math.nan
    intensity: tuple[float, ...] = ()
    penalty: float = 10.0

    def holds(self, feeder: str) -> bool:
        """Whether a feeder, by its name in the utility, is one of those that share it."""
        return is_one_of(feeder, self.feeders)


def limit_of(entry: dict[str, Any]) -> SharedLimit:
    """Make a limit of a table without mistakes."""
    numbers = {k: float(v) for k, v in entry.items() if k not in {"id", "feeders", "intensity"}}
    intensity = entry.get("intensity", ())
    return SharedLimit(
        str(entry["id"]),
        names_of(entry.get("feeders", "*")),
        intensity=tuple(map(float, intensity if isinstance(intensity, list | tuple) else [intensity])),
        **numbers,
    )


def limit_problems(k: int, entry: dict[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with one limit, the `k`-th."""
    own = yield from entry_problems("limit", k, entry)
    if not are_names(feeders := entry.get("feeders", "*")):
        yield Problem("shared-feeders", NAME, "feeders", own, 1, repr(feeders), "names or patterns", "Give texts.")
    if not any(bound in entry for bound in BOUNDS):
        hint = "A limit without any of them limits nothing."
        yield Problem("shared-bound", NAME, "", own, 1, "without a bound", ", ".join(BOUNDS), hint)
    if ("emission_max" in entry) != ("intensity" in entry):
        missing = "intensity" if "emission_max" in entry else "emission_max"
        yield Problem("shared-bound", NAME, missing, own, 1, "missing", "both", "A budget needs both.")


def entry_problems(what: str, k: int, entry: dict[str, Any]) -> Generator[Problem, None, tuple[str, ...]]:
    """Everything that is wrong with a table of the file whatever it is of: its id, unknown names, numbers.

    Parameters
    ----------
    what : str
        ``limit`` or ``network``.
    k : int
        Its number, from 0.
    entry : dict
        The table.

    Returns
    -------
    tuple of str
        By what name problems tell of it.
    """
    rows = attribute_table()[f"shared_{what}"].attributes
    name = entry.get("id")
    named = isinstance(name, str) and bool(name)
    own = (str(name),) if named else (f"{what} {k + 1}",)
    if not named:
        yield Problem("shared-id", NAME, "id", own, 1, "missing", "a text", f"Give the {what} a name.")
    for key, value in entry.items():
        if key not in rows:
            hint = f"{nearest(key, list(rows))} See `dispatch explain shared_{what}`.".lstrip()
            yield Problem("shared-unknown", NAME, key, own, 1, "not known", hint=hint)
        elif rows[key].dtype == "float":
            yield from _number(what, key, value, own)
    return own


def are_names(given: Any) -> bool:
    """Whether something is a text, or a list of some."""
    texts = given if isinstance(given, list) else [given]
    return bool(texts) and all(isinstance(t, str) and t for t in texts)


def names_of(given: str | list[str]) -> tuple[str, ...]:
    """One text or several as several."""
    return (given,) if isinstance(given, str) else tuple(given)


def is_one_of(feeder: str, names: Iterable[str]) -> bool:
    """Whether a feeder is named, itself or by a pattern."""
    return any(feeder == given or fnmatchcase(feeder, given) for given in names)


def _number(what: str, key: str, value: Any, own: tuple[str, ...]) -> Iterator[Problem]:
    """Say where a value is no number within its range."""
    row = attribute_table()[f"shared_{what}"].attributes[key]
    values = value if key == "intensity" and isinstance(value, list) else [value]
    for one in values:
        number = isinstance(one, int | float) and not isinstance(one, bool)
        if not number or not bool(row.range.contains(np.array([float(one)]))[0]):
            hint = f"See `dispatch explain shared_{what}.{key}`."
            yield Problem("shared-range", NAME, key, own, 1, repr(one), str(row.range), hint)
            return
