"""The ``--json`` object and the terminal summary."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rich.console import Console
from synthetic_result import make_result

from dispatch.report.summary import print_summary, summary_object

KEYS = [
    "status",
    "objective",
    "objective_relaxation",
    "lower_bound",
    "currency",
    "gap",
    "gap_relaxation",
    "repair_cost",
    "residual_primal",
    "residual_dual",
    "feeders",
    "prosumers",
    "steps",
    "forecast",
    "limits_at",
    "limits_unmet",
    "unmet",
    "reinforcements",
    "ac",
    "uncontrolled",
    "gas",
    "times_s",
    "method",
    "files",
]


def summary(result: xr.DataTree, **labels: Any) -> dict[str, Any]:
    times, files = labels.get("times_s", {"solve": 1.5}), labels.get("files", ["a.nc"])
    found = summary_object(result, times_s=times, files=files)
    return json.loads(json.dumps(found, allow_nan=False))


def printed(result: xr.DataTree, width: int = 80) -> str:
    out = io.StringIO()
    print_summary(result, Console(file=out, width=width, force_terminal=False))
    return out.getvalue()


def test_keys_are_those_of_the_interface(result: xr.DataTree) -> None:
    found = summary(result)
    assert list(found) == KEYS
    assert (
        list(found["ac"]) == list(found["uncontrolled"]) == ["v_error_max_pu", "v_violation_max_pu", "loading_max_pu"]
    )
    assert (found["times_s"], found["files"], found["method"]) == ({"solve": 1.5}, ["a.nc"], "monolithic")


def test_figures_are_sums_and_worst_of_the_feeders() -> None:
    result = make_result(feeders=3, steps=8)
    group = result["certificate"]
    for name, values in {
        "objective": [10.0, 20.0, 31.0],
        "objective_relaxation": [10.0, 20.0, 30.5],
        "lower_bound": [10.0, 20.0, 30.0],
        "repair_cost": [0.0, 0.25, 0.5],
        "residual_primal": [1e-9, 3e-8, 2e-9],
        "residual_dual": [5e-9, 1e-9, 4e-9],
    }.items():
        group[name][:] = values
    found = summary(result)
    assert found["objective"] == 61.0
    assert found["lower_bound"] == 60.0
    assert found["gap"] == pytest.approx(1 / 61)
    assert found["gap_relaxation"] == pytest.approx(0.5 / 60.5)
    assert found["repair_cost"] == 0.75
    assert (found["residual_primal"], found["residual_dual"]) == (3e-8, 5e-9)
    assert (found["feeders"], found["prosumers"], found["steps"]) == (3, 18, 8)


def test_physics_equals_plain_loops(result: xr.DataTree) -> None:
    found = summary(result)
    schedule, bus = result["schedule"], result["electric/bus"]
    for key, suffix in (("ac", ""), ("uncontrolled", "_uncontrolled")):
        worst = 0.0
        for b, low, high in zip(bus["bus"].values, bus["v_min_pu"].values, bus["v_max_pu"].values, strict=True):
            for v in schedule[f"v{suffix}_pu"].sel(bus=b).values:
                worst = max(worst, float(v) - high, low - float(v))
        loading = max(float(schedule[f"loading_{k}{suffix}_pu"].max()) for k in ("line", "transformer"))
        assert found[key]["v_violation_max_pu"] == pytest.approx(worst, abs=1e-12)
        assert found[key]["loading_max_pu"] == pytest.approx(loading)
    error = float(abs(schedule["v_pu"] - schedule["v_linear_pu"]).max())
    assert found["ac"]["v_error_max_pu"] == pytest.approx(error, rel=1e-3)
    assert found["uncontrolled"]["v_error_max_pu"] is None  # the file holds no linear state without control
    noted = result.copy()
    noted["certificate"].attrs["v_error_uncontrolled_max_pu"] = np.float64(0.0125)
    assert summary(noted)["uncontrolled"]["v_error_max_pu"] == 0.0125


def test_violation_is_found_at_both_limits() -> None:
    for value, amount in ((1.13, 0.03), (0.86, 0.04)):
        result = make_result(steps=8)
        result["schedule"]["v_pu"][5, 3] = value
        assert summary(result)["ac"]["v_violation_max_pu"] == pytest.approx(amount, abs=1e-6)


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (["optimal", "optimal"], "optimal"),
        (["optimal", "gap"], "gap"),
        (["limits_unmet", "gap"], "limits_unmet"),
        (["not_run", "limits_unmet"], "not_run"),
        (["invalid", "not_run"], "invalid"),
        (["failed", "invalid"], "failed"),
        (["optimal", "strange"], "failed"),
    ],
)
def test_status_is_the_worst_of_the_feeders(statuses: list[str], worst: str) -> None:
    result = make_result(feeders=2, steps=4)
    result["certificate"]["status"] = xr.DataArray(np.array(statuses, "S16"), dims="source")
    assert summary(result)["status"] == worst
    assert worst in {"optimal", "gap"} or "All limits hold" not in printed(result)


def test_what_is_not_known_is_null() -> None:
    result = make_result(steps=4)
    result["schedule"]["v_pu"][:] = np.nan
    result["certificate"]["objective"][:] = np.nan
    found = summary(result, times_s={"solve": math.inf})
    assert found["ac"]["v_error_max_pu"] is None
    assert found["objective"] is None
    assert found["gap"] is None
    assert found["times_s"]["solve"] is None


def test_unmet_limits_are_counted_and_listed() -> None:
    unmet = [{"element": "trafo-0", "amount": 3.5}, {"element": "b"}]
    found = summary(make_result(steps=4, unmet=unmet))
    assert found["limits_unmet"] == 2
    assert found["unmet"] == unmet


def test_a_case_without_result_has_a_summary() -> None:
    result = make_result(steps=4)
    for group in ("schedule", "price", "offset", "certificate"):
        del result[group]
    assert summary(result)["status"] == "not_run"
    assert "not complete" in printed(result)


def test_text_fits_80_columns_and_says_what_binds() -> None:
    text = printed(make_result(feeders=14, buses=20, title="Ein Städtchen 🏡", prefix="sehr-langer-präfix-"))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "All limits hold" in text
    assert "Tightest: " in text
    assert "limits with a price" in text
    assert "one percent more of it would save" in " ".join(text.split())
    assert "saved" in text


@pytest.mark.parametrize(("status", "told"), [("optimal", "it has room in every hour"), ("gap", "nothing follows")])
def test_without_prices_room_is_claimed_of_a_proven_schedule_only(status: str, told: str) -> None:
    result = make_result(feeders=1, steps=4, status=status)
    for variable in result["price"].data_vars.values():
        variable.values[...] = 0.0
    text = " ".join(printed(result).split())
    assert told in text
    assert ("has room" in text) == (status == "optimal")


def test_markup_in_ids_is_not_markup() -> None:
    assert "[bold]" in printed(make_result(feeders=1, steps=4, prefix="[bold]"), width=200)


def test_many_feeders_are_cut_with_a_count() -> None:
    text = printed(make_result(feeders=25, buses=3, steps=4))
    assert text.count("optimal") == 20
    assert "5 more feeders" in text


def test_what_limits_cost_is_not_called_a_saving(result: xr.DataTree) -> None:
    dear = result.copy(deep=True)
    assert "saved against no control, which breaks limits" in " ".join(printed(dear).split())
    dear["schedule"]["cost"][:] += 10.0
    assert "more than with no control, which breaks limits" in " ".join(printed(dear).split())
