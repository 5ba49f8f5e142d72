"""A pressure regulator between two gas zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def regulator(b: Block, p: Any) -> None:
    """Let gas down from one zone to the next, never back."""
    gas = b.var("gas_regulator", 0, p.gas_max)
    b.inject("zone_from", gas=-gas)
    b.inject("zone_to", gas=gas)
