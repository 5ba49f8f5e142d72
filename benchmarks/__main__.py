"""``python -m benchmarks list | setup PEER | NAME [--json] [--last] [--small]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from benchmarks.environments import set_up
from benchmarks.registry import benchmarks_by_name, peers_by_name, studies_by_name
from benchmarks.rows import Row, as_json, keep, kept, kept_study, print_rows
from benchmarks.runner import run
from benchmarks.studies import print_study

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measured comparisons in one run.")
    parser.add_argument("what", help="list, setup, or the name of a benchmark")
    parser.add_argument("peer", nargs="?", help="after setup: the peer whose environment is made, or all")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON on stdout")
    parser.add_argument("--last", action="store_true", help="print the kept rows of the last run; run nothing")
    parser.add_argument("--small", action="store_true", help="small cases, as in the tests; nothing is kept")
    given = parser.parse_args(arguments)
    if given.what == "list":
        return _list()
    if given.what == "setup":
        return _setup(given.peer)
    if given.what in studies_by_name():
        return _study(given.what, as_data=given.json, last=given.last, small=given.small)
    if given.what not in benchmarks_by_name():
        return _unknown("benchmark", given.what, [*benchmarks_by_name(), *studies_by_name()])
    return _benchmark(given.what, as_data=given.json, last=given.last, small=given.small)


def _list() -> int:
    for name, benchmark in benchmarks_by_name().items():
        beside = ", ".join([p.name for p in benchmark.peers] + [r.name for r in benchmark.references])
        print(f"{name:12s} {benchmark.about}" + (f" (beside {beside})" if beside else ""))
    for name, study in studies_by_name().items():
        beside = ", ".join(p.name for p in study.peers)
        print(f"{name:12s} {study.about}" + (f" (beside {beside})" if beside else ""))
    return DONE


def _setup(name: str | None) -> int:
    peers = peers_by_name()
    if name != "all" and name not in peers:
        return _unknown("peer", name or "", [*peers, "all"])
    for peer in peers.values() if name == "all" else [peers[str(name)]]:
        print(f"{peer.name}: {' '.join(peer.packages)}", file=sys.stderr)
        try:
            set_up(peer)
        except subprocess.CalledProcessError as error:
            print(f"pip failed with exit code {error.returncode}; see its message above", file=sys.stderr)
            return FAILED
    return DONE


def _unknown(what: str, name: str, known: Sequence[str]) -> int:
    print(f"{what} '{name}' is not known; choose one of: {', '.join(known)}", file=sys.stderr)
    return USAGE


def _benchmark(name: str, *, as_data: bool, last: bool, small: bool) -> int:
    if last:
        rows = kept(name)
        if not rows:
            print(f"no rows are kept of '{name}'; run: python -m benchmarks {name}", file=sys.stderr)
            return FAILED
    else:
        rows = _measured(name, small=small)
        if not small:
            keep(name, rows)
    if as_data:
        print(as_json(rows))
    else:
        print_rows(rows)
    return FAILED if any(row.failure for row in rows) else DONE


def _study(name: str, *, as_data: bool, last: bool, small: bool) -> int:
    """Run a study, or show its last rows."""
    study = studies_by_name()[name]
    rows = kept_study(name) if last else []
    if last and not rows:
        print(f"no rows are kept of '{name}'; run: python -m benchmarks {name}", file=sys.stderr)
        return FAILED
    if not last:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(name, total=None)
            for row in study.measure(small):
                rows.append(row)
                label = " ".join(str(row.get(column, "")) for column in study.columns[:2])
                progress.update(task, description=f"{name}: {label}", advance=1)
        if not small and not any(row.get("failure") for row in rows):
            keep(name, rows)
    if as_data:
        print(as_json(rows))
    else:
        print_study(study, rows)
    return FAILED if any(row.get("failure") for row in rows) else DONE


def _measured(name: str, *, small: bool) -> list[Row]:
    rows = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        for row in run(benchmarks_by_name()[name], small=small):
            rows.append(row)
            progress.update(task, description=f"{name}: {row.case} {row.setting} {row.peer}", advance=1)
    return rows


if __name__ == "__main__":
    sys.exit(main())
