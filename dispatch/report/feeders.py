"""The figures of each feeder: what the table by feeder shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatch.report.outcome import Outcome
    from dispatch.report.tightness import State


@dataclass(frozen=True)
class Feeder:
    """One feeder.

    Attributes
    ----------
    name, status : str
        Id of its source; how its run ended.
    prosumers, pv, stores : int
        How many there are.
    tightest : float
        Largest used part of any of its limits; NaN where nothing is known. [1]
    loading_max_pu, v_max_pu, v_min_pu : float
        Extremes by AC power flow. [1]
    curtailed : float
        Part of the available PV energy that is not used; NaN without PV. [1]
    gap : float
        Of its delivered schedule. [1]
    cost, saved : float
        Of its prosumers; saved against no control. [currency]
    over, over_uncontrolled : int
        Buses, lines and transformers beyond a limit with and without control.
    """

    name: str
    status: str
    prosumers: int
    pv: int
    stores: int
    tightest: float
    loading_max_pu: float
    v_max_pu: float
    v_min_pu: float
    curtailed: float
    gap: float
    cost: float
    saved: float
    over: int
    over_uncontrolled: int


def feeder_figures(outcome: Outcome, with_control: State, without: State) -> list[Feeder]:
    """Figures of every feeder, the tightest first; what is not known comes last.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    with_control, without : State
        The network's tightest hours in both states.

    Returns
    -------
    list of Feeder
    """
    n, of, series = outcome.count("source"), outcome.feeder, outcome.series
    v = series["v_pu"]
    available, curtailed = (_sum_by(of["pv"], series[k].sum(axis=1), n) for k in ("p_available", "p_curtailed"))
    cost, uncontrolled = (_sum_by(of["prosumer"], series[k], n) for k in ("cost", "cost_uncontrolled"))
    counts = {k: np.bincount(of[k][of[k] >= 0], minlength=n) for k in ("prosumer", "pv", "store")}
    over, over_before = (_over(of, state, n) for state in (with_control, without))
    share = np.fmax(_max_by(of["bus"], with_control.bus.share, n), _max_by(of["branch"], with_control.branch.share, n))
    loading = _max_by(of["branch"], with_control.branch.value, n)
    highest, lowest = _max_by(of["bus"], _extreme(v, np.fmax), n), -_max_by(of["bus"], -_extreme(v, np.fmin), n)
    part = np.divide(curtailed, available, out=np.full(n, np.nan), where=available > 0)
    rows = [
        Feeder(
            name=outcome.name("source", k),
            status=outcome.statuses[k],
            prosumers=int(counts["prosumer"][k]),
            pv=int(counts["pv"][k]),
            stores=int(counts["store"][k]),
            tightest=float(share[k]),
            loading_max_pu=float(loading[k]),
            v_max_pu=float(highest[k]),
            v_min_pu=float(lowest[k]),
            curtailed=float(part[k]),
            gap=float(outcome.certificate["gap"][k]),
            cost=float(cost[k]),
            saved=float(uncontrolled[k] - cost[k]),
            over=int(over[k]),
            over_uncontrolled=int(over_before[k]),
        )
        for k in range(n)
    ]
    return sorted(rows, key=lambda f: (np.isnan(f.tightest), -np.nan_to_num(f.tightest), f.name))


def _over(of: Mapping[str, np.ndarray], state: State, n: int) -> np.ndarray:
    return np.asarray(_sum_by(of["bus"], state.bus.over, n) + _sum_by(of["branch"], state.branch.over, n))


def _sum_by(feeder: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    inside = feeder >= 0
    return np.bincount(feeder[inside], weights=np.asarray(values, float)[inside], minlength=n)


def _max_by(feeder: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """Largest known value of each feeder, NaN where it has none."""
    found = np.full(n, np.nan)
    inside = (feeder >= 0) & ~np.isnan(values)
    np.fmax.at(found, feeder[inside], values[inside])
    return found


def _extreme(series: np.ndarray, pick: np.ufunc) -> np.ndarray:
    """Extreme over the steps that are known, NaN where none is."""
    return np.asarray(pick.reduce(series, axis=1, initial=np.nan), float)
