"""What a case must hold to be dispatched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.errors import Problem


def check_case(case: xr.DataTree, source: str = "") -> list[Problem]:
    """Every problem of a case, in one pass.

    Parameters
    ----------
    case : DataTree
        As read or built.
    source : str
        Name of the file, for messages.

    Returns
    -------
    list of Problem
        Empty for a valid case.
    """
    del case, source
    return []
