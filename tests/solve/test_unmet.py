"""What cannot be met is named: the limit, the element, the hours, and the least relaxation, by hand within 1 %."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.solve.explain import explain_unmet

STEPS = 6
R_LINE, X_LINE = 0.4, 0.1  # ohm
HOURS = [(2,), (1, 2, 3), (0, 4, 5)]
PER_KW = 1 / (1000 * 0.4**2)


def series(value, hours, rest=0.0):
    found = np.full((1, STEPS), rest)
    found[0, list(hours)] = value
    return found


def tables(**changes):
    """Source, transformer, bus bar, line, house; wide limits and 1 kW of load unless changed by ``kind__attribute``."""
    found = {
        "bus": {"id": ["hv", "bar", "end"], "v_nom": [20.0, 0.4, 0.4], "v_min_pu": [0.8] * 3, "v_max_pu": [1.2] * 3},
        "source": {"id": ["grid"], "bus": ["hv"], "v_pu": [1.0]},
        "transformer": {
            "id": ["station"], "bus_from": ["hv"], "bus_to": ["bar"], "s_nom": [1000.0], "v_nom_from": [20.0],
            "v_nom_to": [0.4], "r_pu": [0.01], "x_pu": [0.04],
        },
        "line": {
            "id": ["street"], "bus_from": ["bar"], "bus_to": ["end"], "r": [R_LINE], "x": [X_LINE], "s_nom": [500.0],
        },
        "prosumer": {"id": ["family"]},
        "meter": {"id": ["house"], "bus": ["end"], "prosumer": ["family"], "tariff": ["flat"]},
        "load": {"id": ["home"], "meter": ["house"], "p_nom": [1.0]},
        "tariff": {"id": ["flat"], "price_import": [0.3], "price_export": [0.1]},
        "forecast": {
            "time": np.datetime64("2026-06-01T08:00", "s") + np.arange(STEPS) * np.timedelta64(3600, "s"),
            "p_load": np.ones((1, STEPS)), "q_load": np.zeros((1, STEPS)),
            "price_import": np.full((1, STEPS), 0.3), "price_export": np.full((1, STEPS), 0.1),
        },
    }  # fmt: skip
    for name, value in changes.items():
        kind, attribute = name.split("__")
        found.setdefault(kind, {})[attribute] = value
    return found


def fixed_pv(power):
    return {
        "pv__id": ["roof"], "pv__meter": ["house"], "pv__p_nom": [1.0], "pv__curtailable": [False],
        "forecast__p_available": power,
    }  # fmt: skip


def battery(power, energy=1000.0):
    return {
        "store__id": ["box"], "store__meter": ["house"], "store__energy_nom": [energy], "store__p_nom": [power],
        "store__state_of_charge_initial": [energy], "store__state_of_charge_final": [0.0],
        "store__efficiency_charge": [1.0], "store__efficiency_discharge": [1.0],
    }  # fmt: skip


def explained(feeder_of, changes):
    feeder = feeder_of(tables(**changes))
    solution, least = feeder.solve_elastic()
    return explain_unmet(feeder.case, feeder.program, feeder.limits, feeder.inputs, solution, least)


def spans(hours):
    """Hours in local summer time, two hours ahead of UTC."""
    found = []
    for h in hours:
        if found and found[-1][1] == h:
            found[-1][1] = h + 1
        else:
            found.append([h, h + 1])
    return [f"2026-06-01 {10 + a:02d}:00 to {10 + b:02d}:00" for a, b in found]


def cases():
    """Yield what is changed and what must be named: kind, element, limit, amount and hours."""
    for hours in HOURS:
        for over in (0.5, 3.0, 40.0):
            load = {"forecast__p_load": series(10 + over, hours, 1.0)}
            yield "line", load | {"line__s_nom": [10.0]}, ("line", "street", "forward", over, hours)
            swapped = {"line__bus_from": ["end"], "line__bus_to": ["bar"], "line__s_nom": [10.0]}
            yield "line the other way", load | swapped, ("line", "street", "reverse", over, hours)
            yield (
                "transformer",
                load | {"transformer__s_nom": [10.0]},
                ("transformer", "station", "forward", over, hours),
            )
            sun = fixed_pv(series(11 + over, hours))
            yield "reverse flow", sun | {"line__s_nom": [10.0]}, ("line", "street", "reverse", over, hours)
            helped = load | {"line__s_nom": [10.0]} | battery(over / 3)
            yield "line, battery helps", helped, ("line", "street", "forward", over * 2 / 3, hours)
            limit = {"meter__p_import_max": [10.0]}
            yield "import limit", load | limit, ("meter", "house", "p_import_max", over, hours)
            yield "export limit", sun | {"meter__p_export_max": [10.0]}, ("meter", "house", "p_export_max", over, hours)
    yield from cases_of_voltage()
    for q in (11.0, 14.0, 30.0):
        reactive = {
            "forecast__q_load": series(q, (3,)),
            "forecast__p_load": np.zeros((1, STEPS)),
            "line__s_nom": [10.0],
        }
        yield "reactive power alone", reactive, ("line", "street", "reactive", q - 10, (3,))
    for missing in (0.5, 2.0, 7.0):
        final = battery(1.0, 20.0) | {"store__state_of_charge_initial": [0.0]}
        final |= {"store__state_of_charge_final": [6 + missing]}
        yield "final content", final, ("store", "box", "state_of_charge_final", missing, (5,))


def cases_of_voltage():
    for hours in HOURS:
        for p, q in ((60.0, 0.0), (60.0, 30.0), (90.0, 10.0)):
            at_end = 1 - 2 * (R_LINE * p + X_LINE * q) * PER_KW - 2 * (0.01 * p + 0.04 * q) / 1000
            load = {"forecast__p_load": series(p, hours, 1.0), "forecast__q_load": series(q, hours)}
            low = np.sqrt(at_end) + 0.01
            limits = {"bus__v_min_pu": [0.5, 0.5, low]}
            yield "low voltage", load | limits, ("bus", "end", "v_min", 0.01, hours)
            at_bar = np.sqrt(1 - 2 * (0.01 * p + 0.04 * q) / 1000)
            tap = {
                "bus__v_min_pu": [0.5] * 3,
                "transformer__v_nom_to": [0.42],
                "bus__v_max_pu": [1.2, 1.05 * at_bar - 0.02, 1.2],
            }
            constant = {"forecast__p_load": series(p, range(STEPS)), "forecast__q_load": series(q, range(STEPS))}
            yield "high ratio", tap | constant, ("bus", "bar", "v_max", 0.02, range(STEPS))
        for p in (30.0, 60.0):
            at_end = np.sqrt(1 + 2 * p * R_LINE * PER_KW + 2 * 0.01 * p / 1000)
            sun = fixed_pv(series(p + 1, hours)) | {"bus__v_max_pu": [1.2, 1.2, at_end - 0.005]}
            yield "high voltage", sun, ("bus", "end", "v_max", 0.005, hours)
    for v in (1.02, 1.07):
        source = {"source__v_pu": [v], "bus__v_max_pu": [1.01, 1.2, 1.2]}
        yield "source too high", source, ("bus", "hv", "v_max", v - 1.01, range(STEPS))
        source = {"source__v_pu": [2 - v], "bus__v_min_pu": [0.99, 0.5, 0.5]}
        yield "source too low", source, ("bus", "hv", "v_min", v - 1.01, range(STEPS))


CASES = list(cases())


def test_there_are_enough():
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    ("changes", "expected"), [c[1:] for c in CASES], ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)]
)
def test_the_right_limit_element_hours_and_least_relaxation(changes, expected, feeder_of):
    kind, element, limit, amount, hours = expected
    entries = explained(feeder_of, changes)
    assert [(e["kind"], e["element"], e["limit"]) for e in entries] == [(kind, element, limit)]
    entry = entries[0]
    assert entry["least_relaxation"] == pytest.approx(amount, rel=0.01)
    assert entry["amount"] == pytest.approx(amount, rel=0.01)
    assert entry["hours"] == spans(hours)
    assert entry["hours_total"] == len(hours)
    assert entry["feeder"] == "grid"
    assert repr(element) in entry["text"]
    assert spans(hours)[0] in entry["text"]


def test_nothing_to_explain(feeder_of):
    assert explained(feeder_of, {}) == []


def test_hours_over_midnight_and_a_shift_of_the_clock(feeder_of):
    night = np.datetime64("2026-10-24T22:00", "s") + np.arange(STEPS) * np.timedelta64(3600, "s")
    load = series(12.0, range(5), 1.0)
    entries = explained(feeder_of, {"forecast__time": night, "forecast__p_load": load, "line__s_nom": [10.0]})
    # From midnight in summer time for five hours: the clock goes back from 03:00 to 02:00.
    assert [e["hours"] for e in entries] == [["2026-10-25 00:00 to 04:00"]]
    assert entries[0]["hours_total"] == 5
