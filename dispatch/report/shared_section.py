"""What the page of a utility shows of limits that feeders share: loading, price by hour, bound and gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.report.batch_text import binding_text, fixed_lines, unmet_lines
from dispatch.report.words import UNKNOWN, number

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = 13
"""Letters of a time down to its hour."""
MOST_HOURS = 48


def shared_section(shared: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Prepare what is shown.

    Parameters
    ----------
    shared : mapping or None
        Of the object that ``batch status --json`` prints.

    Returns
    -------
    dict or None
        ``said``, ``rows`` (a limit each), ``networks`` (whether any is a network) and ``prices`` (an hour and limit
        each); None where nothing is shared.
    """
    if not shared or not shared.get("done"):
        return None
    reached = shared["gap_delivered"]
    gap = UNKNOWN if reached is None else f"{reached:.1e}"
    bounds = [UNKNOWN if shared[n] is None else f"{shared[n]:,.2f}" for n in ("objective", "lower_bound")]
    said = f"{shared['feeders']:,} feeders, {shared['rounds']} rounds of prices: they cost {bounds[0]} together, no"
    said += f" schedules cost less than {bounds[1]}; gap {gap}."
    said = " ".join([said, *(f"{line[0].upper()}{line[1:]}." for line in fixed_lines(shared))])
    return {
        "said": said,
        "rows": [_row(limit) for limit in shared["limits"]],
        "networks": any("v_min_pu" in limit for limit in shared["limits"]),
        "prices": [row for limit in shared["limits"] for row in _prices(limit, shared["time"])],
    }


def _row(limit: Mapping[str, Any]) -> dict[str, str]:
    loading, p = limit["loading_max"], limit["p"]
    return {
        "id": limit["id"],
        "feeders": f"{limit['feeders']:,}",
        "loading": UNKNOWN if loading is None else number(100 * loading, 1),
        "most": number(max(p, default=0.0), 1),
        "least": number(min(p, default=0.0), 1),
        "voltage": " to ".join(_ends(limit)),
        "binding": binding_text(limit),
        "hours": number(limit["hours_unmet"], 2),
        "unmet": "; ".join(unmet_lines(limit)),
    }


def _ends(limit: Mapping[str, Any]) -> list[str]:
    """Lowest and highest voltage of a network above feeders."""
    found = [(min, limit.get("v_min_pu")), (max, limit.get("v_max_pu"))]
    return [number(of(v for v in values if v is not None), 4) for of, values in found if values and any(values)]


def _prices(limit: Mapping[str, Any], times: list[str]) -> list[tuple[str, str, str, str]]:
    """Hours with a price: the limit, the hour, the largest price in it and the mean of what is taken."""
    found: dict[str, list[int]] = {}
    for k, time in enumerate(times):
        found.setdefault(time[:HOUR], []).append(k)
    rows = []
    for hour, steps in found.items():
        price = max((limit["price"][k] for k in steps), key=abs)
        if price:
            mean = sum(limit["p"][k] for k in steps) / len(steps)
            rows.append((limit["id"], f"{hour.replace('T', ' ')}:00", number(price, 4), number(mean, 1)))
    return rows[:MOST_HOURS]
