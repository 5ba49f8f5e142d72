"""Runs a benchmark: every measure on every subject, beside every peer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.arrays import day_arrays
from benchmarks.environments import ask
from benchmarks.rows import Row, commit, machine, now, verdict, versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import xarray as xr

    from benchmarks.registry import Benchmark, Peer, Subject, Timing

OURS = ("prosumer-dispatch", "highspy", "numba", "numpy", "scipy", "pyomo", "xarray", "power-grid-model")


def run(benchmark: Benchmark, *, small: bool = False, python: Path | None = None) -> Iterator[Row]:
    """Measure, one subject after another.

    Parameters
    ----------
    benchmark : Benchmark
        From the registry.
    small : bool
        The small subjects, as the tests use them.
    python : Path, optional
        Python for every peer instead of that of its own environment.

    Yields
    ------
    Row
        One for each subject, measure and peer or reference, as soon as it is known.
    """
    for subject in benchmark.small() if small else benchmark.subjects():
        case = subject.make()
        for name, measure in benchmark.measures.items():
            ours = measure(case)
            if not (benchmark.peers or benchmark.references):
                yield _row(subject, name, ours, "", {"seconds": None}, "")
            for reference in benchmark.references:
                beside = reference.measure(case)
                found = {"seconds": beside.seconds, "objective": beside.objective, "note": beside.note}
                problem = "same" if beside.objective is not None and ours.objective is not None else ""
                yield _row(subject, name, ours, reference.name, found, problem)
            for peer in benchmark.peers:
                yield _peer_row(subject, name, ours, peer, case, python)


def _peer_row(subject: Subject, measure: str, ours: Timing, peer: Peer, case: xr.DataTree, python: Path | None) -> Row:
    found = ask(peer, day_arrays(case), python)
    if peer.lacks:
        found["note"] = "; ".join(text for text in (f"without {peer.lacks}", found.get("note", "")) if text)
    return _row(subject, measure, ours, peer.name, found, peer.problem)


def _row(subject: Subject, measure: str, ours: Timing, peer: str, found: dict[str, Any], problem: str) -> Row:
    """Judge a comparison and label it."""
    seconds, objective = found.get("seconds"), found.get("objective")
    failure = found.get("failure", "") or (verdict(ours.objective, objective, problem) if peer else "")
    ratio = seconds / ours.seconds if seconds is not None and not failure else None
    used = {"python": sys.version.split()[0]} | versions(OURS)
    used |= {f"{peer}: {name}": version for name, version in found.get("versions", {}).items()}
    note = "; ".join(text for text in (ours.note, found.get("note", "")) if text)
    return Row(
        subject.case, subject.setting, measure, "dispatch", peer, ours.seconds, seconds, ratio, ours.objective,
        objective, problem, note, failure, used, commit(), now(), machine(),
    )  # fmt: skip
