"""A city gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def gate(b: Block, p: Any) -> None:
    """Let gas into its zone, never back."""
    b.inject("zone", gas=b.var("gas_gate", 0, p.gas_max))
