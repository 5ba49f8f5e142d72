"""Limits of the biomethane share: exact for one source with fixed directions, told where nothing holds them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from dispatch.case.schema import build_case
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
from level_cases import level_tables
from ours import last_offsets, within
from plant_cases import plant_tables
from rebuild.model import Feeder
from rebuild.plain import plain

HOURS, MOST = 8, 0.3


def tables(most: float = MOST, *, other: float = 0.0) -> dict:
    """No linepack, so that what is injected at a and comes through the regulator goes on to z in the same hour."""
    found = plant_tables(steps=HOURS, seed=5, linepack=False, other=other)
    found["junction"]["biomethane_share_max"] = [np.nan, np.nan, np.nan, most]
    return found


@pytest.fixture(scope="module", params=["monolithic", "decomposed"])
def day(request: pytest.FixtureRequest):
    return optimize(build_case(tables()), Settings(horizon_h=HOURS, method=request.param))


def test_injection_is_held_to_its_part_of_what_is_taken(day) -> None:
    assert day["certificate/status"].to_numpy() == [b"optimal"]
    injected = day["schedule/gas_injected"].to_numpy()[0]
    taken = 11.0 * day["forecast/flow_consumer"].to_numpy()[1].astype(float)
    assert (injected <= MOST * taken * (1 + 1e-6)).all()
    free = optimize(build_case(plant_tables(steps=HOURS, seed=5, linepack=False, other=0.0)), Settings(horizon_h=HOURS))
    binding = free["schedule/gas_injected"].to_numpy()[0] > MOST * taken * 1.01
    assert binding.any()
    price = day["price/price_share_max"].to_numpy()[3]
    assert (price[np.isclose(injected, MOST * taken, rtol=1e-6)] >= 0).all()
    assert price.max() > 0
    share = day["schedule/biomethane_share"].to_numpy()[3]
    assert share.max() == pytest.approx(MOST, abs=1e-5)


def test_the_last_program_has_the_optimum_of_the_rebuild(day) -> None:
    own = Feeder(plain(day), last_offsets(day), float(day["certificate/limit_penalty"].to_numpy()[0])).optimum()
    claimed = float(day["certificate/objective_relaxation"].to_numpy()[0])
    assert claimed == pytest.approx(own.objective, abs=within(own.objective))


def test_what_contracts_inject_beyond_it_is_unmet_and_told() -> None:
    found = tables(0.1, other=20.0)
    found["injection"]["biomethane_share"] = [1.0]
    result = optimize(build_case(found), Settings(horizon_h=HOURS))
    assert result["certificate/status"].to_numpy() == [b"limits_unmet"]
    (entry,) = json.loads(result["certificate"].attrs["unmet"])
    assert (entry["kind"], entry["element"], entry["limit"]) == ("junction", "z", "biomethane_share_max")
    share = result["schedule/biomethane_share"].to_numpy()[3]
    assert entry["amount"] == pytest.approx(share.max() - 0.1, abs=1e-4)
    assert entry["least_relaxation"] == pytest.approx(entry["amount"], rel=1e-2)


def above_4_bar_gauge(most: float):
    found = level_tables(steps=HOURS)
    found["junction"]["biomethane_share_max"] = [np.nan] * 3 + [most] + [np.nan] * 2
    return found


@pytest.mark.parametrize("most", [0.2, 0.5])
def test_above_4_bar_gauge_it_is_held_with_what_pipes_hold(most: float) -> None:
    free, held = (optimize(build_case(above_4_bar_gauge(m)), Settings(horizon_h=HOURS)) for m in (np.nan, most))
    assert free["schedule/biomethane_share"].to_numpy()[3].max() > most + 0.2
    assert held["certificate/status"].to_numpy() == [b"optimal"]
    share = held["schedule/biomethane_share"].to_numpy()[3]
    assert share == pytest.approx(most, abs=5e-3)  # every hour binds, and none is held further than it must
    assert held["certificate/objective"].to_numpy()[0] > free["certificate/objective"].to_numpy()[0] + 1.0
    own = Feeder(plain(held), last_offsets(held), float(held["certificate/limit_penalty"].to_numpy()[0])).optimum()
    claimed = float(held["certificate/objective_relaxation"].to_numpy()[0])
    assert claimed == pytest.approx(own.objective, abs=within(own.objective))


def test_above_4_bar_gauge_what_cannot_be_held_is_told() -> None:
    found = above_4_bar_gauge(0.05)
    found["injection"]["biomethane_share"] = [1.0]  # by a contract, whatever is scheduled
    result = optimize(build_case(found), Settings(horizon_h=HOURS))
    assert result["certificate/status"].to_numpy() == [b"limits_unmet"]
    share = result["schedule/biomethane_share"].to_numpy()[3]
    assert share.max() > 0.1
    told = json.loads(result["certificate"].attrs["unmet"])
    assert {(e["element"], e["limit"]) for e in told} == {("y", "biomethane_share_max")}


def at_the_far_end(flow: np.ndarray, most: list) -> dict:
    """Plant at z; consumers (consumer, step) at m, before the regulator, and at a, y and z in a row behind it."""
    found = plant_tables(steps=HOURS, seed=5, linepack=False, other=0.0)
    found["junction"] = {"id": ["g", "m", "a", "y", "z"], "biomethane_share_max": [np.nan, np.nan, *most]}
    found["junction"]["pressure_max"] = [np.nan, np.nan, 2.6, 2.6, 2.6]
    found["pipe"] = {
        "id": ["gm", "ay", "yz"], "junction_from": ["g", "a", "y"], "junction_to": ["m", "y", "z"],
        "length": [3000, 3000, 1000], "inner_diameter": [0.15, 0.15, 0.15],
    }  # fmt: skip
    found["plant"]["junction"] = ["z"]
    found["consumer"] = {"id": ["k0", "ka", "ky", "kz"], "junction": ["m", "a", "y", "z"], "flow_nom": 60.0}
    found["forecast"]["flow_consumer"] = flow
    return found


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
@pytest.mark.parametrize("scale_y", [1.0, 1e-4])
def test_it_is_held_where_flows_turn_on_the_way_to_it(method: str, scale_y: float) -> None:
    flow = np.random.default_rng(1).uniform(5, 25, (4, HOURS)) * np.array([[1.0], [1.0], [scale_y], [1.0]])
    found = at_the_far_end(flow, [np.nan, MOST, np.nan])
    day = optimize(build_case(found), Settings(horizon_h=HOURS, method=method))
    assert day["certificate/status"].to_numpy() == [b"optimal"]
    # Until z has enough nothing comes to y from there; then what is more goes on to y, of which it may be a part.
    most = 11.0 * (flow[3] + MOST * flow[2])
    injected = day["schedule/gas_injected"].to_numpy()[0]
    assert (injected <= most * (1 + 1e-2)).all()
    priced = day["price/price_share_max"].to_numpy()[3] > 1e-9
    assert priced.any()
    np.testing.assert_allclose(injected[priced], most[priced], rtol=1e-2)


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_it_is_held_everywhere_where_the_plant_gave_all_that_is_taken(method: str) -> None:
    flow = np.random.default_rng(2).uniform(5, 8, (4, HOURS)) * np.array([[1.0], [1.0], [1.0], [0.1]])
    free = optimize(build_case(at_the_far_end(flow, [np.nan] * 3)), Settings(horizon_h=HOURS, method=method))
    assert (free["schedule/biomethane_share"].to_numpy()[2:] > 1 - 1e-6).all()
    day = optimize(build_case(at_the_far_end(flow, [MOST] * 3)), Settings(horizon_h=HOURS, method=method))
    assert day["certificate/status"].to_numpy() == [b"optimal"]
    # More than a part of what z takes and z has all of it from the plant.
    np.testing.assert_allclose(day["schedule/gas_injected"].to_numpy()[0], 11.0 * MOST * flow[3], rtol=1e-3)
    assert np.nanmax(day["schedule/biomethane_share"].to_numpy()) == pytest.approx(MOST, abs=1e-3)


def test_two_plants_on_one_way_keep_it_together() -> None:
    found = plant_tables(steps=HOURS, seed=4, other=0.0)
    most = [np.nan, np.nan, np.nan, MOST, MOST, np.nan]
    found["junction"] = {"id": ["g", "m", "a", "x", "y", "z"], "biomethane_share_max": most}
    found["junction"]["pressure_max"] = [np.nan, np.nan, 2.6, 2.6, 2.6, 2.6]
    found["pipe"] = {
        "id": ["gm", "ax", "xy", "yz"], "junction_from": ["g", "a", "x", "y"], "junction_to": ["m", "x", "y", "z"],
        "length": [3000, 2000, 2000, 1000], "inner_diameter": 0.15,
    }  # fmt: skip
    twice = {"plant": ["z", "x"], "substrate": ["p0", "p0", "p1", "p1"]}
    for kind, places in twice.items():
        found[kind] = {name: list(values) * 2 for name, values in found[kind].items()}
        found[kind]["id"] = [f"{kind}{k}" for k in range(len(places))]
    found["plant"] |= {"id": ["p0", "p1"], "junction": twice["plant"]}
    found["substrate"]["plant"] = twice["substrate"]
    found["chp"] = {"id": ["e0", "e1"], "plant": ["p0", "p1"], "p_nom": [250, 150]}
    found["upgrader"] = {"id": ["u0", "u1"], "plant": ["p0", "p1"], "flow_nom": [220, 120]}
    found["consumer"] = {"id": ["k0", "kx", "ky", "kz"], "junction": ["m", "x", "y", "z"], "flow_nom": 40.0}
    found["forecast"]["flow_consumer"] = np.random.default_rng(4).uniform(5, 40, (4, HOURS))
    day = optimize(build_case(found), Settings(horizon_h=HOURS))
    assert day["certificate/status"].to_numpy() == [b"optimal"]
    share = day["schedule/biomethane_share"].to_numpy()[3:5]
    assert np.nanmax(share, axis=1) == pytest.approx(MOST, abs=5e-3)
    assert day["schedule/gas_injected"].to_numpy().sum() > 100.0


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_what_a_plant_fills_into_pipes_is_diluted_too(method: str) -> None:
    found = plant_tables(steps=HOURS, seed=5, other=0.0)
    found["junction"]["biomethane_share_max"] = [np.nan, np.nan, np.nan, 0.8]
    found["forecast"]["flow_consumer"] = found["forecast"]["flow_consumer"] * np.array([[1.0], [0.1]])
    found["forecast"]["price_export"][:] = -0.1  # so that the plant would rather inject, and fill pipes for later
    day = optimize(build_case(found), Settings(horizon_h=HOURS, method=method))
    assert day["certificate/status"].to_numpy() == [b"optimal"]
    assert np.nanmax(day["schedule/biomethane_share"].to_numpy()[3]) <= 0.8 + 5e-3
    filled = np.diff(day["schedule/linepack_regulator"].to_numpy()[0], prepend=0.0)
    fed, taken = day["schedule/gas_injected"].to_numpy()[0], 11.0 * found["forecast"]["flow_consumer"][1]
    assert filled.max() > 10.0
    assert fed.sum() == pytest.approx(0.8 * (taken + filled).sum(), rel=0.02)
