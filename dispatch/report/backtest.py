"""What a backtest says, as one object and as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

SUMMED = ("cost", "regret", "limit_hours")


def backtest_object(table: xr.Dataset) -> dict[str, object]:
    """Figures of a backtest as the object that ``--json`` prints.

    Parameters
    ----------
    table : Dataset (strategy, day)
        Of `dispatch.run.backtest.backtest`.

    Returns
    -------
    dict
        ``cost_perfect`` and so on, ``regret_…`` and ``limit_hours_…``, added up over the days; ``days``; and `by_day`,
        one object a strategy and day.
    """
    found: dict[str, object] = {"currency": table.attrs["currency"]}
    for variable in SUMMED:
        total = table[variable].sum("day")
        found |= {f"{variable}_{name}": float(total.sel(strategy=name)) for name in _names(table)}
    rows = table.assign_coords(day=_days(table)).to_dataframe().reset_index().to_dict("records")
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
    lines.append(
        f"{'schedule from':<22}{'cost ' + money:>12}{'regret':>10}{'limits broken h':>17}{'loading':>9}{'v max':>8}"
    )
    named = {"perfect": "perfect knowledge", "forecast": "forecast", "yesterday": "yesterday again"}
    for name in _names(table):
        one = table.sel(strategy=name)
        cost, regret, hours = (float(one[v].sum()) for v in SUMMED)
        most = f"{100 * float(one['loading_max_pu'].max()):>7.0f} %{float(one['v_max_pu'].max()):>8.3f}"
        lines.append(f"{named.get(name, 'nothing (no control)'):<22}{cost:>12.2f}{regret:>10.2f}{hours:>17.2f}{most}")
    lines += ["", "A schedule that breaks limits can cost less than perfect knowledge, which holds them."]
    return "\n".join(lines)


def _names(table: xr.Dataset) -> list[str]:
    return [str(name) for name in table["strategy"].to_numpy().tolist()]


def _days(table: xr.Dataset) -> list[str]:
    return [str(day) for day in np.datetime_as_string(table["day"].to_numpy(), "D").tolist()]
