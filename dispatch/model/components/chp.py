"""A gas engine of a biogas plant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.model.components.plant import LOWER

if TYPE_CHECKING:
    from dispatch.model.component import Block


def chp(b: Block, p: Any) -> None:
    """Burn methane for electricity at the meter and heat at the plant."""
    power = b.var("p_chp", 0, p.p_nom)
    b.cost(p.dt * p.running_cost * power)
    b.inject("plant", methane=-power / (p.efficiency_electric * LOWER))
    b.inject("plant", heat=p.efficiency_thermal / p.efficiency_electric * power)
    b.inject("meter", p=power)
