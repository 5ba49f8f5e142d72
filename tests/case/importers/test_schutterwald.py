from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.network import network_of
from dispatch.case.rules import check_case
from dispatch.case.schema import columns

if TYPE_CHECKING:
    import xarray as xr

FILE = Path(__file__).parents[4] / "shared" / "data" / "networks" / "schutterwald" / "lv_schutterwald.json.gz"

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the shared data folder is not beside this checkout")


@pytest.fixture(scope="module")
def town() -> xr.DataTree:
    return import_pandapower(FILE)[0]


def test_fourteen_areas_one_of_them_with_a_loop(town: xr.DataTree) -> None:
    network = network_of(town)
    assert network.buses == 2940
    assert len(network.source_bus) == len(np.unique(network.feeder)) == 14
    assert (network.feeder >= 0).all()
    (chord,) = network.chords
    source = columns(town, "source")["id"][network.feeder[network.branch_from[chord]]]
    assert source == b"I8784"


def test_open_switches_take_lines_out_of_service(town: xr.DataTree) -> None:
    line = columns(town, "line")
    assert len(line["id"]) == 3000
    # 88 open switches at 87 lines; each connected area is a tree but for one loop: 2940 buses - 14 roots + 1 branches.
    assert np.count_nonzero(~line["in_service"]) == 87
    assert np.count_nonzero(line["in_service"]) + len(columns(town, "transformer")["id"]) == 2940 - 14 + 1
    assert line["length"].sum() == pytest.approx(62.0, abs=0.5)


def test_each_house_is_one_prosumer_with_its_heat_pump(town: xr.DataTree) -> None:
    load, meter = columns(town, "load"), columns(town, "meter")
    kinds, counts = np.unique(load["kind"], return_counts=True)
    assert dict(zip(kinds, counts, strict=True)) == {b"household": 1506, b"heat_pump": 1251}
    assert len(meter["id"]) == len(columns(town, "prosumer")["id"]) == 1506
    house = np.char.partition(load["id"], b"_")[:, 2]
    np.testing.assert_array_equal(house, load["meter"])
    assert load["p_nom"].sum() == pytest.approx(4482.9)


def test_it_is_a_valid_case_but_for_the_series(town: xr.DataTree) -> None:
    assert {p.code for p in check_case(town)} <= {"no-series"}


def test_places_are_in_the_town(town: xr.DataTree) -> None:
    bus = columns(town, "bus")
    assert ((bus["longitude"] > 7.8) & (bus["longitude"] < 7.95)).all()
    assert ((bus["latitude"] > 48.4) & (bus["latitude"] < 48.5)).all()
