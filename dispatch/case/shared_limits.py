"""Limits that feeders of a utility share, from the file ``shared.toml`` in its folder."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.rules.findings import nearest
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        return any(feeder == given or fnmatchcase(feeder, given) for given in self.feeders)


def shared_file(utility: Path | str) -> Path:
    """Where the shared limits of a utility stand: in its folder, or beside its only case file."""
    path = Path(utility)
    return (path if path.is_dir() else path.parent) / NAME


def read_shared_limits(utility: Path | str, feeders: Sequence[str] | None = None) -> tuple[SharedLimit, ...]:
    """Read the shared limits of a utility.

    Parameters
    ----------
    utility : Path or str
        Folder of cases, or one case file.
    feeders : sequence of str, optional
        Names of all feeders; with them a limit that no feeder shares is a problem, too.

    Returns
    -------
    tuple of SharedLimit
        In the order of the file; empty where there is none.

    Raises
    ------
    InputError
        With everything that is wrong with the file.
    """
    path = shared_file(utility)
    if not path.exists():
        return ()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise_if_any([Problem("shared-syntax", NAME, value=str(error), hint="Correct the TOML text.")], str(path))
    entries = found.get("limit", [])
    unknown = [name for name in found if name != "limit"]
    hint = "Write each limit as a table [[limit]]."
    problems = [Problem("shared-unknown", NAME, n, value="not known", allowed="limit", hint=hint) for n in unknown]
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        problems.append(Problem("shared-form", NAME, "limit", value="not a list of tables", hint=hint))
        entries = []
    for k, entry in enumerate(entries):
        problems += _problems(k, entry)
    names = [str(e["id"]) for e in entries if "id" in e]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        hint = "Give each limit a name of its own."
        problems.append(Problem("shared-twice", NAME, "id", tuple(twice[:3]), len(twice), "not unique", hint=hint))
    raise_if_any(problems, str(path))
    limits = tuple(_limit(e) for e in entries)
    alone = [] if feeders is None else [limit.id for limit in limits if not any(map(limit.holds, feeders))]
    hint = "Name feeders as CASE/SOURCE, or by a pattern such as 'north*'; `dispatch batch status` lists them."
    none = Problem("shared-nobody", NAME, "feeders", tuple(alone[:3]), len(alone), "those of no feeder", hint=hint)
    raise_if_any([none] if alone else [], str(path))
    return limits


def _limit(entry: dict[str, Any]) -> SharedLimit:
    numbers = {k: float(v) for k, v in entry.items() if k not in {"id", "feeders", "intensity"}}
    feeders = entry.get("feeders", "*")
    intensity = entry.get("intensity", ())
    return SharedLimit(
        str(entry["id"]),
        (feeders,) if isinstance(feeders, str) else tuple(feeders),
        intensity=tuple(map(float, intensity if isinstance(intensity, list | tuple) else [intensity])),
        **numbers,
    )


def _problems(k: int, entry: dict[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with one limit."""
    rows = attribute_table()["shared_limit"].attributes
    name = entry.get("id")
    own = (name,) if isinstance(name, str) and name else (f"limit {k + 1}",)
    if not isinstance(name, str) or not name:
        yield Problem("shared-id", NAME, "id", own, 1, "missing", "a text", "Give the limit a name.")
    for key, value in entry.items():
        if key not in rows:
            hint = f"{nearest(key, list(rows))} See `dispatch explain shared_limit`.".lstrip()
            yield Problem("shared-unknown", NAME, key, own, 1, "not known", hint=hint)
        elif rows[key].dtype == "float":
            yield from _number(key, value, own)
    feeders = entry.get("feeders", "*")
    texts = feeders if isinstance(feeders, list) else [feeders]
    if not texts or not all(isinstance(t, str) and t for t in texts):
        yield Problem("shared-feeders", NAME, "feeders", own, 1, repr(feeders), "names or patterns", "Give texts.")
    if not any(bound in entry for bound in BOUNDS):
        hint = "A limit without any of them limits nothing."
        yield Problem("shared-bound", NAME, "", own, 1, "without a bound", ", ".join(BOUNDS), hint)
    if ("emission_max" in entry) != ("intensity" in entry):
        missing = "intensity" if "emission_max" in entry else "emission_max"
        yield Problem("shared-bound", NAME, missing, own, 1, "missing", "both", "A budget needs both.")


def _number(key: str, value: Any, own: tuple[str, ...]) -> Iterator[Problem]:
    """Say where a value is no number within its range."""
    row = attribute_table()["shared_limit"].attributes[key]
    values = value if key == "intensity" and isinstance(value, list) else [value]
    for one in values:
        number = isinstance(one, int | float) and not isinstance(one, bool)
        if not number or not bool(row.range.contains(np.array([float(one)]))[0]):
            hint = f"See `dispatch explain shared_limit.{key}`."
            yield Problem("shared-range", NAME, key, own, 1, repr(one), str(row.range), hint)
            return
