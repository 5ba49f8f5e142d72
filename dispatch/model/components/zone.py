"""Where gas is balanced: all junctions that hang together by pipes, or above 4 bar gauge each junction by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block

UNMET_PRICE = 10.0  # money per kWh
HOLDING_PRICE = 1e-6  # money per kWh and hour: pipes are not filled without need


def zone(b: Block, p: Any) -> None:
    """Take no more gas than is used, but for what the pipes hold."""
    content = b.state("linepack", p.linepack_least, p.linepack_nom)
    unserved, spilled = b.var("gas_unserved", 0, p.demand_max), b.var("gas_spilled", 0, p.surplus_max)
    balance = b.received("gas") - p.demand + unserved - spilled
    b.constraint("balance", content == content.previous + p.dt * balance)
    b.cost(p.dt * (UNMET_PRICE * (unserved + spilled) + p.holding_price * content))
