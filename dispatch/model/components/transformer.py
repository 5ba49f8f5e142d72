"""A two-winding transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def transformer(b: Block, p: Any) -> None:
    """Carry power like a line and divide the voltage by its ratio, inside an elastic rating."""
    flow, reactive = b.var("p", None), b.var("q", None)
    forward, reverse = b.var("slack_forward"), b.var("slack_reverse")
    start, end = b.at("bus_from"), b.at("bus_to")
    drop = 2 * (p.r * flow + p.x * reactive)
    b.constraint("drop", end.v_squared_pu == (start.v_squared_pu - drop) / p.ratio**2)
    b.constraint("angle", end.angle == start.angle - (p.x * flow - p.r * reactive))
    b.constraint("forward", flow - forward <= p.p_max_forward)
    b.constraint("reverse", -flow - reverse <= p.p_max_reverse)
    b.cost(p.dt * p.limit_penalty / p.s_nom * (forward + reverse))
    b.inject("bus_from", p=-flow, q=-reactive)
    b.inject("bus_to", p=flow, q=reactive)
