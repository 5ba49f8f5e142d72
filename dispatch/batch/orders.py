"""What groups are told in each stage of agreeing on shared limits, as plain objects for their task files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dispatch.batch.member import Member
    from dispatch.batch.plan import Group
    from dispatch.solve.shared import Mix
    from dispatch.solve.shared_rows import SharedRows

Orders = dict[str, dict[str, Any]]


def ask_orders(members: Sequence[Member], prices: Sequence[np.ndarray], again: Collection[str]) -> Orders:
    """Ask every feeder that is not fixed at prices.

    Parameters
    ----------
    members : sequence of Member
    prices : sequence of ndarray (feeder, step)
        Of a kWh that each takes. [money kW-1 h-1]
    again : collection of str
        Feeders whose plans cost something else by now.

    Returns
    -------
    dict of str to dict
        By group.
    """
    orders: Orders = {}
    for k, member in enumerate(members):
        if member.fixed:
            continue
        order = orders.setdefault(member.group, {"what": "ask", "prices": {}, "offsets": {}, "again": {}})
        order["prices"][member.name] = [each[k, member.steps].tolist() for each in prices]
        order["offsets"][member.name] = member.offsets
        if member.name in again:
            order["again"][member.name] = [list(label) for label in member.labels]
    return orders


def joint_order(
    members: Sequence[Member],
    chosen: np.ndarray,
    groups: Sequence[Group],
    rows: SharedRows,
    besides: np.ndarray,
    losses: np.ndarray,
) -> Orders:
    """Tell the first of some groups to solve feeders together.

    Parameters
    ----------
    members : sequence of Member
    chosen : ndarray (feeder,) of bool
        Which of them.
    groups : sequence of Group
        Of those.
    rows : SharedRows
        Over all members.
    besides : ndarray (row,)
        What feeders that are fixed take and lose. [kW]
    losses : ndarray (feeder, step)
        Of all members. [kW]
    """
    own = [m for m, wanted in zip(members, chosen, strict=True) if wanted]
    order = {
        "what": "joint",
        "groups": [g.to_json() for g in groups],
        "members": {m.name: {"group": m.group, "offsets": m.offsets, "steps": m.steps.tolist()} for m in own},
        "rows": replace(rows, share=rows.share[:, chosen]).to_json(),
        "besides": besides.tolist(),
        "losses": losses[chosen].tolist(),
    }
    return {groups[0].key: order}


def mix_orders(
    members: Sequence[Member], mix: Mix, prices: np.ndarray, names: Mapping[str, list[str]], *, proven: bool
) -> Orders:
    """Say which plans each group is to mix.

    Parameters
    ----------
    members : sequence of Member
    mix : Mix
        Weights of their plans.
    prices : ndarray (feeder, step)
        By which the mix is proven. [money kW-1 h-1]
    names : mapping of str to list of str
        All feeders of each group, in their order.
    proven : bool
        Whether the mix is as near to the bound as was asked.
    """
    orders: Orders = {}
    for k, member in enumerate(members):
        if member.fixed:
            continue
        order = orders.setdefault(
            member.group,
            {"what": "mix", "proven": proven, "weights": {}, "price": {}, "offsets": {}, "alone": [], "order": []},
        )
        used = np.nonzero(mix.weights[k])[0].tolist()
        order["weights"][member.name] = [[list(member.labels[j]) for j in used], mix.weights[k][used].tolist()]
        order["price"][member.name] = prices[k, member.steps].tolist()
        order["offsets"][member.name] = member.offsets
    for key, order in orders.items():
        order["order"] = names[key]
        order["alone"] = [n for n in names[key] if n not in order["weights"]]
    return orders
