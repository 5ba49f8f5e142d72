"""The statement of each gas account: what was put in, taken out, carried over and settled in each period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import columns
from dispatch.model.accounts import period_ends
from dispatch.model.windows import windows_of

if TYPE_CHECKING:
    import xarray as xr


def account_statements(result: xr.DataTree) -> list[dict[str, Any]]:
    """One entry for each account and balancing period of a result.

    Parameters
    ----------
    result : DataTree
        A result of a case with accounts.

    Returns
    -------
    list of dict
        ``account``, ``start`` and ``end`` (UTC), ``carried_in``, ``injected``, ``withdrawn``, ``bought``, ``sold``,
        ``balance`` (all kWh, higher heating value), ``cost`` (money: what is bought at `price_short`, less what is sold
        at `price_surplus`, and `fee` on both); empty without accounts.
    """
    table, held, time = columns(result, "account"), columns(result, "schedule"), columns(result, "forecast")["time"]
    if not len(table["id"]) or "account_balance" not in held or not np.isfinite(held["account_balance"]).any():
        return []
    step = columns(result, "forecast")["time_step"][0]
    dt = float(step / np.timedelta64(1, "s")) / 3600
    ends = period_ends(table["period"], windows_of(time, str(result.attrs["time_zone"])))
    found = []
    for a, name in enumerate(table["id"]):
        first, before = 0, float(table["balance_initial"][a])
        for last in np.nonzero(ends[a])[0].tolist():
            own = slice(first, last + 1)
            bought, sold = (float(held[n][a, own].sum()) for n in ("gas_bought", "gas_sold"))
            price_in, price_out = (float(table[n][a]) for n in ("price_short", "price_surplus"))
            balance = float(held["account_balance"][a, last])
            found.append(
                {
                    "account": name.decode(errors="replace"),
                    "start": str(time[first]),
                    "end": str(time[last] + step),
                    "carried_in": before,
                    "injected": dt * float(held["gas_deposited"][a, own].sum()),
                    "withdrawn": dt * float(held["gas_withdrawn"][a, own].sum()),
                    "bought": bought,
                    "sold": sold,
                    "balance": balance,
                    "cost": price_in * bought - price_out * sold + float(table["fee"][a]) * (bought + sold),
                }
            )
            first, before = last + 1, float(table["carry_over"][a]) * balance
    return found
