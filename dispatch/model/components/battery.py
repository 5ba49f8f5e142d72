"""A store of electric energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block

SHORTFALL_PRICE = 10.0  # money per kWh; far above any tariff, far below the penalty of a limit


def battery(b: Block, p: Any) -> None:
    """Charge and discharge with losses; hold a content that must end at or above a given one."""
    charge = b.var("p_charge", 0, p.p_charge_max)
    discharge = b.var("p_discharge", 0, p.p_discharge_max)
    content = b.state("state_of_charge", 0, p.energy_nom, initial=p.state_of_charge_initial)
    shortfall = b.window("shortfall", over="horizon")
    kept = (1 - p.standing_loss) ** p.dt * content.previous
    b.constraint(
        "balance", content == kept + p.dt * (p.efficiency_charge * charge - discharge / p.efficiency_discharge)
    )
    b.constraint("final", content + shortfall >= p.state_of_charge_final, when="end")
    b.cost(p.dt * p.wear_cost * (charge + discharge))
    b.cost(SHORTFALL_PRICE * shortfall, over="horizon")
    b.inject("meter", p=discharge - charge)
