"""An electric car."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.model.components.battery import SHORTFALL_PRICE

if TYPE_CHECKING:
    from dispatch.model.component import Block


def car(b: Block, p: Any) -> None:
    """Charge where it is plugged in, drive on its content, and leave full enough."""
    charge = b.var("p_charge", 0, p.p_charge_max)
    discharge = b.var("p_discharge", 0, p.p_discharge_max)
    content = b.state("state_of_charge", 0, p.energy_nom, initial=p.state_of_charge_initial)
    missing = b.var("p_missing", 0, p.p_withdrawn)  # driven on energy charged elsewhere
    shortfall = b.var("shortfall", 0, p.state_of_charge_least)
    kept = (1 - p.standing_loss) ** p.dt * content.previous
    gained = p.efficiency_charge * charge - discharge / p.efficiency_discharge
    b.constraint("balance", content == kept + p.dt * (gained + missing - p.p_withdrawn))
    b.constraint("least", content + shortfall >= p.state_of_charge_least)
    b.cost(p.dt * p.wear_cost * (charge + discharge))
    b.cost(SHORTFALL_PRICE * (p.dt * missing + shortfall))
    b.inject("meter", p=discharge - charge)
