"""Finished results, rebuilt from nothing but the result file: the last program's optimum, and the AC voltages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from generated_cases import RECIPES, Recipe, tables_of
from rebuild.ac import voltages
from rebuild.model import Feeder
from rebuild.plain import plain

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.schema import build_case
from dispatch.case.slices import split_feeders
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

TRAITS = (
    "green-only, part not curtailable", "negative prices and losses", "peak price over two months",
    "two loops, flipped", "several feeders", "medium voltage, loop",
)  # fmt: skip
MORE_TRAITS = (
    "plain", "green-only", "not curtailable behind a small connection", "taps", "transformers side by side",
    "source below", "final content out of reach", "small penalty", "out of service", "one step",
)  # fmt: skip
DELIVERED = ("p_import", "p_export", "p_charge", "p_discharge", "state_of_charge", "p_curtailed")
WIGGLE = 1e-7  # kW; a set-point is the end of a chain of sums


def result_of(recipe: Recipe, seed: int, path: Path) -> xr.DataTree:
    """Optimized, written and read back."""
    case = build_case(tables_of(recipe, seed)[0])
    settings = Settings(horizon_h=recipe.steps * recipe.step_s / 3600, limit_penalty=recipe.limit_penalty)
    save_case(optimize(case, settings), path)
    return load_case(path)


def shifts_of(result: xr.DataTree) -> dict[str, np.ndarray]:
    """Offsets as they stand in the result."""
    offset = result["/offset"].dataset
    ratings = [offset[name].to_numpy() for name in ("s_line", "s_transformer") if name in offset]
    found = {"v_max": offset["v_max"].to_numpy(), "v_min": offset["v_min"].to_numpy(), "s": np.concatenate(ratings)}
    if "room_v_max" not in offset:
        return found
    found["v_max"] = found["v_max"] + offset["room_v_max"].to_numpy()
    found["v_min"] = found["v_min"] - offset["room_v_min"].to_numpy()
    for way, end in (("forward", ""), ("reverse", "_reverse")):
        names = [f"room_{kind}{end}" for kind in ("line", "transformer")]
        found[way] = np.concatenate([offset[name].to_numpy() for name in names if name in offset])
    return found


def feeders_of(result: xr.DataTree) -> list[Feeder]:
    """The last program of each feeder, with its own part of the offsets and its own penalty."""
    penalties = result["/certificate"].dataset["limit_penalty"].to_numpy()
    if len(penalties) == 1:
        return [Feeder(plain(result), shifts_of(result), float(penalties[0]))]
    table, shifts, programs = plain(result), shifts_of(result), []
    for feeder, penalty in zip(split_feeders(result), penalties, strict=True):
        part = plain(feeder)
        at = {k: np.flatnonzero(np.isin(table[k]["id"], part[k]["id"])) for k in ("bus", "line", "transformer")}
        branch = np.concatenate([at["line"], len(table["line"]["id"]) + at["transformer"]])
        own = {name: shift[at["bus"] if name.startswith("v") else branch] for name, shift in shifts.items()}
        programs.append(Feeder(part, own, float(penalty)))
    return programs


def delivered_cost(result: xr.DataTree) -> float:
    """Cost of the delivered set-points: the program with them held fixed, within the rounding of a sum of them."""
    schedule, feeder = result["/schedule"].dataset, feeders_of(result)[0]
    program = feeder.program
    low, high = np.concatenate(program.lower), np.concatenate(program.upper)
    for (name, element), column in program.named.items():
        if name in DELIVERED:
            value = schedule[name].to_numpy()[element]
            assert (value >= low[column] - 1e-9).all()
            assert (value <= high[column] + 1e-9).all()
            low[column], high[column] = value - WIGGLE, value + WIGGLE
    program.lower, program.upper = [low], [high]
    return program.solve()[0]


@pytest.mark.parametrize("trait", [*TRAITS, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE_TRAITS)])
def test_a_result_holds_what_it_says(trait: str, tmp_path: Path) -> None:
    recipe = RECIPES[trait]
    result = result_of(recipe, 5, tmp_path / "result.nc")
    certificate = result["/certificate"].dataset
    assert set(certificate["status"].to_numpy().tolist()) <= {b"optimal", b"gap", b"limits_unmet"}
    again = sum(feeder.optimum().objective for feeder in feeders_of(result))
    claimed = float(certificate["objective_relaxation"].sum())
    assert claimed == pytest.approx(again, abs=1e-6 * max(1.0, abs(again)))
    assert float(certificate["lower_bound"].sum()) <= again + 1e-6 * max(1.0, abs(again))
    compare_voltages(result)
    if recipe.feeders == 1:
        cost = delivered_cost(result)
        assert float(certificate["objective"].sum()) == pytest.approx(cost, abs=2e-6 * max(1.0, abs(cost)))


def compare_voltages(result: xr.DataTree) -> None:
    """AC voltages of the schedule, from set-points alone, on a few steps."""
    table, schedule = plain(result), result["/schedule"].dataset
    feeder = Feeder(table)
    p = np.zeros((len(table["bus"]["id"]), feeder.steps))
    np.add.at(p, feeder.meter_bus, (schedule["p_export"] - schedule["p_import"]).to_numpy())
    q, claimed = feeder.reactive(), schedule["v_pu"].to_numpy()
    for step in {0, feeder.steps // 2, feeder.steps - 1}:
        own = voltages(table, p[:, step], q[:, step])
        # Stored as float32: 1.2e-7 relative.
        assert np.allclose(own, claimed[:, step], rtol=0, atol=1e-6, equal_nan=True)
