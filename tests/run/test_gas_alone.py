"""A gas network without any electric one is scheduled, checked, reported, run in a batch and reproduced."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.batch.results import open_results
from dispatch.batch.run_batch import run_batch
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case
from dispatch.report.html import render
from dispatch.report.summary import summary_object
from dispatch.run.again import rerun
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables

HOURS = 8
ELECTRIC = ("bus", "source", "line", "load", "store")
METERED = ("prosumer", "tariff", "meter")


def alone(*, meters: bool = False, **choices: Any) -> Any:
    tables = plant_tables(steps=HOURS, seed=5, account="day", compressor=True, **choices)
    for kind in (*ELECTRIC, *(() if meters else METERED)):
        del tables[kind]
    for name in ("p_load", *(() if meters else ("price_import", "price_export"))):
        del tables["forecast"][name]
    if meters:
        del tables["meter"]["bus"]
    else:
        del tables["plant"]["meter"], tables["compressor"]["meter"]
    return build_case(tables, title="alone")


@pytest.fixture(scope="module")
def result() -> Any:
    return optimize(alone(), Settings(horizon_h=HOURS))


def test_plants_are_scheduled_at_the_default_prices(result) -> None:
    assert result["certificate/status"].to_numpy() == [b"optimal"]
    s = result["schedule"]
    took = 12 + 0.25 * s["flow_raw"].to_numpy()[0] + 0.05 / 11.0 * s["gas_compressor"].to_numpy()[0]
    power = s["p_chp"].to_numpy()[0] - took
    np.testing.assert_allclose((s["p_export"] - s["p_import"]).to_numpy()[0], power, atol=1e-3)
    bill = 0.30 * np.maximum(-power, 0).sum() - 0.08 * np.maximum(power, 0).sum()
    plants = s["cost_plant"].to_numpy()[0] + s["cost_account"].to_numpy().sum()
    assert float(s["cost"].to_numpy()[0]) == pytest.approx(bill + s["cost_plant"].to_numpy()[0], abs=0.02)
    assert float(result["certificate/objective"].to_numpy()[0]) == pytest.approx(bill + plants, abs=0.02)
    assert np.isfinite(s["pressure"].to_numpy()).all()


def test_it_is_the_optimum_of_the_same_plants_on_a_bus_without_limits(result) -> None:
    tables = plant_tables(steps=HOURS, seed=5, account="day", compressor=True)
    for kind in ("line", "load", "store"):
        del tables[kind]
    tables["bus"], tables["source"] = {"id": ["b"], "v_nom": [20.0]}, {"id": ["grid"], "bus": ["b"]}
    tables["prosumer"] = {"id": ["farm"]}
    tables["tariff"] = {"id": ["flat"], "price_import": [0.3], "price_export": [0.08]}
    tables["meter"] = {"id": ["mf"], "bus": ["b"], "prosumer": ["farm"], "tariff": ["flat"]}
    for name in ("p_load", "price_import", "price_export"):
        del tables["forecast"][name]
    other = optimize(build_case(tables), Settings(horizon_h=HOURS, method="monolithic"))
    ours, theirs = (float(r["certificate/objective"].to_numpy()[0]) for r in (result, other))
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_report_and_object_leave_the_electric_network_out(result) -> None:
    said = summary_object(result, times_s={}, files=[])
    assert said["status"] == "optimal"
    assert said["ac"]["loading_max_pu"] in {None, 0.0}
    assert said["ac"]["v_violation_max_pu"] == 0.0
    assert said["gas"]["injected_kwh"] > 0
    page = render(result)
    assert "steady gas pressures" in page
    for electric in ("AC power flow", "Voltage of all buses", "Tightest place", "no battery"):
        assert electric not in page, electric


def test_it_is_reproduced_from_its_file(result, tmp_path) -> None:
    save_case(result, tmp_path / "r.nc")
    assert check_case(load_case(tmp_path / "r.nc")) == []
    assert rerun(tmp_path / "r.nc") == []


def test_meters_of_its_own_keep_their_tariffs() -> None:
    case = alone(meters=True)
    assert check_case(case) == []
    result = optimize(case, Settings(horizon_h=HOURS))
    assert [i.decode() for i in result["prosumer/meter/meter"].to_numpy()] == ["mf", "mh"]
    np.testing.assert_array_equal(result["forecast/price_import"].to_numpy(), case["forecast/price_import"].to_numpy())


def test_without_series_it_is_a_day_of_hours() -> None:
    tables = plant_tables(steps=HOURS, seed=5)
    for kind in (*ELECTRIC, *METERED, "forecast", "plant", "substrate", "chp", "upgrader"):
        del tables[kind]
    for start, first in ((None, "2026-01-01T00"), ("2026-07-01T10:00", "2026-07-01T10")):
        result = optimize(build_case(tables), Settings(start=start))
        assert result["certificate/status"].to_numpy() == [b"optimal"]
        time = result["forecast/time"].to_numpy()
        assert (len(time), time[0]) == (24, np.datetime64(first, "s"))


def test_it_runs_in_a_batch(tmp_path) -> None:
    utility = tmp_path / "utility"
    utility.mkdir()
    tables = plant_tables(steps=HOURS, seed=5)
    for kind in (*ELECTRIC, *METERED, "forecast", "plant", "substrate", "chp", "upgrader"):
        del tables[kind]
    for name, case in (("plants", alone()), ("plain", build_case(tables))):
        save_case(case, utility / f"{name}.nc")
    status = run_batch(utility, tmp_path / "night", Settings(horizon_h=HOURS), workers=1)
    assert status.counts["optimal"] == 2
    found = open_results(tmp_path / "night", feeder="plants/electricity")
    pressure = found["schedule/pressure"].to_numpy()  # over the times of both cases
    assert np.isfinite(pressure).sum() == 4 * HOURS
