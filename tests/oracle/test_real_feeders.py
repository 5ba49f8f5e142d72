"""Real feeders against the rebuild: SimBench grids by way of import and scenario, areas of the embedded town."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from ours import monolithic, within
from rebuild.model import optimum
from rebuild.plain import plain

from benchmarks.feeders import simbench_day
from dispatch.case.embedded import embedded_path
from dispatch.case.importers.simbench import import_simbench
from dispatch.case.netcdf import load_case
from dispatch.case.network import network_of
from dispatch.case.slices import split_feeders
from dispatch.forecast.profile import predict
from dispatch.scenario.equip import equip

if TYPE_CHECKING:
    import xarray as xr

SIMBENCH = Path(__file__).parents[2].parent / "shared/data/networks/simbench_scenario1_extract"
needs_simbench = pytest.mark.skipif(not SIMBENCH.exists(), reason="needs the shared data beside the checkout")


def compare(case: xr.DataTree, *, room: float = 0.0) -> None:
    """Both optima, with offsets that take `room` from squared voltages and a tenth of it, relative, from ratings."""
    network, steps = network_of(case), case["/forecast"].sizes["time"]
    rng = np.random.default_rng(1)
    offsets = {
        "v_max": room * rng.uniform(0.9, 1, (network.buses, steps)),
        "v_min": -room * rng.uniform(0.9, 1, (network.buses, steps)),
        "s": 0.1 * room * network.s_nom[:, None] * np.ones(steps),
    }
    own = optimum(plain(case), offsets, method="highs-ds")
    ours, given = monolithic(case, offsets, 1e4)
    assert ours.solve(given, 1e4).objective == pytest.approx(own.objective, abs=within(own.objective))


@pytest.mark.slow
@needs_simbench
@pytest.mark.parametrize("setting", ["reverse-flow", "small-transformer"])
def test_a_day_in_which_limits_bind(setting: str) -> None:
    compare(simbench_day(setting, steps=60))


@needs_simbench
@pytest.mark.parametrize("grid", ["LV1.101", pytest.param("LV3.101", marks=pytest.mark.slow)])
def test_an_equipped_grid(grid: str) -> None:
    case = equip(import_simbench(SIMBENCH, grid)[0], pv_share=0.9, battery_share=0.7, seed=3)
    first = case["/profile"]["time"].to_numpy()[0]
    compare(predict(case, start=first + np.timedelta64(10, "h"), horizon_h=3))


@pytest.mark.parametrize("room", [pytest.param(0.0, marks=pytest.mark.slow), 0.1])
def test_the_looped_area_of_the_town(room: float) -> None:
    case = load_case(embedded_path("schutterwald_summer"))
    first = case["/profile"]["time"].to_numpy()[0]
    areas = split_feeders(predict(case, start=first + np.timedelta64(11, "h"), horizon_h=1.5))
    (looped,) = (area for area in areas if len(network_of(area).chords))
    compare(looped, room=room)
