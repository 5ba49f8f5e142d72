"""Limits of the gas network that are stated: pressures of junctions, flows of gates and regulators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def gas_limit(b: Block, p: Any) -> None:
    """Hold a quantity, linear about the last state, between its limits, or pay for the slack."""
    over, under = b.var("slack_most", 0, p.slack_most_max), b.var("slack_least", 0, p.slack_least_max)
    value = p.constant + b.received("value")
    b.constraint("most", value - over <= p.most)
    b.constraint("least", value + under >= p.least)
    b.cost(p.dt * p.limit_penalty * (over + under) / p.rating)
