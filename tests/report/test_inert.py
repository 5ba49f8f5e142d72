"""Promise 18: a report contains no script, makes no request, and shows every text as text."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from payloads import MARK, PAYLOADS
from reading import Page
from synthetic_result import make_result

from dispatch.report.html import render

if TYPE_CHECKING:
    import xarray as xr

WORDS = """
html head meta title style body header main section div p h1 h2 h3 span b i small code ul li dl dt
dd table caption thead tbody tr th td figure figcaption svg desc path line text rect circle details
summary
"""
ALLOWED = set(WORDS.split())


def hostile(payload: str, feeders: int = 2) -> xr.DataTree:
    """A result in which every free text is a payload."""
    row = dict.fromkeys(
        ("feeder", "kind", "element", "limit", "hours", "amount", "unit", "least_relaxation", "text"), payload
    )
    found = make_result(
        feeders=feeders, buses=4, steps=4, title=payload, prefix=payload, unmet=[row, {"limit": payload}]
    )
    found["certificate"].attrs |= {
        "method": payload,
        "messages": json.dumps([payload]),
        "versions": json.dumps({payload: payload}),
    }
    return found


def faults(text: str) -> list[str]:
    """What a page has that it must not have."""
    page = Page(text)
    found = list(page.faults)
    for element in page.elements:
        if element.tag not in ALLOWED:
            found.append(f"<{element.tag}>")
        for name, value in element.attributes.items():
            if name.startswith("on") or name in {"src", "href", "xlink:href", "action", "srcdoc", "formaction"}:
                found.append(f"{element.tag} {name}={value}")
            if "javascript:" in value.lower():
                found.append(f"{element.tag} {name}={value}")
        if element.tag == "style" and re.search(r"url\(|@import|expression", element.words):
            found.append("style")
    return found


def skeleton(text: str) -> Counter[str]:
    return Counter(e.tag for e in Page(text).elements)


def test_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 50


def test_page_is_inert(page: str) -> None:
    assert faults(page) == []
    assert "http://" not in page
    assert "https://" not in page


def test_policy_comes_first_and_forbids_everything(page: str) -> None:
    metas = Page(page).all("meta")
    policy = next(m for m in metas if m.attributes.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy.attributes["content"]
    assert page.index("Content-Security-Policy") < page.index("<title>")


@pytest.fixture(scope="module")
def plain() -> Counter[str]:
    return skeleton(render(hostile("plain")))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_is_shown_as_text(payload: str, plain: Counter[str]) -> None:
    text = render(hostile(payload))
    assert skeleton(text) == plain
    assert faults(text) == []
    shown = " ".join(payload.split())
    title = next(e for e in Page(text).elements if e.tag == "title")
    assert shown in title.words
    body = Page(text).words
    # Title, feeder, transformer and unmet limit: each shows it.
    assert body.count(shown) >= 6


def test_status_and_currency_and_zone_are_text() -> None:
    found = make_result(feeders=1, buses=4, steps=4, status=f"<script>{MARK}</script>")
    found.attrs |= {"currency": f"<b onclick={MARK}>", "time_zone": f"../../<script>{MARK}</script>"}
    assert faults(render(found)) == []


def test_unmet_that_is_no_list_is_text() -> None:
    for unmet in (
        "<script>x</script>",
        json.dumps("<script>x</script>"),
        json.dumps({"limit": "<img src=x>"}),
        "[1, null]",
    ):
        text = render(make_result(feeders=1, buses=4, steps=4, unmet=unmet))
        assert faults(text) == []
        assert "Limits that cannot be held" in text


def test_the_checks_above_find_a_fault(page: str) -> None:
    for planted in ("<script>x</script>", "<p onclick=x></p>", "<b title=javascript:x></b>", "<img src=x>", "<p>"):
        assert faults(page.replace("<main>", f"<main>{planted}"))
