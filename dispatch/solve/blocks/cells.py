"""Stores of one kind behind the meters of a block: their columns and rows in the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.registry import DISCHARGING, STORES
from kernels.entries import CHARGE, DISCHARGE, MISSING

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Layout
    from kernels.marginal import RowPrices

LEAST = {"battery": "final", "car": "least", "tank": "least"}
"""Row of each kind that asks for a content."""
ROWS = {(kind, name) for kind, least in LEAST.items() for name in ("balance", least)}
"""All rows of stores."""
KNOWN = {"load", "pv", "battery", "car", "tank", "meter", "peak", "bus", "source", "line", "transformer"}
"""Components whose elements the store kernel can plan, all others being a user's own or of gas."""


@dataclass(frozen=True)
class Cells:
    """Stores of one kind.

    Attributes
    ----------
    kind : str
        Name of the component.
    holder : ndarray (store,)
        Member behind whose meter each is.
    column : dict of str to ndarray (store, step)
        Numbers of the columns; `shortfall` of a battery has only the last step.
    balance, least : ndarray (store, step)
        Numbers of the rows; `least` of a battery has only the last step.
    """

    kind: str
    holder: np.ndarray
    column: dict[str, np.ndarray]
    balance: np.ndarray
    least: np.ndarray

    def write(
        self, flow: np.ndarray, content: np.ndarray, shortfall: np.ndarray, dt: float, columns: np.ndarray
    ) -> None:
        """Write a plan of members, see `Flows`, into the columns of the program."""
        at, column = self.holder, self.column
        columns[column["p_charge"]] = flow[CHARGE][at]
        if "p_discharge" in column:
            columns[column["p_discharge"]] = flow[DISCHARGE][at]
        if "p_missing" in column:
            columns[column["p_missing"]] = flow[MISSING][at] / dt
        columns[column["state_of_charge"]] = content[at]
        columns[column["shortfall"]] = shortfall[at, -column["shortfall"].shape[1] :]

    def write_prices(self, prices: RowPrices, rows: np.ndarray) -> None:
        """Write prices of members into those of the program's rows."""
        rows[self.balance] = -prices.value[self.holder]
        rows[self.least] = prices.at_least[self.holder, -self.least.shape[1] :]


def cells_of(layout: Layout, inputs: Inputs, member: np.ndarray) -> list[Cells]:
    """List the stores of each kind behind members' meters.

    Parameters
    ----------
    layout : Layout
        Of the program without the network.
    inputs : Inputs
        From which that is compiled.
    member : ndarray (meter,)
        Number of the member at each meter, -1 where it is none.

    Returns
    -------
    list of Cells
        Kinds without any are left out.
    """
    found = []
    for kind in STORES:
        stores = inputs.kinds[kind]
        holder = member[stores.nodes["meter"][1]]
        own = np.nonzero(holder >= 0)[0]
        if not len(own):
            continue
        names = ["p_charge", "state_of_charge", "shortfall"]
        names += ["p_discharge"] if kind in DISCHARGING else []
        names += ["p_missing"] if kind != "battery" else []
        found.append(
            Cells(
                kind,
                holder[own],
                {name: layout.column(kind, name)[own] for name in names},
                layout.row(kind, "balance")[own],
                layout.row(kind, LEAST[kind])[own],
            )
        )
    return found


def single_stores(inputs: Inputs) -> np.ndarray:
    """Meters with at most one store, of a kind of which every part can be priced.

    Parameters
    ----------
    inputs : Inputs
        Of a program.

    Returns
    -------
    ndarray (meter,) of bool
        False too where efficiencies or losses are those of nothing: they have no marginal values to divide by.
    """
    meters = inputs.kinds["meter"].count
    count, usable = np.zeros(meters, np.int64), np.ones(meters, bool)
    for kind in STORES:
        stores, at = inputs.kinds[kind], inputs.kinds[kind].nodes["meter"][1]
        if not stores.count:
            continue
        count += np.bincount(at, minlength=meters)[:meters]
        given = stores.parameters
        whole = (given["efficiency_charge"] > 0).all(axis=1) & (given["standing_loss"] < 1).all(axis=1)
        if kind in DISCHARGING:
            whole = whole & (given["efficiency_discharge"] > 0).all(axis=1)
        if not whole.all():
            usable[at[~np.broadcast_to(whole, stores.count)]] = False
    return (count <= 1) & usable


def all_stores(inputs: Inputs) -> bool:
    """Whether the store kernel plans every meter."""
    own = any(elements.count for kind, elements in inputs.kinds.items() if kind not in KNOWN)
    return not own and not inputs.kinds["peak"].count and bool(single_stores(inputs).all())
