"""What compressors change in a limited quantity of the zones between which they lift gas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def gas_limit_compressor(b: Block, p: Any) -> None:
    """Add the effect of what a compressor lifts to a quantity."""
    b.inject("limit", value=p.effect * b.at("compressor").gas_compressor)
