from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from dispatch.case.rules import check_case
from dispatch.case.schema import build_case
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables


@pytest.fixture(scope="module")
def days():
    tables = plant_tables(steps=50, seed=2, account="day")
    return optimize(build_case(tables), Settings(horizon_h=50)), tables["account"]


def test_the_statement_adds_up_from_meters_and_set_points(days):
    result, account = days
    s, statements = result["schedule"], json.loads(result["certificate"].attrs["accounts"])
    own = [entry for entry in statements if entry["account"] == "dairy"]
    assert [e["start"][:13] for e in own] == ["2026-06-01T20", "2026-06-01T22", "2026-06-02T22"]  # local midnight
    taken = 11.0 * result["forecast/flow_consumer"].to_numpy()[0].astype(float)
    injected = s["gas_injected"].to_numpy()[0]
    carried, spans = -150.0, [(0, 2), (2, 26), (26, 50)]
    for entry, (first, last) in zip(own, spans, strict=True):
        assert entry["carried_in"] == pytest.approx(carried, abs=1e-5)
        assert entry["injected"] == pytest.approx(injected[first:last].sum(), rel=1e-9)
        assert entry["withdrawn"] == pytest.approx(taken[first:last].sum(), rel=1e-9)
        balance = carried + entry["injected"] - entry["withdrawn"] + entry["bought"] - entry["sold"]
        assert entry["balance"] == pytest.approx(balance, abs=1e-5)
        assert abs(entry["balance"]) <= 400.0 + 1e-6
        assert min(entry["bought"], entry["sold"]) <= 1e-6
        cost = 0.09 * entry["bought"] - 0.03 * entry["sold"] + 0.005 * (entry["bought"] + entry["sold"])
        assert entry["cost"] == pytest.approx(cost, abs=1e-9)
        carried = account["carry_over"][1] * entry["balance"]
    assert float(s["cost_account"][1]) == pytest.approx(sum(e["cost"] for e in own), abs=1e-6)
    assert len([e for e in statements if e["account"] == "other"]) == 1


def test_without_control_no_more_is_settled_than_must_be(days):
    result, account = days
    s, statements = result["schedule"], json.loads(result["certificate"].attrs["accounts"])
    injected = s["gas_injected_uncontrolled"].to_numpy()[0].astype(float)
    taken = 11.0 * result["forecast/flow_consumer"].to_numpy()[0].astype(float)
    assert injected.sum() > 0
    balance, kept, costs = -150.0, account["carry_over"][1], []
    for first, last in ((0, 2), (2, 26), (26, 50)):
        balance += injected[first:last].sum() - taken[first:last].sum()
        short, over = max(-400.0 - balance, 0.0), max(balance - 400.0, 0.0)
        costs.append(0.09 * short - 0.03 * over + 0.005 * (short + over))
        balance = kept * (balance + short - over)
    own = [entry["cost_uncontrolled"] for entry in statements if entry["account"] == "dairy"]
    assert own == pytest.approx(costs, rel=1e-6, abs=1e-4)  # what is injected is kept as float32
    assert any(abs(cost) > 1 for cost in costs)
    assert float(s["cost_account_uncontrolled"][1]) == pytest.approx(sum(own), abs=1e-9)


def test_bills_plants_and_accounts_make_the_objective(days):
    s = days[0]["schedule"]
    tiny = 1e-6 * np.nansum(s["linepack_regulator"].to_numpy())
    total = s["cost"].to_numpy().sum() + s["cost_account"].to_numpy().sum() + tiny
    assert total == pytest.approx(float(days[0]["certificate/objective"].to_numpy()[0]), rel=1e-7)


def test_the_price_of_the_account_is_what_a_kwh_in_it_is_worth(days):
    result, _ = days
    price = result["price/price_account"].to_numpy()[1]
    assert price.min() >= 0.0
    assert price.max() <= 0.09 + 0.005 + 1e-9
    more = plant_tables(steps=50, seed=2, account="day")
    more["account"]["balance_initial"] = [0.0, -149.0]
    again = optimize(build_case(more), Settings(horizon_h=50))
    saved = float(result["certificate/objective"][0]) - float(again["certificate/objective"][0])
    assert saved == pytest.approx(price[0], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "name", "value", "shown"),
    [
        ("account", "price_surplus", 0.2, "price_short + 2 fee"),
        ("account", "period", "week", "day, month, horizon"),
        ("account", "carry_over", 1.5, "[0, 1]"),
        ("plant", "account", "dary", "dairy"),
    ],
)
def test_accounts_that_cannot_be_are_refused(kind, name, value, shown):
    tables = plant_tables(steps=3, account="day")
    tables[kind][name] = [value] * len(tables[kind]["id"])
    (problem, *_) = check_case(build_case(tables))
    assert shown in str(problem)


def test_a_plant_with_an_account_injects_somewhere():
    tables = plant_tables(steps=3, account="day", upgrader=False)
    tables["plant"]["junction"] = [""]
    assert [(p.code, p.variable) for p in check_case(build_case(tables))] == [("no-junction", "account")]
