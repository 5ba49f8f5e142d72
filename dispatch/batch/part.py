"""The feeders of one case file: read, told apart where something is wrong, forecast and solved one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from dispatch.batch.kept import keep_first
from dispatch.batch.outcome import FeederOutcome, invalid, settled
from dispatch.case.netcdf import check_file, load_case
from dispatch.case.netcdf.feeders import load_feeders
from dispatch.case.schema import columns
from dispatch.case.slices import cut_feeders, split_feeders
from dispatch.errors import InputError, ModelError
from dispatch.run.feeder import lost_feeder, run_feeder
from dispatch.run.optimize import prepared
from dispatch.run.parallel import alone
from dispatch.run.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    import xarray as xr

    from dispatch.batch.plan import Part
    from dispatch.case.slices import Cut
    from dispatch.run.settings import Settings

LOST = (
    "ended its process again and again, the last times while it ran alone, as happens when memory runs out. Run this"
    " case by `dispatch run --workers 1` to see what happens."
)


@dataclass(frozen=True)
class Order:
    """What to do with a case file.

    Attributes
    ----------
    utility : Path
        Folder of the case files.
    part : Part
        What to take from it.
    settings : Settings
        Choices of the run.
    end : float
        Time on the monotonic clock at which the best so far is wanted. [s]
    aside : tuple of str
        Feeders and cases that ended a worker twice: each gets a process of its own.
    keep : bool
        Whether outcomes hold what is needed to ask feeders at prices.
    """

    utility: Path
    part: Part
    settings: Settings
    end: float
    aside: tuple[str, ...] = ()
    keep: bool = False


def run_part(order: Order, at: Callable[[str], object] | None = None) -> list[FeederOutcome]:
    """Run every feeder of a case file.

    Parameters
    ----------
    order : Order
        Of which file, and how.
    at : callable, optional
        Told the name of the case while it is read and of each feeder while it is solved.

    Returns
    -------
    list of FeederOutcome
        In the order of the sources; each feeder has a status whatever is wrong with it or the others.
    """
    part, say = order.part, at or (lambda _: None)
    if time.monotonic() >= order.end:
        return [FeederOutcome(part.case, source) for source in part.feeders or ("",)]
    say(part.case)
    if part.case in order.aside:
        apart = Order(order.utility, part, order.settings, order.end, keep=order.keep)
        return alone(run_part, (0, (apart,)), _lost_part, lambda: None)[0]
    said: list[str] = []
    begin = time.monotonic()
    try:
        ready = list(_ready(order, said))
    except Exception as error:  # noqa: BLE001  (a bug that one case meets must not cost the others)
        bug = f"{type(error).__name__}: {error}. This is a bug: please report it with the case file."
        return [FeederOutcome(part.case, source, "failed", [bug]) for source in part.feeders or ("",)]
    found = [r for r in ready if isinstance(r, FeederOutcome)]
    cuts = [cut for r in ready if not isinstance(r, FeederOutcome) for cut in cut_feeders(r)]
    reading = (time.monotonic() - begin) / max(len(found) + len(cuts), 1)
    for cut, end in zip(cuts, _ends(order, cuts), strict=True):
        found.append(_one(order, cut, end(), say))
    for outcome in found:
        outcome.seconds += reading
        outcome.problems += said
    return _in_order(part, found)


def _ready(order: Order, said: list[str]) -> Iterator[xr.DataTree | FeederOutcome]:
    """Cases with their forecast, as many feeders together as can be; outcomes of those that are invalid.

    What is wrong with the file but with none of its feeders, such as an isolated bus, is added to `said`.
    """
    file = order.utility / order.part.file
    try:
        case = load_case(file) if order.part.rows is None else load_feeders(file, order.part.rows)
    except InputError as error:
        yield from _all(order.part, InputError(check_file(file) or error.problems, str(file)))
        return
    yield from _forecast(order, case, said)


def _forecast(order: Order, case: xr.DataTree, said: list[str]) -> Iterator[xr.DataTree | FeederOutcome]:
    """Make the forecast; where that is refused, of each feeder alone."""
    try:
        yield prepared(case, order.settings, Stages())
    except InputError as error:
        try:
            feeders = split_feeders(case)
        except Exception:  # noqa: BLE001  (broken so that it cannot be cut: that is all that can be said)
            feeders = []
        if len(feeders) > 1:
            found = [r for feeder in feeders for r in _forecast(order, feeder, said)]
            if not any(isinstance(r, FeederOutcome) for r in found):
                said += invalid(order.part.case, "", error).problems
            yield from found
        elif feeders:
            yield invalid(order.part.case, _source(feeders[0]), error)
        else:
            yield from _all(order.part, error)


def _all(part: Part, error: InputError) -> list[FeederOutcome]:
    return [invalid(part.case, source, error) for source in part.feeders or ("",)]


def _source(case: xr.DataTree) -> str:
    return _text(columns(case, "source")["id"])


def _text(ids: np.ndarray) -> str:
    return ", ".join(i.decode(errors="replace") for i in ids)


def _ends(order: Order, cuts: Sequence[Cut]) -> list[Callable[[], float]]:
    """When each feeder must be done: its share of the time that is left when it begins."""

    def end(share: float) -> float:
        now = time.monotonic()
        return order.end if order.end == float("inf") else now + share * (order.end - now)

    left = sum(cut.size for cut in cuts)
    ends: list[Callable[[], float]] = []
    for cut in cuts:
        ends.append(partial(end, cut.size / max(left, 1)))
        left -= cut.size
    return ends


def _one(order: Order, cut: Cut, end: float, say: Callable[[str], object]) -> FeederOutcome:
    """Run one feeder, in a process of its own where it ended a worker twice."""
    name = f"{order.part.case}/{_text(cut.groups['/electric/source'][0]['source'][1])}"
    say(name)
    call = partial(_run_cut, order.part.case, keep=order.keep)
    if name in order.aside:
        lost = partial(_lost_cut, order.part.case)
        return alone(call, (0, (cut, order.settings, end)), lost, lambda: None)[0]
    return call(cut, order.settings, end)


def _run_cut(name: str, cut: Cut, settings: Settings, end: float, *, keep: bool = False) -> FeederOutcome:
    begin = time.monotonic()
    kept: dict[str, np.ndarray] = {}
    with cut.reading() as case:
        try:
            run = run_feeder(case, settings, end, seen=partial(keep_first, kept) if keep else None)
            return replace(settled(name, case, run, time.monotonic() - begin), kept=kept)
        except InputError as error:
            return invalid(name, _source(case), error)
        except ModelError as error:
            return FeederOutcome(name, _source(case), "invalid", [str(error)])
        except MemoryError:
            return FeederOutcome(name, _source(case), "failed", ["It needs more memory than there is."])


def _lost_cut(name: str, cut: Cut) -> FeederOutcome:
    case = cut.case()
    return settled(name, case, lost_feeder(case), 0.0)


def _lost_part(order: Order) -> list[FeederOutcome]:
    return [FeederOutcome(order.part.case, s, "failed", [LOST]) for s in order.part.feeders or ("",)]


def _in_order(part: Part, found: list[FeederOutcome]) -> list[FeederOutcome]:
    place = {source: k for k, source in enumerate(part.feeders)}
    return sorted(found, key=lambda f: place.get(f.source, len(place)))


def cuts_of(order: Order) -> list[tuple[str, Cut]]:
    """Name and cut of each feeder of a case file that can be read, with its forecast."""
    found: list[str] = []
    ready = [r for r in _ready(order, found) if not isinstance(r, FeederOutcome)]
    cuts = [cut for case in ready for cut in cut_feeders(case)]
    return [(f"{order.part.case}/{_text(cut.groups['/electric/source'][0]['source'][1])}", cut) for cut in cuts]
