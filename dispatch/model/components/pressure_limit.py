"""Limits of the pressure at a junction above 4 bar gauge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def pressure_limit(b: Block, p: Any) -> None:
    """Hold the pressure between its limits, or pay for the slack."""
    over, under = b.var("slack_most", 0, p.slack_most_max), b.var("slack_least", 0, p.slack_least_max)
    b.constraint("most", b.at("junction").pressure - over <= p.most)
    b.constraint("least", b.at("junction").pressure + under >= p.least)
    b.cost(p.dt * p.limit_penalty * (over + under) / p.rating)
