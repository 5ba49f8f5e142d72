from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from small_case import small_case

from dispatch.case.trees import tree_of


def groups() -> dict[str, xr.Dataset]:
    return {node.path: node.to_dataset(inherit=False) for node in small_case().subtree}


def test_makes_what_xarray_makes() -> None:
    given = groups()
    for paths in (list(given), [p for p in given if p.count("/") > 1], ["/electric/bus", "/electric"], []):
        some = {path: given[path] for path in paths}
        found, expected = tree_of(some), xr.DataTree.from_dict(some)
        assert [node.path for node in found.subtree] == [node.path for node in expected.subtree]
        assert found.identical(expected)


def test_shares_arrays_and_nothing_else() -> None:
    given = groups()
    found = tree_of(given)
    assert np.shares_memory(found["electric/bus/v_nom"].values, given["/electric/bus"]["v_nom"].values)
    found["electric/bus"].attrs["new"] = 1
    found["electric/bus"]["more"] = found["electric/bus"]["v_nom"] * 2
    assert "new" not in given["/electric/bus"].attrs
    assert "more" not in given["/electric/bus"]


def test_refuses_groups_that_do_not_fit_those_above() -> None:
    above = xr.Dataset(coords={"bus": [1, 2]})
    below = xr.Dataset(coords={"bus": [1, 3]})
    with pytest.raises(ValueError, match="aligned"):
        tree_of({"/a": above, "/a/b": below})
