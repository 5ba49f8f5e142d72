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

    from benchmarks.registry import Benchmark, Subject, Timing

QUIET = 0.8  # share of wall-clock time that the work of one thread gets on a machine of its own
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
        beside = None
        for name, measure in benchmark.measures.items():
            ours = measure(case)
            # Peers are asked once a subject, right after our first measure: they do not depend on how ours is done.
            beside = beside or _beside(benchmark, case, python)
            for peer, found in beside:
                yield _row(subject, name, ours, peer, found)


def _beside(benchmark: Benchmark, case: Any, python: Path | None) -> list[tuple[str, dict[str, Any]]]:
    """Ask references and peers; without any, one answer that says nothing."""
    answers: list[tuple[str, dict[str, Any]]] = []
    for reference in benchmark.references:
        timing = reference.measure(case)
        problem = "" if timing.objective is None else "same"
        answers.append((reference.name, {**vars(timing), "problem": problem}))
    arrays = day_arrays(case) if benchmark.peers else {}
    for peer in benchmark.peers:
        found = ask(peer, arrays, python)
        said = [f"without {peer.lacks}" if peer.lacks else "", found.get("note", "")]
        answers.append((peer.name, {**found, "note": "; ".join(filter(None, said)), "problem": peer.problem}))
    return answers or [("", {"problem": ""})]


def _busy(ours: Timing, found: dict[str, Any]) -> str:
    """Warn where processor time falls far short of wall-clock time: something else used the machine."""
    known = [(ours.cpu_s, ours.seconds), (found.get("cpu_s"), found.get("seconds"))]
    shares = [cpu / seconds for cpu, seconds in known if cpu is not None and seconds is not None]
    return "the machine was busy: repeat it on a quiet one" if min(shares, default=1.0) < QUIET else ""


def _row(subject: Subject, measure: str, ours: Timing, peer: str, found: dict[str, Any]) -> Row:
    """Judge a comparison and label it."""
    seconds, objective, problem = found.get("seconds"), found.get("objective"), found["problem"]
    failure = found.get("failure", "") or verdict(ours.objective, objective, problem)
    used = {"python": sys.version.split()[0]} | versions(OURS)
    used |= {f"{peer}: {name}": version for name, version in found.get("versions", {}).items()}
    return Row(
        case=subject.case,
        setting=subject.setting,
        measure=measure,
        ours="dispatch",
        peer=peer,
        ours_s=ours.seconds,
        peer_s=seconds,
        ratio=seconds / ours.seconds if seconds is not None and not failure else None,
        ours_objective=ours.objective,
        peer_objective=objective,
        ours_cpu_s=ours.cpu_s,
        peer_cpu_s=found.get("cpu_s"),
        problem=problem,
        note="; ".join(filter(None, [ours.note, found.get("note", ""), _busy(ours, found)])),
        failure=failure,
        versions=used,
        commit=commit(),
        date=now(),
        machine=machine(),
    )
