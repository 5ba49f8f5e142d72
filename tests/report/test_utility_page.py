"""Promise 18 for the page over a utility: inert, and small for ten thousand feeders."""

from __future__ import annotations

import pytest
from payloads import PAYLOADS
from reading import Page

from dispatch.batch.status import Status
from dispatch.report.utility_page import utility_page


def row(k: int, **changed) -> dict:
    found = {"name": f"case{k}/s", "status": "optimal", "seconds": 0.1 + k / 1e4, "prosumers": 100, "says": ""}
    found |= {"cost": 100.0, "cost_uncontrolled": 120.0 + k, "hours_unmet": 0.0, "limit_share_max": (k % 1000) / 999}
    found |= {"loading_max_pu": 0.7, "v_max_pu": 1.04, "v_min_pu": 0.97, "longitude": 2 + k / 1e4, "latitude": 48.0}
    return found | changed


def page(rows: list[dict]) -> str:
    return utility_page(rows, Status(rows, 10, 10, 0, 1.0, 0.0).to_json())


def test_ten_thousand_feeders_make_a_small_page() -> None:
    text = page([row(k) for k in range(10_000)])
    assert len(text.encode()) < 600_000
    assert "10,000 feeders" in text
    assert "9,800 more feeders" in text


def test_the_tightest_come_first_and_the_broken_are_explained() -> None:
    rows = [row(1, limit_share_max=0.2), row(2, limit_share_max=0.9), row(3, status="invalid", says="no unit")]
    for broken in rows[2:]:
        del broken["limit_share_max"]
    text = page([*rows, row(4, status="limits_unmet", hours_unmet=3.5, limit_share_max=1.2)])
    table = text[text.index("Feeders, the tightest first") :]
    assert table.index("case4/s") < table.index("case2/s") < table.index("case1/s")
    assert "no unit" in text
    assert "1 feeder of the utility without a schedule" in text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_text_is_text(payload) -> None:
    text = page([row(1, name=payload, says=payload, status="failed"), row(2, name=payload), row(3)])
    found = Page(text)
    assert not found.faults
    for element in found.elements:
        assert element.tag not in {"script", "img", "iframe", "object", "embed", "form", "link", "base", "a"}
        assert not any(name.startswith("on") or name in {"src", "href"} for name in element.attributes)
    assert found.words.count(" ".join(payload.split())) >= 3
