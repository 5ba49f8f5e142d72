"""Compressors and gas networks without plants: the last program against the rebuild's, and closed balances."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from ours import last_offsets, within
from rebuild.model import Feeder
from rebuild.plain import plain

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.schema import build_case
from dispatch.run.again import rerun
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables

HOURS = 10


def little_demand() -> dict:
    """The plant's zone takes next to nothing, the level above it a lot."""
    tables = plant_tables(steps=HOURS, seed=5, compressor=True)
    tables["forecast"]["flow_consumer"][1] *= 0.1
    return tables


def narrow() -> dict:
    """What the compressor takes lowers the pressure at the end of a narrow pipe."""
    tables = little_demand()
    tables["pipe"]["inner_diameter"] = [0.15, 0.05]
    tables["junction"]["pressure_min"] = [np.nan, np.nan, np.nan, 1.97]
    return tables


def without_plants() -> dict:
    tables = plant_tables(steps=HOURS, seed=5)
    for kind in ("plant", "substrate", "chp", "upgrader"):
        del tables[kind]
    tables["gate"]["flow_max"] = [70]
    return tables


def raised() -> dict:
    """The zone behind holds more than the level before; without plants, too, its electricity is on a meter."""
    tables = plant_tables(steps=HOURS, seed=5, booster=True)
    tables["forecast"]["flow_consumer"][1] *= 4.0
    return tables


CASES = {
    "little demand": little_demand(),
    "a narrow pipe": narrow(),
    "no plants": without_plants(),
    "raised": raised(),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def both(request: pytest.FixtureRequest):
    case = build_case(CASES[request.param])
    return request.param, [optimize(case, Settings(method=m, horizon_h=HOURS)) for m in ("monolithic", "decomposed")]


def test_the_last_program_has_the_optimum_of_the_rebuild(both) -> None:
    for result in both[1]:
        penalty = float(result["certificate/limit_penalty"].to_numpy()[0])
        own = Feeder(plain(result), last_offsets(result), penalty).optimum()
        claimed = float(result["certificate/objective_relaxation"].to_numpy()[0])
        assert claimed == pytest.approx(own.objective, abs=within(own.objective))


@pytest.mark.parametrize(
    ("kind", "given"), [("compressor", {}), ("booster", {}), ("booster", {"pressure_ratio": [1.4]})]
)
def test_electricity_that_is_not_given_is_that_of_the_rebuild(kind: str, given: dict) -> None:
    tables = little_demand() if kind == "compressor" else raised()
    del tables[kind]["electricity"]
    tables[kind] |= given
    result = optimize(build_case(tables), Settings(horizon_h=HOURS))
    penalty = float(result["certificate/limit_penalty"].to_numpy()[0])
    own = Feeder(plain(result), last_offsets(result), penalty).optimum()
    claimed = float(result["certificate/objective_relaxation"].to_numpy()[0])
    assert claimed == pytest.approx(own.objective, abs=within(own.objective))


def test_energy_closes_and_compressors_take_electricity(both) -> None:
    name, results = both
    if name in {"no plants", "raised"}:
        return
    for result in results:
        s = result["schedule"]
        lifted, gate = s["gas_compressor"].to_numpy()[0].astype(float), s["gas_gate"].to_numpy()[0]
        assert 0 <= lifted.min() < lifted.max() <= 440 + 1e-6
        flow = result["forecast/flow_consumer"].to_numpy().astype(float)
        packed = np.diff(s["linepack_regulator"].to_numpy()[0], prepend=0.0)
        below = s["gas_injected"].to_numpy()[0] + s["gas_regulator"].to_numpy()[0] - lifted - 11.0 * (flow[1] - 5)
        np.testing.assert_allclose(below, packed, atol=1e-3)
        pipes = np.nansum(s["linepack_pipe"].to_numpy(), axis=0)
        change = np.diff(pipes, prepend=np.nansum(s["linepack_pipe_initial"].to_numpy()))
        above = gate + lifted - s["gas_regulator"].to_numpy()[0] - 11.0 * flow[0]
        np.testing.assert_allclose(above, change, atol=1e-3)
        meter = (s["p_import"] - s["p_export"]).to_numpy()[0]
        took = result["forecast/p_load"].to_numpy()[0] + 12 + 0.25 * s["flow_raw"].to_numpy()[0]
        took = took + 0.05 / 11.0 * lifted - s["p_chp"].to_numpy()[0]
        np.testing.assert_allclose(meter, took, atol=1e-3)


def test_boosters_take_electricity_for_what_flows(both) -> None:
    name, results = both
    if name != "raised":
        return
    for result in results:
        s = result["schedule"]
        assert result["certificate/status"].to_numpy() == [b"optimal"]
        through = s["gas_regulator"].to_numpy()[0]
        assert through.max() > 11.0
        meter = (s["p_import"] - s["p_export"]).to_numpy()[0]
        took = result["forecast/p_load"].to_numpy()[0] + 12 + 0.25 * s["flow_raw"].to_numpy()[0]
        np.testing.assert_allclose(meter, took + 0.03 / 11.0 * through - s["p_chp"].to_numpy()[0], atol=1e-3)
        without = result["schedule/p_import_uncontrolled"] - result["schedule/p_export_uncontrolled"]
        flow = result["forecast/flow_consumer"].to_numpy().astype(float)[1] - 5
        lifted = np.maximum(11.0 * flow - s["gas_injected_uncontrolled"].to_numpy()[0], 0) * 0.03 / 11.0
        power = s["p_chp_uncontrolled"].to_numpy()[0]
        upgraded = s["gas_injected_uncontrolled"].to_numpy()[0] / (11.06 * 0.53 * 0.995) * 0.25
        load = result["forecast/p_load"].to_numpy()[0] + 12
        np.testing.assert_allclose(without.to_numpy()[0], load + upgraded + lifted - power, atol=1e-3)


def test_limits_of_the_zone_that_is_drawn_from_hold(both) -> None:
    name, results = both
    if name == "a narrow pipe":
        for result in results:
            assert result["certificate/status"].to_numpy() == [b"optimal"]
            assert result["schedule/pressure"].to_numpy()[3].min() >= 1.97 - 1e-3
            assert result["price/price_pressure_min"].to_numpy()[3].max() > 0
            assert np.nanmin(result["offset/pressure_by_compressor"].to_numpy()[3]) < 0


def test_results_survive_files_and_are_reproduced(both, tmp_path) -> None:
    save_case(both[1][0], tmp_path / "r.nc")
    back = load_case(tmp_path / "r.nc")
    assert json.loads(back["certificate"].attrs["unmet"]) == json.loads(both[1][0]["certificate"].attrs["unmet"])
    assert rerun(tmp_path / "r.nc") == []
