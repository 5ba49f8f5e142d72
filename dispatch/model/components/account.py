"""The gas account of a business with several sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def account(b: Block, p: Any) -> None:
    """Set what is injected off against what is withdrawn; settle what is beyond the band when a period ends."""
    balance = b.state("account_balance", p.least, p.most, initial=p.balance_initial)
    bought, sold = b.var("gas_bought", 0, p.settled_max), b.var("gas_sold", 0, p.settled_max)
    change = p.dt * (b.received("gas") - p.withdrawn) + bought - sold
    b.constraint("balance", balance == p.kept * balance.previous + change)
    b.cost((p.price_short + p.fee) * bought + (p.fee - p.price_surplus) * sold)
