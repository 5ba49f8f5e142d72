"""Demand at a junction above 4 bar gauge for which there may be no pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.model.components.zone import UNMET_PRICE

if TYPE_CHECKING:
    from dispatch.model.component import Block


def undelivered(b: Block, p: Any) -> None:
    """Leave demand out."""
    left_out = b.var("gas_undelivered", 0, p.most)
    b.inject("zone", gas=left_out)
    b.cost(p.dt * UNMET_PRICE * left_out)
