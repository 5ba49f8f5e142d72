"""Rows of figures: judged, kept, printed."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).parent / "results"
TOLERANCE = 1e-6  # within which two objectives are the same [relative]


@dataclass(frozen=True)
class Row:
    """One comparison; times in seconds, objectives in the case's currency.

    Attributes
    ----------
    ours_s, peer_s : float or None
        Wall-clock time.
    ours_cpu_s, peer_cpu_s : float or None
        Processor time in it: where it is much less, other work shared the machine.
    ratio : float or None
        ``peer_s / ours_s``: how many times faster ours is; None where there is nothing to compare or it is not valid.
    problem : str
        ``same``, ``relaxation`` (the peer lacks limits), or empty where nothing is optimized.
    failure : str
        Why there is no ratio although there should be.
    """

    case: str
    setting: str
    measure: str
    ours: str
    peer: str
    ours_s: float
    peer_s: float | None
    ratio: float | None
    ours_objective: float | None
    peer_objective: float | None
    ours_cpu_s: float | None = None
    peer_cpu_s: float | None = None
    problem: str = ""
    note: str = ""
    failure: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    date: str = ""
    machine: dict[str, Any] = field(default_factory=dict)


def verdict(ours: float | None, peer: float | None, problem: str) -> str:
    """Why two objectives rule a comparison out; empty where they do not.

    Parameters
    ----------
    ours, peer : float or None
        Objectives; None where nothing is optimized.
    problem : str
        ``same`` or ``relaxation``.
    """
    if problem == "":
        return ""
    if ours is None or peer is None:
        return "an objective is missing"
    room = TOLERANCE * max(1.0, abs(ours))
    if not peer <= ours + room:  # also where one is not a number
        return f"the peer's objective is above ours by {peer - ours:.3g}"
    if problem == "same" and peer < ours - room:
        return f"the same problem, but the peer's objective is below ours by {ours - peer:.3g}"
    return ""


def versions(names: Sequence[str]) -> dict[str, str]:
    """Versions of installed distributions."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Short hash of the checkout, with a plus where files differ from it; empty outside one."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine() -> dict[str, Any]:
    """Model and number of processors; neither names nor paths."""
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line for line in info.read_text("utf-8").splitlines() if line.startswith("model name"))
        model = next(lines, ":").split(":", 1)[1].strip()
    return {"processor": model, "cores": os.cpu_count()}


def now() -> str:
    """Give the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def keep(name: str, rows: Sequence[Row | dict[str, Any]]) -> Path:
    """Write the rows of a benchmark or study for ``--last``."""
    path = RESULTS / f"{name}.json"
    path.write_text(as_json(rows) + "\n", "utf-8")
    return path


def kept(name: str) -> list[Row]:
    """Rows of the last run; none where it was never run."""
    path = RESULTS / f"{name}.json"
    return [Row(**row) for row in json.loads(path.read_text("utf-8"))] if path.exists() else []


def kept_study(name: str) -> list[dict[str, Any]]:
    """Rows of the last run of a study; none where it was never run."""
    path = RESULTS / f"{name}.json"
    return list(json.loads(path.read_text("utf-8"))) if path.exists() else []


def as_json(rows: Sequence[Row | dict[str, Any]]) -> str:
    """Rows as a JSON list of objects."""
    found = [row if isinstance(row, dict) else asdict(row) for row in rows]
    return json.dumps(found, indent=2, ensure_ascii=False)


def print_rows(rows: Sequence[Row]) -> None:
    """Rows as a table, then what they were measured with."""
    console = Console(width=None if Console().is_terminal else 230)
    table = Table(box=None, header_style="bold")
    for name in ("case", "setting", "measure", "peer"):
        table.add_column(name)
    for name in ("ours s", "peer s", "ratio", "ours cpu s", "peer cpu s", "our objective", "peer's objective"):
        table.add_column(name, justify="right")
    table.add_column("remark")
    for row in rows:
        remark = row.failure or "; ".join(text for text in (row.problem, row.note) if text)
        figures = [_text(row.ours_s, ".4g"), _text(row.peer_s, ".4g"), _text(row.ratio, ".3g")]
        figures += [_text(row.ours_cpu_s, ".4g"), _text(row.peer_cpu_s, ".4g")]
        objectives = (_text(row.ours_objective, ".6f"), _text(row.peer_objective, ".6f"))
        table.add_row(row.case, row.setting, row.measure, row.peer or "-", *figures, *objectives, escape(remark))
    console.print(table)
    for row in rows[:1]:
        used = ", ".join(f"{name} {version}" for name, version in _all_versions(rows).items())
        console.print(
            f"{used}\n{row.machine['processor']}, {row.machine['cores']} cores, {row.date}, commit {row.commit}"
        )


def _all_versions(rows: Sequence[Row]) -> dict[str, str]:
    return {name: version for row in rows for name, version in row.versions.items()}


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
