from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_case import small_case, small_tables
from strategies import differences

from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns
from dispatch.case.slices import split_feeders

KINDS = {
    "süd": {
        "bus": ["hv1", "a0", "a1", "a2"],
        "source": ["süd"],
        "line": ["la1", "la2"],
        "transformer": ["ta"],
        "prosumer": ["huber", "maier"],
        "tariff": ["flat"],
        "meter": ["m1", "m2"],
        "load": ["l1", "l2"],
        "pv": ["p1"],
        "inverter": ["i1"],
        "plane": ["e1"],
        "store": ["s1"],
        "profile": ["h0", "sun"],
        "station": ["w"],
    },
    "nord": {
        "bus": ["hv2", "b0", "b1"],
        "source": ["nord"],
        "line": ["lb1"],
        "transformer": ["tb"],
        "prosumer": ["müller"],
        "tariff": ["feed_in"],
        "meter": ["m3"],
        "load": ["l3"],
        "pv": ["p3"],
        "inverter": [],
        "plane": [],
        "store": [],
        "profile": ["sun"],
        "station": ["w"],
    },
}


def test_each_feeder_has_its_own_elements() -> None:
    feeders = split_feeders(small_case())
    assert len(feeders) == 2
    for feeder, expected in zip(feeders, KINDS.values(), strict=True):
        found = {kind: [i.decode() for i in columns(feeder, kind)["id"]] for kind in expected}
        assert found == expected
        assert check_case(feeder) == []
        assert feeder.attrs == small_case().attrs


def test_series_go_with_their_elements() -> None:
    case = small_case()
    feeder = split_feeders(case)[1]
    whole, part = columns(case, "forecast"), columns(feeder, "forecast")
    assert np.array_equal(part["p_load"], whole["p_load"][[2]])
    assert np.array_equal(part["p_available"], whole["p_available"][[1]])
    assert np.array_equal(part["price_export"], whole["price_export"][[1]])
    assert np.array_equal(part["time"], whole["time"])
    assert feeder["forecast"]["load"].to_numpy().tolist() == [b"l3"]


def test_one_feeder_is_the_case_itself() -> None:
    whole = small_case()
    for feeder in split_feeders(whole):
        (again,) = split_feeders(feeder)
        assert differences(again, feeder) == []


def test_isolated_parts_are_in_none() -> None:
    tables = small_tables()
    tables["line"]["in_service"] = [True, False, True]
    feeders = split_feeders(build_case(tables))
    assert [columns(f, "meter")["id"].tolist() for f in feeders] == [[b"m1"], [b"m3"]]
    assert columns(feeders[0], "prosumer")["id"].tolist() == [b"huber"]
    assert columns(feeders[0], "bus")["id"].tolist() == [b"hv1", b"a0", b"a1"]
    assert columns(feeders[0], "line")["id"].tolist() == [b"la1"]
    assert check_case(feeders[0]) == []


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_every_meter_is_in_the_feeder_of_its_bus(chance: object, feeders: int) -> None:
    rng = np.random.default_rng(chance.getrandbits(32))  # type: ignore[attr-defined]
    n = feeders + int(rng.integers(0, 20))
    root = np.arange(n)
    start = [int(rng.integers(0, k)) for k in range(feeders, n)]
    for k, parent in enumerate(start, feeders):
        root[k] = root[parent]
    names = [f"b{k}" for k in range(n)]
    at = rng.integers(0, n, 10)
    many = [0.1] * (n - feeders)
    tables = {
        "bus": {"id": names, "v_nom": [0.4] * n},
        "source": {"id": names[:feeders], "bus": names[:feeders]},
        "line": {"id": names[feeders:], "bus_from": [names[k] for k in start], "bus_to": names[feeders:]}
        | dict.fromkeys(("r", "x", "s_nom"), many),
        "prosumer": {"id": ["p"]},
        "tariff": {"id": ["t"], "price_import": [0.3]},
        "meter": {"id": [f"m{k}" for k in range(10)], "bus": [names[k] for k in at], "prosumer": "p", "tariff": "t"},
    }
    for k, feeder in enumerate(split_feeders(build_case(tables))):
        expected = [f"m{m}".encode() for m in range(10) if root[at[m]] == k]
        assert columns(feeder, "meter")["id"].tolist() == expected
