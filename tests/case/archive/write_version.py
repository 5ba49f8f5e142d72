"""Write the small case as a frozen file of the present schema version: `python tests/case/archive/write_version.py`.

Run once when a version is released; a file that is there is never written again.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[3])]

from small_case import small_case  # noqa: E402  (found by the path above)

from dispatch.case.migrate import CURRENT  # noqa: E402
from dispatch.case.netcdf import save_case  # noqa: E402

if __name__ == "__main__":
    target = Path(__file__).with_name(f"version_{CURRENT}.nc")
    if target.exists():
        raise SystemExit(f"{target.name} is frozen")
    save_case(small_case(), target)
