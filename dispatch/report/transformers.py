"""The fullest transformers, with and without control, as rows with a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome
    from dispatch.report.tightness import State
    from dispatch.report.words import Clock

MOST_ROWS = 20


@dataclass(frozen=True)
class Transformer:
    """One transformer.

    Attributes
    ----------
    name : str
        Its id.
    s_nom : float
        Rating. [kVA]
    loading, loading_before : float
        Largest loading with and without control. [1]
    hour, hour_before : str
        When.
    at, at_before, limit : float
        The same as percent of the bar's width.
    """

    name: str
    s_nom: float
    loading: float
    loading_before: float
    hour: str
    hour_before: str
    at: float
    at_before: float
    limit: float


def transformer_rows(outcome: Outcome, with_control: State, without: State, clock: Clock) -> list[Transformer]:
    """List the transformers that are fullest in either state, at most `MOST_ROWS`.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    with_control, without : State
        The network's tightest hours in both states.
    clock : Clock
        Steps in local time.

    Returns
    -------
    list of Transformer
    """
    first = outcome.network.lines
    after, before = (s.branch.share[first:] for s in (with_control, without))
    worst = np.fmax(after, before)
    known = np.nonzero(~np.isnan(worst))[0]
    order = known[np.argsort(-worst[known], kind="stable")][:MOST_ROWS]
    full = max(1.1, float(worst[order].max(initial=0.0)))
    return [
        Transformer(
            outcome.name("transformer", k),
            float(outcome.tables["transformer"]["s_nom"][k]),
            float(after[k]),
            float(before[k]),
            clock.hour(int(with_control.branch.step[first + k])),
            clock.hour(int(without.branch.step[first + k])),
            round(100 * float(after[k]) / full, 1),
            round(100 * float(before[k]) / full, 1),
            round(100 / full, 1),
        )
        for k in order.tolist()
    ]
