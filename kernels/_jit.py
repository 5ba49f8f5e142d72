"""The one module that owns Numba: how kernels are compiled, and where the compiled code is kept.

Numba's own cache has two traps. It notices an edit in the file of a kernel, but not in another file whose functions
that kernel calls, and would then return old numbers silently; so compiled code lives in a private folder keyed by the
contents of all of `kernels/`. And two processes that save different signatures of one kernel at once can both take the
file name ``….1.nbc``, after which the index hands the code of one to callers of the other; so each signature has a file
of its own here, written under a temporary name and checked when it is read. Numba's settings are left as they are:
other libraries in the process keep their cache where they had it.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np
from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

from kernels._compiler import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., Any]")

UNUSED_DAYS = 30  # after which the code of kernels that are no longer there is removed
CHECK = hashlib.sha256().digest_size  # bytes in front of an entry that tell whether the rest is whole


def _digest() -> str:
    """Contents of all kernels, and what compiles them, as a short key."""
    key = hashlib.sha256(f"{sys.version} numba {numba.__version__} numpy {np.__version__}".encode())
    here = Path(__file__).parent
    for file in sorted(here.rglob("*.py")):
        key.update(file.relative_to(here).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return key.hexdigest()[:16]


def _bases() -> list[Path]:
    """Folders that may hold compiled code, best first."""
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    bases = [Path(tempfile.gettempdir()) / f"prosumer-dispatch-{user}"]
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # no home at all
        return bases
    return [Path(home) / "prosumer-dispatch", *bases]


def _private(folder: Path) -> bool:
    """Whether nobody else can put files into a folder: what is read from there is executed."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _folder_in(base: Path) -> Path | None:
    """Folder for the code of these kernels, or None where it cannot be written or is not ours alone."""
    folder = base / f"kernels-{_digest()}"
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not folder.exists()
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (_private(base) and _private(folder)):
            return None
        with tempfile.TemporaryFile(dir=folder):  # also marks the folder as used today
            pass
        if new:
            _remove_unused(base)
    except OSError:
        return None
    return folder


def _remove_unused(base: Path) -> None:
    """Remove the code of other kernels that nobody has used for long."""
    for other in base.glob("kernels-*"):
        if time.time() - other.lstat().st_mtime > UNUSED_DAYS * 86400:
            shutil.rmtree(other, ignore_errors=True)


def _cache_folder() -> Path | None:
    """First folder that can be used, or None; one line on stderr where it is not the usual one."""
    bases = _bases()
    folder = next((f for f in map(_folder_in, bases) if f is not None), None)
    usual = folder is not None and folder.parent == bases[0]
    if not usual and multiprocessing.parent_process() is None:  # workers would only repeat it
        then = "anew in every run" if folder is None else f"once, into {folder.parent}"
        sys.stderr.write(f"dispatch: {bases[0]} cannot be written; kernels are compiled {then}\n")
    return folder


class _Entries:
    """Compiled code of one kernel: a file for each signature."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def _path(self, key: Any) -> Path:
        return self.folder / f"{self.name}.{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.nbc"

    def load(self, key: Any) -> Any:
        """Read an entry; None where there is none, or where it is broken."""
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content[CHECK:]).digest() != content[:CHECK]:
            return None
        held, data = pickle.loads(content[CHECK:])  # noqa: S301  (a folder that nobody else can write)
        return data if held == key else None

    def save(self, key: Any, data: Any) -> None:
        """Write an entry, visible only once it is whole."""
        content = dumps((key, data))
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=self.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            Path(temporary).replace(self._path(key))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


class _KernelCache(FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, with entries of our own; a full disk costs time, never a run."""

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            super().__init__(function)
        finally:
            numba.config.CACHE_DIR = before
        self._cache_file = _Entries(folder, f"{function.__module__}.{function.__qualname__}")

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError:
            self.disable()


CACHE_FOLDER = _cache_folder()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a kernel: no Python objects, strict floating point, kept on disk where there is a folder for it."""
    return _compiled(function)


def threaded_kernel(function: _F) -> _F:
    """Compile a kernel that lets other threads run meanwhile; it may allocate, and a driver shares the work out."""
    compiled: _F = _compiled(function, nogil=True)
    return compiled


def bare_kernel(function: _F) -> _F:
    """Compile a kernel that allocates nothing (Numba refuses one that does) and lets other threads run meanwhile.

    Without memory of its own it need not count references to the arrays it is handed, and such kernels become part of
    those that call them: handing two dozen arrays from one to the next took twenty times as long as the work (the store
    kernel: 240 us, 32 without counting, 11 in one piece). A driver can share members out to threads of its own; Numba's
    would not survive the forks of worker processes.
    """
    compiled: _F = _compiled(function, nogil=True, _nrt=False, forceinline=True)
    return compiled


def fused_kernel(function: _F) -> _F:
    """Compile a bare kernel in which a product and a sum may be rounded once instead of twice; NaN stays NaN.

    For long chains of arithmetic over vectors (PV power: a quarter of the time), where the last bit does not matter.
    """
    compiled: _F = _compiled(function, nogil=True, _nrt=False, forceinline=True, fastmath={"contract"})
    return compiled


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    if numba.config.DISABLE_JIT:
        return function
    compiled = Kernel(function, {"error_model": "numpy", **options})
    if CACHE_FOLDER is not None:
        compiled._cache = _KernelCache(function, CACHE_FOLDER)  # noqa: SLF001  (no public way to hand in a cache)
    return compiled
