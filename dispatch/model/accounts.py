"""Elements of gas accounts; see docs/formulation.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.elements import Elements
from dispatch.model.meters import sum_at

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.model.series import Series

WINDOW = {b"day": "day", b"month": "billing_period", b"horizon": "horizon"}


def account_kinds(case: xr.DataTree, series: Series, windows: dict[str, np.ndarray]) -> dict[str, Elements]:
    """Elements of accounts and of what goes into them; none in a case without accounts.

    Parameters
    ----------
    case : DataTree
        Valid, with a gas network.
    series : Series
        Its forecast.
    windows : dict of str to ndarray (step,)
        See `dispatch.model.windows.windows_of`.

    Returns
    -------
    dict of str to Elements
    """
    table = columns(case, "account")
    count = len(table["id"])
    if not count:
        return {}
    energy = float(columns(case, "gas_network")["heating_value_higher"][()])
    at = parent_index(case, "consumer", "account")
    withdrawn = energy * sum_at(at[at >= 0], series.flow_consumer[at >= 0], count)
    ends = period_ends(table["period"], windows)
    starts = np.concatenate([np.zeros((count, 1), bool), ends[:, :-1]], axis=1)
    band = table["band"][:, None]
    parameters = {
        "least": np.where(ends, -band, -np.inf),
        "most": np.where(ends, band, np.inf),
        "settled_max": np.where(ends, np.inf, 0.0),
        "kept": np.where(starts, table["carry_over"][:, None], 1.0),
        "withdrawn": withdrawn,
        **{n: table[n][:, None] for n in ("balance_initial", "price_short", "price_surplus", "fee")},
    }
    plant = parent_index(case, "upgrader", "plant")
    into = parent_index(case, "plant", "account")[plant]
    with_one = np.nonzero(into >= 0)[0].astype(np.int32)
    nodes = {"account": ("account", into[with_one]), "upgrader": ("upgrader", with_one)}
    return {
        "account": Elements(count, parameters, {}, np.arange(count, dtype=np.int32), table["id"]),
        "deposit": Elements(len(with_one), {}, nodes, with_one, columns(case, "upgrader")["id"][with_one]),
    }


def settle(account: Elements, deposited: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Settle no more than must be: what is beyond the band when a period ends.

    Parameters
    ----------
    account : Elements
        From `account_kinds`.
    deposited : ndarray (account, step)
        What is injected, whatever it earns. [kW]
    dt : float
        Length of a step. [h]

    Returns
    -------
    ndarray, ndarray (account, step)
        Gas bought and sold at the ends of periods. [kWh]
    """
    p, (bought, sold) = account.parameters, np.zeros((2, *deposited.shape))
    change = dt * (deposited - p["withdrawn"])
    balance = p["balance_initial"][:, 0].copy()
    for t in range(deposited.shape[1]):
        balance = p["kept"][:, t] * balance + change[:, t]
        within = np.clip(balance, p["least"][:, t], p["most"][:, t])
        bought[:, t], sold[:, t] = np.maximum(within - balance, 0.0), np.maximum(balance - within, 0.0)
        balance = within
    return bought, sold


def paid(account: Elements, bought: np.ndarray, sold: np.ndarray) -> np.ndarray:
    """Cost of what each account settles, fees included, (account,), money.

    Parameters
    ----------
    account : Elements
        From `account_kinds`.
    bought, sold : ndarray (account, step)
        [kWh]
    """
    p = account.parameters
    cost = (p["price_short"] + p["fee"]) * bought + (p["fee"] - p["price_surplus"]) * sold
    return np.asarray(cost.sum(axis=1))


def period_ends(period: np.ndarray, windows: dict[str, np.ndarray]) -> np.ndarray:
    """Tell in which steps the balancing period of each account ends; the last step ends one in any case.

    Parameters
    ----------
    period : ndarray (account,) of bytes
        ``day``, ``month`` or ``horizon``.
    windows : dict of str to ndarray (step,)
        See `dispatch.model.windows.windows_of`.

    Returns
    -------
    ndarray (account, step) of bool
    """
    last = {name: np.append(np.diff(windows[window]) != 0, True) for name, window in WINDOW.items()}
    return np.array([last[bytes(p)] for p in period])
