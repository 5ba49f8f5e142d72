"""Gas networks above 4 bar gauge: the last linearised program against the rebuild's, and what it says of the pipes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import highspy
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
from dispatch.solve.export import write_mps

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from level_cases import level_tables


def two_levels() -> dict:
    """A level of 6 bar behind one of 12, both above 4 bar gauge."""
    tables = level_tables(loop=False)
    tables["junction"]["pressure_max"] = [16.0] * 4 + [8.0] * 2
    tables["junction"]["pressure_min"] = [7.0] * 4 + [5.5] * 2
    tables["regulator"]["pressure"] = [6.0]
    return tables


def narrow() -> dict:
    """The far end cannot have what it is to have."""
    tables = level_tables(loop=False, most=10.2)
    tables["pipe"]["inner_diameter"][2] = 0.025
    tables["junction"]["pressure_min"][3] = 10.19
    return tables


def thin() -> dict:
    """No pressure brings what y takes."""
    tables = level_tables(loop=False)
    tables["junction"]["pressure_min"] = [np.nan] * 6
    tables["pipe"]["inner_diameter"][2] = 0.01
    return tables


CASES = {
    "one branch": level_tables(loop=False),
    "a loop": level_tables(),
    "a tight upper limit": level_tables(most=10.4),
    "a lower limit out of reach": narrow(),
    "a small gate": level_tables(flow_max=20.0, seed=4),
    "two levels": two_levels(),
    "a thin pipe": thin(),
}
UNMET = {"a lower limit out of reach", "a thin pipe"}


@pytest.fixture(scope="module", params=CASES, ids=str)
def solved(request: pytest.FixtureRequest):
    case, settings = build_case(CASES[request.param]), Settings(horizon_h=12)
    return request.param, optimize(case, settings)


def test_the_last_program_has_the_optimum_of_the_rebuild(solved) -> None:
    name, result = solved
    penalty = float(result["certificate/limit_penalty"].to_numpy()[0])
    own = Feeder(plain(result), last_offsets(result), penalty).optimum()
    claimed = float(result["certificate/objective_relaxation"].to_numpy()[0])
    assert claimed == pytest.approx(own.objective, abs=within(own.objective))
    assert (result["certificate/status"].to_numpy()[0] == b"limits_unmet") is (name in UNMET)
    assert bool(json.loads(result["certificate"].attrs["unmet"])) is (name in UNMET)


def test_the_fixed_point_is_told_and_found(solved) -> None:
    _, result = solved
    attrs = result["certificate"].attrs
    error = np.abs((result["schedule/pressure"] - result["schedule/pressure_linear"]).to_numpy())
    assert attrs["pressure_error_max"] == pytest.approx(np.nanmax(error), abs=2e-6)
    assert np.nanmax(error[:4]) <= 5e-4
    assert 0 <= attrs["pressure_step_last"] < 1
    assert not [m for m in json.loads(attrs["messages"]) if m.startswith("Gas:")]


def test_both_ways_have_the_same_optimum() -> None:
    case = build_case(CASES["a tight upper limit"])
    found = [optimize(case, Settings(method=m, horizon_h=12)) for m in ("monolithic", "decomposed")]
    objectives = [float(r["certificate/objective"].to_numpy()[0]) for r in found]
    assert objectives[0] == pytest.approx(objectives[1], abs=within(objectives[0]))


def test_results_survive_files_are_reproduced_and_exported(tmp_path) -> None:
    result = optimize(build_case(CASES["a loop"]), Settings(horizon_h=12))
    save_case(result, tmp_path / "r.nc")
    back = load_case(tmp_path / "r.nc")
    for name in ("pressure_about", "flow_about", "pressure_initial", "pressure_final"):
        np.testing.assert_array_equal(back["offset"][name].to_numpy(), result["offset"][name].to_numpy())
    assert rerun(tmp_path / "r.nc") == []
    write_mps(back, tmp_path / "last.mps")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.readModel(str(tmp_path / "last.mps"))
    solver.run()
    claimed = float(result["certificate/objective_relaxation"].to_numpy()[0])
    assert solver.getInfo().objective_function_value == pytest.approx(claimed, abs=within(claimed))
