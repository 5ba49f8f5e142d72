"""A tank of hot water that a heat pump fills; its content is heat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.model.components.battery import SHORTFALL_PRICE

if TYPE_CHECKING:
    from dispatch.model.component import Block


def tank(b: Block, p: Any) -> None:
    """Turn power into heat, hold it, and give the heat that is withdrawn."""
    charge = b.var("p_charge", 0, p.p_charge_max)
    content = b.state("state_of_charge", 0, p.energy_nom, initial=p.state_of_charge_initial)
    missing = b.var("p_missing", 0, p.p_withdrawn)  # heat that the building goes without
    shortfall = b.var("shortfall", 0, p.state_of_charge_least)
    kept = (1 - p.standing_loss) ** p.dt * content.previous
    b.constraint("balance", content == kept + p.dt * (p.efficiency_charge * charge + missing - p.p_withdrawn))
    b.constraint("least", content + shortfall >= p.state_of_charge_least)
    b.cost(p.dt * p.wear_cost * charge)
    b.cost(SHORTFALL_PRICE * (p.dt * missing + shortfall))
    b.inject("meter", p=-charge)
