"""A case in memory → its result in memory."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.gas_alone import with_stand_in
from dispatch.case.rules import check_case
from dispatch.case.schema import has
from dispatch.case.slices import Cut, cut_feeders
from dispatch.errors import raise_if_any
from dispatch.forecast.profile import predict
from dispatch.forecast.quantiles import QUANTILES
from dispatch.model.registry import load_components
from dispatch.run.cold import compiling_solving
from dispatch.run.feeder import FeederRun, lost_feeder, run_feeder
from dispatch.run.parallel import map_feeders
from dispatch.run.result import assemble, digest, versions, without_results
from dispatch.run.room import levels_for, require_quantiles
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages
from dispatch.run.statements import account_statements

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from dispatch.run.processes import WorkerPool

MEDIAN = 0.5
UNMET_BYTES = 48_000
"""Text of unmet limits that a result holds at most."""


def optimize(
    case: xr.DataTree,
    settings: Settings | None = None,
    *,
    workers: int | WorkerPool | None = 1,
    progress: bool = False,
    stages: Stages | None = None,
    limits_at: float | None = None,
    end: float | None = None,
    feeder: Callable[[xr.DataTree, Settings, float], FeederRun] = run_feeder,
) -> xr.DataTree:
    """Find the schedule of a case, prove it optimal and check it by AC power flow.

    Parameters
    ----------
    case : DataTree
        With /forecast, or /profile from which it is made.
    settings : Settings, optional
        Horizon and method.
    workers : int or WorkerPool, optional
        Processes, None: one a core where the case is large enough; a `WorkerPool` keeps them from run to run. More than
        one needs a script whose main part stands under ``if __name__ == "__main__":``. It changes nothing but the time.
    progress : bool
        Show a progress bar on stderr.
    stages : Stages, optional
        Filled with seconds by stage.
    limits_at : float, optional
        Quantile of net load against which network limits hold; default: that of `settings`.
    end : float, optional
        Time on the monotonic clock by which the best so far is wanted; default: `deadline_s` from now. [s]
    feeder : callable, optional
        How a feeder is solved; see `dispatch.Rolling`.

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
    settings, stages = settings or Settings(), stages or Stages()
    settings = settings if limits_at is None else replace(settings, limits_at=limits_at)
    if end is None:
        end = time.monotonic() + (settings.deadline_s if settings.deadline_s is not None else np.inf)
    gas = any(has(case, kind) for kind in ("junction", "plant"))
    with compiling_solving(wanted=workers != 1, gas=gas, told=progress) as wait:
        solved = prepared(case, settings, stages)
        with stages.stage("forecast"):
            cuts = cut_feeders(solved)
        with stages.stage("kernels"):
            wait(end)
    call = partial(_run_cut, feeder)
    runs = map_feeders(call, cuts, settings, end=end, lost=_lost_cut, workers=workers, progress=progress)
    for run in runs:
        stages.add(run.stages.seconds)
    with stages.stage("assemble"):
        result = assemble(solved, runs, _labels(solved, settings, runs))
        if statements := account_statements(result):
            result["certificate"].attrs["accounts"] = json.dumps(statements)
        return result


def prepared(case: xr.DataTree, settings: Settings, stages: Stages) -> xr.DataTree:
    """Check a case and make the /forecast that is solved.

    Parameters
    ----------
    case : DataTree
        A case or a result, whose result groups are left out.
    settings : Settings
        Horizon and quantile.
    stages : Stages
        Where seconds are counted.

    Returns
    -------
    DataTree
        With /forecast cropped to the horizon.

    Raises
    ------
    InputError
        If the case is invalid, with every problem.
    """
    load_components(settings.components)
    bare, title = without_results(case), str(case.attrs.get("title", ""))
    with stages.stage("check"):
        raise_if_any(check_case(bare), title)
        bare = with_stand_in(bare, start=settings.start, horizon_h=settings.horizon_h)
    with stages.stage("forecast"):
        held = settings.limits_at > MEDIAN
        levels = levels_for(settings.limits_at) if held else QUANTILES
        solved = predict(bare, start=settings.start, horizon_h=settings.horizon_h, quantiles=levels)
        if solved is not bare:
            raise_if_any(check_case(solved), title)
        if held:
            require_quantiles(solved, settings.limits_at)
    return solved


def _run_cut(
    feeder: Callable[[xr.DataTree, Settings, float], FeederRun], cut: Cut, settings: Settings, end: float
) -> FeederRun:
    """Make the case of a feeder where it is solved."""
    with cut.reading() as case:
        return feeder(case, settings, end)


def _lost_cut(cut: Cut) -> FeederRun:
    with cut.reading() as case:
        return lost_feeder(case)


def _labels(case: xr.DataTree, settings: Settings, runs: list[FeederRun]) -> dict[str, Any]:
    """Attributes of /certificate: how the result came about."""
    return {
        "settings": settings.to_json(),
        "versions": json.dumps(versions(), sort_keys=True),
        "case_digest": digest(case),
        "method": ", ".join(sorted({run.method for run in runs if run.method})),
        "unmet": _unmet_text([entry for run in runs for entry in run.unmet]),
        "messages": json.dumps([m for run in runs for m in run.messages]),
        "v_error_max_pu": np.float64(max((run.v_error_max_pu for run in runs), default=np.nan)),
        "v_error_uncontrolled_max_pu": np.float64(
            max((run.v_error_uncontrolled_max_pu for run in runs), default=np.nan)
        ),
        **_gas_label(runs),
    }


def _gas_label(runs: list[FeederRun]) -> dict[str, Any]:
    """Error and last step of the pressures of the program, and what gas quality rests on, where a plant injects."""
    known = [run.pressure_error_max for run in runs if run.pressure_error_max is not None]
    moved = [run.pressure_step_last for run in runs if run.pressure_step_last is not None]
    said = " ".join(run.gas_quality for run in runs if run.gas_quality)
    label = {"pressure_error_max": np.float64(max(known)), "gas_quality": said} if known else {}
    return label | ({"pressure_step_last": np.float64(max(moved))} if moved else {})


def _unmet_text(entries: list[dict[str, Any]]) -> str:
    """Unmet limits as JSON that fits an attribute of a file (64 kB); one last entry counts those left out."""
    texts, size = [json.dumps(entry, allow_nan=False) for entry in entries], 0
    for k, text in enumerate(texts):
        size += len(text) + 2
        if size > UNMET_BYTES:
            left = len(texts) - k
            more = {"kind": "more", "count": left, "text": f"{left} more limits are unmet and not listed."}
            return "[" + ", ".join([*texts[:k], json.dumps(more)]) + "]"
    return "[" + ", ".join(texts) + "]"
