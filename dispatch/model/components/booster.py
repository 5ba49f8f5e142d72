"""A compressor in the direction of flow, which lets a regulator hold more than the pressure before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def booster(b: Block, p: Any) -> None:
    """Take electricity at the meter for all gas that flows through the regulator."""
    b.inject("meter", p=-p.electricity * b.at("regulator").gas_regulator)
