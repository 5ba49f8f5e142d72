"""Figures of the whole run: sums of money, gaps of sums, the worst of residuals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.report.tightness import largest

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome


@dataclass(frozen=True)
class Totals:
    """The run as a whole; NaN where a figure is not known for every feeder.

    Attributes
    ----------
    objective, objective_relaxation, lower_bound, repair_cost : float
        Sums over feeders. [currency]
    gap, gap_relaxation : float
        `objective` and `objective_relaxation` against `lower_bound`, of the sums. [1]
    residual_primal, residual_dual : float
        The worst of any feeder. [1]
    cost, cost_uncontrolled, cost_no_battery : float
        Sums over prosumers. [currency]
    v_error_max_pu : float
        Largest difference between AC and linear voltage under the schedule. [1]
    """

    objective: float
    objective_relaxation: float
    lower_bound: float
    repair_cost: float
    gap: float
    gap_relaxation: float
    residual_primal: float
    residual_dual: float
    cost: float
    cost_uncontrolled: float
    cost_no_battery: float
    v_error_max_pu: float

    @property
    def saved(self) -> float:
        """Money saved against no control."""
        return self.cost_uncontrolled - self.cost

    @property
    def saved_no_battery(self) -> float:
        """Money saved against a town without batteries."""
        return self.cost_no_battery - self.cost


def totals(outcome: Outcome) -> Totals:
    """Aggregate a result over its feeders and prosumers.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.

    Returns
    -------
    Totals
        Sums of a feeder that did not run are not known, and neither is the sum of the run.
    """
    found, series = outcome.certificate, outcome.series
    sums = {k: _sum(found[k]) for k in ("objective", "objective_relaxation", "lower_bound", "repair_cost")}
    bound = sums["lower_bound"]
    money = {k: _sum(series[k]) for k in ("cost", "cost_uncontrolled", "cost_no_battery")}
    error = np.abs(series["v_pu"].astype(float) - series["v_linear_pu"])
    return Totals(
        **sums,
        gap=relative_gap(sums["objective"], bound),
        gap_relaxation=relative_gap(sums["objective_relaxation"], bound),
        **{k: _worst(found[k]) for k in ("residual_primal", "residual_dual")},
        **money,
        v_error_max_pu=largest(error),
    )


def relative_gap(objective: float, bound: float) -> float:
    """Objective above bound, relative to the objective's size but at least to one unit of money."""
    return (objective - bound) / max(abs(objective), 1.0) if math.isfinite(objective - bound) else math.nan


def _sum(values: np.ndarray) -> float:
    # fsum: the same figure whatever the order of the feeders.
    return math.fsum(values.tolist()) if len(values) else 0.0


def _worst(values: np.ndarray) -> float:
    return float(np.max(values)) if len(values) else math.nan
