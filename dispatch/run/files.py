"""Files in, files out: one function for each thing that the command line does with a case or a result."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.case.netcdf import load_valid_case, save_case, write_atomically
from dispatch.case.schema import columns
from dispatch.forecast.profile import DAY_H
from dispatch.model.registry import load_components
from dispatch.report.summary import summary_object
from dispatch.run.optimize import optimize
from dispatch.run.outputs import require_output
from dispatch.run.result import versions
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages

if TYPE_CHECKING:
    import xarray as xr

BESIDE = ("run.json", "report.html")
"""What stands beside a result."""
LEVEL = 1
"""Of compression of results: somebody waits, and the usual level saves 3 % of their size for a third more time."""
WRITE_S = 4e-5
"""Seconds for each meter and hour that putting together and writing a result and its report takes."""


@dataclass
class Outcome:
    """What a run ended with.

    Attributes
    ----------
    result : DataTree
        The case with /schedule, /price, /offset and /certificate.
    summary : dict
        The object that ``--json`` prints.
    files : list of Path
        What was written.
    notes : list of str
        What was converted while reading.
    next_steps : list of str
        What to try now, for people.
    """

    result: xr.DataTree
    summary: dict[str, Any]
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)


def run_case(
    case: Path | str,
    output: Path | str,
    settings: Settings | None = None,
    *,
    workers: int | None = None,
    report: bool = True,
    progress: bool = False,
    begun: float | None = None,
) -> Outcome:
    """Run a case file; writes the result, ``run.json`` and ``report.html`` beside it.

    Parameters
    ----------
    case : Path or str
        A case file, or the name of an embedded case.
    output : Path or str
        Result file; its folder is made if it does not exist.
    settings, workers, progress
        See `optimize`.
    report : bool
        Write the HTML report.
    begun : float, optional
        Time on the monotonic clock from which a deadline counts, reading and writing included; default: now. [s]

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        If the case is invalid; nothing is written then.
    """
    settings, stages = settings or Settings(), Stages()
    begun = time.monotonic() if begun is None else begun
    notes: list[str] = []
    require_output(output, inputs=[case], taken=BESIDE)
    load_components(settings.components)
    with stages.stage("read"):
        loaded = load_valid_case(case, notes)
    end = _end_of_solving(loaded, settings, begun)
    shown = {"report": report, "progress": progress}
    outcome = _finish(loaded, Path(output), settings, stages, workers=workers, end=end, **shown)
    outcome.notes = notes
    return outcome


def _end_of_solving(case: xr.DataTree, settings: Settings, begun: float) -> float | None:
    """Leave time to write before a deadline; None without one."""
    if settings.deadline_s is None:
        return None
    hours = len(columns(case, "meter")["id"]) * (DAY_H if settings.horizon_h is None else settings.horizon_h)
    return begun + settings.deadline_s - WRITE_S * hours


def _finish(
    case: xr.DataTree,
    output: Path,
    settings: Settings,
    stages: Stages,
    *,
    workers: int | None,
    report: bool,
    progress: bool,
    end: float | None = None,
) -> Outcome:
    """Solve a case and write all of its files."""
    begun = dt.datetime.now(dt.UTC)
    result = optimize(case, settings, workers=workers, progress=progress, stages=stages, end=end)
    files = [output, output.with_name(BESIDE[0])]
    output.parent.mkdir(parents=True, exist_ok=True)
    with stages.stage("write"):
        save_case(result, output, level=LEVEL)
    if report:
        from dispatch.report.html import write_report  # noqa: PLC0415  (Jinja2 loads when needed)

        files.insert(1, output.with_name(BESIDE[1]))
        with stages.stage("report"):
            write_report(result, files[1])
    machine = {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()}
    record = {
        "started": begun.isoformat(timespec="seconds"),
        "times_s": stages.seconds,
        "machine": machine,
        "versions": versions(),
        "settings": json.loads(settings.to_json()),
    }
    write_atomically(files[-1], (json.dumps(record, indent=2) + "\n").encode())
    summary = summary_object(result, times_s=stages.seconds, files=[str(f) for f in files])
    summary["messages"] = json.loads(result["certificate"].attrs["messages"])
    return Outcome(result, summary, files)


def run_demo(
    folder: Path | str = "dispatch-demo", *, season: str = "summer", workers: int | None = None, progress: bool = False
) -> Outcome:
    """Run one day of the embedded town.

    Parameters
    ----------
    folder : Path or str
        Where ``case.nc``, ``schedule.nc``, ``report.html`` and ``run.json`` go.
    season : {"summer", "winter"}
        Which day.
    workers, progress
        See `optimize`.

    Returns
    -------
    Outcome
    """
    folder, stages, name = Path(folder), Stages(), f"schutterwald_{season}"
    require_output(folder, folder=True)
    with stages.stage("read"):
        case = load_valid_case(name)
    folder.mkdir(parents=True, exist_ok=True)
    with stages.stage("write"):
        save_case(case, folder / "case.nc")
    output = folder / "schedule.nc"
    outcome = _finish(case, output, Settings(), stages, workers=workers, report=True, progress=progress)
    outcome.files.insert(0, folder / "case.nc")
    outcome.summary["files"].insert(0, str(folder / "case.nc"))
    outcome.next_steps = [
        "",
        f"open {folder / 'report.html'} in a browser, then try:",
        f"  dispatch scenario {folder / 'case.nc'} --pv-share 0.9 --battery-share 0.6 -o mine.nc",
        "  dispatch run mine.nc -o mine/schedule.nc --horizon-h 48",
        f"  dispatch export tables {folder / 'case.nc'} -o tables     (your own batteries, meters and tariffs as CSV)",
        "  dispatch explain store                                   (what each column means)",
    ]
    return outcome
