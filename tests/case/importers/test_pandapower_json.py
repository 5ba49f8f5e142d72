from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from dispatch.case.importers.files import read_text
from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.importers.pandapower_json import read_net
from dispatch.case.schema import columns
from dispatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Tables = dict[str, Any]


def codes(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        import_pandapower(path)
    return [(p.code, p.group) for p in caught.value.problems]


@pytest.mark.parametrize("orient", ["split", "columns"])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("name", ["net.json", "net.json.gz"])
def test_both_orientations_as_text_or_nested_packed_or_not(
    small: Tables, write_net: Callable[..., Path], orient: str, text: bool, name: str
) -> None:
    case, _ = import_pandapower(write_net(small, orient=orient, text=text, name=name))
    assert list(columns(case, "bus")["id"]) == [b"grid", b"station", b"house"]
    assert columns(case, "line")["r"] == pytest.approx([0.0642])


def test_places_in_both_versions(small: Tables, write_net: Callable[..., Path]) -> None:
    small["bus_geodata"] = {"x": [7.85, 7.86, 7.87], "y": [48.41, 48.42, 48.43]}
    assert columns(import_pandapower(write_net(small))[0], "bus")["latitude"] == pytest.approx([48.41, 48.42, 48.43])
    del small["bus_geodata"]
    points = [json.dumps({"type": "Point", "coordinates": [7.85 + k / 100, 48.4]}) for k in range(2)]
    small["bus"]["geo"] = [*points, None]
    found = columns(import_pandapower(write_net(small))[0], "bus")["longitude"]
    assert found[:2] == pytest.approx([7.85, 7.86])
    assert found[2] != found[2]  # NaN


TRAPS: dict[str, Callable[[Tables], Any]] = {
    "class named in a cell": lambda t: t["bus"]["name"].__setitem__(
        0, {"_module": "os", "_class": "system", "_object": "id"}
    ),
    "function as a table": lambda t: t.setdefault("_more", {}).update(
        controller={"_module": "subprocess", "_class": "Popen", "_object": '{"args": "id"}'}
    ),
    "module of a table": lambda t: t.setdefault("_more", {}).update(
        std_types={"_module": "builtins", "_class": "function", "_object": "exec"}
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_class_names_are_never_honoured(trap: str, small: Tables, write_net: Callable[..., Path]) -> None:
    TRAPS[trap](small)
    case, _ = import_pandapower(write_net(small))
    assert len(columns(case, "bus")["id"]) == 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"_object": 3}',
        b'{"_object": {"junction": {}}}',
        b"\x1f\x8b\x08\x00damaged",
        gzip.compress(b"{}" * 100, mtime=0)[:-6],
        b"[" * 200_000,
        b'{"_object": {"bus": ' + b"9" * 5000 + b"}}",
        b"\xff\xfe\x00",
        b"\x89HDF\r\n\x1a\n",
    ],
)
def test_damaged_and_foreign_files_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        import_pandapower(path)
    assert len(str(caught.value)) < 800


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert codes(tmp_path / "absent.json") == [("file", "absent.json")]
    assert codes(tmp_path)[0][0] == "file"
    with pytest.raises(InputError, match=r"absent.json is not there; allowed: a file. Correct the path"):
        read_text(tmp_path / "absent.json")


def test_size_is_limited_on_disk_and_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.json.gz"
    bomb.write_bytes(gzip.compress(b"0" * 1_000_000, mtime=0))
    assert len(read_text(bomb)) == 1_000_000
    for limits in ({"largest_text": 999_999}, {"largest_file": 500}):
        with pytest.raises(InputError) as caught:
            read_text(bomb, **limits)
        assert caught.value.problems[0].code == "size"


@pytest.mark.parametrize(
    "broken",
    [
        {"_class": "DataFrame", "orient": "split", "_object": '{"columns": ["a"], "index": [0], "data": [[1, 2]]}'},
        {
            "_class": "DataFrame",
            "orient": "split",
            "_object": '{"columns": ["a"], "index": [0, 0], "data": [[1], [2]]}',
        },
        {"_class": "DataFrame", "orient": "split", "_object": '{"columns": ["a"], "index": ["x"], "data": [[1]]}'},
        {"_class": "DataFrame", "orient": "split", "_object": '{"columns": ["a"], "index": [1e999], "data": [[1]]}'},
        {"_class": "DataFrame", "orient": "columns", "_object": '{"a": {"0": 1}, "b": {"1": 1}}'},
        {"_class": "DataFrame", "orient": "split", "_object": "[1, 2]"},
        {"_class": "DataFrame", "orient": "split", "_object": "{"},
        {"_class": "DataFrame", "orient": "split"},
        {"_class": "Series", "_object": "{}"},
        7,
    ],
)
def test_damaged_tables_are_reported_together(broken: object, small: Tables, write_net: Callable[..., Path]) -> None:
    del small["load"], small["line"]
    small["_more"] = {"load": broken, "line": broken}
    assert sorted(codes(write_net(small))) == [("table", "line"), ("table", "load")]


def test_only_wanted_tables_are_read(small: Tables, write_net: Callable[..., Path]) -> None:
    file = read_net(write_net(small), ["bus", "load", "motor"])
    assert set(file.frames) == {"bus", "load"}
    assert file.settings["f_hz"] == 50.0


FAULTS: dict[tuple[str, str], tuple[str, str, Any]] = {
    ("missing-column", "vn_kv"): ("bus", "vn_kv", None),
    ("type", "length_km"): ("line", "length_km", ["long"]),
    ("missing-value", "r_ohm_per_km"): ("line", "r_ohm_per_km", [None]),
    ("range", "x_ohm_per_km"): ("line", "x_ohm_per_km", [-0.1]),
    ("unknown-parent", "to_bus"): ("line", "to_bus", [17]),
    ("range", "sn_mva"): ("trafo", "sn_mva", [0.0]),
    ("range", "vk_percent"): ("trafo", "vk_percent", [-6.0]),
    ("type", "in_service"): ("load", "in_service", ["yes"]),
    ("range", "p_mw"): ("load", "p_mw", [float("inf")]),
    ("range", "vm_pu"): ("ext_grid", "vm_pu", [20.0]),
    ("unknown-parent", "bus"): ("ext_grid", "bus", [[0]]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named(fault: tuple[str, str], small: Tables, write_net: Callable[..., Path]) -> None:
    table, column, values = FAULTS[fault]
    small[table].pop(column)
    if values is not None:
        small[table][column] = values
    with pytest.raises(InputError) as caught:
        import_pandapower(write_net(small))
    found = {(p.code, p.variable): p for p in caught.value.problems}
    assert fault in found
    assert found[fault].group == table
    assert found[fault].hint
    assert values is None or found[fault].ids


def test_all_faults_come_in_one_pass(small: Tables, write_net: Callable[..., Path]) -> None:
    for table, column, values in FAULTS.values():
        small[table].pop(column, None)
        if values is not None:
            small[table][column] = values
    with pytest.raises(InputError) as caught:
        import_pandapower(write_net(small))
    assert set(FAULTS) <= {(p.code, p.variable) for p in caught.value.problems}


def test_whole_numbers_as_floats_and_zero_one_flags_count(small: Tables, write_net: Callable[..., Path]) -> None:
    small["load"]["bus"], small["load"]["in_service"] = [2.0], [1]
    case, _ = import_pandapower(write_net(small))
    assert columns(case, "load")["p_nom"] == pytest.approx([4.0])
