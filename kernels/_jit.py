"""The one module that owns Numba: how kernels are compiled, and where the compiled code is kept.

Numba notices an edit in the file of a kernel, but not in another file whose functions that kernel calls, and would then
return old numbers silently. So compiled code lives in a private folder keyed by the contents of all of `kernels/`.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _digest() -> str:
    """Contents of all kernels as a short key."""
    key = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        key.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return key.hexdigest()[:16]


def _cache_folder() -> str | None:
    """Private folder for compiled code, or None where nothing can be written."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "prosumer-dispatch" / f"kernels-{_digest()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return None
    return str(folder)


CACHE_FOLDER = _cache_folder()
if CACHE_FOLDER is None:
    print("dispatch: kernels are compiled anew, the cache folder cannot be written", file=sys.stderr)  # noqa: T201
else:
    os.environ["NUMBA_CACHE_DIR"] = CACHE_FOLDER

import numba  # noqa: E402  (reads NUMBA_CACHE_DIR when it is imported)

numba.config.CACHE_DIR = CACHE_FOLDER or ""


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a kernel: no Python objects, strict floating point, cached where the folder can be written."""
    return numba.njit(cache=CACHE_FOLDER is not None, error_model="numpy")(function)
