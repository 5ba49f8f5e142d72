"""A junction of a gas network above 4 bar gauge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def junction(b: Block, p: Any) -> None:
    """Let what is packed here, half of each of its pipes, follow the pressure; linear about the last state."""
    pressure, content = b.var("pressure", p.lowest, p.most), b.at("zone").linepack
    b.constraint("packing", content == p.capacity * (pressure - p.pressure) + p.content)
    b.inject("level", linepack=content)
