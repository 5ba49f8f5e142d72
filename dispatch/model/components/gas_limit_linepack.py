"""What linepack changes in a limited quantity of the gas network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def gas_limit_linepack(b: Block, p: Any) -> None:
    """Add the effect of a zone's linepack to a quantity."""
    b.inject("limit", value=p.effect * b.at("zone").linepack)
