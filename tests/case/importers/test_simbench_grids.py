from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dispatch.case.importers.simbench import import_simbench
from dispatch.case.network import network_of
from dispatch.case.rules import check_case
from dispatch.case.schema import columns, positions

HERE = Path(__file__).parent
FOLDER = Path(__file__).parents[4] / "shared" / "data" / "networks" / "simbench_scenario1_extract"
EXPECTED = json.loads((HERE / "expected" / "simbench.json").read_text())
LOOPS = {"MV1.101": 1, "MV2.101": 1, "MV4.101": 1}  # two HV/MV transformers on coupled busbars
QUICK = {"LV1.101", "LV3.101", "MV1.101", "MV3.101"}

State = Callable[[xr.DataTree], tuple[dict[str, float], dict[str, float]]]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared data folder is not beside this checkout")


def energy(case: xr.DataTree, kind: str, series: str, factor: str) -> float:
    profile, table = columns(case, "profile"), columns(case, kind)
    at = positions(profile["id"], table["profile"])
    assert (at >= 0).all()
    return float((profile[series].sum(axis=1)[at] * table[factor]).sum() / 4e3)


@pytest.mark.parametrize("grid", [pytest.param(g, marks=() if g in QUICK else pytest.mark.slow) for g in EXPECTED])
def test_grid_is_that_of_simbench_and_pandapower(grid: str, nominal_state: State) -> None:
    case, _ = import_simbench(FOLDER, grid)
    expected = EXPECTED[grid]
    assert check_case(case) == []
    kinds = {"line": "line", "trafo": "transformer", "load": "load", "sgen": "pv", "storage": "store"}
    assert {k: len(columns(case, kind)["id"]) for k, kind in kinds.items()} == expected["counts"]
    network = network_of(case)
    assert (network.feeder == 0).all()
    assert len(network.chords) == LOOPS.get(grid, 0)
    # The extract's profiles are rounded to 5 decimals; negative generation of wind profiles is cut off.
    assert energy(case, "load", "p_pu", "p_nom") == pytest.approx(expected["energy_load_mwh"], rel=1e-6, abs=0.01)
    assert energy(case, "load", "q_pu", "q_nom") == pytest.approx(expected["q_load_mvarh"], rel=1e-6, abs=0.01)
    assert energy(case, "pv", "p_pu", "p_nom") == pytest.approx(expected["energy_sgen_mwh"], rel=1e-6, abs=0.01)
    voltage, loading = nominal_state(case)
    shared = set(voltage) & set(expected["v_pu"])
    assert len(shared) >= 5
    assert all(voltage[n] == pytest.approx(expected["v_pu"][n], abs=1e-7) for n in shared)
    assert all(loading[n] == pytest.approx(v, abs=1e-6) for n, v in expected["loading_pu"].items())


def test_yearly_use_is_that_of_the_profiles() -> None:
    case, _ = import_simbench(FOLDER, "LV3.101")
    total = float(case["/prosumer/prosumer"]["energy_year"].sum()) / 1e3
    assert total == pytest.approx(EXPECTED["LV3.101"]["energy_load_mwh"] * 365 / 366, rel=1e-5)  # kept with 2 decimals


def test_heat_pumps_and_batteries_belong_to_a_house() -> None:
    case, _ = import_simbench(FOLDER, "LV3.101")
    load, meter, store = (columns(case, k) for k in ("load", "meter", "store"))
    with_head = set(load["meter"][load["kind"] != b"heat_pump"])
    assert set(load["meter"][load["kind"] == b"heat_pump"]) <= with_head
    assert set(store["meter"]) <= with_head  # all of them stand at nodes without PV in this data
    assert len(meter["id"]) < len(load["id"])


def test_days_start_at_local_midnight_and_can_be_short_or_long() -> None:
    summer = columns(import_simbench(FOLDER, "LV1.101", start="2016-07-04", days=7)[0], "profile")
    assert summer["time"][0] == np.datetime64("2016-07-03T22:00:00")
    assert len(summer["time"]) == 7 * 96
    for day, steps in (("2016-03-27", 92), ("2016-10-30", 100)):
        found = columns(import_simbench(FOLDER, "LV1.101", start=day, days=1)[0], "profile")["time"]
        assert len(found) == steps
        assert (np.diff(found) == np.timedelta64(900, "s")).all()


def test_the_crop_keeps_the_yearly_use() -> None:
    whole, _ = import_simbench(FOLDER, "LV1.101")
    week, _ = import_simbench(FOLDER, "LV1.101", start="2016-07-04", days=7)
    use = [columns(c, "prosumer")["energy_year"] for c in (whole, week)]
    np.testing.assert_array_equal(*use)
