"""A level of the gas network above 4 bar gauge: all junctions that hang together by pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block

SHORT_PRICE = 10.0  # money per kWh


def level(b: Block, p: Any) -> None:
    """End with as much gas in the pipes as before the first step, or as set-points alone would leave."""
    short = b.window("linepack_short", 0, p.short_max, over="horizon")
    b.constraint("final", b.received("linepack") + short >= p.final, when="end")
    b.cost(SHORT_PRICE * short, over="horizon")
