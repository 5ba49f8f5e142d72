"""The embedded cases: found wherever the project is installed, what README.md says of them, and how they were made."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
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
from dispatch.case.slices import split_feeders
from dispatch.errors import InputError
from dispatch.forecast.profile import predict
from dispatch.model.baseline import no_battery, self_use
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings
from dispatch.verify.electric import ac_flow, injections

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_balances import require_balances

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
    assert path.stat().st_size < 1_500_000


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
    expected = {"source": 14, "transformer": 14, "bus": 2940, "line": 3000, "prosumer": 1507}
    expected |= {"junction": 2559, "pipe": 2559, "gate": 1, "consumer": 1506, "plant": 1, "chp": 1, "upgrader": 1}
    assert {kind: len(columns(town, kind)["id"]) for kind in expected} == expected
    assert columns(town, "pipe")["length"].sum() == pytest.approx(101_186, abs=1)
    rating = columns(town, "transformer")["s_nom"].sum()
    assert 7200 < rating < 7400
    time = columns(town, "profile")["time"]
    local = pd.DatetimeIndex(time[[0, -1]]).tz_localize("UTC").tz_convert("Europe/Berlin")
    assert len(time) == 7 * 96
    assert [str(t.time()) for t in local] == ["00:00:00", "23:45:00"]
    assert town["/profile"]["p_pu"].dtype == np.float32
    weather, history = columns(town, "station"), columns(town, "history")
    hour = np.timedelta64(3600, "s")
    assert weather["time"][0] <= time[0] - 24 * hour
    assert time[-1] < weather["time"][-1] + hour
    assert weather["source"] == b"typical_year"
    assert all(np.isfinite(weather[n]).all() for n in ("ghi", "dni", "dhi", "temp_air", "wind_speed"))
    assert history["time"][0] == time[0] - np.timedelta64(28, "D")
    assert history["time"][-1] == time[-1]
    assert np.isin(columns(town, "load")["profile"], history["profile"]).all()


@pytest.mark.parametrize("season", SEASONS)
def test_the_day_is_forecast_from_weather_and_meters(season: str, towns: dict[str, xr.DataTree]) -> None:
    town = predict(towns[season])
    forecast, came = columns(town, "forecast"), columns(predict(without_history(towns[season])), "forecast")
    assert forecast["source"] == b"model"
    low, _, high = forecast["p_load_quantile"].transpose(1, 0, 2)
    inside = (low <= came["p_load"]) & (came["p_load"] <= high)
    assert 0.7 < inside.mean() < 0.9
    error = np.abs(forecast["p_load"].sum(axis=0) - came["p_load"].sum(axis=0)).mean()
    assert error < 0.25 * came["p_load"].sum(axis=0).mean()
    pv, library = columns(town, "pv"), columns(town, "profile")
    shape = library["p_pu"][np.argsort(library["id"])[np.searchsorted(np.sort(library["id"]), pv["profile"])], :96]
    whole = pv["p_nom"] @ shape  # roofs as they are turned, against four ways
    np.testing.assert_allclose(forecast["p_available"].sum(axis=0), whole, atol=0.11 * whole.max())


def test_same_houses_in_both_seasons(towns: dict[str, xr.DataTree]) -> None:
    for kind in ("bus", "prosumer", "meter", "load", "pv", "plane", "store", "tariff", "consumer", "plant", "pipe"):
        one, two = (columns(towns[season], kind) for season in SEASONS)
        assert all(np.array_equal(one[name], two[name], equal_nan=one[name].dtype.kind == "f") for name in one), kind
    summer, winter = (columns(towns[season], "station")["temp_air"].mean() for season in SEASONS)
    assert winter < 10 < summer


def test_each_house_heats_with_gas_or_a_heat_pump(towns: dict[str, xr.DataTree]) -> None:
    town = towns["summer"]
    consumer, prosumer = columns(town, "consumer"), columns(town, "prosumer")
    heating = prosumer["heating"][parent_index(town, "consumer", "prosumer")]
    assert sorted(zip(*(u.tolist() for u in np.unique(heating, return_counts=True)), strict=True)) == [
        (b"gas", 1280),
        (b"heat_pump", 226),
    ]
    yearly = np.where(heating == b"gas", consumer["volume_year"] / 8760, 0.0)
    np.testing.assert_allclose(consumer["flow_nom"], yearly, rtol=1e-12)
    tanks = columns(town, "store")["meter"][columns(town, "store")["kind"] == b"tank"]
    meter = columns(town, "meter")
    assert set(meter["prosumer"][np.isin(meter["id"], tanks)]) == set(
        prosumer["id"][prosumer["heating"] == b"heat_pump"]
    )


@needs_shared
def test_gas_of_each_house_is_that_of_its_row(towns: dict[str, xr.DataTree]) -> None:
    """Row i of the gas sinks is the i-th household of the electric file."""
    folder = SHARED / "networks" / "schutterwald"

    def table(name: str, kind: str) -> pd.DataFrame:
        net = json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes()))["_object"]
        return pd.read_json(io.StringIO(net[kind]["_object"]), orient="split", precise_float=True)

    sink, load = table("gas_net_schutterwald_1bar", "sink"), table("lv_schutterwald", "load")
    house = load[load["type"] == "HH"].reset_index(drop=True)
    town = towns["winter"]
    ids, owner = columns(town, "load")["id"], parent_index(town, "meter", "prosumer")
    consumer = columns(town, "consumer")
    for row in (0, 700, 1505):
        at = ids.tolist().index(house["name"][row].encode())
        prosumer = owner[parent_index(town, "load", "meter")[at]]
        mine = np.nonzero(parent_index(town, "consumer", "prosumer") == prosumer)[0]
        assert consumer["volume_year"][mine] == [sink["demand_m3_per_a"][row]]


@pytest.mark.parametrize("season", SEASONS)
def test_gas_follows_the_temperature(season: str, towns: dict[str, xr.DataTree]) -> None:
    """Days in proportion to the sigmoid with lines of the standard load profile, by the weather of the case itself."""
    town = towns[season]
    library, weather = columns(town, "profile"), columns(town, "station")
    shape = library["p_pu"][library["id"].tolist().index(b"gas_house")].astype(float).reshape(7, 96)
    days = (weather["time"] + np.timedelta64(15, "m")).astype("datetime64[D]")
    mean = {day: weather["temp_air"][0][days == day].mean() for day in np.unique(days)[1:-1]}
    expected = []
    for day in list(mean)[3:]:
        t = sum(w * mean[day - k] for k, w in enumerate((8, 4, 2, 1))) / 15
        line = max(-0.04957 * t + 0.8401015, -0.002209 * t + 0.1074468)
        expected.append(1.6209544 / (1 + (-37.1833141 / (t - 40)) ** 5.6727847) + 0.0716431 + line)
    first = int((list(mean)[3] - library["time"][0].astype("datetime64[D]")).astype(int)) - 1
    found = shape.mean(axis=1)[first:][: len(expected)]
    np.testing.assert_allclose(found / found[0], np.array(expected) / expected[0], rtol=2e-3)
    assert shape[:, 24:32].mean() > shape.mean() > shape[:, :16].mean()  # breakfast, night


@pytest.mark.parametrize("season", SEASONS)
def test_summer_demand_limits_the_plant_and_winter_demand_does_not(season: str, towns: dict[str, xr.DataTree]) -> None:
    town = predict(without_history(towns[season]), horizon_h=24)
    upgrader, plant = columns(town, "upgrader"), columns(town, "plant")
    largest = 11.06 * plant["methane_share"][0] * (1 - upgrader["methane_slip"][0]) * upgrader["flow_nom"][0]
    assert 120 < largest / 11.2 < 250
    (feeder,) = [f for f in split_feeders(town) if len(columns(f, "plant")["id"])]
    result = optimize(feeder, Settings(method="monolithic"))
    assert (result["certificate/status"] == b"optimal").all()
    assert (result["schedule/loading_transformer_pu"] < 1.005).all()
    injected = result["schedule/gas_injected"].to_numpy()[0]
    price = result["price/marginal_price_gas"].to_numpy()[0]
    demand = columns(town, "forecast")["flow_consumer"].sum(axis=0, dtype=float)
    require_balances(result, 0.25)
    pack = np.nan_to_num(np.concatenate([[0.0], result["schedule/linepack_gate"].to_numpy()[0]]))
    let_in = 11.2 * result["schedule/flow_gate"].to_numpy()[0]
    np.testing.assert_allclose(injected + let_in, 11.2 * demand + np.diff(pack) / 0.25, atol=1e-6 * largest)
    if season == "winter":
        assert demand.min() > largest / 11.2
        assert injected.max() == pytest.approx(largest)
        np.testing.assert_allclose(price, 0, atol=1e-9)
    else:
        assert demand.mean() < 0.6 * largest / 11.2
        assert (price < -0.01).all()
        # All that is taken, and what half a bar more in 273 m3 of pipes holds.
        packed = injected.sum() / 4 / 11.2 - demand.sum() / 4
        assert packed == pytest.approx(273.105 * 0.5 / 1.01325 * 273.15 / 283.15 / (1 - 0.0022 * 2.2456), rel=1e-3)


def without_history(town: xr.DataTree) -> xr.DataTree:
    """The town of which only what came is known."""
    kept = {node.path: node.to_dataset(inherit=False) for node in town.subtree if node.path != "/history"}
    return xr.DataTree.from_dict(kept)


def excess(town: xr.DataTree, p_import: np.ndarray, p_export: np.ndarray) -> tuple[int, int, int]:
    """Transformers and lines above rating, buses above their upper limit; and none below the lower one."""
    state = ac_flow(town, *injections(town, p_import, p_export))
    over, lines = state.loading_pu.max(axis=1) > 1, len(columns(town, "line")["id"])
    bus = columns(town, "bus")
    high = (state.v_pu > bus["v_max_pu"][:, None]).any(axis=1)
    assert (state.v_pu >= bus["v_min_pu"][:, None]).all()
    return int(over[lines:].sum()), int(over[:lines].sum()), int(high.sum())


def test_first_summer_day_without_control_is_what_readme_says(towns: dict[str, xr.DataTree]) -> None:
    town = predict(without_history(towns["summer"]))
    plan = self_use(town)
    said = re.search(r"first day alone: .*?\| (\d+), (\d+), (\d+) \|", README)
    assert said is not None
    found = excess(town, plan.p_import, plan.p_export)
    assert found == tuple(int(n) for n in said.groups())
    assert min(found) > 0


@pytest.mark.parametrize("season", SEASONS)
def test_loads_alone_hold_all_limits(season: str, towns: dict[str, xr.DataTree]) -> None:
    bare = without_history(towns[season])
    town = predict(bare, horizon_h=168)
    demand = np.zeros((len(columns(town, "meter")["id"]), 672))
    np.add.at(demand, parent_index(town, "load", "meter"), columns(town, "forecast")["p_load"].astype(float))
    tank = np.nonzero(columns(town, "store")["kind"] == b"tank")[0]
    pumps = no_battery(town).p_charge[tank]
    assert pumps.any()
    np.add.at(demand, parent_index(town, "store", "meter")[tank], pumps)
    worst = np.sort(np.argsort(demand.sum(axis=0))[-48:])  # steps of highest demand: power flow of all is slow
    few = predict(bare, horizon_h=12)
    groups = {node.path: node.to_dataset(inherit=False) for node in few.subtree}
    series = columns(town, "forecast")
    for name in ("p_load", "q_load"):
        groups["/forecast"][name].to_numpy()[:] = series[name][:, worst]
    assert excess(xr.DataTree.from_dict(groups), demand[:, worst], 0 * demand[:, worst]) == (0, 0, 0)


@needs_shared
def test_simbench_clock_and_scale(towns: dict[str, xr.DataTree]) -> None:
    folder = SHARED / "networks" / "simbench_scenario1_extract"
    load = pd.read_csv(folder / "LoadProfile.csv.gz", sep=";", usecols=["time", "H0-A_pload", "H0-L_qload"])
    for season, stamp, hours in (("summer", "14.06.2016 18:30", 48 + 18.5), ("winter", "19.02.2016 07:15", 48 + 7.25)):
        library, history = columns(towns[season], "profile"), columns(towns[season], "history")
        row, at = int(np.nonzero(load["time"] == stamp)[0][0]), int(hours * 4)
        name = library["id"].tolist()

        def value(shape: bytes, part: str, at: int = at, library: dict = library, name: list = name) -> float:
            return float(library[part][name.index(shape), at])

        p, q = load["H0-A_pload"], load["H0-L_qload"]
        assert value(b"H0-A", "p_pu") == pytest.approx(p[row] / p.mean(), rel=1e-6)
        assert value(b"H0-A+1w", "p_pu") == pytest.approx(p[row + 672] / p.mean(), rel=1e-6)
        assert value(b"H0-L", "q_pu") == pytest.approx(q[row] / q.mean(), rel=1e-6)
        own = history["profile"].tolist().index(b"H0-A")
        past = p[row - 28 * 96 : row + 1].to_numpy() / p.mean()
        np.testing.assert_allclose(history["p"][own, at : at + 28 * 96 + 1], past, atol=6e-4)


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
