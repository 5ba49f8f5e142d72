"""A biogas plant on a network above 4 bar gauge, with a town below 4 bar behind a regulator."""

from __future__ import annotations

from typing import Any

import numpy as np
from plant_cases import plant_tables

from dispatch.case.schema import build_case


def level_tables(
    steps: int = 12,
    seed: int = 3,
    *,
    loop: bool = True,
    least: float = 6.0,
    most: float = 16.0,
    flow_max: float = 900.0,
) -> dict[str, dict[str, Any]]:
    """Columns of the case.

    Gate g at 10 bar, main to m, z (plant) and y, a regulator at m into the town a - b, and where `loop` another pipe
    from z to y, which has a friction factor of its own.
    """
    tables = plant_tables(steps=steps, seed=seed)
    tables["junction"] = {
        "id": ["g", "m", "z", "y", "a", "b"], "pressure_min": [least] * 4 + [1.4] * 2,
        "pressure_max": [most] * 4 + [2.5] * 2,
    }  # fmt: skip
    tables["gate"] = {"id": ["city"], "junction": ["g"], "pressure": [10.0], "flow_max": [flow_max]}
    tables["pipe"] = {
        "id": ["gm", "mz", "my", "ab", "zy"],
        "junction_from": ["g", "z", "m", "a", "z"],
        "junction_to": ["m", "m", "y", "b", "y"],
        "length": [3000, 5000, 2000, 1500, 2500],
        "inner_diameter": [0.15, 0.08, 0.1, 0.12, 0.08],
        "friction_factor": [np.nan] * 4 + [0.025],
        "loss_coefficient": [0.0, 5.0, 0.0, 0.0, 0.0],
        "in_service": [True] * 4 + [loop],
    }
    tables["regulator"] = {"id": ["r"], "junction_from": ["m"], "junction_to": ["a"], "pressure": [2.0]}
    tables["regulator"]["flow_max"] = [500]
    tables["consumer"] = {"id": ["k0", "k1"], "junction": ["y", "b"], "flow_nom": [30, 60]}
    tables["injection"] = {"id": ["other"], "junction": ["y"], "flow_nom": [5]}
    tables["plant"]["junction"] = ["z"]
    return tables


def level_case(**choices: Any) -> Any:
    """Build the case."""
    return build_case(level_tables(**choices), title="linepack")
