"""AC power flow: a Newton-Raphson of our own against what the project reports."""

from __future__ import annotations

import numpy as np
import pytest
from generated_cases import RECIPES, Tables, tables_of
from rebuild.ac import voltages
from rebuild.plain import plain

from dispatch.case.schema import build_case
from dispatch.verify.electric import ac_flow

TRAITS = ("plain", "taps", "two loops, flipped", "transformers side by side", "source below", "out of service")


def with_losses(tables: Tables, seed: int) -> Tables:
    """Adds what only the AC check sees: susceptances, no-load losses and currents, vector groups."""
    rng = np.random.default_rng(seed)
    lines, trafos = len(tables["line"]["id"]), len(tables["transformer"]["id"])
    tables["line"]["b"] = rng.uniform(0, 1e-4, lines)
    current = rng.uniform(0.002, 0.01, trafos)
    tables["transformer"]["i_no_load_pu"] = current
    tables["transformer"]["p_no_load"] = tables["transformer"]["s_nom"] * current * rng.uniform(0, 0.9, trafos)
    tables["transformer"]["phase_shift"] = np.full(trafos, rng.choice([0.0, 150.0, 330.0]))
    return tables


@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("seed", range(3))
def test_voltages_agree(trait: str, seed: int) -> None:
    recipe = RECIPES[trait]
    case = build_case(with_losses(tables_of(recipe, seed)[0], seed))
    rng = np.random.default_rng(seed)
    shape = (recipe.buses * recipe.feeders, 4)
    p, q = rng.uniform(-4, 4, shape), rng.uniform(-2, 2, shape)
    found = ac_flow(case, p, q)
    assert found.converged.all()
    own = np.stack([voltages(plain(case), p[:, t], q[:, t]) for t in range(shape[1])], axis=1)
    assert np.abs(own - found.v_pu).max() < 1e-8
