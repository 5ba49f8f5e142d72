"""From the files of a utility to its plan: what each holds, how it is cut, and which parts share a group."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.batch.plan import Group, Part, Plan, read_plan
from dispatch.batch.predicted import MOST_CELLS, Size, seconds_of
from dispatch.case.netcdf.peek import glance_at, step_of
from dispatch.case.shared import NAME, Shared, read_shared, shared_file
from dispatch.case.slices import ON_GAS
from dispatch.case.utility import case_files
from dispatch.errors import InputError, Problem
from dispatch.run.result import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispatch.run.settings import Settings

GROUP_S, LEAST_S = 5.0, 1.0
"""Seconds of predicted work of a group: on average, and at least."""
FORM = 1
"""Changes when files of groups get another form."""


def make_plan(utility: Path | str, settings: Settings, results: Path | None = None) -> Plan:
    """Group the feeders of a utility.

    Which feeders share a group is a function of the files' names and contents and of the settings: not of the number
    of workers, nor of how far a run came. A file that is added or changed changes its own group, and hardly a second
    one. Files whose size and time of change are those of the last plan are not read again.

    Parameters
    ----------
    utility : Path or str
        Folder of cases, or one case file.
    settings : Settings
        Choices of the run.
    results : Path, optional
        Folder of results, whose plan says what was seen last time.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If there is no case file.
    """
    before = read_plan(results) if results is not None else None
    seen: dict[str, Any] = {}
    parts = list(_parts(case_files(utility), settings, before.seen if before else {}, seen))
    choices = settings_text(settings)
    cut = list(_grouped(parts))
    given = read_shared(utility, [name for part in parts for name in part.names])
    sharing = [any(given.holds(name) for part in chosen for name in part.names) for chosen in cut]
    sharers = [chosen for chosen, shares in zip(cut, sharing, strict=True) if shares]
    shared = _shared(utility, given, settings, sharers) if given else ""
    groups = tuple(
        Group(_key(choices, settings.components, chosen, shared if shares else ""), tuple(chosen))
        for chosen, shares in zip(cut, sharing, strict=True)
    )
    together = tuple(g.key for g, shares in zip(groups, sharing, strict=True) if shares)
    return Plan(groups, choices, seen, shared, together)


def settings_text(settings: Settings) -> str:
    """Choices that the work depends on: how far a deadline lets it come is none of them."""
    return json.dumps(json.loads(settings.to_json()) | {"deadline_s": None}, sort_keys=True)


def _parts(files: Sequence[Path], settings: Settings, before: dict[str, Any], seen: dict[str, Any]) -> Iterator[Part]:
    """Look at each file, or remember what was seen of it."""
    steps_h: dict[int, float] = {}
    for file in files:
        stat = file.stat()
        mark = [stat.st_size, stat.st_mtime_ns]
        known = before.get(file.name)
        if known is None or known["mark"] != mark:
            glance = glance_at(file)
            if glance.steps not in steps_h:
                steps_h[glance.steps] = step_of(file) if glance.steps else 1.0
            known = {"mark": mark, "digest": hashlib.sha256(file.read_bytes()).hexdigest()}
            known |= {"sources": list(glance.sources), "meters": glance.meters, "buses": glance.buses}
            known |= {"steps": glance.steps, "step_h": steps_h[glance.steps]}
        seen[file.name] = known
        asked = settings.horizon_h if settings.horizon_h is not None else 24.0
        steps = min(known["steps"], round(asked / known["step_h"]))
        size = Size(known["meters"], known["buses"], steps, max(len(known["sources"]), 1))
        part = Part(file.name, known["digest"], tuple(known["sources"]), size)
        if len(part.feeders) > 1 and seconds_of(size) > 2 * GROUP_S:
            yield from _pieces(file, part, known)
        else:
            yield part


def _pieces(file: Path, part: Part, known: dict[str, Any]) -> list[Part]:
    """Cut a file that is too large for one group between its feeders; what was found is remembered."""
    if "pieces" not in known:
        from dispatch.case.netcdf.feeders import feeder_rows  # noqa: PLC0415  (only large files need it)

        try:
            found = feeder_rows(file)
        except InputError:  # whoever reads it whole will say why
            return [part]
        if sum(any(found.count(kind, k) for kind in ON_GAS) for k in range(len(found.sources))) > 1:
            return [part]  # feeders with plants can share a gas network, and then are solved together
        single = [
            Size(found.count("meter", k), found.count("bus", k), part.size.steps, 1) for k in range(len(found.sources))
        ]
        named = [replace(part, feeders=(s,), size=z) for s, z in zip(found.sources, single, strict=True)]
        pieces, first = [], 0
        for group in _grouped(named):
            numbers = range(first, first + len(group))
            first += len(group)
            size = [sum(getattr(p.size, n) for p in group) for n in ("meters", "buses", "feeders")]
            pieces.append([[p.feeders[0] for p in group], size, found.runs(numbers)])
        known["pieces"] = pieces
    return [
        replace(part, feeders=tuple(names), size=Size(meters, buses, part.size.steps, feeders), rows=rows)
        for names, (meters, buses, feeders), rows in known["pieces"]
    ]


def _grouped(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Cut the row of parts where the hash of a name says so, in proportion to its work: local changes stay local."""
    chosen: list[Part] = []
    work, cells = 0.0, 0
    for part in parts:
        own = seconds_of(part.size)
        if chosen and cells + part.size.cells > MOST_CELLS:
            yield chosen
            chosen, work, cells = [], 0.0, 0
        chosen.append(part)
        work, cells = work + own, cells + part.size.cells
        chance = int.from_bytes(hashlib.sha256(part.names[0].encode()).digest()[:8]) / 2**64
        if work >= LEAST_S and (chance < own / (GROUP_S - LEAST_S) or work > 2 * GROUP_S):
            yield chosen
            chosen, work, cells = [], 0.0, 0
    if chosen:
        yield chosen


def _key(choices: str, components: Sequence[str], parts: Sequence[Part], shared: str) -> str:
    """Hash of everything that the results of a group depend on."""
    own = [hashlib.sha256(Path(c).read_bytes()).hexdigest() for c in components]
    text = json.dumps([FORM, choices, versions(), own, _given(parts), *([shared] if shared else [])], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _given(parts: Sequence[Part]) -> list[list[Any]]:
    return [[p.file, p.digest, list(p.feeders)] for p in parts]


def _shared(utility: Path | str, given: Shared, settings: Settings, groups: Sequence[Sequence[Part]]) -> str:
    """Hash of what is shared and of everything that shares them: a change of any changes all of these groups."""
    if settings.integers:
        hint = "Leave integers out, or the file: mixed schedules have no integer choices."
        raise InputError([Problem("shared-integers", NAME, value="together with integers", hint=hint)], str(utility))
    parts = [shared_file(utility).read_text(encoding="utf-8"), [_given(g) for g in groups]]
    text = json.dumps([*parts, given.digest()] if given.networks else parts)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
