"""Reading some feeders of a file gives what reading all of it and cutting gives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from small_case import small_case

from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.netcdf.feeders import feeder_rows, load_feeders
from dispatch.case.slices import split_feeders


@pytest.fixture(params=["small", "town"])
def file(request, tmp_path):
    if request.param == "town":
        return embedded_path("schutterwald_winter")
    save_case(small_case(), tmp_path / "small.nc")
    return tmp_path / "small.nc"


def test_each_feeder_alone(file) -> None:
    found, whole = feeder_rows(file), split_feeders(load_case(file))
    assert found.sources == [c["electric/source/source"].to_numpy()[0].decode() for c in whole]
    for k, expected in enumerate(whole):
        (alone,) = split_feeders(load_feeders(file, found.runs([k])))
        assert [n.path for n in alone.subtree] == [n.path for n in expected.subtree]
        for node in expected.subtree:
            ours, theirs = (t[node.path].to_dataset(inherit=False) for t in (alone, expected))
            assert set(ours.variables) == set(theirs.variables)
            for name in theirs.variables:
                np.testing.assert_array_equal(ours[name].to_numpy(), theirs[name].to_numpy(), err_msg=str(name))


def test_all_feeders_together_and_in_runs(file) -> None:
    found, whole = feeder_rows(file), load_case(file)
    together = load_feeders(file, found.runs(range(len(found.sources))))
    np.testing.assert_array_equal(
        together["prosumer/meter"]["meter"].to_numpy(), whole["prosumer/meter"]["meter"].to_numpy()
    )
    some = found.runs([0])["bus"]
    rows = np.concatenate([np.arange(a, b) for a, b in some])
    np.testing.assert_array_equal(rows, np.sort(found.rows["bus"][0]))
    assert all(b < c for (_, b), (c, _) in pairwise(some))
