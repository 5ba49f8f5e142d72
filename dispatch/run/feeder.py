"""One feeder, from its sub-case to everything a result says about it; a pure function of case and settings."""

from __future__ import annotations

import dataclasses
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import as_bytes, columns, reading
from dispatch.errors import CertificateError, InputError, ModelError, SolverError
from dispatch.model.registry import load_components
from dispatch.run.arrays import certificate_arrays, offset_arrays, price_arrays, schedule_arrays, uncontrolled_arrays
from dispatch.run.gas_quality import gas_quality, said_of_quality
from dispatch.run.rounds import Rounds
from dispatch.run.stages import Stages
from dispatch.solve.certificate import certify, require, require_same
from dispatch.solve.until import Until
from dispatch.verify.gas_findings import flaws_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from dispatch.run.rounds import Kept
    from dispatch.run.settings import Settings
    from dispatch.run.state import State
    from dispatch.solve.certificate import Certificate

    Seen = Callable[[Rounds, State, Certificate], None]

CHECK_S = 1.5e-5
"""Seconds for each meter and step that checking, proving and writing down a schedule takes after it is found."""


@dataclass
class FeederRun:
    """Everything that a result says about one feeder.

    Attributes
    ----------
    ids : dict of str to ndarray of bytes
        Ids of its elements, by kind.
    groups : dict of str to dict of str to ndarray
        For each result group its arrays, in the order of `ids`.
    status : str
        One of the attribute table's.
    method : str
        Which way it was solved.
    unmet : list of dict
        Limits that cannot be met, for the report.
    messages : list of str
        What went wrong, in words.
    v_error_max_pu : float
        Largest difference of AC and linear voltage under the schedule.
    v_error_uncontrolled_max_pu : float
        The same under self-use without control.
    pressure_error_max : float or None
        Largest difference of steady pressures of the gas network and those of the program; None without injection.
        [bar]
    pressure_step_last : float or None
        By how much pressures above 4 bar gauge differ from those about which the last program was linear; None without
        such a level. [bar]
    gas_quality : str
        What the quality of its gas rests on, in words; empty without injection.
    stages : Stages
        Seconds by stage.
    """

    ids: dict[str, np.ndarray]
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: str = "failed"
    method: str = ""
    unmet: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    v_error_max_pu: float = 0.0
    v_error_uncontrolled_max_pu: float = 0.0
    pressure_error_max: float | None = None
    pressure_step_last: float | None = None
    gas_quality: str = ""
    stages: Stages = field(default_factory=Stages)

    @property
    def name(self) -> str:
        """Id of its source."""
        return ", ".join(i.decode(errors="replace") for i in self.ids["source"])


def run_feeder(
    case: xr.DataTree,
    settings: Settings,
    end: float = float("inf"),
    kept: Kept | None = None,
    seen: Seen | None = None,
) -> FeederRun:
    """Schedule one feeder: compile, then solve and verify until AC holds, certify, and say what cannot be met.

    Parameters
    ----------
    case : DataTree
        Sub-case of one feeder, with /forecast.
    settings : Settings
        Choices of the run.
    end : float
        Time on the monotonic clock at which the best so far is wanted. [s]
    kept : dict, optional
        Models of feeders by the id of their source: those to start from, and those that are left.
    seen : callable, optional
        Shown the program, the state and the certificate of what is delivered.

    Returns
    -------
    FeederRun
        With status ``failed`` and a message where solving, proof or physics broke; other feeders go on.
    """
    load_components(settings.components)
    run = empty_run(case)
    try:
        with reading(case):
            _schedule_or_whole(case, settings, _until(case, settings, end), run, kept, seen)
    except (InputError, ModelError):
        raise
    except (CertificateError, SolverError) as error:
        _fail(run, str(error))
    except Exception as error:  # noqa: BLE001  (a bug that one feeder meets must not cost the others)
        at = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(at.filename).name}:{at.lineno}"
        _fail(run, f"{type(error).__name__} at {where}: {error}. This is a bug: please report it with the case file.")
    return run


def _until(case: xr.DataTree, settings: Settings, end: float) -> Until:
    """Leave time to check and prove what is found."""
    cells = len(columns(case, "meter")["id"]) * len(columns(case, "forecast")["time"])
    return Until(settings.gap, end - CHECK_S * cells)


