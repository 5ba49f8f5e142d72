"""From a case to parameters: each quantity of docs/formulation.md worked out meter by meter, in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from model_cases import Shape, case_of, inputs_of, shapes, small_town

from dispatch.case.schema import columns
from dispatch.errors import InputError
from dispatch.model.inputs import make_inputs


@settings(max_examples=20, deadline=None)
@given(shapes())
def test_bounds_of_meters_by_hand(shape: Shape) -> None:
    case, inputs = case_of(shape), make_inputs(case_of(shape))
    meter, load, pv, store, forecast = (columns(case, k) for k in ("meter", "load", "pv", "store", "forecast"))
    for name in ("p_load", "p_available"):
        forecast[name] = forecast[name].astype(np.float64)  # stored as float32, added up as float64
    found = inputs.kinds["meter"].parameters
    curtailed = inputs.kinds["pv"].parameters["p_curtailed_max"]
    battery = inputs.kinds["battery"].parameters
    discharging = [
        0.0 if kind == b"tank" else given if given == given else p if kind == b"battery" else 0.0  # noqa: PLR0124
        for kind, given, p in zip(store["kind"], store["p_discharge_nom"], store["p_nom"], strict=True)
    ]
    for m, name in enumerate(meter["id"]):
        for t in range(shape.steps):
            D = sum(forecast["p_load"][k, t] for k in range(len(load["id"])) if load["meter"][k] == name)
            here = [k for k in range(len(pv["id"])) if pv["meter"][k] == name]
            A = sum(forecast["p_available"][k, t] for k in here)
            F = sum(forecast["p_available"][k, t] for k in here if not pv["curtailable"][k])
            behind = np.nonzero(store["meter"] == name)[0]
            S_in, S_out = (sum(powers[k] for k in behind) for powers in (store["p_nom"], discharging))
            most_in, most_out, green = (meter[c][m] for c in ("p_import_max", "p_export_max", "green_only"))
            if green:
                take, give = max(D - A, 0), max(A - D, 0)
            else:
                take, give = max(D + S_in, 0), A + max(-D, 0) + S_out
            assert found["p_import_max"][m, t] == pytest.approx(min(most_in, take), abs=1e-12)
            assert found["p_export_max"][m, t] == pytest.approx(min(most_out, give), abs=1e-12)
            assert found["p_unserved_max"][m, t] == pytest.approx(max(max(D - F, 0) - most_in, 0), abs=1e-12)
            assert found["p_spilled_max"][m, t] == pytest.approx(max(max(F - D, 0) - most_out, 0), abs=1e-12)
            for k in here:
                share = 1.0 if not green else (min(max(A - D, 0) / (A - F), 1.0) if A > F else 0.0)
                most = forecast["p_available"][k, t] * share if pv["curtailable"][k] else 0.0
                assert curtailed[k, t] == pytest.approx(most, abs=1e-12)
            for k in [k for k in behind if store["kind"][k] == b"battery"]:
                charge = min(store["p_nom"][k], max(A - D, 0)) if green else store["p_nom"][k]
                discharge = min(discharging[k], max(D - A, 0)) if green else discharging[k]
                wide = np.broadcast_to(battery["p_charge_max"], (len(store["id"]) - 2, shape.steps))
                assert wide[k, t] == pytest.approx(charge, abs=1e-12)
                wide = np.broadcast_to(battery["p_discharge_max"], (len(store["id"]) - 2, shape.steps))
                assert wide[k, t] == pytest.approx(discharge, abs=1e-12)


def test_contents_not_given_are_half_and_the_initial_one() -> None:
    case = case_of(Shape(seed=3))
    store, battery = columns(case, "store"), make_inputs(case).kinds["battery"].parameters
    assert battery["state_of_charge_initial"][0, 0] == store["energy_nom"][0] / 2
    car, tank = (make_inputs(case).kinds[kind].parameters["state_of_charge_least"][0, -1] for kind in ("car", "tank"))
    least = columns(case, "forecast")["state_of_charge_least"][-2:, -1].astype(float)
    assert car == max(store["state_of_charge_final"][-2], least[0])
    assert tank == max(store["state_of_charge_initial"][-1], least[1])
    assert battery["state_of_charge_final"][0, 0] == store["state_of_charge_final"][0]


def test_the_fee_is_part_of_the_import_price_and_peaks_are_of_meters_that_pay_them() -> None:
    inputs = make_inputs(small_town())
    np.testing.assert_allclose(inputs.kinds["meter"].parameters["price_import"], [[0.32, 0.27]])
    inputs = inputs_of(Shape(meters=4))
    assert inputs.kinds["peak"].index.tolist() == [1]
    assert inputs.kinds["peak"].nodes["meter"][1].tolist() == [1]
    assert inputs.dt == 1.0


def test_branches_out_of_service_are_left_out() -> None:
    inputs = inputs_of(Shape(buses=4, out_of_service=True, loop=True))
    assert inputs.kinds["line"].index.tolist() == [0, 1, 2, 3]
    assert inputs.kinds["line"].ids.tolist() == [b"l0", b"l1", b"l2", b"l3"]


def test_series_are_matched_by_id_and_constant_without_profile() -> None:
    case = small_town()
    forecast = case["/forecast"].to_dataset(inherit=False)

    case["/forecast"] = xr.DataTree(forecast.drop_vars(["p_load", "q_load", "load"]))
    inputs = make_inputs(case)
    np.testing.assert_array_equal(inputs.kinds["load"].parameters["p_load"], [[2.0, 2.0]])
    np.testing.assert_array_equal(inputs.kinds["load"].parameters["q_load"], [[0.0, 0.0]])


def test_a_series_that_is_not_complete_is_refused() -> None:
    case = small_town()
    case["/forecast"]["p_available"][0, 1] = np.nan
    with pytest.raises(InputError) as caught:
        make_inputs(case)
    assert [(p.code, p.variable, p.ids) for p in caught.value.problems] == [
        ("missing-series", "p_available", ("roof",))
    ]


def test_no_forecast_is_refused() -> None:
    case = small_town()
    del case["forecast"]
    with pytest.raises(InputError, match="missing-group"):
        make_inputs(case)


def test_an_export_price_above_the_import_price_is_refused() -> None:
    case = small_town()
    case["/forecast"]["price_export"][0, 1] = 0.28
    with pytest.raises(InputError) as caught:
        make_inputs(case)
    (problem,) = caught.value.problems
    assert (problem.code, problem.ids, problem.count) == ("export-price", ("house",), 1)
    assert "0.28" in problem.value
    assert "0.27" in problem.allowed
    case["/prosumer/meter"]["green_only"][...] = True
    assert make_inputs(case).kinds["meter"].count == 1
