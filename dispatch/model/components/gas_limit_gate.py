"""What gates change in a limited quantity of the zone into which they let gas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def gas_limit_gate(b: Block, p: Any) -> None:
    """Add the effect of what flows through a gate to a quantity."""
    b.inject("limit", value=p.effect * b.at("gate").gas_gate)
