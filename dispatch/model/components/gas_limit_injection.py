"""What injection changes in a limited quantity of the gas network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def gas_limit_injection(b: Block, p: Any) -> None:
    """Add the effect of an upgrader's injection to a quantity."""
    b.inject("limit", value=p.effect * b.at("upgrader").gas_injected)
