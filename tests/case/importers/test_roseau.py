from __future__ import annotations

import copy
import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.case.importers.roseau import import_roseau
from dispatch.case.network import network_of
from dispatch.case.rules import check_case
from dispatch.case.schema import columns, parent_index
from dispatch.errors import InputError
from dispatch.model.linear import linear_flow

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "networks" / "french_mv_lv"
shared = pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared data folder is not beside this checkout")


def matrix(own: float, mutual: float, size: int = 4) -> list[list[float]]:
    return [[own if i == j else mutual for j in range(size)] for i in range(size)]


NET: dict[str, Any] = {
    "version": 5,
    "is_multiphase": True,
    "grounds": [{"id": "gnd"}],
    "potential_refs": [{"id": "pref", "ground": "gnd"}],
    "buses": [
        {
            "id": name, "phases": "abcn", "nominal_voltage": volt, "min_voltage_level": 0.92, "max_voltage_level": 1.08,
            "geometry": {"type": "Point", "coordinates": [2.0, 48.0 + k / 100]},
        }
        for k, (name, volt) in enumerate([("mv", 20000.0), ("station", 400.0), ("house", 400.0)])
    ],
    "lines": [
        {"id": "cable", "bus1": "station", "bus2": "house", "length": 0.2, "params_id": "al", "max_loading": 0.9}
    ],
    "transformers": [
        {"id": "t", "bus_hv": "mv", "bus_lv": "station", "params_id": "t250", "tap": 1.025, "max_loading": 1.1}
    ],
    "switches": [],
    "loads": [
        {"id": "home", "bus": "house", "phases": "abcn", "type": "power", "powers": [[1000.0, 300.0]] * 3},
        {"id": "idle", "bus": "house", "phases": "abcn", "type": "power", "powers": [[0.0, 0.0]] * 3},
        {"id": "roof", "bus": "station", "phases": "abc", "type": "power", "powers": [[-2000.0, 100.0]] * 3},
    ],
    "sources": [
        {
            "id": "grid", "bus": "mv", "phases": "abcn",
            "voltages": [[11777.945, 0.0], [-5888.973, -10200.0], [-5888.973, 10200.0]],
        }
    ],
    "lines_params": [
        {
            "id": "al", "z_line": [matrix(0.5, 0.1), matrix(0.4, 0.3)], "y_shunt": [matrix(0, 0), matrix(3e-5, -1e-6)],
            "ampacities": [200.0, 180.0, 190.0, 90.0],
        }
    ],
    "transformers_params": [
        {
            "id": "t250", "vg": "Dyn11", "sn": 250000, "uhv": 20000, "ulv": 400, "z2": [0.00832, 0.02421], "p0": 650,
            "i0": 0.021,
        }
    ],
    "ground_connections": [],
}  # fmt: skip


def imported(net: dict[str, Any], folder: Path) -> Any:
    path = folder / "net.json"
    path.write_text(json.dumps(net))
    return import_roseau(path)


def test_every_element_in_units_of_the_case(tmp_path) -> None:
    case, notes = imported(NET, tmp_path)
    line, transformer, bus = (columns(case, k) for k in ("line", "transformer", "bus"))
    # Positive sequence: own less mutual; ampacity of the weakest phase, at the line's own largest loading.
    assert line["r"][0] == pytest.approx(0.2 * 0.4)
    assert line["x"][0] == pytest.approx(0.2 * 0.1)
    assert line["b"][0] == pytest.approx(0.2 * 3.1e-5)
    assert line["s_nom"][0] == pytest.approx(np.sqrt(3) * 0.4 * 180 * 0.9)
    assert transformer["s_nom"][0] == pytest.approx(275)
    assert transformer["v_nom_to"][0] == pytest.approx(0.41)
    # The same ohms on the low-voltage side, whatever the tap and the rating: r_pu is of s_nom and v_nom_to.
    assert transformer["r_pu"][0] * 1e3 * 0.41**2 / 275 == pytest.approx(0.00832)
    assert transformer["x_pu"][0] * 1e3 * 0.41**2 / 275 == pytest.approx(0.02421)
    assert transformer["phase_shift"][0] == 330
    assert transformer["p_no_load"][0] == pytest.approx(0.65)
    assert transformer["i_no_load_pu"][0] * 275 == pytest.approx(0.021 * 250)
    assert columns(case, "source")["v_pu"][0] == pytest.approx(1.02, abs=1e-6)
    assert bus["v_min_pu"].tolist() == [0.92] * 3
    assert columns(case, "load")["id"].tolist() == [b"home"]
    assert columns(case, "load")["p_nom"][0] == pytest.approx(3.0)
    assert columns(case, "pv")["p_nom"][0] == pytest.approx(6.0)
    assert columns(case, "pv")["q_nom"][0] == pytest.approx(-0.3)
    assert any("1 without power" in n for n in notes)
    assert {p.code for p in check_case(case)} <= {"no-series"}


