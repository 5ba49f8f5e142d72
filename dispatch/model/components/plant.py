"""Gas holder, boiler, flare and heat of a biogas plant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block

UNMET_PRICE = 10.0  # money per kWh
HIGHER, LOWER = 11.06, 9.97  # kWh per normal m3 of methane (ISO 6976)


def plant(b: Block, p: Any) -> None:
    """Hold raw gas between what comes and what is used; flare the rest at a price; cover the heat demand."""
    content = b.state("holder", 0, p.holder_nom, initial=p.holder_initial)
    flare, burnt = b.var("flow_flare"), b.var("flow_boiler", 0, p.flow_boiler_max)
    heat = b.state("heat_stored", 0, p.heat_tank_nom)
    missing, surplus = b.var("heat_missing", 0, p.heat_demand), b.var("heat_surplus")
    short = b.window("holder_short", over="horizon")
    came = b.received("methane") / p.methane_share
    b.constraint("gas", content == content.previous + p.dt * (came - flare - burnt))
    b.constraint("final", content + short >= p.holder_final, when="end")
    made = b.received("heat") + p.efficiency_boiler * LOWER * p.methane_share * burnt
    b.constraint("heat", heat == heat.previous + p.dt * (made + missing - surplus - p.heat_demand))
    b.cost(p.dt * (p.price_flare * flare + UNMET_PRICE * missing))
    b.cost(UNMET_PRICE * HIGHER * p.methane_share * short, over="horizon")
    b.inject("meter", p=-p.p_own)
