"""Upgrading of raw gas to biomethane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.model.components.plant import HIGHER

if TYPE_CHECKING:
    from dispatch.model.component import Block


def upgrader(b: Block, p: Any) -> None:
    """Take raw gas and electricity; inject biomethane into the zone at its price, less what slips."""
    raw, injected = b.state("flow_raw", p.lowest, p.highest, initial=p.initial), b.var("gas_injected")
    b.constraint("ramp_up", raw - raw.previous <= p.ramp)
    b.constraint("ramp_down", raw.previous - raw <= p.ramp)
    b.constraint("energy", injected == HIGHER * p.methane_share * (1 - p.methane_slip) * raw)
    b.cost(p.dt * (p.conditioning_cost - p.price_gas) * injected)
    b.inject("plant", methane=-p.methane_share * raw)
    b.inject("zone", gas=injected)
    b.inject("meter", p=-p.electricity * raw)
