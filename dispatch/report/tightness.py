"""How near each bus, line and transformer comes to its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome

V_TOLERANCE_PU = 1e-3
"""A voltage limit counts as held up to this. [1]"""
LOADING_TOLERANCE = 5e-3
"""A rating counts as held up to this part of it. [1]"""


@dataclass(frozen=True)
class Tightest:
    """The tightest hour of each element of one kind.

    Attributes
    ----------
    share : ndarray (element,)
        Part of the limit that is used: 1 at the limit, above 1 beyond it; NaN where nothing is known. [1]
    step : ndarray (element,) of int
        Step in which it is used most.
    value : ndarray (element,)
        Voltage or loading in that step. [1]
    over : ndarray (element,) of bool
        Whether the limit is exceeded by more than the tolerance in any step.
    """

    share: np.ndarray
    step: np.ndarray
    value: np.ndarray
    over: np.ndarray


@dataclass(frozen=True)
class State:
    """Tightest hours of the network in one of its two states, with or without control."""

    bus: Tightest
    branch: Tightest
    v_violation_max_pu: float
    loading_max_pu: float
    missing_steps: int


def network_state(outcome: Outcome, suffix: str = "") -> State:
    """Tightest hours of all buses and branches.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    suffix : str
        Empty for the schedule, ``"_uncontrolled"`` for the town without control.

    Returns
    -------
    State
        ``missing_steps`` counts steps in which a connected bus has no voltage.
    """
    v = outcome.series[f"v{suffix}_pu"]
    loading = outcome.branch_series(suffix)
    bus = outcome.tables["bus"]
    low, high = (np.asarray(bus.get(k, np.zeros(0)))[:, None] for k in ("v_min_pu", "v_max_pu"))
    excess = np.maximum(v - high, low - v)
    connected = outcome.network.feeder >= 0
    return State(
        bus=_tightest(voltage_share(v, low, high), v, excess > V_TOLERANCE_PU),
        branch=_tightest(loading, loading, loading > 1 + LOADING_TOLERANCE),
        v_violation_max_pu=max(largest(excess), 0.0),
        loading_max_pu=largest(loading),
        missing_steps=int(np.isnan(v[connected]).any(axis=0).sum()),
    )


def voltage_share(v: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Part of the voltage band that is used: 0 in its middle, 1 at either limit, as a fraction."""
    return np.asarray(np.abs(v - (low + high) / 2) / ((high - low) / 2))


def largest(values: np.ndarray) -> float:
    """Largest value that is known; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.max()) if known.size else float("nan")


def _tightest(share: np.ndarray, value: np.ndarray, over: np.ndarray) -> Tightest:
    elements, steps = share.shape
    if steps == 0:
        nothing = np.full(elements, np.nan)
        return Tightest(nothing, np.zeros(elements, int), nothing, np.zeros(elements, bool))
    step = np.where(np.isnan(share), -np.inf, share).argmax(axis=1)
    pick = step[:, None]
    return Tightest(
        np.take_along_axis(share, pick, 1)[:, 0],
        step,
        np.take_along_axis(value, pick, 1)[:, 0],
        np.asarray(over.any(axis=1)),
    )
