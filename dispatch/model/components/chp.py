"""A gas engine of a biogas plant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.model.components.plant import LOWER

if TYPE_CHECKING:
    from dispatch.model.component import Block


def chp(b: Block, p: Any) -> None:
    """Burn methane for electricity at the meter and heat at the plant; change no faster than the ramp."""
    power = b.state("p_chp", p.lowest, p.highest, initial=p.initial)
    b.constraint("ramp_up", power - power.previous <= p.ramp)
    b.constraint("ramp_down", power.previous - power <= p.ramp)
    b.cost(p.dt * p.running_cost * power)
    b.inject("plant", methane=-power / (p.efficiency_electric * LOWER))
    b.inject("plant", heat=p.efficiency_thermal / p.efficiency_electric * power)
    b.inject("meter", p=power)
