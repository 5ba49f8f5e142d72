"""From the options of a command that solves to the settings of its runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from dispatch.run.settings import Settings


def settings_of(a: argparse.Namespace) -> Settings:
    """Take what was chosen; an option that a command does not have is as by default."""
    from dispatch.run.settings import Settings

    return Settings(
        start=a.start,
        horizon_h=a.horizon_h,
        all_rows=getattr(a, "all_rows", False),
        method=a.method,
        gap=a.gap,
        deadline_s=a.deadline_s,
        limits_at=a.limits_at,
        integers=getattr(a, "integers", False),
        components=tuple(str(Path(f).resolve()) for f in a.component),
    )
