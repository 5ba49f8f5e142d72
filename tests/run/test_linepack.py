"""A schedule above 4 bar gauge, recomputed step by step from its set-points by code of the test's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq, fsolve

from dispatch.case.schema import build_case
from dispatch.report.gas_totals import gas_totals
from dispatch.report.gas_words import gas_sentences
from dispatch.report.html import render
from dispatch.report.outcome import read_outcome
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from level_cases import level_tables

HOURS, ENERGY, KELVIN, DENSITY, VISCOSITY = 16, 11.0, 273.15, 0.78, 1.07e-5
TABLES = level_tables(steps=HOURS, most=11.0)


@pytest.fixture(scope="module")
def day():
    return optimize(build_case(TABLES), Settings(horizon_h=HOURS))


def friction(flow: float, d: float) -> float:
    """Nikuradse and the laminar part, for 0.1 mm."""
    speed = flow / 3600 / (np.pi / 4 * d**2)
    return 64 * VISCOSITY / (DENSITY * max(abs(speed), 1e-12) * d) + (2 * np.log10(d / 1e-4) + 1.14) ** -2


def drop(k: int, p1: float, p2: float, flow: float, table: dict = TABLES["pipe"]) -> float:
    """Drop of squared pressure in bar², by the formula of docs/gas.md."""
    d, long, given = table["inner_diameter"][k], table["length"][k], table["friction_factor"][k]
    mean = 2 / 3 * (p1 + p2 - p1 * p2 / (p1 + p2))
    factor = (friction(flow, d) if np.isnan(given) else given) * long / d + table["loss_coefficient"][k]
    area = np.pi / 4 * d**2
    pascal = (1 - 0.0022 * mean) * factor * DENSITY * 101325 * (KELVIN + 10) / KELVIN * (flow / 3600 / area) ** 2
    return np.sign(flow) * pascal / 1e10


def held(k: int, p: float) -> float:
    """Half of the gas of a pipe in normal cubic metres."""
    table = TABLES["pipe"]
    volume = np.pi / 8 * table["inner_diameter"][k] ** 2 * table["length"][k]
    return volume * p / 1.01325 * KELVIN / (KELVIN + 10) / (1 - 0.0022 * p)


PIPES = [(0, 0, 1), (1, 2, 1), (2, 1, 3), (4, 2, 3)]  # number, from, to among g, m, z, y


def entering(result) -> np.ndarray:
    """What enters at g, m, z, y by the set-points of the schedule alone. [m3/h]"""
    s, flow = result["schedule"], result["forecast/flow_consumer"].to_numpy().astype(float)
    gate, injected = s["gas_gate"].to_numpy()[0] / ENERGY, s["gas_injected"].to_numpy()[0] / ENERGY
    return np.stack([gate, -s["gas_regulator"].to_numpy()[0] / ENERGY, injected, 5.0 - flow[0]])


def test_energy_closes_in_every_step(day):
    s = day["schedule"]
    inventory = np.concatenate([s["linepack_pipe_initial"].to_numpy()[:, None], s["linepack_pipe"].to_numpy()], axis=1)
    change = np.diff(np.delete(inventory, 3, axis=0).sum(axis=0))  # the fourth pipe is in the town
    assert np.isnan(inventory[3]).all()
    came = ENERGY * entering(day).sum(axis=0)
    turned = ENERGY * np.abs(entering(day)).sum(axis=0)
    assert (np.abs(change - came) <= 1e-6 * turned).all()
    assert inventory[[0, 1, 2, 4], -1].sum() >= 0.999 * inventory[[0, 1, 2, 4], 0].sum()
    assert np.ptp(change) > 100  # the pipes are used


def test_pressures_are_those_of_an_independent_simulation(day):
    pressure = day["schedule/pressure"].to_numpy()[:4]
    enters, before = entering(day), np.array([0.0] * 4)
    state = day["offset/pressure_initial"].to_numpy()[:4]

    def content(p: np.ndarray) -> np.ndarray:
        total = np.zeros(4)
        for k, a, b in PIPES:
            total[a] += held(k, p[a])
            total[b] += held(k, p[b])
        return total

    def flow_of(k: int, p1: float, p2: float) -> float:
        return brentq(lambda q: p1**2 - p2**2 - drop(k, p1, p2, q), -5000, 5000, xtol=1e-11)

    for t in range(HOURS):
        before = content(state)

        def missing(p: np.ndarray, t: int = t, before: np.ndarray = before) -> np.ndarray:
            rest = content(p) - before - enters[:, t]
            for k, a, b in PIPES:
                q = flow_of(k, p[a], p[b])
                rest[a] += q
                rest[b] -= q
            return rest

        state = fsolve(missing, pressure[:, t], xtol=1e-12)
        np.testing.assert_allclose(pressure[:, t], state, atol=2e-5)
    assert np.ptp(pressure[2]) > 0.1


def test_the_first_pressures_are_steady_at_the_set_point(day):
    first = day["offset/pressure_initial"].to_numpy()[:4]
    demand = day["forecast/flow_consumer"].to_numpy().astype(float)[:, 0]
    assert first[0] == pytest.approx(10.0, abs=1e-12)
    # Gate to m carries all; what y takes comes straight and over z.
    assert first[0] ** 2 - first[1] ** 2 == pytest.approx(drop(0, first[0], first[1], demand.sum() - 5), rel=1e-6)
    over = brentq(lambda q: first[1] ** 2 - first[2] ** 2 - drop(1, first[1], first[2], q), -900, 900, xtol=1e-12)
    straight = brentq(lambda q: first[1] ** 2 - first[3] ** 2 - drop(2, first[1], first[3], q), -900, 900, xtol=1e-12)
    assert over + straight == pytest.approx(demand[0] - 5, rel=1e-5)


def test_limits_hold_and_what_they_are_worth_is_told(day):
    pressure, price = day["schedule/pressure"].to_numpy()[:4], day["price/price_pressure_max"].to_numpy()[:4]
    assert pressure.max() <= 11.0 + 1e-3
    assert pressure.max() > 11.0 - 1e-3
    assert price.max() > 0
    assert (price[pressure < 11.0 - 2e-3] < 1e-9).all()
    gas = day["price/marginal_price_gas"].to_numpy()
    assert (gas[2] < -1e-3).any()
    assert json.loads(day["certificate"].attrs["unmet"]) == []


def test_gates_never_take_gas_back(day):
    assert (day["schedule/gas_gate"].to_numpy() >= -1e-9).all()
    assert (day["schedule/flow_gate"].to_numpy() >= -1e-6).all()


def test_a_demand_that_no_pressure_carries_is_unmet():
    tables = level_tables(steps=4, loop=False)
    tables["junction"]["pressure_min"] = [np.nan] * 6
    tables["pipe"]["inner_diameter"][2] = 0.01
    result = optimize(build_case(tables), Settings(horizon_h=4))
    (unmet,) = json.loads(result["certificate"].attrs["unmet"])
    assert result["certificate/status"].to_numpy() == [b"limits_unmet"]
    assert (unmet["kind"], unmet["element"], unmet["limit"]) == ("junction", "y", "delivery")
    assert unmet["hours"] == ["2026-06-02 00:00 to 02:00"]
    s, demand = result["schedule"], 11.0 * result["forecast/flow_consumer"].to_numpy()[0].astype(float)
    left_out, pressure = s["gas_undelivered"].to_numpy()[3], s["pressure"].to_numpy()
    assert unmet["amount"] == pytest.approx(left_out.max(), rel=1e-6)
    # What comes is what the largest drop there is brings: from the highest pressure allowed down to that of the air.
    most = brentq(lambda q: 16.0**2 - 1.01325**2 - drop(2, 16.0, 1.01325, q, tables["pipe"]), 0, 500, xtol=1e-10)
    assert demand[3] - left_out[3] == pytest.approx(11.0 * (most + 5), rel=1e-3)  # the step before took what was packed
    assert pressure[3, 2:] == pytest.approx(1.01325, abs=5e-4)
    assert (left_out[:2] == 0).all()


def test_a_level_without_its_gate_is_told_beforehand():
    tables = level_tables(steps=4, loop=False)
    tables["pipe"]["in_service"] = [True, False, True, True, False]
    with pytest.raises(Exception, match="no-gas"):
        optimize(build_case(tables), Settings(horizon_h=4))


def test_the_report_tells_and_draws_what_pipes_hold(day):
    outcome = read_outcome(day)
    found = gas_totals(outcome)
    inventory = np.nansum(day["schedule/linepack_pipe"].to_numpy(), axis=0)
    assert found is not None
    assert (found.linepack_min_kwh, found.linepack_max_kwh) == pytest.approx((inventory.min(), inventory.max()))
    assert found.linepack_end_kwh == pytest.approx(inventory[-1])
    said = " ".join(gas_sentences(outcome, found))
    assert f"Pipes above 4 bar (gauge) hold {inventory.min() / 1000:.2f} to {inventory.max() / 1000:.2f} MWh" in said
    assert "gas-linepack" in render(day)
