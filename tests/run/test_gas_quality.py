from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from dispatch.case.schema import build_case, columns
from dispatch.model.inputs import make_inputs
from dispatch.report.html import render
from dispatch.run.gas_check import GasCheck, Moved, UnderSchedule
from dispatch.run.gas_quality import gas_quality, mixture
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables

STEPS = 12


def looped_tables():
    """Two ways from the regulator to the far end, where the plant is; a part that nothing feeds."""
    tables = plant_tables(steps=STEPS, seed=3)
    tables["gas_network"] |= {"heating_value_biomethane": 10.2, "density_normal": 0.8, "density_biomethane": 0.76}
    tables["junction"] = {"id": ["g", "m", "a", "z", "w", "off"], "pressure_max": [np.nan, np.nan, 2.5, 2.6, 2.6, 2.6]}
    tables["pipe"] = {
        "id": ["p0", "p1", "p2", "p3"],
        "junction_from": ["g", "a", "w", "w"],
        "junction_to": ["m", "z", "a", "z"],
        "length": [3000, 5000, 2000, 4000],
        "inner_diameter": [0.15, 0.15, 0.1, 0.15],
    }
    tables["gate"]["pressure"] = [5.0]
    tables["plant"]["junction"] = ["z"]
    tables["consumer"] = {"id": ["k0", "k1", "k2"], "junction": ["m", "a", "w"], "flow_nom": [30, 60, 20]}
    tables["injection"] |= {"junction": ["w"], "biomethane_share": [0.4]}
    tables["forecast"]["flow_consumer"] = np.random.default_rng(1).uniform(20, 60, (3, STEPS))
    return tables


@pytest.fixture(scope="module")
def mixed():
    """Quality under a schedule that is made up: injection from nothing to more than near by is taken."""
    rng = np.random.default_rng(2)
    case = build_case(looped_tables())
    check = GasCheck(case, make_inputs(case))
    # Regulators follow from the balance of the steady state; they are not decided here.
    content = np.abs(rng.normal(0, 100, (check.zones.count, STEPS)))
    content[:, 5] = 0.0
    low = check.zones.of_junction[2]
    content[1 - low] = 0.0
    none = np.zeros((1, STEPS))
    moved = Moved(np.linspace(0, 550, STEPS)[None], none, none, none[:0], content, np.zeros_like(content))
    state, taken = check.steady(moved)
    found = UnderSchedule(moved, taken, state, {}, {}, check.filling(moved))
    return case, found, gas_quality(check, found), low


def test_energy_and_biomethane_close_in_every_step(mixed):
    case, found, quality, low = mixed
    demand = 11.0 * case["forecast/flow_consumer"].to_numpy().astype(float)
    injected, content = found.moved.injected[0], found.moved.content[low]
    gate = 11.0 * found.state.flow_gate[0]
    filled = np.diff(content, prepend=0.0)
    assert (gate > 0).all()
    np.testing.assert_allclose(gate + 55 + injected, demand.sum(axis=0) + filled, rtol=1e-9)
    # Biomethane: what is fed in less what consumers get fills the pipes, as a store that is mixed.
    at = [columns(case, "junction")["id"].tolist().index(j) for j in columns(case, "consumer")["junction"].tolist()]
    got = (demand * quality.share[at]).sum(axis=0)
    stored = before = 0.0
    for t in range(STEPS):
        change = filled[t] * (quality.share[2, t] if filled[t] > 0 else stored / before if before else 0.0)
        assert injected[t] + 0.4 * 55 == pytest.approx(got[t] + change, rel=1e-9)
        stored, before = stored + change, content[t]
    # The same energy in real volumes: what consumers meter, times its calorific value.
    volume = demand / quality.calorific_value[at]
    own, bio = (demand * (1 - quality.share[at])).sum(axis=0) / 11.0, got / 10.2
    np.testing.assert_allclose(volume.sum(axis=0), own + bio, rtol=1e-9)


def test_directions_and_sources_are_told(mixed):
    _, found, quality, _ = mixed
    assert quality.sources == 3
    assert quality.turned == sum((f > 0).any() and (f < 0).any() for f in found.state.flow_pipe) > 0
    assert quality.closed


def test_nothing_is_known_where_no_gas_comes(mixed):
    quality = mixed[2]
    for values in (quality.share, quality.calorific_value, quality.wobbe_index):
        assert np.isnan(values[5]).all()
        assert np.isfinite(values[:5]).all()


def test_methane_and_hydrogen_as_published():
    """ISO 6976 at 0 degree C: methane 11.06 kWh/m3 and 0.5549 of air's density, Wobbe 14.85; hydrogen 3.54, 13.4."""
    gas = {"heating_value_higher": 11.06, "density_normal": 0.7175}
    gas |= {"heating_value_biomethane": 3.54, "density_biomethane": 0.08988}
    calorific, wobbe = mixture(gas, np.array([0.0, 1.0, 3.54 / (3.54 + 11.06)]))
    np.testing.assert_allclose(wobbe[:2], [14.85, 13.43], atol=0.02)
    assert calorific[2] == pytest.approx((11.06 + 3.54) / 2)  # half of each by volume
    density = (0.7175 + 0.08988) / 2 / 1.292923
    assert wobbe[2] == pytest.approx(7.30 / np.sqrt(density), rel=1e-6)


def test_quality_stands_in_the_result():
    result = optimize(build_case(plant_tables(steps=6, seed=5)), Settings(horizon_h=6))
    s = result["schedule"]
    share = s["biomethane_share"].to_numpy()
    np.testing.assert_allclose(share[:2], 0, atol=1e-12)
    # At the far end the pipe's flow from the plant's junction meets 5 m3/h of the other injection.
    flow = s["flow_pipe"].to_numpy()[1]
    np.testing.assert_allclose(share[3], share[2] * flow / (flow + 5), rtol=1e-5)
    np.testing.assert_allclose(s["calorific_value"].to_numpy(), 1 / ((1 - share) / 11 + share / 10.8), rtol=1e-5)
    said = result["certificate"].attrs["gas_quality"]
    assert said == "Gas quality is that at the last flows (3 sources), without the time that gas takes to get there."
    assert said in render(result)
    assert json.loads(result["certificate"].attrs["messages"]) == []
