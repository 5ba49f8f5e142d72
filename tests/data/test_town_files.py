"""The embedded cases: found wherever the project is installed, what README.md says of them, and how they were made."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dispatch.case import embedded
from dispatch.case.netcdf import load_case
from dispatch.case.rules import check_case
from dispatch.case.schema import columns, parent_index
from dispatch.errors import InputError
from dispatch.forecast.profile import predict
from dispatch.model.baseline import no_battery, self_use
from dispatch.verify.electric import ac_flow, injections

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
README = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
SEASONS = ("summer", "winter")
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not beside this checkout")


@pytest.fixture(scope="module")
def towns() -> dict[str, xr.DataTree]:
    return {season: load_case(embedded.embedded_path(f"schutterwald_{season}")) for season in SEASONS}


@pytest.mark.parametrize("season", SEASONS)
def test_digest_in_readme(season: str) -> None:
    path = ROOT / "data" / f"schutterwald_{season}.nc"
    assert f"`{path.name}` " in README
    assert f"`{hashlib.sha256(path.read_bytes()).hexdigest()}`" in README
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("layout", ["wheel", "checkout"])
def test_lookup_in_each_layout(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "dispatch"
    folder = package / "_data" if layout == "wheel" else tmp_path / "data"
    package.mkdir()
    folder.mkdir()
    (folder / "here.nc").touch()
    monkeypatch.setattr(embedded, "PACKAGE", package)
    assert embedded.embedded_names() == ["here"]
    assert embedded.embedded_path("here") == folder / "here.nc"


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(InputError, match="schutterwald_summer, schutterwald_winter"):
        embedded.embedded_path("atlantis")
    with pytest.raises(InputError):
        embedded.embedded_path("../data/schutterwald_summer")


@pytest.mark.parametrize("season", SEASONS)
def test_town_is_valid_and_complete(season: str, towns: dict[str, xr.DataTree]) -> None:
    town = towns[season]
    assert not check_case(town)
    count = {kind: len(columns(town, kind)["id"]) for kind in ("source", "transformer", "bus", "line", "prosumer")}
    assert count == {"source": 14, "transformer": 14, "bus": 2940, "line": 3000, "prosumer": 1506}
    rating = columns(town, "transformer")["s_nom"].sum()
    assert 7200 < rating < 7400
    time = columns(town, "profile")["time"]
    local = pd.DatetimeIndex(time[[0, -1]]).tz_localize("UTC").tz_convert("Europe/Berlin")
    assert len(time) == 7 * 96
    assert [str(t.time()) for t in local] == ["00:00:00", "23:45:00"]
    assert town["/profile"]["p_pu"].dtype == np.float32
    weather = columns(town, "station")
    assert weather["time"][0] == time[0]
    assert weather["temp_air"].shape == (1, 168)
    assert np.isfinite(weather["temp_air"]).all()


def test_same_houses_in_both_seasons(towns: dict[str, xr.DataTree]) -> None:
    for kind in ("bus", "prosumer", "meter", "load", "pv", "plane", "store", "tariff"):
        one, two = (columns(towns[season], kind) for season in SEASONS)
        assert all(np.array_equal(one[name], two[name], equal_nan=one[name].dtype.kind == "f") for name in one), kind
    summer, winter = (columns(towns[season], "station")["temp_air"].mean() for season in SEASONS)
    assert winter < 10 < summer


def excess(town: xr.DataTree, p_import: np.ndarray, p_export: np.ndarray) -> tuple[int, int, int]:
    """Transformers and lines above rating, buses above their upper limit; and none below the lower one."""
    state = ac_flow(town, *injections(town, p_import, p_export))
    over, lines = state.loading_pu.max(axis=1) > 1, len(columns(town, "line")["id"])
    bus = columns(town, "bus")
    high = (state.v_pu > bus["v_max_pu"][:, None]).any(axis=1)
    assert (state.v_pu >= bus["v_min_pu"][:, None]).all()
    return int(over[lines:].sum()), int(over[:lines].sum()), int(high.sum())


def test_first_summer_day_without_control_is_what_readme_says(towns: dict[str, xr.DataTree]) -> None:
    town = predict(towns["summer"])
    plan = self_use(town)
    said = re.search(r"first day alone: .*?\| (\d+), (\d+), (\d+) \|", README)
    assert said is not None
    found = excess(town, plan.p_import, plan.p_export)
    assert found == tuple(int(n) for n in said.groups())
    assert min(found) > 0


@pytest.mark.parametrize("season", SEASONS)
def test_loads_alone_hold_all_limits(season: str, towns: dict[str, xr.DataTree]) -> None:
    town = predict(towns[season], horizon_h=168)
    demand = np.zeros((len(columns(town, "meter")["id"]), 672))
    np.add.at(demand, parent_index(town, "load", "meter"), columns(town, "forecast")["p_load"].astype(float))
    tank = np.nonzero(columns(town, "store")["kind"] == b"tank")[0]
    pumps = no_battery(town).p_charge[tank]
    assert pumps.any()
    np.add.at(demand, parent_index(town, "store", "meter")[tank], pumps)
    worst = np.sort(np.argsort(demand.sum(axis=0))[-48:])  # steps of highest demand: power flow of all is slow
    few = predict(towns[season], horizon_h=12)
    groups = {node.path: node.to_dataset(inherit=False) for node in few.subtree}
    series = columns(town, "forecast")
    for name in ("p_load", "q_load"):
        groups["/forecast"][name].to_numpy()[:] = series[name][:, worst]
    assert excess(xr.DataTree.from_dict(groups), demand[:, worst], 0 * demand[:, worst]) == (0, 0, 0)


@needs_shared
def test_simbench_clock_and_scale(towns: dict[str, xr.DataTree]) -> None:
    folder = SHARED / "networks" / "simbench_scenario1_extract"
    load = pd.read_csv(folder / "LoadProfile.csv.gz", sep=";", usecols=["time", "H0-A_pload", "H0-L_qload"])
    sun = pd.read_csv(folder / "RESProfile.csv.gz", sep=";", usecols=["time", "PV2", "PV8"])
    for season, stamp, hours in (("summer", "23.05.2016 18:30", 48 + 18.5), ("winter", "19.02.2016 07:15", 48 + 7.25)):
        library = columns(towns[season], "profile")
        row, at = int(np.nonzero(load["time"] == stamp)[0][0]), int(hours * 4)
        name = library["id"].tolist()

        def value(shape: bytes, part: str, at: int = at, library: dict = library, name: list = name) -> float:
            return float(library[part][name.index(shape), at])

        p, q = load["H0-A_pload"], load["H0-L_qload"]
        assert value(b"H0-A", "p_pu") == pytest.approx(p[row] / p.mean(), rel=1e-6)
        assert value(b"H0-A+1w", "p_pu") == pytest.approx(p[row + 672] / p.mean(), rel=1e-6)
        assert value(b"H0-L", "q_pu") == pytest.approx(q[row] / q.mean(), rel=1e-6)
        noon = next(k for k in range(row, row + 96) if sun["PV2"][k] > 0.2)
        both = sum(sun[c][noon] / (sun[c].sum() / 4) for c in ("PV2", "PV8")) / 2 * 1000
        assert value(b"PV_east_west", "p_pu", at + noon - row) == pytest.approx(both, rel=1e-5)


@needs_shared
def test_a_clock_of_another_zone_is_refused(tmp_path: Path) -> None:
    folder = SHARED / "networks" / "simbench_scenario1_extract"
    with gzip.open(folder / "RESProfile.csv.gz", "rt") as file:
        head, first, *rest = file.readlines()
    (tmp_path / "RESProfile.csv").write_text("".join([head, *rest, first]))
    code = "import sys, pathlib, shapes; shapes.read_series(pathlib.Path(sys.argv[1]), 'RESProfile')"
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT / "data" / "build_town", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "Europe/Berlin" in run.stderr


@needs_shared
@pytest.mark.slow
def test_build_again_gives_the_same_cases(tmp_path: Path, towns: dict[str, xr.DataTree]) -> None:
    town = SHARED / "networks" / "schutterwald"
    inputs = {
        "network": town / "lv_schutterwald.json.gz",
        "gas": town / "gas_net_schutterwald_1bar.json.gz",
        "simbench": SHARED / "networks" / "simbench_scenario1_extract",
        "weather": SHARED / "weather" / "pvgis_tmy_45N_8E.csv",
        "output": tmp_path,
    }
    options = ["--no-figures"]
    options += [text for name, path in inputs.items() for text in (f"--{name}", str(path))]
    path = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, str(ROOT / "data" / "build_town"), *options], check=True, env=path, timeout=300)
    for season in SEASONS:
        assert load_case(tmp_path / f"schutterwald_{season}.nc").identical(towns[season])


def test_wheel_takes_data_but_no_scripts() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"dispatch._data" = ["*.nc", "README.md"]' in text
    assert not list((ROOT / "data").glob("*.py")), "scripts beside the data would be modules of dispatch._data"
