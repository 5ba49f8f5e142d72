"""Where a feeder hangs on the rest of the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def source(b: Block, p: Any) -> None:
    """Hold voltage and angle; inject whatever is missing."""
    active, reactive = b.var("p", None), b.var("q", None)
    b.constraint("voltage", b.at("bus").v_squared_pu == p.v_pu**2)
    b.constraint("angle", b.at("bus").angle == 0)
    b.inject("bus", p=active, q=reactive)
