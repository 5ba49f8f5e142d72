"""A line or cable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def line(b: Block, p: Any) -> None:
    """Carry power from bus to bus with a linear drop of squared voltage and angle, inside an elastic rating."""
    flow, reactive = b.var("p", None), b.var("q", None)
    forward, reverse = b.var("slack_forward"), b.var("slack_reverse")
    start, end = b.at("bus_from"), b.at("bus_to")
    b.constraint("drop", end.v_squared_pu == start.v_squared_pu - 2 * (p.r * flow + p.x * reactive))
    b.constraint("angle", end.angle == start.angle - (p.x * flow - p.r * reactive))
    b.constraint("forward", flow - forward <= p.p_max_forward)
    b.constraint("reverse", -flow - reverse <= p.p_max_reverse)
    b.cost(p.dt * p.limit_penalty / p.s_nom * (forward + reverse))
    b.inject("bus_from", p=-flow, q=-reactive)
    b.inject("bus_to", p=flow, q=reactive)
