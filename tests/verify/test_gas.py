from __future__ import annotations

import numpy as np
import pytest
from gas_cases import gas_case

from dispatch.case.rules import check_case
from dispatch.case.schema import columns, positions
from dispatch.verify.gas import check_gas, gas_flow, gas_taken

KELVIN, NORMAL = 273.15, 1.01325


def pipe_drop(flow, length, diameter, p1, p2):
    """Squared drop of a pipe of the small case by Nikuradse, as a textbook has it. [Pa2]"""
    area = np.pi / 4 * diameter**2
    mass = flow * 0.8 / 3600
    reynolds = abs(mass) * diameter / (1.07e-5 * area)
    friction = 64 / reynolds + 1 / (2 * np.log10(diameter / 1e-4) + 1.14) ** 2
    mean = 2 / 3 * (p1**2 + p1 * p2 + p2**2) / (p1 + p2)
    z = 1 - 0.0022 * mean
    return friction * length / diameter * z * 101325 / 0.8 * (KELVIN + 10) / KELVIN * mass * abs(mass) / area**2


def check_equations(case, state, taken):
    """Balance at every junction, and the drop of every pipe."""
    junction, pipe, regulator = (columns(case, k) for k in ("junction", "pipe", "regulator"))
    at = {s: positions(junction["id"], pipe[f"junction_{s}"]) for s in ("from", "to")}
    net = -taken[:, 0].copy()
    np.add.at(net, at["from"], -state.flow_pipe[:, 0])
    np.add.at(net, at["to"], state.flow_pipe[:, 0])
    np.add.at(net, positions(junction["id"], columns(case, "gate")["junction"]), state.flow_gate[:, 0])
    np.add.at(net, positions(junction["id"], regulator["junction_from"]), -state.flow_regulator[:, 0])
    np.add.at(net, positions(junction["id"], regulator["junction_to"]), state.flow_regulator[:, 0])
    np.testing.assert_allclose(net, 0, atol=1e-9)
    for k in np.nonzero(pipe["in_service"])[0]:
        p1, p2 = (state.pressure[at[s][k], 0] for s in ("from", "to"))
        drop = pipe_drop(state.flow_pipe[k, 0], pipe["length"][k], pipe["inner_diameter"][k], p1, p2)
        assert (p1**2 - p2**2) * 1e10 == pytest.approx(drop, rel=1e-6, abs=1.0)


def test_the_small_case_is_valid_and_its_state_obeys_the_equations():
    case = gas_case()
    assert check_case(case) == []
    taken, time = gas_taken(case)
    assert time is None
    state = gas_flow(case, taken)
    check_equations(case, state, taken)
    found = check_gas(case)
    assert found.attrs["findings"] == []
    assert found["flow_gate"].item() == pytest.approx(850)
    assert found["flow_regulator"].item() == pytest.approx(200)
    assert found["pressure"].sel(junction="low").item() == 2
    assert 1.9 < found["pressure"].sel(junction="end").item() < 2


@pytest.mark.parametrize("scale", [0.0, 1e-6, 0.1, 1.0, -0.5])
def test_any_flow_and_its_reversal(scale):
    case = gas_case()
    taken = scale * gas_taken(case)[0]
    taken[0] += 1e-3  # no pipe is wholly at rest
    state = gas_flow(case, taken)
    if scale:
        check_equations(case, state, taken)
    assert state.residual[0] < 1e-9
    assert (np.sign(state.flow_pipe[4, 0]) == -np.sign(scale)) or scale == 0
    assert state.pressure[4, 0] == 2


def test_two_gates_and_two_regulators_share():
    case = gas_case(
        gate={"id": ["city", "west"], "junction": ["gate", "b"], "pressure": [16, 15.965], "flow_max": [np.inf] * 2},
        regulator={
            "id": ["r", "s"],
            "junction_from": ["b", "a"],
            "junction_to": ["low", "end"],
            "pressure": [2.0, 2.001],
            "flow_max": [500, 500],
        },
    )
    assert check_case(case) == []
    taken = gas_taken(case)[0]
    state = gas_flow(case, taken)
    check_equations(case, state, taken)
    assert (state.flow_gate > 0).all()
    np.testing.assert_allclose(state.pressure[[0, 2, 4, 5], 0], [16, 15.965, 2, 2.001])


def test_an_isolated_zone_and_a_consumer_without_pressure_are_explained():
    case = gas_case(regulator={"in_service": [False]})
    assert [p.code for p in check_case(case)] == ["no-gas"]
    found = check_gas(case)
    assert np.isnan(found["pressure"].sel(junction=["low", "end"])).all()
    assert found["pressure"].sel(junction="a").notnull().all()
    (text,) = found.attrs["findings"]
    assert text == (
        "consumer without pressure, because no pipe or regulator in service leads to a gate: k2 (200 m3/h)."
    )


def test_more_demand_than_gets_through_is_explained():
    found = check_gas(gas_case(consumer={"flow_nom": [100_000, 200]}))
    assert np.isnan(found["pressure"].sel(junction="a"))
    texts = " ".join(found.attrs["findings"])
    assert "consumer without pressure, because the demand takes more pressure than there is: k1" in texts
    assert "Less pressure before regulator r than it is to hold behind it" in texts


def test_limits_and_ratings_are_told():
    case = gas_case(
        junction={"pressure_min": [10, 15.9, 10, 10, 1.5, 1.5]},
        regulator={"flow_max": [150]},
        gate={"flow_max": [700]},
        consumer={"flow_nom": [3000, 200]},
    )
    texts = check_gas(case).attrs["findings"]
    assert [t.split(",")[0] for t in texts] == [
        "Pressure below pressure_min at a",
        "More flows through gate city than flow_max",
        "More flows through regulator r than flow_max",
    ]
    assert "allowed 15.9 bar" in texts[0]
    assert "most at city: 3050 m3/h, allowed 700 m3/h" in texts[1]


def test_gas_that_would_flow_backwards_is_told():
    case = gas_case(injection={"junction": ["end"], "flow_nom": [1500]})
    texts = check_gas(case).attrs["findings"]
    assert any(t.startswith("Gas would have to flow backwards through gate city") for t in texts)
    assert any("backwards through regulator r" in t and "by up to 1300 m3/h" in t for t in texts)


def test_profiles_give_the_steps():
    time = np.datetime64("2026-01-01T00:00:00", "s") + np.arange(3) * np.timedelta64(3600, "s")
    case = gas_case(profile={"id": ["h"], "time": time, "p_pu": [[0.5, 1.0, 0.0]]}, consumer={"profile": ["h", ""]})
    found = check_gas(case)
    np.testing.assert_allclose(found["flow_gate"].to_numpy()[0], [450, 850, 50])
    assert (found["time"].to_numpy() == time).all()
    assert found["velocity"].sel(pipe="p1").to_numpy().argmax() == 1
