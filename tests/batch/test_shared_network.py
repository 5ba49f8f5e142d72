"""A network above feeders, in whole nights: limits kept by AC, the same as one tree, told, and mistakes found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tiny import STEPS, TIME, Here, files_of, tiny_case, write_utility

from dispatch.batch.results import open_results
from dispatch.batch.run_batch import run_batch
from dispatch.batch.status import status_of
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.schema import build_case, columns
from dispatch.case.shared import read_shared
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.run.optimize import optimize
from dispatch.verify.electric import ac_flow

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

pytestmark = pytest.mark.usefixtures("one_group_a_case")

QUIET = {"workers": 1, "report": False}
BUSES = ("a", "b", "c")
V_MAX = 1.0235
FILE = '[[network]]\nid = "north"\ncase = "mv/north.nc"\n[network.feeders]\n'
HUNG = '"a" = "case0000/*"\n"b" = "case0001/f0"\n"c" = ["case0002/*"]\n'


def tables(v_max_pu: float = V_MAX, v_min_pu: float = 0.9, s_nom: float = 500.0, v_pu: float = 1.02) -> dict[str, Any]:
    """Tables of a source and three buses behind it in a row, where feeders hang."""
    return {
        "bus": {"id": ["s", *BUSES], "v_nom": 10.0, "v_max_pu": v_max_pu, "v_min_pu": v_min_pu},
        "source": {"id": ["hv"], "bus": ["s"], "v_pu": v_pu},
        "line": {
            "id": ["sa", "ab", "bc"], "bus_from": ["s", "a", "b"], "bus_to": [*BUSES], "r": 8.0, "x": 6.0,
            "s_nom": s_nom,
        },
    }  # fmt: skip


def place(folder: Path, network: xr.DataTree, hung: str = HUNG) -> Path:
    """Put a network above the feeders of a utility."""
    (folder / "mv").mkdir(exist_ok=True)
    save_case(network, folder / "mv" / "north.nc")
    (folder / "shared.toml").write_text(FILE + hung)
    return folder


def exchanged(results: Path) -> np.ndarray:
    """What each feeder takes by AC power flow, (2, feeder, step): its only line leaves its source. [kW, kvar]"""
    found = open_results(results)
    p = found["schedule"]["p_line"].to_numpy()
    q = np.array([0.1 * 3 * np.ones(STEPS)] * len(p))  # three houses, 0.1 kvar each; the line's own is left out
    return np.array([p, q])


@pytest.fixture(scope="module")
def utility(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_utility(tmp_path_factory.mktemp("above") / "u", 3, houses=3)
    return place(folder, build_case(tables()))


@pytest.fixture(scope="module")
def night(utility: Path) -> Path:
    run_batch(utility, utility.parent / "r", executor=Here(), workers=1, report=True)
    return utility.parent / "r"


def test_voltages_are_kept_by_ac_and_no_room_is_wasted(night: Path, utility: Path) -> None:
    status = status_of(night)
    assert status.status == "optimal"
    p, q = exchanged(night)
    injected = np.zeros((2, 4, STEPS))
    injected[:, 1:] = -p, -q
    v = ac_flow(load_case(utility / "mv" / "north.nc"), *injected).v_pu
    assert v.max() <= V_MAX + 1e-3
    assert v[3].min() >= V_MAX - 2e-3  # the last bus is at its limit all day
    assert status.shared is not None
    (told,) = status.shared["limits"]
    np.testing.assert_allclose(told["v_max_pu"], v[1:].max(axis=0), atol=2e-5)
    assert [b["limit"] for b in told["binding"]] == ["v_max_pu of bus c"]
    assert all(price < 0 for price in told["price"])  # of energy taken: it is worth something there


def test_it_is_the_same_as_feeders_and_network_as_one_tree(tmp_path: Path) -> None:
    names, folder = [f"f{k}" for k in range(3)], tmp_path / "u"
    folder.mkdir()
    parts = [tiny_case(houses=3, pv_kw=3.0 + k / 10, bus={"v_nom": 10.0}) for k in range(3)]
    for k, part in enumerate(parts):
        save_case(part, folder / f"case{k:04d}.nc")
    place(folder, build_case(tables()))
    status = run_batch(folder, tmp_path / "r", executor=Here(), **QUIET)
    assert status.shared is not None

    one = tables()
    for kind in ("prosumer", "meter", "load", "pv", "store"):
        found = [{n: v for n, v in columns(p, kind).items() if n not in {"time", "time_step"}} for p in parts]
        one[kind] = {n: np.concatenate([_of(f[n], k) for k, f in enumerate(found)]) for n in found[0]}
    one["bus"]["id"] += [f"{n}e" for n in names]
    one["line"]["id"] += names
    one["line"]["bus_from"] += list(BUSES)
    one["line"]["bus_to"] += [f"{n}e" for n in names]
    one["line"] |= {"r": [8.0] * 3 + [0.1] * 3, "x": [6.0] * 3 + [0.05] * 3, "s_nom": [500.0] * 3 + [60.0] * 3}
    one["tariff"] = {"id": ["home"], "price_import": [0.3], "price_export": [0.08]}
    series = [p["/forecast"] for p in parts]
    one["forecast"] = {
        "time": TIME, "source": "profile",
        **{n: np.concatenate([s[n].to_numpy() for s in series]) for n in ("p_load", "q_load", "p_available")},
        **{n: series[0][n].to_numpy() for n in ("price_import", "price_export")},
    }  # fmt: skip
    whole = optimize(build_case(one))
    best = float(whole["/certificate"]["objective"].sum())
    # Feeders' ends are within a hundredth of a pu per cent of their buses: only losses are told otherwise.
    assert status.shared["objective"] == pytest.approx(best, rel=2e-3)


def _of(values: np.ndarray, k: int) -> np.ndarray:
    """Give ids of a part a number of its own."""
    if values.dtype.kind != "S":
        return values
    return np.char.replace(values, b"f0", f"f{k}".encode())


def test_ratings_are_kept(tmp_path: Path) -> None:
    folder = write_utility(tmp_path / "u", 3, houses=3)
    place(folder, build_case(tables(v_max_pu=1.1, s_nom=20.0)))
    status = run_batch(folder, tmp_path / "r", executor=Here(), **QUIET)
    assert status.status == "optimal"
    p, q = exchanged(tmp_path / "r")
    injected = np.zeros((2, 4, STEPS))
    injected[:, 1:] = -p, -q
    loading = ac_flow(load_case(folder / "mv" / "north.nc"), *injected).loading_pu
    assert 0.98 <= loading.max() <= 1.005
    assert status.shared is not None
    assert status.shared["limits"][0]["binding"][0]["limit"] == "rating of sa"


def test_loads_of_the_network_count(tmp_path: Path) -> None:
    folder = write_utility(tmp_path / "u", 3, houses=3)
    own = tables() | {
        "prosumer": {"id": ["mill"]}, "tariff": {"id": ["any"], "price_import": [0.3], "price_export": [0.1]},
        "meter": {"id": ["mill"], "bus": ["c"], "prosumer": ["mill"], "tariff": ["any"]},
        "load": {"id": ["mill"], "meter": ["mill"], "p_nom": [30.0]},
    }  # fmt: skip
    place(folder, build_case(own))
    constant = run_batch(folder, tmp_path / "constant", executor=Here(), **QUIET).shared
    assert constant is not None
    assert constant["rounds"] == 1  # what the mill takes leaves room for all
    own["forecast"] = {
        "time": TIME, "source": "profile", "p_load": [[30.0, 0.0, 30.0, 30.0]],
        "price_import": [np.full(STEPS, 0.3)], "price_export": [np.full(STEPS, 0.1)],
    }  # fmt: skip
    place(folder, build_case(own))
    by_step = run_batch(folder, tmp_path / "forecast", executor=Here(), **QUIET).shared
    assert by_step is not None
    assert np.nonzero(by_step["limits"][0]["price"])[0].tolist() == [1]  # when the mill stands still
    own["forecast"]["time"] = TIME + np.timedelta64(1, "D")
    place(folder, build_case(own))
    with pytest.raises(InputError, match="without a forecast of its loads"):
        run_batch(folder, tmp_path / "late", executor=Here(), **QUIET)


def test_an_unavoidable_violation_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "u"
    folder.mkdir()
    for k in range(3):
        store = {"energy_nom": 1e-6, "p_nom": 1e-6, "wear_cost": 0.01 * k}
        save_case(tiny_case(houses=2, pv_kw=0.0, store=store), folder / f"case{k:04d}.nc")
    place(folder, build_case(tables(v_max_pu=1.1, v_min_pu=1.022)))
    status = run_batch(folder, tmp_path / "r", executor=Here(), workers=1)
    assert status.status == "limits_unmet"
    assert status.shared is not None
    (told,) = status.shared["limits"]
    # Three times 1 kW over 8, 16 and 24 ohm at 10 kV, 0.2 kvar each beside, and nothing of it can move.
    drop = (48 * 1.0 + 36 * 0.2) / 1e5
    below = 1.022 - np.sqrt(1.02**2 - 2 * drop)
    assert [u["limit"] for u in told["unmet"]] == ["v_min_pu of bus c"] * STEPS
    assert [u["pu"] for u in told["unmet"]] == pytest.approx([below] * STEPS, abs=3e-5)
    main(["batch", "status", str(tmp_path / "r")])
    assert "kW beyond v_min_pu of bus c" in capsys.readouterr().out


def test_two_workers_give_the_same_bytes_and_a_change_of_the_network_runs_all_again(
    night: Path, utility: Path, tmp_path: Path
) -> None:
    run_batch(utility, tmp_path / "r", workers=2, report=False)
    assert files_of(tmp_path / "r") == files_of(night)
    before = {f.name for f in (night / "groups").glob("*.nc")}
    try:
        place(utility, build_case(tables(v_max_pu=1.024)))
        run_batch(utility, tmp_path / "r", executor=Here(), resume=True, **QUIET)
    finally:
        place(utility, build_case(tables()))
    after = {f.name for f in (tmp_path / "r" / "groups").glob("*.nc")}
    assert not before & after


def test_a_feeder_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    folder = write_utility(tmp_path / "u", 3, houses=3)
    place(folder, build_case(tables()))
    (folder / "case0001.nc").write_bytes((folder / "case0001.nc").read_bytes()[:2000])
    status = run_batch(folder, tmp_path / "r", executor=Here(), **QUIET)
    assert {row["name"].partition("/")[0]: row["status"] for row in status.rows} == {
        "case0000": "optimal", "case0001": "invalid", "case0002": "optimal",
    }  # fmt: skip
    assert status.shared is not None
    assert status.shared["limits"][0]["feeders"] == 2
    assert max(status.shared["limits"][0]["v_max_pu"]) <= V_MAX + 1e-3


def test_status_and_page_tell_of_it(night: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["batch", "status", str(night)])
    said = capsys.readouterr().out
    assert "north: 3 feeders, loaded up to" in said
    assert "priced: v_max_pu of bus c (4 steps)" in said
    page = (night / "report.html").read_text()
    assert "v_max_pu of bus c (4 steps)" in page
    assert "Voltage, pu" in page


def test_every_mistake_is_found_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place(write_utility(tmp_path / "u", 3), build_case(tables()))
    off = tables()
    off["line"]["in_service"] = [True, True, False]
    save_case(build_case(off), folder / "mv" / "off.nc")
    text = '[[network]]\nid = "{0}"\ncase = "{1}"\n[network.feeders]\n{2}\n'
    entries = [
        ("none", "mv/none.nc", '"a" = "*"'),
        ("own", "case0000.nc", '"a" = "*"'),
        ("unknown", "mv/north.nc", '"aa" = "*"'),
        ("isolated", "mv/off.nc", '"c" = "*"'),
        ("bare", "mv/north.nc", ""),
        ("number", "mv/north.nc", '"a" = 3'),
    ]
    wrong = "".join(text.format(*entry) for entry in entries) + '[[network]]\nid = "more"\npenalty = -1\n'
    (folder / "shared.toml").write_text(wrong)
    with pytest.raises(InputError) as caught:
        read_shared(folder)
    codes = sorted(p.code for p in caught.value.problems)
    assert codes == sorted(
        ["shared-case"] * 3 + ["shared-bus", "isolated-bus"] + ["shared-feeders"] * 3 + ["shared-range"]
    )  # fmt: skip
    assert "mv/off.nc/electric/bus" in str(caught.value)
    (folder / "shared.toml").write_text(FILE + '"a" = "case0000/*"\n"b" = ["case*"]\n"c" = "nobody"\n')
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "shared-twice" in said
    assert "shared-nobody" in said
    off["line"]["r"] = [8.0, 0.0, 8.0]
    off["line"]["x"] = [6.0, 0.0, 6.0]
    (folder / "shared.toml").write_text(FILE + HUNG)
    save_case(build_case(off), folder / "mv" / "north.nc")
    with pytest.raises(InputError, match="ab"):
        read_shared(folder)
