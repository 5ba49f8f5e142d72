"""Engines and upgrading that run at their minimum or not at all: a repair of the relaxation by rounding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dispatch.model.program import Program

COLUMN = {"chp": "p_chp", "upgrader": "flow_raw"}
"""What has a minimum."""
NOTICED = 1e-7
"""Parts of a minimum that are rounding."""

HALF = 0.5
WAYS = ("carried", "nearest", "off", "on")


def below_least(program: Program, least: Mapping[str, np.ndarray], plan: np.ndarray) -> bool:
    """Tell whether something runs below its minimum."""
    return any(bool(_between(plan[column], low).any()) for _, column, low in limited(program, least))


def limited(program: Program, least: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Kind, columns (element, step) and minimum of what has one."""
    known = {(span.component, span.name) for span in program.columns}
    for kind, name in COLUMN.items():
        if (kind, name) in known and least[kind].any():
            yield kind, program.column(kind, name), least[kind]


def _between(value: np.ndarray, low: np.ndarray) -> np.ndarray:
    return np.asarray((value > NOTICED * low[:, None]) & (value < (1 - NOTICED) * low[:, None]))


def roundings(program: Program, least: Mapping[str, np.ndarray], plan: np.ndarray) -> Iterator[Program]:
    """Programs in which everything that has a minimum is held to run or not, in four ways.

    In the first it runs in a step as soon as what the plan gives it in steps below its minimum adds up to the minimum:
    then no more gas is needed up to any step than in the plan. In the second it runs where the plan gives it
    half of its minimum, in the third it stands still, in the fourth it runs in every such step.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    least : mapping of str to ndarray (element,)
        Minimum by kind, see `dispatch.model.plants.least_of`.
    plan : ndarray (column,)
        In which something runs below its minimum.

    Yields
    ------
    Program
        The same but for bounds.
    """
    for way in WAYS:
        on = {}
        for kind, column, low in limited(program, least):
            on[kind] = np.full(column.shape, np.nan)
            for e in np.nonzero(low > 0)[0].tolist():
                on[kind][e] = _runs(plan[column[e]], float(low[e]), way)
        yield held(program, least, on)


def held(program: Program, least: Mapping[str, np.ndarray], on: Mapping[str, np.ndarray]) -> Program:
    """Hold what has a minimum to run or to stand still.

    Parameters
    ----------
    program, least
        See `roundings`.
    on : mapping of str to ndarray (element, step)
        By kind, 1 where it runs, 0 where it does not, NaN where there is no minimum.

    Returns
    -------
    Program
        The same but for bounds.
    """
    lower, upper = program.lower.copy(), program.upper.copy()
    for kind, column, low in limited(program, least):
        runs, least_of_each = on[kind] == 1, np.broadcast_to(low[:, None], column.shape)
        lower[column[runs]] = np.minimum(least_of_each[runs], upper[column[runs]])
        upper[column[on[kind] == 0]] = 0.0
    return replace(program, lower=lower, upper=upper)


def _runs(value: np.ndarray, low: float, way: str) -> np.ndarray:
    """In which steps it runs."""
    runs = value >= (1 - NOTICED) * low
    carried = 0.0
    for t in np.nonzero(_between(value[None], np.array([low]))[0])[0].tolist():
        carried += float(value[t])
        enough = {"carried": carried >= (1 - NOTICED) * low, "nearest": value[t] >= HALF * low, "on": True}
        runs[t] = enough.get(way, False)
        carried -= low if runs[t] else 0.0
    return np.asarray(runs)
