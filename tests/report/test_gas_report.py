"""The gas side of a run in the report, the terminal and ``--json``, by sums over the result's own arrays."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from dispatch.case.schema import build_case
from dispatch.report.html import render
from dispatch.report.summary import print_summary, summary_object
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables

if TYPE_CHECKING:
    import xarray as xr


@pytest.fixture(scope="module")
def day() -> xr.DataTree:
    return optimize(build_case(plant_tables(steps=24, seed=5)), Settings())


def told(result: xr.DataTree) -> dict[str, float]:
    return summary_object(result, times_s={}, files=[])["gas"]


def test_figures_are_sums_over_the_result(day: xr.DataTree) -> None:
    s, gas = day["schedule"], told(day)
    json.dumps(gas, allow_nan=False)
    assert gas["injected_kwh"] == pytest.approx(s["gas_injected"].sum().item())
    assert gas["p_chp_kwh"] == pytest.approx(s["p_chp"].sum().item())
    assert gas["raw_engines_m3"] == pytest.approx(gas["p_chp_kwh"] / (0.3925 * 9.97 * 0.53))
    assert gas["raw_held_m3"] == pytest.approx(s["holder"].to_numpy()[0, -1] - 200)
    demand = day["forecast/flow_consumer"].to_numpy().sum() - 24 * 5
    assert gas["taken_kwh"] == pytest.approx(11 * demand)
    assert gas["cost"] == pytest.approx(s["cost_plant"].item())
    farm = day["prosumer/prosumer"]["prosumer"].to_numpy().tolist().index(b"farm")
    assert gas["bill"] == pytest.approx(s["cost"].to_numpy()[farm])
    assert gas["bill_uncontrolled"] == pytest.approx(s["cost_uncontrolled"].to_numpy()[farm])
    price = day["price/marginal_price_gas"].to_numpy()[2]
    assert gas["uptake_limited_h"] == (price < -1e-6).sum() > 0
    assert gas["price_min"] == pytest.approx(price.min())
    zone = s["pressure"].to_numpy()[2:]
    assert (gas["pressure_min"], gas["pressure_max"]) == pytest.approx((zone.min(), zone.max()))
    # All raw gas, by the methane of the substrates: what was fed, and what stands in the digester less at the end.
    tau, gas_yield = np.array([60.0, 20.0]), np.array([121.0, 16.0])
    fed = (s["feed"].to_numpy() * gas_yield[:, None]).sum()
    left = (tau * (s["gas_rate"].to_numpy()[:, -1] - np.array([90.0, 40 * 16 / 24]))).sum()
    assert gas["raw_m3"] == pytest.approx((fed - left) / 0.53, rel=1e-6)


def test_a_network_without_plants_is_told_of() -> None:
    tables = plant_tables(steps=2)
    for kind in ("plant", "substrate", "chp", "upgrader"):
        del tables[kind]
    result = optimize(build_case(tables), Settings(horizon_h=2))
    gas, page = told(result), render(result)
    taken = 11.0 * (result["forecast/flow_consumer"].to_numpy().sum() - 2 * 5)
    assert (gas["plants"], gas["raw_m3"], gas["cost"]) == (0, 0, 0)
    packed = gas["linepack_end_kwh"] - gas["linepack_initial_kwh"]
    assert (gas["taken_kwh"], gas["gates_kwh"]) == pytest.approx((taken, taken + packed), rel=1e-9)
    assert (gas["pressure_min"], gas["pressure_max"]) == pytest.approx(
        (result["schedule/pressure"].min().item(), result["schedule/pressure"].max().item())
    )
    assert "No biogas plant: consumers take" in page
    assert "Gas pressure" in page
    assert "Biogas and" not in page
    assert "Where raw gas goes" not in page


def test_without_a_gas_network_nothing_is_told() -> None:
    tables = plant_tables(steps=2)
    for kind in ("plant", "substrate", "chp", "upgrader", "junction", "gate", "pipe", "regulator"):
        del tables[kind]
    for kind in ("consumer", "injection", "gas_network"):
        del tables[kind]
    del tables["forecast"]["flow_consumer"]
    result = optimize(build_case(tables), Settings(horizon_h=2))
    assert told(result) is None
    assert "gas network" not in render(result)


def test_a_plant_without_upgrading_has_no_figures_of_the_network() -> None:
    result = optimize(build_case(plant_tables(steps=4, upgrader=False)), Settings(horizon_h=4))
    page = render(result)
    assert "Gas holder" in page
    assert "Uptake limit" not in page
    assert told(result)["injected_kwh"] == 0


def test_limits_of_the_biomethane_share_are_said_to_hold_injection_back() -> None:
    tables = plant_tables(steps=8, seed=5, linepack=False, other=0.0)
    tables["junction"]["biomethane_share_max"] = [np.nan, np.nan, np.nan, 0.3]
    result = optimize(build_case(tables), Settings(horizon_h=8))
    hours = told(result)["share_limited_h"]
    assert hours == (result["price/price_share_max"].to_numpy()[3] > 1e-6).sum() > 0
    page = render(result)
    assert f"Limits of the biomethane share hold injection back in {hours:.2f} h." in page
    assert "takes all biomethane" not in page


def test_page_and_terminal_say_the_same(day: xr.DataTree) -> None:
    page, out = render(day), io.StringIO()
    print_summary(day, Console(file=out, width=400))
    text = out.getvalue()
    gas = told(day)
    for said in (f"{gas['raw_m3']:,.0f} m³ of raw gas", f"takes no more in {gas['uptake_limited_h']:.2f} h"):
        assert said in page
        assert said in text
    assert "Checked by AC power flow and steady gas pressures" in page
    for title in (
        "Where raw gas goes",
        "Gas holder",
        "Uptake limit and injection",
        "Gas pressure",
        "Calorific value",
        "the price of gas",
    ):
        assert title in page
    assert "<script" not in page
    assert gas["pressure_error_max"] == day["certificate"].attrs["pressure_error_max"] >= 0
    assert f"at most {1000 * gas['pressure_error_max']:.2f} mbar else" in page
    assert f"at most {1000 * gas['pressure_error_max']:.2f} mbar else" in text


def test_what_owners_save_is_told_with_their_electricity(day: xr.DataTree) -> None:
    gas, page = told(day), render(day)
    saved = gas["bill_uncontrolled"] - gas["bill"]
    assert saved > 0
    way = "earn" if gas["bill"] < 0 else "pay"
    assert f"Owners of plants {way} {abs(gas['bill']):,.2f} EUR with their electricity" in page
    assert f"{saved:,.2f} EUR {'more' if way == 'earn' else 'less'} than without control." in page
    dear = day.copy(deep=True)
    dear["schedule"]["cost"] = dear["schedule"]["cost"] + 1e4
    assert "than without control, which keeps to no limit of the electric network and of pressures." in render(dear)


def test_statements_of_accounts_stand_on_the_page_and_in_json() -> None:
    result = optimize(build_case(plant_tables(steps=26, seed=2, account="day")), Settings(horizon_h=26))
    entries = [e for e in told(result)["accounts"] if e["account"] == "dairy"]
    taken = 11.0 * result["forecast/flow_consumer"].to_numpy()[0].astype(float)
    injected = result["schedule/gas_injected"].to_numpy()[0]
    for entry, own in zip(entries, (slice(0, 2), slice(2, 26)), strict=True):
        assert entry["sites"]["plant"] == pytest.approx(injected[own].sum())
        assert entry["sites"]["k0"] == pytest.approx(-taken[own].sum())
        assert sum(entry["sites"].values()) == pytest.approx(entry["injected"] - entry["withdrawn"])
        assert (entry["band"], entry["fee"]) == (400.0, 0.005)
    page = render(result)
    assert "Gas accounts" in page
    assert f"<td>{entries[1]['injected']:,.0f}</td><td>{entries[1]['withdrawn']:,.0f}</td>" in page
