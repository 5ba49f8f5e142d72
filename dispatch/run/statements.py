"""The statement of each gas account: what was put in, taken out, carried over and settled in each period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.accounts import period_ends
from dispatch.model.windows import windows_of

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.schema import Columns

MOST_SITES = 20
"""Sites of an account that are told one by one; the smaller ones are told together."""
OTHERS = "others"
UNCONTROLLED = ("gas_bought_uncontrolled", "gas_sold_uncontrolled")


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
        at `price_surplus`, and `fee` on both), ``cost_uncontrolled`` (the same without control), ``band`` (kWh),
        ``fee`` and ``carry_over`` of the account, and ``sites``: what each plant injected and each consumer took (below
        zero), by their names; empty without accounts.
    """
    table, held, time = columns(result, "account"), columns(result, "schedule"), columns(result, "forecast")["time"]
    if not len(table["id"]) or "account_balance" not in held or not np.isfinite(held["account_balance"]).any():
        return []
    step = columns(result, "forecast")["time_step"][0]
    dt = float(step / np.timedelta64(1, "s")) / 3600
    ends = period_ends(table["period"], windows_of(time, str(result.attrs["time_zone"])))
    sites = _sites(result, dt)
    found = []
    for a, name in enumerate(table["id"]):
        first, before = 0, float(table["balance_initial"][a])
        for last in np.nonzero(ends[a])[0].tolist():
            own = slice(first, last + 1)
            bought, sold = (float(held[n][a, own].sum()) for n in ("gas_bought", "gas_sold"))
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
                    **{n: float(table[n][a]) for n in ("band", "fee", "carry_over")},
                    "sites": _told(sites[a], own),
                    "cost": _cost(table, a, bought, sold),
                    "cost_uncontrolled": _cost(table, a, *(float(held[n][a, own].sum()) for n in UNCONTROLLED)),
                }
            )
            first, before = last + 1, float(table["carry_over"][a]) * balance
    return found


def _cost(table: Columns, a: int, bought: float, sold: float) -> float:
    """Cost of what an account settles in a period."""
    price_in, price_out, fee = (float(table[n][a]) for n in ("price_short", "price_surplus", "fee"))
    return price_in * bought - price_out * sold + fee * (bought + sold)


def _sites(result: xr.DataTree, dt: float) -> list[list[tuple[str, np.ndarray]]]:
    """For each account its plants and consumers, with what they inject in each step, below zero what they take."""
    found: list[list[tuple[str, np.ndarray]]] = [[] for _ in columns(result, "account")["id"]]
    upgrader, plant, consumer = (columns(result, kind) for kind in ("upgrader", "plant", "consumer"))
    injected = columns(result, "schedule").get("gas_injected", np.zeros((0, 0)))
    at, into = parent_index(result, "upgrader", "plant"), parent_index(result, "plant", "account")
    for k in np.nonzero(into >= 0)[0].tolist() if len(upgrader["id"]) else []:
        found[into[k]].append((plant["id"][k].decode(errors="replace"), dt * injected[at == k].sum(axis=0)))
    if len(consumer["id"]):
        energy = float(columns(result, "gas_network")["heating_value_higher"][()])
        flow, of = columns(result, "forecast").get("flow_consumer"), parent_index(result, "consumer", "account")
        for k in np.nonzero(of >= 0)[0].tolist():
            own = np.full(injected.shape[1], np.nan) if flow is None else flow[k].astype(float)
            own = np.where(np.isnan(own), consumer["flow_nom"][k], own)
            found[of[k]].append((consumer["id"][k].decode(errors="replace"), -dt * energy * own))
    return found


def _told(sites: list[tuple[str, np.ndarray]], own: slice) -> dict[str, float]:
    """Sum up a period by site, the largest one by one."""
    sums = sorted(((name, float(flow[own].sum())) for name, flow in sites), key=lambda s: -abs(s[1]))
    told = dict(sums[:MOST_SITES])
    if rest := sums[MOST_SITES:]:
        told[OTHERS] = sum(amount for _, amount in rest)
    return told
