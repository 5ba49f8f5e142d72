from __future__ import annotations

import numpy as np
import pytest

from dispatch.solve.elastic import elastic_cost
from dispatch.solve.repair import deliver, netted

NAMES = [
    "negative prices",
    "negative prices and losses",
    "everything",
    "connection limits",
    "green-only, several stores",
]


def naive(feeder, plan):
    """The same by loops over meters and steps."""
    program, inputs, found = feeder.program, feeder.inputs, plan.copy()
    number = lambda kind, name, e, t: program.column(kind, name)[e, t]  # noqa: E731
    battery, pv = inputs.kinds["battery"], inputs.kinds["pv"]
    into, out_of = (
        np.broadcast_to(battery.parameters[f"efficiency_{n}"], (battery.count, inputs.steps))
        for n in ("charge", "discharge")
    )
    for m in range(inputs.kinds["meter"].count):
        for t in range(inputs.steps):
            i, e, spill = (number("meter", n, m, t) for n in ("p_import", "p_export", "p_spilled"))
            both = min(found[i], found[e])
            found[i], found[e], surplus = found[i] - both, found[e] - both, 0.0
            for s in np.nonzero(battery.nodes["meter"][1] == m)[0]:
                c, d = number("battery", "p_charge", s, t), number("battery", "p_discharge", s, t)
                if found[c] > 0 and found[d] > 0:
                    net, change = found[d] - found[c], into[s, t] * found[c] - found[d] / out_of[s, t]
                    found[c], found[d] = (change / into[s, t], 0.0) if change > 0 else (0.0, -change * out_of[s, t])
                    surplus += found[d] - found[c] - net
            systems = [number("pv", "p_curtailed", s, t) for s in np.nonzero(pv.nodes["meter"][1] == m)[0]]
            room = {k: program.upper[k] - found[k] for k in systems}
            taken = min(surplus, sum(room.values()))
            for k in systems:
                found[k] += taken * room[k] / max(sum(room.values()), 1e-300)
            surplus -= taken
            less = min(surplus, found[i])
            more = min(surplus - less, program.upper[e] - found[e])
            found[i] -= less
            found[e] += more
            found[spill] += surplus - less - more
    return found


def wasteful(feeder, rng):
    """A plan that charges, discharges, imports and exports at once wherever it can, its rows holding."""
    program, inputs = feeder.program, feeder.inputs
    plan = feeder.solve().columns.copy()
    battery = inputs.kinds["battery"]
    charge, discharge = program.column("battery", "p_charge"), program.column("battery", "p_discharge")
    into, out_of = (
        np.broadcast_to(battery.parameters[f"efficiency_{n}"], charge.shape) for n in ("charge", "discharge")
    )
    extra = np.minimum(
        program.upper[charge] - plan[charge], (program.upper[discharge] - plan[discharge]) / (into * out_of)
    ) * rng.random(charge.shape)
    plan[charge] += extra
    plan[discharge] += extra * into * out_of
    lost = np.zeros(program.column("meter", "p_import").shape)
    np.add.at(lost, battery.nodes["meter"][1], extra * (1 - into * out_of))
    plan[program.column("meter", "p_import")] += lost
    both = rng.random(lost.shape)
    for name in ("p_import", "p_export"):
        plan[program.column("meter", name)] += both
    return plan


@pytest.mark.parametrize("name", NAMES)
def test_netting_is_the_naive_loop_and_keeps_the_rows(name, generated):
    feeder, rng = generated(name, 1), np.random.default_rng(8)
    plan = wasteful(feeder, rng)
    found = netted(feeder.program, feeder.inputs, plan)
    expected = naive(feeder, plan)
    if "peak" in feeder.inputs.kinds and feeder.inputs.kinds["peak"].count:
        peaks = feeder.program.column("peak", "p_peak")
        assert (found[peaks] <= expected[peaks]).all()
        expected[peaks] = found[peaks]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    program = feeder.program
    balance = np.concatenate([program.row("meter", "balance").ravel(), program.row("battery", "balance").ravel()])
    np.testing.assert_allclose((program.matrix @ found)[balance], program.row_lower[balance], rtol=0, atol=1e-9)
    for one, other in (("p_charge", "p_discharge"), ("p_import", "p_export")):
        kind = "battery" if one == "p_charge" else "meter"
        at_once = np.minimum(found[program.column(kind, one)], found[program.column(kind, other)])
        assert at_once.max() <= 0
    content = program.column("battery", "state_of_charge")
    assert (found[content] == plan[content]).all()
    assert netted(program, feeder.inputs, found) is found or feeder.inputs.kinds["peak"].count


def test_waste_that_pays_is_repaired_at_a_price():
    from small_feeders import feeder_of, generated

    from dispatch.case.schema import columns

    base = generated("wide limits", 0)
    names = ("bus", "source", "line", "transformer", "prosumer", "meter", "load", "pv", "store", "tariff", "forecast")
    tables = {kind: columns(base.case, kind) for kind in names}
    tables["store"]["wear_cost"] = np.zeros_like(tables["store"]["wear_cost"])
    forecast = tables["forecast"]
    forecast["price_import"], forecast["price_export"] = (
        -np.full_like(forecast["price_import"], 0.3),
        -np.full_like(forecast["price_import"], 0.5),
    )
    feeder = feeder_of(tables)
    solution = feeder.solve()
    delivered = deliver(feeder.program, feeder.limits, feeder.inputs, solution, None)
    charge, discharge = (solution.columns[feeder.program.column("battery", f"p_{n}")] for n in ("charge", "discharge"))
    assert np.minimum(charge, discharge).max() > 0.1
    assert delivered.repair_cost > 0.01
    assert delivered.objective == pytest.approx(solution.objective + delivered.repair_cost)
    cost = elastic_cost(feeder.program, feeder.limits, feeder.inputs.dt, feeder.penalty, delivered.columns)
    assert cost == pytest.approx(delivered.objective)


def test_nothing_to_repair_changes_nothing(generated):
    feeder = generated("plain", 0)
    solution = feeder.solve()
    delivered = deliver(feeder.program, feeder.limits, feeder.inputs, solution, None)
    np.testing.assert_allclose(delivered.columns, solution.columns, rtol=0, atol=1e-9)
    assert delivered.repair_cost == pytest.approx(0, abs=1e-9)
