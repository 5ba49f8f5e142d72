"""A point of the network: balances, and its voltage inside elastic limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def bus(b: Block, p: Any) -> None:
    """Balance both powers; hold the squared voltage between its limits, or pay for the slack."""
    voltage = b.var("v_squared_pu", None)
    b.var("angle", None)
    above, below = b.var("slack_v_max"), b.var("slack_v_min")
    b.constraint("balance_p", b.received("p") == 0)
    b.constraint("balance_q", b.received("q") == 0)
    b.constraint("v_max", voltage + p.offset_v_max - above <= p.v_max_pu**2)
    b.constraint("v_min", voltage + p.offset_v_min + below >= p.v_min_pu**2)
    b.cost(p.dt * p.limit_penalty * (above / p.v_max_pu**2 + below / p.v_min_pu**2))
