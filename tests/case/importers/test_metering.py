from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.case.importers.metering import Tariff, draw_meters
from dispatch.case.importers.naming import LONGEST, clean, house_of, unique_ids

Element = tuple[str, str, str, int]  # kind, id, what, bus


def meters(*elements: Element) -> dict[str, str]:
    """Meter of each element by its id."""
    tables = {"bus": {"id": np.array(["b0", "b1", "b2"], object)}}
    for kind in ("load", "pv", "store"):
        own = [e for e in elements if e[0] == kind]
        if own:
            tables[kind] = {"id": np.array([e[1] for e in own], object), "bus": np.array([e[3] for e in own])}
            if kind != "store":
                tables[kind]["kind"] = np.array([e[2] for e in own], object)
    out = draw_meters(tables, Tariff())
    assert list(out["meter"]["id"]) == list(out["prosumer"]["id"])
    assert len(set(out["meter"]["id"])) == len(out["meter"]["id"])
    found = {}
    for kind in ("load", "pv", "store"):
        if kind in out:
            assert "bus" not in out[kind]
            found |= dict(zip(out[kind]["id"], out[kind]["meter"], strict=True))
    at = dict(zip(out["meter"]["id"], out["meter"]["bus"], strict=True))
    assert all(at[found[e[1]]] == e[3] for e in elements)
    return found


def test_one_household_a_bus_is_one_meter() -> None:
    found = meters(
        ("load", "a", "household", 0), ("load", "h", "heat_pump", 0), ("pv", "p", "pv", 0), ("store", "s", "", 0)
    )
    assert set(found.values()) == {"a"}


def test_buses_do_not_mix() -> None:
    assert meters(("load", "a", "other", 0), ("load", "b", "other", 1)) == {"a": "a", "b": "b"}


def test_several_households_at_a_bus_have_meters_of_their_own() -> None:
    found = meters(
        ("load", "a", "household", 0),
        ("load", "b", "commercial", 0),
        ("pv", "p1", "pv", 0),
        ("pv", "p2", "pv", 0),
        ("pv", "p3", "pv", 0),
        ("store", "s1", "", 0),
    )
    assert found == {"a": "a", "b": "b", "p1": "a", "p2": "b", "p3": "p3", "s1": "a"}


def test_names_of_houses_come_before_the_order() -> None:
    found = meters(
        ("load", "HH_x", "household", 0),
        ("load", "HH_y", "household", 0),
        ("pv", "PV_y", "pv", 0),
        ("pv", "PV_x", "pv", 0),
    )
    assert found == {"HH_x": "x", "HH_y": "y", "PV_y": "y", "PV_x": "x"}


@pytest.mark.parametrize("what", ["wind", "hydro", "biomass"])
def test_plants_beside_a_load_have_a_meter_of_their_own(what: str) -> None:
    assert meters(("load", "a", "other", 0), ("pv", "p", what, 0)) == {"a": "a", "p": "p"}
    assert meters(("pv", "p", what, 0), ("store", "s", "", 0)) == {"p": "p", "s": "p"}


def test_generation_alone_is_a_prosumer_too() -> None:
    assert meters(("pv", "p", "pv", 1)) == {"p": "p"}


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["load", "pv", "store"]),
            st.sampled_from(["household", "heat_pump", "other", "pv", "wind"]),
            st.integers(0, 2),
            st.sampled_from(["", "HH_", "PV_"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_everyone_has_one_meter_at_their_own_bus(drawn: list[tuple[str, str, int, str]]) -> None:
    elements = [(kind, f"{start}{k % 4}{kind}", what, bus) for k, (kind, what, bus, start) in enumerate(drawn)]
    unique = {e[:2]: e for e in elements}
    found = meters(*({e[1]: e for e in unique.values()}).values())
    assert all(found.values())


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.none(), st.integers(), st.sampled_from(["a", "bus_1", "bus_1_", "", " a "]), st.text())))
def test_ids_are_unique_readable_and_keep_names_of_their_own(names: list[object]) -> None:
    ids = list(unique_ids(names, "bus", range(len(names))))
    assert len(set(ids)) == len(names)
    counts = Counter(clean(n) for n in names)
    for name, own in zip(names, ids, strict=True):
        text = clean(name)
        assert own.isprintable() or text == own
        assert 0 < len(own.encode("utf-8")) <= LONGEST + 10
        if text and counts[text] == 1:
            assert own == text
        else:
            assert own.startswith("bus_")


@pytest.mark.parametrize(
    ("name", "house"), [("HH_w1", "w1"), ("PV_a_b", "a_b"), ("Load 3", ""), ("x_1", ""), ("HH_", "")]
)
def test_house_names(name: str, house: str) -> None:
    assert house_of(name) == house


def test_names_without_what_harms() -> None:
    assert clean("a\x00b\ud800\n") == "a b"
    assert clean("x" * 81) == ""
    assert clean(7) == ""
    assert clean("Straße 5") == "Straße 5"