def _schedule_or_whole(
    case: xr.DataTree, settings: Settings, until: Until, run: FeederRun, kept: Kept | None, seen: Seen | None
) -> None:
    """Schedule by the chosen method; where that finds no proven optimum, once more as one program, and say so."""
    try:
        _schedule(case, settings, until, run, kept, seen)
    except (CertificateError, SolverError) as error:
        if settings.method == "monolithic":
            raise
        run.messages.append(
            f"feeder {run.name!r}: solved as one program, since method {settings.method!r} ended so: {error}"
        )
        _schedule(case, dataclasses.replace(settings, method="monolithic"), until, run, None, seen)


def lost_feeder(case: xr.DataTree) -> FeederRun:
    """Say that the process that worked on a feeder was ended from outside.

    Parameters
    ----------
    case : DataTree
        Sub-case of one feeder.

    Returns
    -------
    FeederRun
        With status ``failed``.
    """
    run = empty_run(case)
    _fail(
        run,
        "its process was ended from outside again and again, the last times while it ran alone, as happens when memory"
        " runs out. Free some, or run the case with --workers 1 to see what happens.",
    )
    return run


def empty_run(case: xr.DataTree) -> FeederRun:
    """Make a run of which nothing is known yet but its elements."""
    return FeederRun({k: columns(case, k)["id"] for k, kind in attribute_table().items() if kind.has_elements})


def _fail(run: FeederRun, message: str) -> None:
    run.status, run.unmet = "failed", []
    run.messages.append(f"feeder {run.name!r}: {message}")
    run.groups = {"certificate": {"status": as_bytes([run.status])}}


def _schedule(
    case: xr.DataTree, settings: Settings, until: Until, run: FeederRun, kept: Kept | None, seen: Seen | None
) -> None:
    """Fill in a feeder's run."""
    feeder = Rounds(case, settings, until, run.stages, kept)
    state = feeder.settle(settings.rounds)
    stopped = until.over
    if settings.all_rows and not stopped:
        state = feeder.state_all_rows(state, settings.rounds)
    with run.stages.stage("certify"):
        solution = state.solution
        given = state.offsets, solution.limit_penalty, solution.columns, solution.prices
        certificate = certify(case, *given, feeder.program)
        require(certificate, np.inf if stopped else settings.gap)
        require_same(certificate, feeder.program, solution)
    figures = certificate_arrays(feeder, state, certificate)
    tell(run, feeder, state, price_arrays(feeder, state))
    run.method = "all network rows" if settings.all_rows else run.method
    proven = bool(np.max(figures["gap"]) <= settings.gap)
    run.status = "gap" if stopped and not proven else "limits_unmet" if run.unmet else "optimal" if proven else "gap"
    if stopped:
        run.messages.append(
            f"feeder {run.name!r}: time was up after round {feeder.rounds}; the best schedule so far costs at most"
            f" {np.sum(figures['objective'] - figures['lower_bound']):.4g} more than the best there is."
        )
    run.groups["certificate"] = {**figures, "status": as_bytes([run.status])}
    if seen is not None:
        seen(feeder, state, certificate)


def tell(run: FeederRun, feeder: Rounds, state: State, prices: dict[str, np.ndarray]) -> None:
    """Fill in all that a feeder's run says about a schedule but how it is proven.

    Parameters
    ----------
    run : FeederRun
        Filled in.
    feeder : Rounds
        Of the feeder's own prices.
    state : State
        The schedule and the network under it.
    prices : dict of str to ndarray
        /price.
    """
    case, solution = feeder.case, state.solution
    with run.stages.stage("verify"):
        uncontrolled, run.v_error_uncontrolled_max_pu = uncontrolled_arrays(feeder)
        quality = None if feeder.gas is None or state.gas is None else gas_quality(feeder.gas, state.gas)
        schedule = schedule_arrays(feeder, state, quality) | uncontrolled
        run.unmet = feeder.unmet(state)
    run.method = solution.method.partition(",")[0]
    if "interior point" in solution.method:
        run.messages.append(
            f"feeder {run.name!r}: its last program was solved by interior point; the simplex method found no optimum,"
            " neither from the last basis nor from scratch."
        )
    run.v_error_max_pu = state.excess.v_error_max_pu
    if state.gas is not None and quality is not None:
        run.pressure_error_max = state.gas.pressure_error_max
        if feeder.gas is not None and feeder.gas.levels is not None and state.by_ac.point is not None:
            run.pressure_step_last = feeder.gas.levels.moved(state.gas, state.by_ac.point)
        run.messages += [f"Gas: {text}" for text in flaws_of(case, state.gas.state)]
        run.gas_quality = said_of_quality(quality)
    run.groups = {"schedule": schedule, "price": prices, "offset": offset_arrays(state, feeder.network.lines)}
