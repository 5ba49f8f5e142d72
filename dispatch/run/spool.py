"""What processes hand each other, in files: only names go through the pipes between them.

A process that is killed while it reads or writes a long message leaves the pipe's other end waiting without end. A name
fits into the pipe as one piece, always.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANSWER = ".answer"


def put(path: Path, function: Callable[..., Any], *given: Any) -> Path:
    """Write down a call.

    Parameters
    ----------
    path : Path
        In a folder that nobody else may write into.
    function : callable
        Of the top level of a module.
    *given
        Arguments, and what they hold, that pickle can write.

    Returns
    -------
    Path
        The same.
    """
    path.write_bytes(pickle.dumps((function, given), pickle.HIGHEST_PROTOCOL))
    return path


def run(path: Path) -> None:
    """Make the call in a file and write down the answer; in another process."""
    function, given = pickle.loads(path.read_bytes())  # noqa: S301  (from `put`, in a folder of the process that started this one)
    path.with_suffix(ANSWER).write_bytes(pickle.dumps(function(*given), pickle.HIGHEST_PROTOCOL))


def take(path: Path) -> Any:
    """Read the answer to a call, and leave nothing of both."""
    answer = path.with_suffix(ANSWER)
    found = pickle.loads(answer.read_bytes())  # noqa: S301  (from `run`, in a folder of this process)
    answer.unlink()
    path.unlink()
    return found
