"""A compressor that lifts gas from one gas zone back to a higher one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def compressor(b: Block, p: Any) -> None:
    """Take gas from the lower zone and electricity at the meter; give the gas to the higher zone."""
    gas = b.var("gas_compressor", 0, p.gas_max)
    b.inject("zone_from", gas=-gas)
    b.inject("zone_to", gas=gas)
    b.inject("meter", p=-p.electricity * gas)
