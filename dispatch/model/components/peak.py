"""The charge on the highest import of a billing period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def peak(b: Block, p: Any) -> None:
    """Pay once a billing period for the highest import in it."""
    highest = b.window("p_peak", over="billing_period")
    b.constraint("under_peak", b.at("meter").p_import <= highest)
    b.cost(p.price_peak * highest, over="billing_period")
