"""A pipe of a gas network above 4 bar gauge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def pipe(b: Block, p: Any) -> None:
    """Carry gas by the pressures at both ends, linear about the last state."""
    start, end = b.at("junction_from").pressure, b.at("junction_to").pressure
    flow = b.var("flow", p.flow_least, p.flow_most)
    b.constraint("drop", p.from_squared * start - p.to_squared * end == p.steep * flow + p.constant)
    b.inject("zone_from", gas=-flow)
    b.inject("zone_to", gas=flow)
