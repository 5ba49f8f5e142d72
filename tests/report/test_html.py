"""The page: the same bytes every time, small, complete, and readable whatever a result lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from reading import Page
from synthetic_result import make_result

from dispatch.report.html import render, write_report

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr


def test_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(make_result(), tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_every_figure_has_words_and_units(page: str) -> None:
    read = Page(page)
    named = [e for e in read.all("svg") if e.attributes.get("role") == "img"]
    assert len(named) == 11
    ids = {e.attributes["id"]: e.words for e in read.elements if "id" in e.attributes}
    for svg in named:
        for label in svg.attributes["aria-labelledby"].split():
            assert ids[label]
    axes = [e.words for e in read.all("p") if e.attributes.get("class") == "axis"]
    assert axes == [
        "power, kW",
        "taken (+) and given (−), kW",  # noqa: RUF001
        *["voltage, pu"] * 2,
        *["loading, % of rating"] * 2,
        *["prosumers"] * 2,
        "price, EUR per kWh",
    ]
    assert all(e.attributes.get("scope") in {"row", "col"} for e in read.all("th"))
    assert len(ids) == len([e for e in read.elements if "id" in e.attributes])


def test_headline_has_the_money_of_all_prosumers(result: xr.DataTree, page: str) -> None:
    schedule = result["schedule"]
    words = Page(page).words
    for name in ("cost_uncontrolled", "cost_no_battery"):
        saved = sum(float(a) - float(b) for a, b in zip(schedule[name].values, schedule["cost"].values, strict=True))
        assert f"{saved:,.2f} EUR" in words
        assert saved > 0
    assert f"\N{MINUS SIGN}{abs(float(schedule['cost'].sum())):,.2f} EUR" in words


def test_what_limits_cost_is_not_called_a_saving(result: xr.DataTree) -> None:
    dear = result.copy(deep=True)
    dear["schedule"]["cost"][:] += 10.0
    words = Page(render(dear)).words
    lost = float(dear["schedule"]["cost"].sum() - dear["schedule"]["cost_uncontrolled"].sum())
    assert f"Holding the limits costs {lost:,.2f} EUR" in words
    assert "Saved against no control there" not in words


def test_feeder_row_equals_plain_recomputation() -> None:
    result = make_result(feeders=2, buses=10)
    schedule, forecast = result["schedule"], result["forecast"]
    rows = {
        tr.words.split()[0]: tr.words.split() for tr in Page(render(result)).all("tr") if tr.words.startswith("area-")
    }
    meter_bus = dict(zip(result["prosumer/meter"]["meter"].values, result["prosumer/meter"]["bus"].values, strict=True))
    for feeder in (0, 1):
        prefix = f"f{feeder}b".encode()
        own = [b for b in result["electric/bus"]["bus"].values if b.startswith(prefix)]
        pv = result["prosumer/pv"]
        here = [p for p, m in zip(pv["pv"].values, pv["meter"].values, strict=True) if meter_bus[m].startswith(prefix)]
        available, curtailed = (float(a.sel(pv=here).sum()) for a in (forecast["p_available"], schedule["p_curtailed"]))
        row = rows[f"area-{feeder}"]
        v = schedule["v_pu"].sel(bus=own)
        assert f"{float(v.max()):.3f}" in row
        assert f"{float(v.min()):.3f}" in row
        assert f"{100 * curtailed / available:.1f}" in row
        assert str(len(here)) in row


def test_a_thousand_feeders_stay_below_two_megabytes() -> None:
    text = render(make_result(feeders=1000, buses=14, steps=24, prefix="feeder-with-a-name-"))
    assert len(text.encode()) <= 2_000_000
    assert "970 more feeders" in text
    assert text.count("<circle") >= 2000


def test_map_has_every_line_once() -> None:
    result = make_result(feeders=3, buses=30, steps=4)
    text = render(result)
    town = text[text.index('class="town"') : text.index("Without control")]
    drawn = sum(p.count("M") for p in re.findall(r'<path class="rank-?\d" d="([^"]+)"', town.split("</svg>")[0]))
    branches = result["electric/line"].sizes["line"] + result["electric/transformer"].sizes["transformer"]
    assert drawn == branches
    assert town.count("<rect") == 3


def test_without_places_trees_are_drawn() -> None:
    text = render(make_result(feeders=3, buses=12, steps=4, places=False))
    assert "The file gives no places" in text
    assert text.count("<rect") == 6


def test_unmet_limits_are_explained() -> None:
    row = {
        "feeder": "area-0", "kind": "bus", "element": "f0b7", "limit": "v_max", "hours": ["12:00", "12:15"],
        "hours_total": 0.5, "text": "What would do, in words.", "amount": 0.0123, "unit": "pu",
        "least_relaxation": 0.0101,
    }  # fmt: skip
    words = Page(render(make_result(feeders=1, steps=4, status="limits_unmet", unmet=[row]))).words
    assert "Not every limit can be held: 1 limit unmet." in words
    assert "What would do, in words." in words
    assert "bus f0b7 0.0123 pu 0.0101 pu upper voltage 0.5 h: 12:00 and 1 more area-0" in words


def test_many_unmet_limits_are_cut_with_a_count() -> None:
    text = render(make_result(feeders=1, steps=4, unmet=[{"element": f"e{k}"} for k in range(2500)]))
    assert "2,300 more stand in the result" in text
    assert len(text) < 400_000


def test_limits_beyond_their_value_are_said_first() -> None:
    result = make_result(steps=8)
    result["schedule"]["v_pu"][4, 2] = 1.12
    words = Page(render(result)).words
    assert "1 element beyond a limit by AC power flow." in words
    assert "All limits hold" not in words


def test_missing_voltages_are_not_called_fine() -> None:
    result = make_result(steps=8)
    result["schedule"]["v_pu"][:, 2] = np.nan
    words = Page(render(result)).words
    assert "The AC power flow has no answer in 1 step." in words
    result["schedule"]["v_pu"][:] = np.nan
    assert "no answer in 8 steps" in Page(render(result)).words


@pytest.mark.parametrize(
    "settings",
    [
        {"feeders": 1, "buses": 1, "steps": 1},
        {"feeders": 1, "buses": 2, "steps": 1},
        {"feeders": 2, "buses": 5, "steps": 3, "pv": False},
        {"feeders": 2, "buses": 5, "steps": 3, "batteries": False},
        {"feeders": 1, "buses": 5, "steps": 1500},
        {"feeders": 2, "buses": 5, "steps": 3, "title": "ü" * 3000, "prefix": "Straße 東京 🏡 "},
        {"feeders": 1, "buses": 5, "steps": 4, "title": ""},
    ],
)
def test_small_and_strange_results_have_a_page(settings: dict[str, object]) -> None:
    read = Page(render(make_result(**settings)))
    assert read.faults == []
    assert "nan" not in re.split(r"\W+", read.words.lower())
    assert "All limits hold" in read.words


def test_a_case_without_result_has_a_page() -> None:
    result = make_result(steps=4)
    for group in ("schedule", "price", "offset", "certificate"):
        del result[group]
    words = Page(render(result)).words
    assert "The schedule is not complete." in words


def test_nothing_at_all_has_a_page() -> None:
    import xarray as xr

    assert "The case has no feeder." in Page(render(xr.DataTree())).words


def test_a_limit_with_a_price_has_its_average() -> None:
    result = make_result(feeders=1, steps=8)
    price = result["price"]["price_transformer"]
    price[:] = 0.0
    price[0, 2:6] = [0.1, 0.2, 0.3, 0.4]
    result["price"]["price_v_max"][:] = 0.0
    words = " ".join(Page(render(result)).words.split())
    row = next(tr.words for tr in Page(render(result)).all("tr") if tr.words.startswith("transformer trafo-0 rating"))
    assert " 0.2500 0.4000 " in row
    # One percent more of 400 kVA over four quarters of an hour.
    assert row.endswith(f"{4 * 0.25 * (0.1 + 0.2 + 0.3 + 0.4):.2f}")
    assert "No limit has a price" not in words
