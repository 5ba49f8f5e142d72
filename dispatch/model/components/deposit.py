"""Biomethane that goes into an account instead of being sold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dispatch.model.component import Block


def deposit(b: Block, p: Any) -> None:  # noqa: ARG001  (every component takes its parameters)
    """Count what an upgrader injects in the account of its plant."""
    b.inject("account", gas=b.at("upgrader").gas_injected)
