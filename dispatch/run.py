"""The one orchestrator of a case: forecast → feeders (compile, solve, verify) → result → report."""

from __future__ import annotations

import datetime
import json
import os
import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.embedded import embedded_names, embedded_path
from dispatch.case.netcdf import load_case, save_case, write_atomically
from dispatch.case.rules import check_case
from dispatch.case.schema import columns
from dispatch.case.slices import split_feeders
from dispatch.errors import DispatchError, InputError, Problem, raise_if_any
from dispatch.feeder import FeederRun, run_feeder
from dispatch.parallel import map_feeders
from dispatch.report.summary import summary_object
from dispatch.result import RESULT_KINDS, assemble, digest, versions, without_results
from dispatch.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr


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
    next_steps : list of str
        What to try now, for people.
    """

    result: xr.DataTree
    summary: dict[str, Any]
    files: list[Path] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)


class Stages:
    """Seconds by stage; no stage contains another."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as this stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin


def read_case(path: Path | str, notes: list[str] | None = None) -> xr.DataTree:
    """Load and validate a case, or an embedded one by its name.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    name = str(path)
    file = embedded_path(name) if name in embedded_names() else Path(path)
    case = load_case(file, notes)
    raise_if_any(check_case(case), name)
    return case


def optimize(
    case: xr.DataTree,
    settings: Settings | None = None,
    *,
    workers: int | None = 1,
    progress: bool = False,
    stages: Stages | None = None,
) -> xr.DataTree:
    """Find the schedule of a case, prove it optimal and check it by AC power flow.

    Parameters
    ----------
    case : DataTree
        With /forecast, or /profile from which it is made.
    settings : Settings, optional
        Horizon and method.
    workers : int, optional
        Processes, None: one a core. More than one needs a script whose main part stands under
        ``if __name__ == "__main__":``. The result does not depend on it.
    progress : bool
        Show a progress bar on stderr.
    stages : Stages, optional
        Filled with seconds by stage; those of feeders are summed over processes.

    Returns
    -------
    DataTree
        The case, its /forecast cropped to the horizon, with /schedule, /price, /offset and /certificate.

    Raises
    ------
    InputError
        If the case is invalid, with every problem.

    Examples
    --------
    >>> import dispatch
    >>> result = dispatch.optimize(dispatch.load_case("case.nc"))      # doctest: +SKIP
    >>> result["schedule/v_pu"].max("bus").plot()                      # doctest: +SKIP
    """
    from dispatch.forecast.profile import predict  # noqa: PLC0415  (pandas and friends load when needed)

    settings, stages = settings or Settings(), stages or Stages()
    with stages.stage("forecast"):
        solved = predict(without_results(case), start=settings.start, horizon_h=settings.horizon_h)
        raise_if_any(check_case(solved), case.attrs.get("title", ""))
        feeders = split_feeders(solved)
    runs = map_feeders(run_feeder, feeders, settings, workers=workers, progress=progress)
    with stages.stage("assemble"):
        result = assemble(solved, runs, _labels(solved, settings, runs))
    for run in runs:
        for name, seconds in run.times_s.items():
            stages.seconds[name] = stages.seconds.get(name, 0.0) + seconds
    return result


def _labels(case: xr.DataTree, settings: Settings, runs: list[FeederRun]) -> dict[str, Any]:
    return {
        "settings": settings.to_json(),
        "versions": json.dumps(versions(), sort_keys=True),
        "case_digest": digest(case),
        "method": "monolithic, all network rows" if settings.all_rows else "monolithic, network rows when violated",
        "unmet": json.dumps([entry for run in runs for entry in run.unmet], allow_nan=False),
        "messages": json.dumps([m for run in runs for m in run.messages]),
        "v_error_max_pu": max((run.v_error_max_pu for run in runs), default=np.nan),
    }


def run_case(
    case: Path | str,
    output: Path | str,
    settings: Settings | None = None,
    *,
    workers: int | None = None,
    report: bool = True,
    progress: bool = False,
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

    Returns
    -------
    Outcome

    Raises
    ------
    InputError
        If the case is invalid; nothing is written then.
    """
    stages, notes = Stages(), []
    with stages.stage("read"):
        loaded = read_case(case, notes)
    return _finish(loaded, Path(output), settings or Settings(), stages, workers=workers, report=report, progress=progress)


def _finish(
    case: xr.DataTree,
    output: Path,
    settings: Settings,
    stages: Stages,
    *,
    workers: int | None,
    report: bool,
    progress: bool,
) -> Outcome:
    """Solve a case and write all of its files."""
    begun = datetime.datetime.now(datetime.UTC)
    result = optimize(case, settings, workers=workers, progress=progress, stages=stages)
    files = [output, output.with_name("run.json")]
    output.parent.mkdir(parents=True, exist_ok=True)
    with stages.stage("write"):
        save_case(result, output)
    if report:
        from dispatch.report.html import write_report  # noqa: PLC0415  (Jinja2 loads when needed)

        files.insert(1, output.with_name("report.html"))
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
    with stages.stage("read"):
        case = read_case(name)
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
        f"  dispatch scenario {folder / 'case.nc'} --pv-share 0.5 --battery-share 0.5 -o mine.nc",
        "  dispatch run mine.nc -o mine/schedule.nc --horizon-h 48",
        f"  dispatch export tables {folder / 'case.nc'} -o tables     (your own batteries, meters and tariffs as CSV)",
        "  dispatch explain store                                   (what each column means)",
    ]
    return outcome


def rerun(path: Path | str, *, workers: int | None = None) -> list[str]:
    """Solve a result's case again with its own settings and compare.

    Parameters
    ----------
    path : Path or str
        A result file.
    workers : int, optional
        See `optimize`.

    Returns
    -------
    list of str
        What differs, arrays and versions; empty where every array is identical.

    Raises
    ------
    InputError
        If the file holds no result.
    """
    held = load_case(Path(path))
    if "certificate" not in held.children:
        hint = "Give a file that `dispatch run` wrote."
        raise InputError([Problem("no-result", "/certificate", value="missing", hint=hint)], str(path))
    labels = held["certificate"].attrs
    case = without_results(held)
    differences = []
    if digest(case) != labels["case_digest"]:
        differences.append("the case in the file is not the one that was solved: its digest differs")
    again = optimize(case, Settings.from_json(labels["settings"]), workers=workers)
    for kind in RESULT_KINDS:
        old, new = columns(held, kind), columns(again, kind)
        for name in sorted(old.keys() | new.keys()):
            same = name in old and name in new and old[name].dtype == new[name].dtype
            if not (same and np.array_equal(old[name], new[name], equal_nan=old[name].dtype.kind == "f")):
                differences.append(f"{kind}.{name} differs")
    if differences:
        then, now = json.loads(labels["versions"]), versions()
        differences += [f"{k} was {v}, is {now.get(k)}" for k, v in then.items() if now.get(k) != v]
    return differences
