"""Studies: benchmarks whose rows are not times, such as how good forecasts were."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import rows
from benchmarks.environments import FOLDER, SCRIPTS, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.registry import Peer

    StudyRow = dict[str, Any]


@dataclass(frozen=True)
class Study:
    """What is measured, row by row.

    Attributes
    ----------
    name, about : str
        For the command line.
    columns : tuple of str
        Of the table that is printed; rows may hold more.
    measure : callable
        Yields rows; told whether the small data of the tests are wanted. A row with a text under ``failure`` has
        failed.
    peers : tuple
        Other tools that are asked.
    """

    name: str
    about: str
    columns: tuple[str, ...]
    measure: Callable[[bool], Iterator[StudyRow]]
    peers: tuple[Peer, ...] = ()


def labels() -> StudyRow:
    """Give what every row of a study ends with: versions, commit, date and machine."""
    names = ("prosumer-dispatch", "numba", "numpy", "scipy", "pandas", "holidays")
    return {
        "versions": rows.versions(names),
        "commit": rows.commit(),
        "date": rows.now(),
        "machine": rows.machine(),
    }


def answer(peer: Peer, arrays: dict[str, np.ndarray], python: Path | None = None) -> dict[str, Any]:
    """Ask a peer, or take its answer to the same question by the same script from an earlier run.

    A study of an hour that was stopped goes on where it was. Answers lie beside the peers' environments.

    Parameters
    ----------
    peer, arrays, python
        As for `benchmarks.environments.ask`.
    """
    key = hashlib.sha256(" ".join(peer.packages).encode() + (SCRIPTS / peer.script).read_bytes())
    for name in sorted(arrays):
        key.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    path = FOLDER / "answers" / f"{peer.name}-{key.hexdigest()[:24]}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found
    found = ask(peer, arrays, python)
    if "failure" not in found:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(found), "utf-8")
        part.replace(path)
    return found


def print_study(study: Study, found: Sequence[StudyRow]) -> None:
    """Rows as a table, then what they were measured with."""
    console = Console(width=None if Console().is_terminal else 200)
    table = Table(box=None, header_style="bold")
    for name in study.columns:
        numbers = any(isinstance(row.get(name), int | float) for row in found)
        table.add_column(name, justify="right" if numbers else "left")
    for row in found:
        table.add_row(*[_text(row.get(name)) for name in study.columns])
    console.print(table, markup=False)
    for row in found[:1]:
        used = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
        machine = row["machine"]
        console.print(
            f"{used}\n{machine['processor']}, {machine['cores']} cores, {row['date']}, commit {row['commit']}"
        )


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
