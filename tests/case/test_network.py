from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.case.network import islands, network_of
from dispatch.case.schema import build_case

Edges = list[tuple[int, int, bool]]


def lines(edges: Edges, buses: int, sources: list[int]) -> dict[str, Any]:
    """Return tables of a net of lines of 0.4 kV."""
    names = [f"b{i}" for i in range(buses)]
    tables = {
        "bus": {"id": names, "v_nom": [0.4] * buses},
        "source": {
            "id": [f"s{i}" for i in range(len(sources))],
            "bus": [names[i] for i in sources],
            "v_pu": [1.0 + 0.01 * i for i in range(len(sources))],
        },
        "line": {
            "id": [f"l{i}" for i in range(len(edges))],
            "bus_from": [names[a] for a, _, _ in edges],
            "bus_to": [names[b] for _, b, _ in edges],
            "r": [0.1] * len(edges),
            "x": [0.05] * len(edges),
            "s_nom": [100.0] * len(edges),
            "in_service": [on for _, _, on in edges],
        },
    }
    return {kind: table for kind, table in tables.items() if table["id"]}


def parts(edges: Edges, buses: int) -> list[set[int]]:
    """Return connected parts, by merging sets."""
    found = [{i} for i in range(buses)]
    for a, b, on in edges:
        if on:
            one, other = (next(s for s in found if bus in s) for bus in (a, b))
            if one is not other:
                found.remove(other)
                one |= other
    return found


@st.composite
def graphs(draw: Any) -> tuple[Edges, int, list[int]]:
    """Draw any graph with parallel branches and loops, and one source in some of its parts."""
    buses = draw(st.integers(1, 12))
    bus = st.integers(0, buses - 1)
    pairs = draw(st.lists(st.tuples(bus, bus, st.booleans() | st.just(value=True)), max_size=16))
    edges = [(a, b, on) for a, b, on in pairs if a != b]
    roots = [draw(st.sampled_from(sorted(part))) for part in parts(edges, buses) if draw(st.booleans())]
    return edges, buses, draw(st.permutations(roots))


@settings(deadline=None, max_examples=200)
@given(graphs())
def test_forest_of_any_graph(graph: tuple[Edges, int, list[int]]) -> None:
    edges, buses, sources = graph
    network = network_of(build_case(lines(edges, buses, sources)))
    alive = parts(edges, buses)
    for bus in range(buses):
        part = next(s for s in alive if bus in s)
        holders = [k for k, root in enumerate(sources) if root in part]
        assert network.feeder[bus] == (holders[0] if holders else -1)
    reached = np.nonzero(network.feeder >= 0)[0]
    assert sorted(network.order) == reached.tolist()
    place = {bus: k for k, bus in enumerate(network.order)}
    for bus in reached:
        above, branch = network.parent[bus], network.parent_branch[bus]
        if bus in sources:
            assert (above, branch) == (-1, -1)
        else:
            assert place[above] < place[bus]
            assert {*edges[branch][:2]} == {above, bus}
            assert edges[branch][2]
    # Each feeder is one slice of the order.
    assert (np.diff(network.feeder[network.order]) >= 0).all()
    live = [k for k, (a, _, on) in enumerate(edges) if on and network.feeder[a] >= 0]
    tree = network.parent_branch[network.parent_branch >= 0].tolist()
    assert sorted([*tree, *network.chords]) == live
    assert len(network.chords) == len(live) - len(reached) + len(sources)


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_islands_are_the_connected_parts(graph: tuple[Edges, int, list[int]]) -> None:
    edges, buses, sources = graph
    number = islands(network_of(build_case(lines(edges, buses, sources))))
    found = {frozenset(np.nonzero(number == n)[0].tolist()) for n in set(number)}
    assert found == {frozenset(part) for part in parts(edges, buses)}


def test_parallel_lines_are_one_branch_and_a_chord() -> None:
    network = network_of(build_case(lines([(1, 0, True), (0, 1, True), (0, 1, False)], 2, [0])))
    assert network.parent_branch.tolist() == [-1, 0]
    assert network.chords.tolist() == [1]


def test_second_source_of_an_island_takes_nothing() -> None:
    network = network_of(build_case(lines([(0, 1, True), (1, 2, True)], 3, [0, 2])))
    assert network.feeder.tolist() == [0, 0, 0]
    assert network.source_v_pu.tolist() == [1.0, 1.01]


def test_empty_case_has_an_empty_network() -> None:
    network = network_of(build_case({}))
    assert (network.buses, len(network.order), len(network.chords)) == (0, 0, 0)


def test_impedances_are_per_unit_of_a_kilowatt() -> None:
    tables = lines([(0, 1, True)], 2, [0])
    tables["bus"]["v_nom"] = [20.0, 20.0]
    network = network_of(build_case(tables))
    # 20 kV over 1 kW are 400 kΩ.
    np.testing.assert_allclose([network.r[0], network.x[0]], [0.1 / 400e3, 0.05 / 400e3], rtol=1e-15)


@pytest.mark.parametrize(
    ("side", "position", "ratio"),
    [
        ("from", 0, 21 / 20 * 0.975),
        ("from", 3, 21 / 20 * 1.05),
        ("to", 3, 21 / 20 / 1.05),
        ("from", -1, 21 / 20 * 0.95),
    ],
)
def test_transformer_ratio_and_impedance(side: str, position: int, ratio: float) -> None:
    tables = {
        "bus": {"id": ["hv", "lv"], "v_nom": [20.0, 0.4]},
        "source": {"id": ["s"], "bus": ["hv"]},
        "transformer": {
            "id": ["t"],
            "bus_from": ["hv"],
            "bus_to": ["lv"],
            "s_nom": [250.0],
            "v_nom_from": [21.0],
            "v_nom_to": [0.4],
            "r_pu": [0.01],
            "x_pu": [0.04],
            "tap_side": [side],
            "tap_position": [position],
            "tap_neutral": [1],
            "tap_step_pu": [0.025],
        },
    }
    network = network_of(build_case(tables))
    assert network.ratio[0] == pytest.approx(ratio)
    assert network.r[0] == pytest.approx(0.01 / 250 * (21 / 20) ** 2)
    assert network.x[0] == pytest.approx(0.04 / 250 * (21 / 20) ** 2)
    assert (network.lines, network.branches, network.s_nom[0]) == (0, 1, 250.0)


def test_a_network_is_the_same_until_anything_of_it_differs():
    tables = lines([(0, 1, True), (1, 2, True), (1, 3, False)], 4, [0])
    network = network_of(build_case(tables))
    assert network.same_as(network_of(build_case(tables)))
    for kind, name, values in (
        ("line", "r", [0.1, 0.2, 0.1]),
        ("line", "s_nom", [100.0, 100.0, 90.0]),
        ("line", "in_service", [True, True, True]),
        ("source", "v_pu", [1.01]),
    ):
        other = network_of(build_case({**tables, kind: {**tables[kind], name: values}}))
        assert not network.same_as(other)
