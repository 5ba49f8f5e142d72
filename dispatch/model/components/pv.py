"""Generation that can be curtailed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def pv(b: Block, p: Any) -> None:
    """Give what is available and not curtailed, and reactive power whatever is curtailed."""
    curtailed = b.var("p_curtailed", 0, p.p_curtailed_max)
    b.inject("meter", p=p.p_available - curtailed)
    b.inject("meter.bus", q=p.q_nom)
