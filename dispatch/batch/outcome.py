"""What is known of one feeder when its run ended, and the figures by which it is listed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import columns
from dispatch.report.tightness import largest, voltage_share

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.errors import InputError
    from dispatch.run.feeder import FeederRun

TEXT_BYTES = 12_000
"""Length of what is said about one feeder; lines that do not fit are counted."""
FIGURES = (
    "objective", "lower_bound", "gap", "gap_relaxation", "cost", "cost_uncontrolled", "hours_unmet",
    "limit_share_max", "loading_max_pu", "v_max_pu", "v_min_pu", "longitude", "latitude",
)  # fmt: skip
"""Numbers of the kind ``feeder`` in the attribute table."""


@dataclass
class FeederOutcome:
    """How one feeder ended.

    Attributes
    ----------
    case, source : str
        Name of its case and id of its source; the latter empty where the case could not be read.
    status : str
        One of the attribute table's.
    problems : list of str
        What is wrong with its input.
    run : FeederRun or None
        What was found, with its arrays.
    time : ndarray (time,) of datetime64
        Axis of its series.
    currency : str
        Of its case.
    prosumers : int
        How many it has.
    figures : dict of str to float
        Those of `FIGURES` that are known.
    seconds : float
        How long it took. [s]
    kept : dict of str to ndarray
        What is needed to ask it at prices of limits that it shares with others.
    """

    case: str
    source: str
    status: str = "not_run"
    problems: list[str] = field(default_factory=list)
    run: FeederRun | None = None
    time: np.ndarray = field(default_factory=lambda: np.zeros(0, "datetime64[s]"))
    currency: str = "EUR"
    prosumers: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    kept: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the utility."""
        return f"{self.case}/{self.source}" if self.source else self.case

    @property
    def explanation(self) -> str:
        """What is wrong, which limits are unmet and what was retried, as a JSON object."""
        run = self.run
        said: dict[str, list[Any]] = {
            "problems": self.problems,
            "unmet": [] if run is None else run.unmet,
            "messages": [] if run is None else run.messages,
        }
        return json.dumps({name: _fitting(lines) for name, lines in said.items()}, allow_nan=False)

    def row(self) -> dict[str, Any]:
        """Make the row that the journal has of it."""
        said = [*self.problems, *(self.run.messages if self.run else ())]
        numbers = {k: float(f"{v:.9g}") for k, v in self.figures.items() if np.isfinite(v)}
        base = {"name": self.name, "status": self.status, "seconds": round(self.seconds, 4)}
        base |= {"prosumers": self.prosumers, "says": said[0][:300] if said else ""}
        return base | numbers


def _fitting(lines: list[Any]) -> list[Any]:
    """Lines that fit; one last line counts the others."""
    size = 0
    for k, line in enumerate(lines):
        size += len(json.dumps(line, allow_nan=False))
        if size > TEXT_BYTES // 3:
            return [*lines[:k], f"{len(lines) - k} more"]
    return lines


def invalid(case: str, source: str, error: InputError) -> FeederOutcome:
    """Outcome of a feeder whose input cannot be used; where the folder lies does not matter and is not said."""
    folder = f"{Path(error.source).parent}/" if "/" in error.source else ""
    said = [str(p).replace(folder, "") if folder else str(p) for p in error.problems]
    return FeederOutcome(case, source, "invalid", said)


def settled(case_name: str, case: xr.DataTree, run: FeederRun, seconds: float) -> FeederOutcome:
    """Outcome of a feeder that was run.

    Parameters
    ----------
    case_name : str
        Name of the case file.
    case : DataTree
        Sub-case of the feeder, with /forecast.
    run : FeederRun
        What came of it.
    seconds : float
        How long it took. [s]

    Returns
    -------
    FeederOutcome
    """
    found = FeederOutcome(case_name, run.name, run.status, run=run, seconds=seconds)
    found.time, found.currency = columns(case, "forecast")["time"], str(case.attrs["currency"])
    found.prosumers = len(run.ids["prosumer"])
    bus = columns(case, "bus")
    found.figures = {k: _mean(bus[k]) for k in ("longitude", "latitude")}
    if "schedule" in run.groups:
        found.figures |= _figures(bus, run)
    return found


def _figures(bus: dict[str, np.ndarray], run: FeederRun) -> dict[str, float]:
    schedule, certificate = run.groups["schedule"], run.groups["certificate"]
    v = schedule["v_pu"]
    loading = np.concatenate([schedule["loading_line_pu"], schedule["loading_transformer_pu"]])
    shares = voltage_share(v, bus["v_min_pu"][:, None], bus["v_max_pu"][:, None])
    figures = {k: float(np.sum(certificate[k])) for k in ("objective", "lower_bound", "gap", "gap_relaxation")}
    figures |= {k: float(np.sum(schedule[k])) for k in ("cost", "cost_uncontrolled")}
    return figures | {
        "hours_unmet": float(sum(entry.get("hours_total", 0.0) for entry in run.unmet)),
        "limit_share_max": float(np.fmax(largest(shares), largest(loading))),
        "loading_max_pu": largest(loading),
        "v_max_pu": largest(v),
        "v_min_pu": -largest(-v),
    }


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
