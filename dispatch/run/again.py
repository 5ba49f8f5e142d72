"""A result solved again from what it holds, array by array the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.netcdf import load_case
from dispatch.case.schema import columns
from dispatch.errors import InputError, Problem
from dispatch.model.registry import load_components
from dispatch.run.optimize import optimize
from dispatch.run.result import RESULT_KINDS, digest, versions, without_results
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import xarray as xr


def rerun(path: Path | str, *, components: Sequence[str] = (), workers: int | None = None) -> list[str]:
    """Solve a result's case again with its own settings and compare.

    Parameters
    ----------
    path : Path or str
        A result file.
    components : sequence of str
        Files of the user's own components. They are never taken from the result: a file of data names no code.
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
    load_components(components)
    held = load_case(path)
    settings, labels = labels_of(held, str(path))
    case = without_results(held)
    differences = []
    if digest(case) != labels["case_digest"]:
        differences.append("the case in the file is not the one that was solved: its digest differs")
    again = optimize(case, replace(settings, components=tuple(components)), workers=workers)
    for kind in RESULT_KINDS:
        old, new = columns(held, kind), columns(again, kind)
        for name in sorted(old.keys() | new.keys()):
            same = name in old and name in new and old[name].dtype == new[name].dtype
            if not (same and np.array_equal(old[name], new[name], equal_nan=old[name].dtype.kind == "f")):
                differences.append(f"{kind}.{name} differs")
    if differences:
        now = versions()
        differences += [f"{k} was {v}, is {now.get(k)}" for k, v in labels["versions"].items() if now.get(k) != v]
    return differences


def labels_of(held: xr.DataTree, source: str) -> tuple[Settings, dict[str, Any]]:
    """Read with what choices, versions and case a result came about; the file may be damaged.

    Parameters
    ----------
    held : DataTree
        A result.
    source : str
        Where it came from, for messages.

    Returns
    -------
    settings : Settings
        Choices of the run.
    labels : dict
        ``versions`` and ``case_digest``.

    Raises
    ------
    InputError
        If it is no result, or a damaged one.
    """
    if "certificate" not in held.children:
        hint = "Give a file that `dispatch run` wrote."
        raise InputError([Problem("no-result", "/certificate", value="missing", hint=hint)], source)
    attributes = held["certificate"].attrs
    try:
        settings = Settings.from_json(str(attributes["settings"]))
        versions_then = dict(json.loads(str(attributes["versions"])))
        return settings, {"versions": versions_then, "case_digest": str(attributes["case_digest"])}
    except (KeyError, TypeError, ValueError) as error:
        hint = "The file was changed after `dispatch run` wrote it: run the case again."
        value = f"damaged ({error})"
        raise InputError([Problem("damaged-result", "/certificate", value=value, hint=hint)], source) from error
