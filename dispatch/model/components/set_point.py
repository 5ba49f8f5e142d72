"""The set-point of a gate or regulator that feeds a level above 4 bar gauge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def set_point(b: Block, p: Any) -> None:
    """Leave the pressure that is held only where that is worth something."""
    above, below = b.var("above", 0, p.most), b.var("below")
    b.constraint("held", b.at("junction").pressure == p.pressure + above - below)
    b.cost(p.dt * p.price * (above + below))
