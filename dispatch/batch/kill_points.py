"""Named points at which a test ends the process, to see that nothing is lost whatever happens there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

ENVIRONMENT = "PROSUMER_DISPATCH_KILL"
"""``POINT=FILE``: the first process that comes to the point takes the file away and is ended."""
POINTS = ("before rename", "after rename", "in journal", "in index")


def passing(point: str) -> None:
    """End this process at once, as kill -9 does, where a test asks for it; otherwise do nothing."""
    wanted, _, flag = os.environ.get(ENVIRONMENT, "").partition("=")
    if wanted != point:
        return
    try:
        Path(flag).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
