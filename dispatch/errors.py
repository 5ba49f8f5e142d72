"""The error classes, as data with one text each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes
    ----------
    code : str
        Stable short name of the rule, such as ``"range"`` or ``"unknown-parent"``.
    group : str
        Group of the case file, such as ``"/electric/bus"``, or the name of the file itself.
    variable : str
        Attribute concerned; empty where the whole group is.
    ids : tuple of str
        Elements concerned, at most the first few.
    count : int
        How many elements are concerned.
    value : str
        What was found, as text.
    allowed : str
        What is allowed, as text.
    hint : str
        What to do about it, a whole sentence.
    """

    code: str
    group: str
    variable: str = ""
    ids: tuple[str, ...] = ()
    count: int = 0
    value: str = ""
    allowed: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """One line: where, what was found, what is allowed, what to do."""
        where = f"{self.group}: {self.variable}" if self.variable else self.group
        parts = [f"[{self.code}] {where}"]
        if self.value:
            parts.append(f"is {self.value}")
        if self.count:
            names = ", ".join(repr(i) for i in self.ids)
            more = f" and {self.count - len(self.ids)} more" if self.count > len(self.ids) else ""
            parts.append(f"at {names}{more}")
        text = " ".join(parts)
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        return f"{text}. {self.hint}".rstrip()


class DispatchError(Exception):
    """Base of all errors that this project raises on purpose."""

    exit_code = 4


@dataclass
class InputError(DispatchError):
    """What was given cannot be used; carries all problems found in one pass."""

    problems: Sequence[Problem] = field(default_factory=tuple)
    source: str = ""

    exit_code = 1

    def __post_init__(self) -> None:
        """Keep the problems as the exception's only argument, so that it pickles."""
        self.problems = tuple(self.problems)
        super().__init__(self.problems, self.source)

    def __str__(self) -> str:
        """Every problem on a line of its own, after a line that counts them."""
        n = len(self.problems)
        head = f"{n} problem{'s' if n != 1 else ''}" + (f" in {self.source}" if self.source else "")
        return "\n".join([head, *(f"  {p}" for p in self.problems)])


class ModelError(DispatchError):
    """A component's algebra cannot be compiled; the text names component, expression and reason."""

    exit_code = 1


class SolverError(DispatchError):
    """The solver warned, stopped early or lost part of the program."""


class TimeUp(SolverError):  # noqa: N818  (not a failure: the best so far is returned)
    """Time is up before an optimum is found."""


class WorkersError(DispatchError):
    """Processes in which feeders are to run cannot be started."""


class CertificateError(DispatchError):
    """A solution does not prove itself: a residual or the gap is above its tolerance."""


def raise_if_any(problems: Iterable[Problem], source: str = "") -> None:
    """Raise one `InputError` that carries all problems, if there are any.

    Parameters
    ----------
    problems : iterable of Problem
        What was found.
    source : str
        File or folder that was read, for the message.

    Raises
    ------
    InputError
        If there is at least one problem.
    """
    found = tuple(problems)
    if found:
        raise InputError(found, source)
