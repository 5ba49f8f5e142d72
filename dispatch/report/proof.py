"""The figures that prove a result, each with a sentence that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.report.words import UNKNOWN, number, scientific

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome
    from dispatch.report.totals import Totals

MEANING = {
    "objective": "What the delivered schedule costs, penalties of relaxed limits included.",
    "lower_bound": (
        "No schedule of the last linear program can cost less: computed again from the case and the prices "
        "alone, without the solver."
    ),
    "gap": "How far the delivered schedule is above that bound, relative to its cost.",
    "objective_relaxation": "Optimum of the last linear program, before charging and discharging at once is removed.",
    "gap_relaxation": "How far that optimum is above the bound: 1e-6 or less proves it.",
    "repair_cost": "What removing charging and discharging at once has cost.",
    "residual_primal": "Largest scaled violation of any row or bound: the schedule is feasible.",
    "residual_dual": "Largest scaled violation by the prices: they are consistent.",
    "v_error_max_pu": (
        "Largest difference between the AC voltages and those of the linear rows without offsets; the offsets "
        "put it back."
    ),
    "rounds": "Rounds of solving and AC checking of the feeder that took most.",
}


@dataclass(frozen=True)
class Row:
    """A figure: its name in the result, its value, and what it means."""

    name: str
    value: str
    meaning: str


def proof_rows(outcome: Outcome, run: Totals) -> list[Row]:
    """Figures of the certificate.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    run : Totals
        Its sums.

    Returns
    -------
    list of Row
    """
    currency, found = outcome.currency, outcome.certificate

    def cash(value: float) -> str:
        return f"{number(value, 4)} {currency}"

    def worst(name: str) -> str:
        known = found[name][~np.isnan(found[name])]
        return number(float(known.max()), 0) if known.size else UNKNOWN

    values = {
        "objective": cash(run.objective),
        "lower_bound": cash(run.lower_bound),
        "gap": scientific(run.gap),
        "objective_relaxation": cash(run.objective_relaxation),
        "gap_relaxation": scientific(run.gap_relaxation),
        "repair_cost": cash(run.repair_cost),
        "residual_primal": scientific(run.residual_primal),
        "residual_dual": scientific(run.residual_dual),
        "v_error_max_pu": scientific(run.v_error_max_pu),
        "rounds": worst("rounds"),
    }
    return [Row(name, value, MEANING[name]) for name, value in values.items()]
