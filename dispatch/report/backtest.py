"""What a backtest says, as one object and as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

SUMMED = ("cost", "regret", "violations", "limit_hours")


def backtest_object(table: xr.Dataset) -> dict[str, object]:
    """Figures of a backtest as the object that ``--json`` prints.

    Parameters
    ----------
    table : Dataset (strategy, day)
        Of `dispatch.run.backtest.backtest`.

    Returns
    -------
    dict
        ``cost_perfect`` and so on, ``regret_…``, ``violations_…`` and ``limit_hours_…``, added up over the days;
        ``days``; ``limits_at`` where there is a cautious schedule; and `by_day`, one object a strategy and day.
    """
    found: dict[str, object] = {"currency": table.attrs["currency"]}
    for variable in SUMMED:
        total = table[variable].sum("day")
        found |= {f"{variable}_{name}": float(total.sel(strategy=name)) for name in _names(table)}
    rows = table.assign_coords(day=_days(table)).to_dataframe().reset_index().to_dict("records")
    found |= {"limits_at": table.attrs["limits_at"]} if "limits_at" in table.attrs else {}
    return found | {"days": _days(table), "by_day": rows}


def backtest_text(table: xr.Dataset) -> str:
    """Figures of a backtest as lines for people.

    Parameters
    ----------
    table : Dataset (strategy, day)
        Of `dispatch.run.backtest.backtest`.

    Returns
    -------
    str
    """
    days, money = _days(table), table.attrs["currency"]
    lines = [f"{len(days)} measured days, {days[0]} to {days[-1]}", ""]
    head = f"{'schedule from':<26}{'cost ' + money:>12}{'regret':>10}{'limits broken':>15}{'h':>9}"
    named = {"perfect": "perfect knowledge", "forecast": "forecast", "yesterday": "yesterday again"}
    named |= {"cautious": f"forecast, limits at {table.attrs.get('limits_at', 0.5):g}"}
    lines.append(f"{head}{'loading':>9}{'v max':>8}")
    for name in _names(table):
        one = table.sel(strategy=name)
        cost, regret, times, hours = (float(one[v].sum()) for v in SUMMED)
        most = f"{100 * float(one['loading_max_pu'].max()):>7.0f} %{float(one['v_max_pu'].max()):>8.3f}"
        title = named.get(name, "nothing (no control)")
        lines.append(f"{title:<26}{cost:>12.2f}{regret:>10.2f}{times:>15.0f}{hours:>9.2f}{most}")
    lines += ["", "A schedule that breaks limits can cost less than perfect knowledge, which holds them."]
    if "limits_at" in table.attrs:
        lines.append(_caution(table))
    return "\n".join(lines)


def _caution(table: xr.Dataset) -> str:
    """Say what holding limits at a quantile costs and saves."""
    total = table.sum("day")
    more = total.sel(strategy="cautious") - total.sel(strategy="forecast")
    cost, saved, hours = float(more["cost"]), -float(more["violations"]), -float(more["limit_hours"])
    at, money = table.attrs["limits_at"], table.attrs["currency"]
    return f"Limits at {at:g} instead of 0.5: {cost:+.2f} {money}, {saved:.0f} fewer violations ({hours:.2f} h)."


def _names(table: xr.Dataset) -> list[str]:
    return [str(name) for name in table["strategy"].to_numpy().tolist()]


def _days(table: xr.Dataset) -> list[str]:
    return [str(day) for day in np.datetime_as_string(table["day"].to_numpy(), "D").tolist()]