def broken(change: str) -> dict[str, Any]:
    net = copy.deepcopy(NET)
    if change == "single line":
        net["is_multiphase"] = False
    elif change == "impedance load":
        net["loads"][0]["type"] = "impedance"
    elif change == "one phase":
        net["loads"][0]["phases"] = "an"
    elif change == "single-phase transformer":
        net["transformers_params"][0]["vg"] = "Ii0"
    elif change == "unknown bus":
        net["lines"][0]["bus2"] = "nowhere"
    elif change == "no impedance":
        net["lines"][0]["length"] = 0.0
    elif change == "two voltages":
        net["lines"][0]["bus1"] = "mv"
    elif change == "dead source":
        net["sources"][0]["voltages"] = [[1.0, 0.0]] * 3
    elif change == "twice":
        net["buses"].append(net["buses"][0])
    elif change == "kilovolts for volts":
        net["transformers_params"][0]["uhv"] = 20
    elif change == "something else":
        net["flexible_loads"] = [{}]
    return net


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("single line", "unsupported"),
        ("impedance load", "unsupported"),
        ("one phase", "unsupported"),
        ("single-phase transformer", "unsupported"),
        ("unknown bus", "unknown-parent"),
        ("no impedance", "zero-impedance"),
        ("two voltages", "voltage"),
        ("dead source", "range"),
        ("twice", "duplicate-id"),
        ("kilovolts for volts", "rated-voltage"),
        ("something else", "unsupported"),
    ],
)
def test_what_cannot_be_handled_is_refused(change, code, tmp_path) -> None:
    with pytest.raises(InputError) as caught:
        imported(broken(change), tmp_path)
    assert code in {p.code for p in caught.value.problems}
    assert all(p.hint for p in caught.value.problems)


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 5), st.floats(), st.text(max_size=4), st.just(10**400),
    st.lists(st.floats(), max_size=4), st.just({"a": 1}), st.just([[[1, 2], [3]], 4]),
)  # fmt: skip
PLACES = st.sampled_from(
    [(s, k, key) for s, rows in NET.items() if isinstance(rows, list) for k, e in enumerate(rows) for key in e]
    + [(s, 0, "") for s in NET]
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(PLACES, CELLS), min_size=1, max_size=3))
def test_any_value_gives_a_case_or_an_input_error(changes) -> None:
    net = copy.deepcopy(NET)
    for (section, row, key), value in changes:
        if not key:
            net[section] = value
        elif isinstance(net[section], list) and len(net[section]) > row and isinstance(net[section][row], dict):
            net[section][row][key] = value
    with tempfile.TemporaryDirectory() as folder:
        case, refused = None, None
        try:
            case, _ = imported(net, Path(folder))
        except InputError as error:
            refused = error
    if case is not None:
        assert {p.code for p in check_case(case)} <= {"no-series"}
    else:
        assert refused.problems
        assert all(p.hint for p in refused.problems)


def by_hand(path: Path) -> tuple[list[str], np.ndarray]:
    """Linear voltages of a French feeder, branch by branch from the file itself, loads at their power."""
    d = json.loads(gzip.decompress(path.read_bytes()))
    lines, transformers = ({p["id"]: p for p in d[f"{k}_params"]} for k in ("lines", "transformers"))

    def z1(p: dict[str, Any]) -> complex:
        z = (np.array(p["z_line"][0]) + 1j * np.array(p["z_line"][1]))[:3, :3]
        return z.diagonal().mean() - (z.sum() - z.trace()) / 6

    edges: dict[str, list[tuple[str, complex]]] = {b["id"]: [] for b in d["buses"]}
    for e in d["lines"]:
        z = z1(lines[e["params_id"]]) * e["length"]
        volt = next(b["nominal_voltage"] for b in d["buses"] if b["id"] == e["bus1"])
        edges[e["bus1"]].append((e["bus2"], z / volt**2))
        edges[e["bus2"]].append((e["bus1"], z / volt**2))
    for e in d["transformers"]:
        p = transformers[e["params_id"]]
        edges[e["bus_hv"]].append((e["bus_lv"], complex(*p["z2"]) / p["ulv"] ** 2))
    power = {b: sum(complex(*x) for e in d["loads"] if e["bus"] == b for x in e["powers"]) for b in edges}
    root = d["sources"][0]["bus"]
    order, before = [root], {root: (root, 0j)}
    for bus in order:
        for other, z in edges[bus]:
            if other not in before:
                before[other] = (bus, z)
                order.append(other)
    below = dict(power)
    for bus in reversed(order[1:]):
        below[before[bus][0]] += below[bus]
    squared = {root: 1.02**2}
    for bus in order[1:]:
        parent, z = before[bus]
        squared[bus] = squared[parent] - 2 * (z * below[bus].conjugate()).real
    return order, np.sqrt([squared[b] for b in order])


@shared
@pytest.mark.parametrize("name", ["28_MVFeeder0757", "44_MVFeeder2707", "75_MVFeeder0423"])
def test_linear_voltages_of_french_feeders_follow_from_the_file_itself(name) -> None:
    path = FOLDER / f"{name}.json.gz"
    case, _ = import_roseau(path)
    network, load = network_of(case), columns(case, "load")
    p, q = np.zeros((network.buses, 1)), np.zeros((network.buses, 1))
    at = parent_index(case, "meter", "bus")[parent_index(case, "load", "meter")]
    np.subtract.at(p[:, 0], at, load["p_nom"])
    np.subtract.at(q[:, 0], at, load["q_nom"])
    ours = dict(zip(columns(case, "bus")["id"], np.sqrt(linear_flow(network, p, q).v_squared[:, 0]), strict=True))
    names, expected = by_hand(path)
    np.testing.assert_allclose([ours[n.encode()] for n in names], expected, atol=1e-6)
