"""Biogas plants and gas zones: the project's optimum against the rebuild's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from ours import last_offsets, within
from rebuild.model import Feeder
from rebuild.plain import plain

from dispatch.case.rules import check_case
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_case

CHOICES = [
    {"seed": 1},
    {"seed": 2, "linepack": False},
    {"seed": 3, "steps": 13, "step_minutes": 30},
    {"seed": 4, "steps": 30},
    {"seed": 5, "upgrader": False},
    {"seed": 6, "steps": 1},
    {"seed": 7, "steps": 20, "boiler": False},
    {"seed": 8, "other": 90.0},
    {"seed": 9, "steps": 30, "bounded": True, "start": "2026-06-05T20:00:00"},
    {"seed": 11, "steps": 30, "account": "day"},
    {"seed": 12, "steps": 12, "account": "month", "start": "2026-06-30T18:00:00"},
    {"seed": 10, "steps": 9, "step_minutes": 30, "bounded": True},
]


@pytest.mark.parametrize("choices", CHOICES, ids=str)
@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_optimum_agrees(choices: dict[str, int], method: str) -> None:
    case = plant_case(**choices)
    assert check_case(case) == []
    settings = Settings(method=method, horizon_h=choices.get("steps", 8) * choices.get("step_minutes", 60) / 60)
    result = optimize(case, settings)
    own = Feeder(plain(result), last_offsets(result)).optimum()
    certificate = result["certificate"]
    spilled = "other" in choices  # more is injected by contract than the zone takes
    repaired = certificate["repair_cost"].to_numpy()[0] > 1e-6
    assert repaired == ("bounded" in choices)
    status = b"limits_unmet" if json.loads(certificate.attrs["unmet"]) else b"gap" if repaired else b"optimal"
    assert certificate["status"].to_numpy() == [status]
    assert ("gas_uptake" in certificate.attrs["unmet"]) is spilled
    found = float(certificate["objective_relaxation"].to_numpy()[0])
    # Offsets shift limits of the electric network only, which do not bind here.
    assert found == pytest.approx(own.objective, abs=within(own.objective))
    assert float(certificate["lower_bound"].to_numpy()[0]) == pytest.approx(found, abs=within(found))


def test_the_cases_are_felt() -> None:
    """Zones, linepack, flare, boiler and tank are used in some case."""
    felt = dict.fromkeys(("linepack", "flow_boiler", "heat_stored", "gas_spilled", "holder", "gas_gate"), 0.0)
    for choices in CHOICES:
        for (name, _), values in Feeder(plain(plant_case(**choices))).optimum().values.items():
            if name in felt:
                felt[name] += float(np.sum(values))
    assert all(v > 1e-6 for v in felt.values()), felt
