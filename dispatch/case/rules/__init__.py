"""What a case must hold to be dispatched: every rule, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.case.rules.gas import check_gas
from dispatch.case.rules.layout import check_layout
from dispatch.case.rules.network import check_network
from dispatch.case.rules.plants import check_plants
from dispatch.case.rules.series import check_series
from dispatch.case.rules.stores import check_stores
from dispatch.case.rules.values import check_values
from dispatch.case.schema import reading

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.errors import Problem


def check_case(case: xr.DataTree, source: str = "") -> list[Problem]:
    """Every problem of a case, in one pass.

    A rule looks at what is sound enough for it, so that one mistake neither hides nor repeats another.

    Parameters
    ----------
    case : DataTree
        As read or built; a result is checked as the case it contains.
    source : str
        Name of the file, put in the place of ``/`` where the whole file is meant.

    Returns
    -------
    list of Problem
        Empty for a valid case.
    """
    with reading(case):
        findings = check_layout(case, source or "/")
        for check in (check_values, check_stores, check_network, check_gas, check_plants, check_series):
            check(findings)
    return findings.problems
