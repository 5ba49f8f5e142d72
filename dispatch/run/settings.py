"""What a user can choose about a run; stored in every result so that it can be repeated."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from types import NoneType
from typing import Any

from dispatch.errors import InputError, Problem, raise_if_any

METHODS = ("auto", "monolithic", "decomposed")
KINDS: dict[str, Any] = {
    "start": (str, NoneType),
    "horizon_h": (int, float, NoneType),
    "all_rows": bool,
    "limit_penalty": (int, float),
    "rounds": int,
    "components": tuple,
    "method": str,
    "gap": (int, float),
    "deadline_s": (int, float, NoneType),
    "limits_at": (int, float),
    "integers": bool,
}
"""What each choice is."""


def _is_a(value: Any, kinds: Any) -> bool:
    """Whether a value is of these kinds; a flag is no number."""
    return isinstance(value, bool) is (kinds is bool) and isinstance(value, kinds)


@dataclass(frozen=True)
class Settings:
    """Choices that can change a result; how many workers there are cannot, and is not here.

    Attributes
    ----------
    start : str or None
        First step, ISO 8601 UTC; None: the first of the case's series.
    horizon_h : float or None
        Length of the schedule; None: a day, or all that the case's series cover if that is less. [h]
    all_rows : bool
        Solve the last program with every network row stated at once; the optimum is the same.
    limit_penalty : float
        What relaxing a limit by its own rating costs at first. [money h-1]
    rounds : int
        Most rounds of solving and AC check of one feeder.
    components : tuple of str
        Files of the user's own components.
    method : str
        ``"monolithic"``, ``"decomposed"`` or ``"auto"``; the optimum is the same.
    gap : float
        Objective less lower bound, relative to 1 or the objective, at which a schedule is optimal enough; 1e-4 suits
        planning runs.
    deadline_s : float or None
        Seconds after which the best schedule so far is returned with its bound; None: no deadline. How far a run comes
        by then is up to the machine, so such a result need not be the same twice. [s]
    limits_at : float
        Quantile of net load against which network limits hold: room is kept free for load and PV that come otherwise
        than expected, as ``docs/formulation.md`` says; 0.5: none.
    integers : bool
        Choose by an integer program in which steps engines and upgrading with a minimum run, instead of rounding the
        linear optimum; the lower bound is then the solver's.
    """

    start: str | None = None
    horizon_h: float | None = None
    all_rows: bool = False
    limit_penalty: float = 1e4
    rounds: int = 12
    components: tuple[str, ...] = ()
    method: str = "auto"
    gap: float = 1e-6
    deadline_s: float | None = None
    limits_at: float = 0.5
    integers: bool = False

    def __post_init__(self) -> None:
        raise_if_any(self._of_other_types(), "settings")
        problems = []
        if self.method not in METHODS:
            hint = "Leave it to auto where nothing speaks for one of the others."
            allowed = ", ".join(METHODS)
            problems.append(Problem("unknown-method", "method", value=repr(self.method), allowed=allowed, hint=hint))
        if self.rounds < 1:
            hint = "One round solves without looking at AC again; twelve are the default."
            problems.append(Problem("out-of-range", "rounds", value=str(self.rounds), allowed="≥ 1", hint=hint))
        if not 0 < self.limit_penalty < float("inf"):
            hint = "Give money an hour, such as the default 1e4: it must be dearer than any energy."
            value = str(self.limit_penalty)
            problems.append(Problem("out-of-range", "limit_penalty", value=value, allowed="> 0", hint=hint))
        if not 1e-6 <= self.gap < 1:
            hint = "Give 1e-6 for a proven optimum, 1e-4 for planning runs."
            problems.append(Problem("out-of-range", "gap", value=str(self.gap), allowed="1e-6 … 1", hint=hint))
        if self.deadline_s is not None and not 0 <= self.deadline_s < float("inf"):
            hint = "Give seconds, or none for no deadline."
            problems.append(Problem("out-of-range", "deadline_s", value=str(self.deadline_s), allowed="≥ 0", hint=hint))
        if not 0.5 <= self.limits_at < 1:
            hint = "Give a quantile such as 0.9, or 0.5 for limits that hold as expected."
            value = str(self.limits_at)
            problems.append(Problem("out-of-range", "limits_at", value=value, allowed="0.5 … 1", hint=hint))
        if self.integers and self.method == "decomposed":
            hint = "Leave the method to auto, or choose monolithic: integers have no prices to go by."
            problems.append(Problem("integers", "method", value=self.method, allowed="monolithic", hint=hint))
        raise_if_any(problems, "settings")

    def _of_other_types(self) -> list[Problem]:
        """Choices that are no numbers, texts or flags where they have to be."""
        found = []
        for name, kinds in KINDS.items():
            value = getattr(self, name)
            if not _is_a(value, kinds):
                allowed = " or ".join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
                hint = "See the attributes of `dispatch.Settings`."
                found.append(Problem("type", name, value=repr(value), allowed=allowed, hint=hint))
        return found

    def to_json(self) -> str:
        """As text for a result file."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """From the text of a result file.

        Raises
        ------
        ValueError
            If it is not what `to_json` writes.
        """
        values = json.loads(text)
        if isinstance(values, dict):
            # As results were solved before there was a choice.
            values = {
                "method": "monolithic",
                "gap": 1e-6,
                "deadline_s": None,
                "limits_at": 0.5,
                "integers": False,
                **values,
            }
        if not isinstance(values, dict) or values.keys() != {f.name for f in fields(cls)}:
            raise ValueError("not the choices of a run")
        if not _is_a(values["components"], list):
            raise ValueError(f"components is {values['components']!r}")
        try:
            return cls(**{**values, "components": tuple(map(str, values["components"]))})
        except InputError as error:
            raise ValueError(str(error)) from error
