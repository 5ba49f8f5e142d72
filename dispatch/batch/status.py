"""How a night goes or went, read from its plan and journal; nothing is opened that a run writes just now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dispatch.batch.journal import read_journal
from dispatch.batch.plan import read_plan
from dispatch.batch.record import finished
from dispatch.errors import InputError, Problem

SHOWN = 5
STATUSES = ("optimal", "gap", "limits_unmet", "invalid", "failed", "not_run")
RANK = {name: k for k, name in enumerate(("failed", "invalid", "limits_unmet", "not_run", "gap", "optimal"))}


@dataclass(frozen=True)
class Status:
    """How a night goes or went.

    Attributes
    ----------
    rows : list of dict
        Every feeder: ``name``, ``status``, ``seconds``, ``prosumers``, ``says`` and the figures that are known.
    groups, groups_done : int
        How many there are, and how many are done.
    lost : int
        Workers that were ended from outside, over all runs.
    seconds_predicted, seconds_left : float
        Predicted work of all groups, and of those that are not done. [s]
    shared : dict or None
        How far limits that feeders share are agreed on: ``rounds``, ``lower_bound``, ``gap``, and once it is ``done``
        ``objective`` and for each of ``limits`` its loading, price by step and what is unmet; None: there are none.
    """

    rows: list[dict[str, Any]] = field(repr=False)
    groups: int
    groups_done: int
    lost: int
    seconds_predicted: float
    seconds_left: float
    shared: dict[str, Any] | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many feeders ended in which way."""
        found = Counter(row["status"] for row in self.rows)
        return {name: found.get(name, 0) for name in STATUSES}

    @property
    def status(self) -> str:
        """The worst of all feeders' and of what they share; ``optimal`` where there is none."""
        return min([*(row["status"] for row in self.rows), *self._of_shared()], key=RANK.__getitem__, default="optimal")

    def _of_shared(self) -> list[str]:
        """Status of limits that feeders share, where they are agreed on."""
        if not self.shared or not self.shared.get("done"):
            return []
        if any(limit["unmet"] for limit in self.shared["limits"]):
            return ["limits_unmet"]
        gap = self.shared["gap_delivered"]  # as of a single feeder: of what is delivered against the bound
        proven = gap is not None and gap <= self.shared["gap_asked"] and not self.shared.get("fixed")
        return ["optimal" if proven else "gap"]

    @property
    def percentiles(self) -> dict[str, float]:
        """Seconds that a feeder takes: median, 95 % and 99 %; NaN before any is done."""
        taken = [row["seconds"] for row in self.rows if row["status"] != "not_run"]
        values = np.percentile(taken, [50, 95, 99]) if taken else np.full(3, np.nan)
        return {name: float(v) for name, v in zip(("p50_s", "p95_s", "p99_s"), values, strict=True)}

    def slowest(self) -> list[dict[str, Any]]:
        """Feeders that took longest."""
        return sorted(self.rows, key=lambda r: (-r["seconds"], r["name"]))[:SHOWN]

    def worst(self) -> list[dict[str, Any]]:
        """Feeders that ended worst: failed and invalid ones, then by hours with unmet limits."""
        bad = [r for r in self.rows if r["status"] in {"failed", "invalid", "limits_unmet"}]
        return sorted(bad, key=lambda r: (RANK[r["status"]], -r.get("hours_unmet", 0.0), r["name"]))[:SHOWN]

    def to_json(self) -> dict[str, Any]:
        """Object that ``--json`` prints."""
        percentiles = {k: None if np.isnan(v) else v for k, v in self.percentiles.items()}
        return {
            "status": self.status,
            "feeders": len(self.rows),
            "prosumers": sum(r["prosumers"] for r in self.rows),
            "counts": self.counts,
            "groups": self.groups,
            "groups_done": self.groups_done,
            "workers_lost": self.lost,
            **percentiles,
            "seconds_left": self.seconds_left,
            "shared": self.shared,
            "slowest": [{k: r[k] for k in ("name", "seconds", "status")} for r in self.slowest()],
            "worst": [{k: r.get(k) for k in ("name", "status", "hours_unmet", "says")} for r in self.worst()],
        }


def status_of(folder: Path | str) -> Status:
    """Read how a night goes or went.

    Parameters
    ----------
    folder : Path or str
        Of results.

    Returns
    -------
    Status

    Raises
    ------
    InputError
        If there is no plan in the folder.
    """
    path = Path(folder)
    plan = read_plan(path)
    if plan is None:
        hint = "Give a folder that `dispatch batch run` wrote."
        raise InputError([Problem("no-results", str(path), value="without a plan", hint=hint)], str(path))
    records = read_journal(path)
    done = finished(records, path)
    rows: list[dict[str, Any]] = []
    left = 0.0
    for group in plan.groups:
        if group.key in done:
            rows += done[group.key]["feeders"]
        else:
            left += group.seconds
            blank = {"status": "not_run", "seconds": 0.0, "prosumers": 0, "says": ""}
            rows += [{"name": name, **blank} for name in group.names]
    complete = sum(g.key in done for g in plan.groups)
    lost = sum(r["what"] == "lost" for r in records)
    told = [r for r in records if r["what"] == "shared" and r["night"] == plan.shared]
    shared = {k: v for k, v in told[-1].items() if k not in {"what", "at", "night"}} if told else None
    return Status(rows, len(plan.groups), complete, lost, plan.seconds, left, shared)
