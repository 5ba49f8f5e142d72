"""Statements of gas accounts as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.report.words import money, number, percent

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome
    from dispatch.report.words import Clock

MOST_SITES = 4
"""Sites that a row names."""


@dataclass(frozen=True)
class AccountRow:
    """One balancing period of an account, as people read it.

    Attributes
    ----------
    name, start, end : str
        Of the account; first hour of the period and the one after its last, local.
    figures : tuple of str
        Carried in, injected, withdrawn, bought, sold, at the end, band. [kWh]
    terms : str
        Carry-over and fee.
    cost, cost_uncontrolled : str
        Of what was settled, and of what would have been without control.
    sites : str
        What sites injected and took.
    """

    name: str
    start: str
    end: str
    figures: tuple[str, ...]
    terms: str
    cost: str
    cost_uncontrolled: str
    sites: str


def account_rows(outcome: Outcome, clock: Clock) -> tuple[AccountRow, ...]:
    """Make the rows; what an entry lacks is shown as not known.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    clock : Clock
        Steps in local time.

    Returns
    -------
    tuple of AccountRow
        In the order of the statements.
    """
    return tuple(_row(outcome, clock, entry) for entry in outcome.accounts)


def _row(outcome: Outcome, clock: Clock, entry: dict[str, Any]) -> AccountRow:
    def known(name: str) -> float:
        value = entry.get(name)
        return float(value) if isinstance(value, int | float) else np.nan

    names = ("carried_in", "injected", "withdrawn", "bought", "sold", "balance", "band")
    sites = entry.get("sites")
    shown = list(sites.items()) if isinstance(sites, dict) else []
    told = [f"{name} {number(amount, 0)}" for name, amount in shown[:MOST_SITES] if isinstance(amount, int | float)]
    more = f" and {len(shown) - MOST_SITES} more" if len(shown) > MOST_SITES else ""
    fee = f"{number(known('fee'), 4)} {outcome.currency}/kWh"
    return AccountRow(
        name=str(entry.get("account", "")),
        start=_hour(outcome, clock, entry.get("start")),
        end=_hour(outcome, clock, entry.get("end")),
        figures=tuple(number(known(name), 0) for name in names),
        terms=f"{percent(known('carry_over'))}, {fee}",
        cost=money(known("cost"), outcome.currency),
        cost_uncontrolled=money(known("cost_uncontrolled"), outcome.currency),
        sites=", ".join(told) + more,
    )


def _hour(outcome: Outcome, clock: Clock, time: Any) -> str:
    """Local hour of a time of the statement; the text itself where it is none of the horizon."""
    try:
        step = (np.datetime64(str(time), "s") - outcome.time[0]) / np.timedelta64(1, "h") / outcome.dt
    except (ValueError, IndexError):
        return str(time)
    return clock.hour(int(step)) if 0 <= step <= outcome.steps else str(time)
