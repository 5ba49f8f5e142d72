"""Commands over whole utilities: arguments, one call of the Python API, exit code."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dispatch.cli_choices import settings_of
from dispatch.terminal import EXIT, progress, say

if TYPE_CHECKING:
    import argparse

    from dispatch.run.utility import Pass


def went(found: Pass, what: str) -> int:
    """Tell how a command went through a utility."""
    from dispatch.run.utility import lines_of

    say(*found.notes, *lines_of(found.refused))
    print(f"{what}: {len(found.done)} without problems, {len(found.refused)} with problems")  # noqa: T201
    return EXIT["invalid"] if found.refused else 0


def import_many(a: argparse.Namespace) -> int:
    """Import many networks into a folder of cases."""
    from dispatch.run.utility import import_utility, name_of

    given: dict[str, Any] = {"drop_isolated": a.drop_isolated}
    if a.source == "simbench":
        given |= {"start": a.start, "days": a.days}
        parts = [(grid, file, given | {"grid": grid}) for file in a.file for grid in a.grid]
    else:
        parts = [(name_of(file), file, given) for file in a.file]
    return went(import_utility(a.source, parts, a.output), str(a.output))


def batch(a: argparse.Namespace) -> int:
    """Plan, run or tell of a night; its time begins before the libraries are loaded that it takes."""
    begin = time.monotonic()
    from dispatch.batch.status import status_of
    from dispatch.report.batch_text import plan_text, status_text

    if a.action == "status":
        status = status_of(a.results)
        print(json.dumps(status.to_json(), allow_nan=False) if a.json else status_text(status.to_json()))  # noqa: T201
        return 0
    settings = settings_of(a)
    if a.action == "plan":
        from dispatch.batch.memory import plan_object
        from dispatch.batch.planning import make_plan

        found = plan_object(make_plan(a.utility, settings), a.workers)
        print(json.dumps(found, allow_nan=False) if a.json else plan_text(found))  # noqa: T201
        return 0
    from dispatch.batch.run_batch import run_batch

    if settings.deadline_s is not None:
        settings = replace(settings, deadline_s=max(settings.deadline_s - (time.monotonic() - begin), 0.0))
    where = {"scheduler": a.scheduler, "cluster": a.cluster, "memory_gib": a.memory_gib}
    options = {**where, "workers": a.workers, "resume": a.resume, "report": not a.no_report, "progress": progress(a)}
    status = run_batch(a.utility, a.output, settings, **options)
    if a.json or not a.quiet:
        print(json.dumps(status.to_json(), allow_nan=False) if a.json else status_text(status.to_json()))  # noqa: T201
    return EXIT[status.status]
