"""Which limits bind, when, and what they cost; which cannot be held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.report.outcome import text
from dispatch.report.words import limit_name, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatch.report.outcome import Outcome

LEAST_PRICE = 1e-6
"""A price below this is the solver's noise, in the unit of the limit."""
VOLTAGE_STEP_PU = 0.01
"""Prices of voltage limits are shown per this much voltage. [1]"""


@dataclass(frozen=True)
class Binding:
    """A limit that has a price.

    Attributes
    ----------
    feeder, kind, element, limit : str
        Where it is and what it limits.
    hours : float
        How long it has a price. [h]
    first, last, dearest : int
        Steps: first and last with a price, and the one with the highest.
    average, highest : float
        Price over those hours, in `unit`.
    unit : str
        Unit of the price.
    worth : float
        What one percent more of the limit would save over the horizon. [currency]
    """

    feeder: str
    kind: str
    element: str
    limit: str
    hours: float
    first: int
    last: int
    dearest: int
    average: float
    highest: float
    unit: str
    worth: float


def binding_limits(outcome: Outcome) -> list[Binding]:
    """Every limit with a price, the most valuable first.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.

    Returns
    -------
    list of Binding
        Prices of voltage limits are per 0.01 of voltage and hour.
    """
    bus, currency = outcome.tables["bus"], outcome.currency
    found: list[Binding] = []
    for name, limit in (("price_v_max", "v_max_pu"), ("price_v_min", "v_min_pu")):
        if not outcome.count("bus"):
            break
        prices = outcome.series[name] * VOLTAGE_STEP_PU
        one_percent = 0.01 * bus[limit] / VOLTAGE_STEP_PU
        unit = f"{currency} per {VOLTAGE_STEP_PU:g} pu and h"
        found += _of_kind(outcome, "bus", limit, prices, outcome.feeder["bus"], one_percent, unit)
    branch, lines = outcome.feeder["branch"], outcome.network.lines
    for kind, feeder in (("line", branch[:lines]), ("transformer", branch[lines:])):
        if outcome.count(kind):
            prices, one_percent = outcome.series[f"price_{kind}"], 0.01 * outcome.tables[kind]["s_nom"]
            found += _of_kind(outcome, kind, "rating", prices, feeder, one_percent, f"{currency} per kWh")
    return sorted(found, key=lambda b: (-b.worth, b.kind, b.element, b.limit))


def without_prices(outcome: Outcome) -> str:
    """Say what it means that no limit of the electric network has a price."""
    if outcome.gas_alone:
        return "There is no electric network whose limits could have a price."
    if outcome.status == "gap":
        return "No limit has a price, but the schedule is not proven to be the cheapest: nothing follows about room."
    return "No limit of the electric network has a price: it has room in every hour."


def _of_kind(
    outcome: Outcome,
    kind: str,
    limit: str,
    prices: np.ndarray,
    feeder: np.ndarray,
    one_percent: np.ndarray,
    unit: str,
) -> Iterator[Binding]:
    priced = prices > LEAST_PRICE
    for k in np.nonzero(priced.any(axis=1))[0].tolist():
        steps = np.nonzero(priced[k])[0]
        own = prices[k, steps]
        yield Binding(
            outcome.name("source", feeder[k]) if feeder[k] >= 0 else "",
            kind,
            outcome.name(kind, k),
            limit_name(limit),
            len(steps) * outcome.dt,
            int(steps[0]),
            int(steps[-1]),
            int(steps[own.argmax()]),
            float(own.mean()),
            float(own.max()),
            unit,
            math.fsum(own.tolist()) * outcome.dt * float(one_percent[k]),
        )


@dataclass(frozen=True)
class Reinforcement:
    """A line or transformer whose rating has a price.

    Attributes
    ----------
    feeder, kind, element : str
        Which.
    s_nom : float
        Rating. [kVA]
    estimate : float
        At most what 10 % more of it would save over the horizon. [currency]
    """

    feeder: str
    kind: str
    element: str
    s_nom: float
    estimate: float


def reinforcements(outcome: Outcome) -> list[Reinforcement]:
    """Lines and transformers with a price, the highest estimate first.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.

    Returns
    -------
    list of Reinforcement
    """
    found, branch, lines = [], outcome.feeder["branch"], outcome.network.lines
    for kind, feeder in (("line", branch[:lines]), ("transformer", branch[lines:])):
        estimate = outcome.series[f"saving_{kind}"]
        for k in np.nonzero(estimate > 0)[0].tolist():
            where = outcome.name("source", feeder[k]) if feeder[k] >= 0 else ""
            rating = float(outcome.tables[kind]["s_nom"][k])
            found.append(Reinforcement(where, kind, outcome.name(kind, k), rating, float(estimate[k])))
    return sorted(found, key=lambda r: (-r.estimate, r.kind, r.element))


@dataclass(frozen=True)
class Unmet:
    """A limit that cannot be held, in words."""

    feeder: str
    kind: str
    element: str
    limit: str
    hours: str
    amount: str
    relaxation: str
    sentence: str


def unmet_limits(outcome: Outcome) -> list[Unmet]:
    """Limits that cannot be held, ready to be shown; whatever the list holds becomes text."""
    return [_unmet(row) for row in outcome.unmet]


def _unmet(row: dict[str, Any]) -> Unmet:
    unit = _plain(row.get("unit", ""))
    return Unmet(
        feeder=_plain(row.get("feeder", "")),
        kind=_plain(row.get("kind", "")),
        element=_plain(row.get("element", "")),
        limit=limit_name(_plain(row.get("limit", ""))),
        hours=_hours(row.get("hours"), row.get("hours_total")),
        amount=_amount(row.get("amount"), unit),
        relaxation=_amount(row.get("least_relaxation"), unit),
        sentence=_plain(row.get("text", "")),
    )


def _plain(value: Any) -> str:
    return "" if value is None else text(value)


def _amount(value: Any, unit: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        digits = 4 if abs(value) < 1 else 2
        return f"{number(float(value), digits)} {unit}".strip()
    return _plain(value)


def _hours(value: Any, total: Any) -> str:
    """How long in all and the first span; a phone has no room for all spans of many elements."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{number(float(value), 2)} h"
    if not isinstance(value, list) or not value:
        return _plain(value)
    more = f" and {len(value) - 1} more" if len(value) > 1 else ""
    length = f"{total:g} h: " if isinstance(total, int | float) else ""
    return f"{length}{_plain(value[0])}{more}"
