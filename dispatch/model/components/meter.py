"""The point of connection, where energy is counted and paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block

UNMET_PRICE = 10.0  # money per kWh of demand or generation that the connection cannot carry


def meter(b: Block, p: Any) -> None:
    """Balance what is behind it, pay for it, and pass it on to the bus."""
    take = b.var("p_import", 0, p.p_import_max)
    give = b.var("p_export", 0, p.p_export_max)
    unserved = b.var("p_unserved", 0, p.p_unserved_max)
    spilled = b.var("p_spilled", 0, p.p_spilled_max)
    b.constraint("balance", b.received("p") + take - give + unserved - spilled == 0)
    b.cost(p.dt * (p.price_import * take - p.price_export * give + UNMET_PRICE * (unserved + spilled)))
    b.inject("bus", p=give - take)
