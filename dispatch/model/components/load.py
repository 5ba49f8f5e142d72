"""Demand that is not controlled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def load(b: Block, p: Any) -> None:
    """Take power at the meter and reactive power at the meter's bus."""
    b.inject("meter", p=-p.p_load)
    b.inject("meter.bus", q=-p.q_load)
