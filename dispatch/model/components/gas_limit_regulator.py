"""What regulators change in a limited quantity of the zone from which they take gas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def gas_limit_regulator(b: Block, p: Any) -> None:
    """Add the effect of what flows through a regulator to a quantity."""
    b.inject("limit", value=p.effect * b.at("regulator").gas_regulator)
