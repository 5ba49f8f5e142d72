"""What a benchmark is, and which there are."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import benchmarks.suite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.studies import Study


@dataclass(frozen=True)
class Timing:
    """One measured piece of work.

    Attributes
    ----------
    seconds : float
        Wall-clock time. [s]
    cpu_s : float or None
        Processor time of this process in it; None where other processes did the work. [s]
    objective : float or None
        Optimum that it reached, where it is an optimization. [currency]
    note : str
        What else the reader should know.
    """

    seconds: float
    cpu_s: float | None
    objective: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """Another tool, run as a script by the Python of its own environment.

    Attributes
    ----------
    name : str
        Also the folder of its environment.
    packages : tuple of str
        What pip installs there; the script may import nothing else.
    script : str
        File in ``benchmarks/peers``.
    problem : {"same", "relaxation"}
        Whether it states the very program of docs/formulation.md, or lacks some of its limits.
    lacks : str
        What a relaxation lacks.
    """

    name: str
    packages: tuple[str, ...]
    script: str
    problem: Literal["same", "relaxation"] = "same"
    lacks: str = ""


@dataclass(frozen=True)
class Reference:
    """Another piece of our own work, measured in this process, to which ours is set in relation."""

    name: str
    measure: Callable[[Any], Timing]


@dataclass(frozen=True)
class Subject:
    """A case in one setting, or what else a benchmark measures, made when it is needed."""

    case: str
    setting: str
    make: Callable[[], Any]


@dataclass(frozen=True)
class Benchmark:
    """What is measured on which cases, and beside whom.

    Attributes
    ----------
    name, about : str
        For the command line.
    measures : mapping of str to callable
        What is timed on each subject, by its name.
    subjects : callable
        Full-sized cases.
    small : callable
        Cases that take less than a second, for the tests.
    peers, references : tuple
        What each measure is compared with; a row each, or one row without a peer.
    """

    name: str
    about: str
    measures: Mapping[str, Callable[[Any], Timing]]
    subjects: Callable[[], tuple[Subject, ...]]
    small: Callable[[], tuple[Subject, ...]]
    peers: tuple[Peer, ...] = ()
    references: tuple[Reference, ...] = field(default=())


def benchmarks_by_name() -> dict[str, Benchmark]:
    """Every timed benchmark in ``benchmarks/suite``, by name."""
    return dict(sorted(_found("BENCHMARK").items()))


def studies_by_name() -> dict[str, Study]:
    """Every study in ``benchmarks/suite``, by name."""
    return dict(sorted(_found("STUDY").items()))


def peers_by_name() -> dict[str, Peer]:
    """Every peer of every benchmark and study, by name."""
    of_all: list[Benchmark | Study] = [*benchmarks_by_name().values(), *studies_by_name().values()]
    return {peer.name: peer for one in of_all for peer in one.peers}


def _found(attribute: str) -> dict[str, Any]:
    modules = pkgutil.iter_modules(benchmarks.suite.__path__)
    loaded = [importlib.import_module(f"benchmarks.suite.{module.name}") for module in modules]
    ones = [getattr(module, attribute) for module in loaded if hasattr(module, attribute)]
    return {one.name: one for one in ones}
