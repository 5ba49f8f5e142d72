"""Write where there is no room or no permission, and see that the old file stays and nothing is left behind.

Run as a process of its own: the limit on the size of a file stands for a full disk, and root gives up its rights.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from small_case import small_case

from dispatch.case.netcdf import save_case, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

SHARES = (0.0, 0.001, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999)
NOBODY = 65534


def refused(write: Callable[[], object], path: Path) -> str:
    """Try to write; text of the error."""
    old = path.read_bytes()
    try:
        write()
    except OSError as error:
        text = str(error)
    else:
        raise AssertionError("written all the same")
    assert path.read_bytes() == old
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    return text


def without_room(folder: Path) -> str:
    """Write with ever more room that is not enough; how often, and one error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path, case = folder / "case.nc", small_case()
    save_case(case, path)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    size = path.stat().st_size
    texts: list[str] = []
    for share in SHARES:
        for write in (lambda: save_case(case, path), lambda: write_atomically(path, bytes(size))):
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * size), hard))
            try:
                texts.append(refused(write, path))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    save_case(case, path)  # with room again
    return f"{len(texts)} times without room; netCDF: {texts[-2]}"


def without_permission(folder: Path) -> str:
    """Write into a folder that may only be read."""
    path, case = folder / "case.nc", small_case()
    path.chmod(0o644)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    return refused(lambda: save_case(case, path), path)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    sys.stdout.write(f"{without_room(place)}\n")
    sys.stdout.write(f"read-only: {without_permission(place)}\n")
