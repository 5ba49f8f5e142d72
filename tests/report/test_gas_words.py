from __future__ import annotations

from types import SimpleNamespace

import pytest

from dispatch.report.gas_words import _said_of_accounts


def said(*accounts: dict[str, object]) -> str:
    return _said_of_accounts(SimpleNamespace(accounts=accounts), "EUR")


def test_accounts_are_told_with_and_without_control() -> None:
    entries = {"cost": 12.0, "cost_uncontrolled": -3.0}, {"cost": 8.5, "cost_uncontrolled": -1.0}
    assert said(*entries) == "; settling gas accounts costs 20.50 EUR beside that, without control it earns 4.00 EUR"


@pytest.mark.parametrize("cost", [None, "<b>12</b>", float("nan"), float("inf"), [1.0], 10**400])
def test_what_is_no_amount_is_not_told(cost: object) -> None:
    assert said({"cost": 1.0, "cost_uncontrolled": cost}) == ""
    assert said({"cost": 1.0}) == ""
    assert said() == ""
